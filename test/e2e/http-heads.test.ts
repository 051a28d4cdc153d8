// What a request head may hold, and what of it becomes the environ: rows T5 to T8, T10 to T12, T14 and T15 of
// docs/security.md.
//
// Written from RFC 9110 sections 5.5 and 7, RFC 9112 sections 2, 3 and 5, and PEP 3333.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ENGINES, type Engine } from './harness.js';
import { assertRefused, type BadRequest, type Entry, forEach, JournalServer, SMUGGLED } from './http-contract.js';
import type { UwsLimit } from './uws-limits.js';

const get = (fields: string, target = '/g') => `GET ${target} HTTP/1.1\r\n${fields}\r\n\r\n`;
const withHost = (field: string) => get(`Host: a\r\n${field}`);
const HANGS = (limit: UwsLimit) => ({ limit, instead: 'hangs' }) as const;
const TAKEN = (limit: UwsLimit) => ({ limit, instead: 'taken' }) as const;

const FIELDS: readonly BadRequest[] = [
  { name: 'a line that ends with LF', bytes: withHost('X: 1\nY: 2'), status: 400, uws: 'itself' },
  { name: 'a head that ends with LF', bytes: 'GET /g HTTP/1.1\nHost: a\n\n', status: 400, uws: 'itself' },
  { name: 'a CR in a value', bytes: withHost('X: a\rb'), status: 400, uws: HANGS('bare-cr') },
  { name: 'a CR at the end of a value', bytes: withHost('X: a\r'), status: 400, uws: HANGS('bare-cr') },
  { name: 'a NUL in a value', bytes: withHost('X: a\0b'), status: 400, uws: 'itself' },
  { name: 'a NUL in a name', bytes: withHost('X\0: a'), status: 400, uws: 'itself' },
  { name: 'a control character in a value', bytes: withHost('X: a\x01b'), status: 400, uws: 'itself' },
  { name: 'an escape in a value', bytes: withHost('X: \x1b[31m'), status: 400, uws: 'itself' },
  { name: 'a DEL in a value', bytes: withHost('X: a\x7fb'), status: 400 },
  { name: 'a folded value', bytes: withHost('X: a\r\n b'), status: 400, uws: 'itself' },
  { name: 'a value folded with a tab', bytes: withHost('X: a\r\n\tb'), status: 400, uws: 'itself' },
  { name: 'a folded Host', bytes: get('Host:\r\n a'), status: 400, uws: 'itself' },
  { name: 'a blank before the first name', bytes: get(' Host: a'), status: 400, uws: 'itself' },
  { name: 'a space before the colon', bytes: withHost('X : a'), status: 400, uws: 'itself' },
  { name: 'a tab before the colon', bytes: withHost('X\t: a'), status: 400, uws: 'itself' },
  {
    name: 'Content-Length with a space before the colon',
    bytes: withHost('Content-Length : 5'),
    status: 400,
    uws: 'itself',
  },
  { name: 'no colon', bytes: withHost('Xa'), status: 400, uws: 'itself' },
  { name: 'no name', bytes: withHost(': a'), status: 400, uws: TAKEN('empty-name') },
  {
    name: 'no name, and a length behind it',
    bytes: `POST /p HTTP/1.1\r\nHost: a\r\n: a\r\nContent-Length: 5\r\n\r\nhello`,
    status: 400,
    uws: TAKEN('empty-name'),
  },
  { name: 'a name in parentheses', bytes: withHost('(X): a'), status: 400, uws: 'itself' },
  { name: 'a byte above 0x7f in a name', bytes: withHost('X\x80: a'), status: 400, uws: 'itself' },
  {
    name: 'a name that is Cookie in Unicode only',
    bytes: withHost('Coo\xe2\x84\xaaie: a'),
    status: 400,
    uws: 'itself',
  },
];

const hosts = (names: readonly string[], uws?: BadRequest['uws']): BadRequest[] =>
  names.map((name) => ({
    name: `Host: ${JSON.stringify(name)}`,
    bytes: get(`Host: ${name}`),
    status: 400,
    ...(uws && { uws }),
  }));

const HOSTS: readonly BadRequest[] = [
  { name: 'no Host', bytes: get('X: 1'), status: 400, why: /Host/, uws: 'itself' },
  { name: 'two Host', bytes: get('Host: a\r\nHost: b'), status: 400, why: /Host/, uws: 'itself' },
  { name: 'two Host that are equal', bytes: get('Host: a\r\nhost: a'), status: 400, why: /Host/, uws: 'itself' },
  ...hosts(['a/b', 'u@a', 'u:p@a', 'a b', 'a,b', 'a?b', 'a#b', 'a\\b', 'a"b', 'a<b', '[::1', '::1', 'a:b', 'a:80:80']),
  ...hosts(['a:999999', '%zz', 'a%', 'http://a', '/']),
  ...hosts(['\xe4', 'a\xe9'], TAKEN('stripped-bytes')),
  ...hosts(['b\xfccher.de', 'a\xe2\x84\xaa.de']),
];

const line = (start: string) => `${start}\r\nHost: a\r\n\r\n`;
const LINES: readonly BadRequest[] = [
  { name: 'HTTP/2.0', bytes: line('GET /g HTTP/2.0'), status: 505, uws: 'itself' },
  { name: 'HTTP/1.2', bytes: line('GET /g HTTP/1.2'), status: [400, 505], uws: 'itself' },
  { name: 'HTTP/0.9', bytes: line('GET /g HTTP/0.9'), status: 505, uws: 'itself' },
  { name: 'HTTP/1.10', bytes: line('GET /g HTTP/1.10'), status: 400, uws: 'itself' },
  { name: 'http/1.1', bytes: line('GET /g http/1.1'), status: 400, uws: 'itself' },
  { name: 'a blank behind the version', bytes: line('GET /g HTTP/1.1 '), status: 400, uws: 'itself' },
  { name: 'a blank in front of the method', bytes: line(' GET /g HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'tabs', bytes: line('GET\t/g\tHTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'no method', bytes: line(' /g HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'no target', bytes: line('GET HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'a parenthesis in the method', bytes: line('G(T /g HTTP/1.1'), status: 400 },
  { name: 'a byte above 0x7f in the method', bytes: line('G\xc3\x84T /g HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'a blank in the target', bytes: line('GET /a b HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'a DEL in the target', bytes: line('GET /a\x7f HTTP/1.1'), status: 400 },
  { name: 'a NUL in the target', bytes: line('GET /a\0 HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'a CR in the target', bytes: line('GET /a\rb HTTP/1.1'), status: 400, uws: HANGS('bare-cr') },
  { name: 'a target without a slash', bytes: line('GET a HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'only a query', bytes: line('GET ?x HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'the beginning of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400, uws: 'itself' },
  { name: 'TLS', bytes: `\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03${'a'.repeat(160)}`, status: 400, uws: 'itself' },
  { name: 'a uwsgi packet', bytes: '\0\x0e\0\0\x09\0PATH_INFO\x01\0/', status: 400, uws: 'itself' },
];

const FORMS: readonly BadRequest[] = [
  { name: 'GET *', bytes: line('GET * HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'another scheme', bytes: line('GET ftp://h/x HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'a user in the target', bytes: line('GET http://u@h/x HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'no host in the target', bytes: line('GET http:///x HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'two hosts in the target', bytes: line('GET http://a,b/x HTTP/1.1'), status: 400, uws: 'itself' },
  { name: 'CONNECT', bytes: line('CONNECT a:80 HTTP/1.1'), status: 405, uws: 'itself' },
  {
    name: 'CONNECT, and a request behind it',
    bytes: line('CONNECT a:80 HTTP/1.1') + SMUGGLED,
    status: 405,
    uws: 'itself',
  },
  { name: 'CONNECT with a path', bytes: line('CONNECT /g HTTP/1.1'), status: 405, why: /no proxy/ },
];

const fields = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1`).join('\r\n');
const TOO_LARGE: readonly BadRequest[] = [
  {
    name: 'a head over buffer-size',
    bytes: withHost(`X: ${'a'.repeat(3000)}`),
    status: 431,
    why: /buffer-size \(2048\)/,
    uws: 'itself',
  },
  {
    name: 'a target over buffer-size',
    bytes: get('Host: a', `/${'a'.repeat(3000)}`),
    status: 431,
    why: /buffer-size \(2048\)/,
    uws: 'itself',
  },
  { name: '101 fields', bytes: withHost(fields(100)), status: 431, why: /number of header fields/, uws: 'itself' },
];

/** The one request that the app saw. */
function only(entries: readonly Entry[]): Entry {
  assert.equal(entries.length, 1);
  return entries[0]!;
}

const PATHS: readonly (readonly [target: string, pathInfo: string])[] = [
  ['/a%20b', '/a b'],
  ['/a+b', '/a+b'],
  ['/%zz', '/%zz'],
  ['/%', '/%'],
  ['/%4', '/%4'],
  ['/%%41', '/%A'],
  ['/%2541', '/%41'],
  ['/%e9', '/\xe9'],
  ['/%C3%A9', '/\xc3\xa9'],
  ['/a%2Fb', '/a/b'],
  ['//', '//'],
  ['//a//b/', '//a//b/'],
  ['/a/../b', '/a/../b'],
  ['/%2e%2e/b', '/../b'],
  ['/a/./b', '/a/./b'],
  ['/a;b=c', '/a;b=c'],
  ['/a\\b', '/a\\b'],
  ['/%0d%0aX:1', '/\r\nX:1'],
  ['/a#b', '/a'],
];

function describeHeads(engine: Engine): void {
  let journal: JournalServer;
  let small: JournalServer;
  before(async () => {
    journal = await JournalServer.start(engine);
    small = await JournalServer.start(engine, ['--buffer-size', '2048']);
  });
  after(async () => {
    await journal.stop();
    await small.stop();
  });

  test('T5: bytes that no field may have are refused', async () => {
    await forEach(FIELDS, (bad) => assertRefused(journal, bad));
  });

  test('T5: request lines that are none are refused', async () => {
    await forEach(LINES, (bad) => assertRefused(journal, bad));
  });

  test('T6: a name with an underscore never reaches the app, whatever comes beside it', async () => {
    const bytes = withHost('X_Real_IP: 6.6.6.6\r\nX-Real-IP: 1.1.1.1\r\nX-Real_IP: 6.6.6.6\r\n_: x\r\nA_B: x');
    const entry = only((await journal.send(bytes, { answers: 1 })).entries);
    assert.equal(entry.HTTP_X_REAL_IP, '1.1.1.1');
    assert.deepEqual(
      Object.keys(entry).filter((name) => name.startsWith('HTTP_')),
      ['HTTP_HOST', 'HTTP_X_REAL_IP'],
    );
  });

  test('T6: the log names what is dropped, once, and --underscore-headers lets it pass', async () => {
    const bytes = withHost('Api_Key: secret\r\nX_Real_IP: 6.6.6.6\r\nX-Real-IP: 1.1.1.1');
    const from = journal.server.log.length;
    for (let i = 0; i < 3; i++) await journal.send(bytes, { answers: 1 });
    await journal.server.waitForLog(/^the header field "api_key" is dropped: .*underscore-headers$/im, from);
    assert.equal(journal.server.log.match(/"api_key" is dropped/gi)?.length, 1);
    assert.doesNotMatch(journal.server.log, /secret/);
    const lenient = await JournalServer.start(engine, ['--underscore-headers']);
    const entry = only((await lenient.send(bytes, { answers: 1 })).entries);
    assert.deepEqual([entry.HTTP_API_KEY, entry.HTTP_X_REAL_IP], ['secret', '1.1.1.1']);
    await lenient.stop();
  });

  test('T7: the length of a body is told by Content-Length alone', async () => {
    const head = 'POST /p HTTP/1.1\r\nHost: a\r\nContent_Length: 2\r\nContent-Length: 5\r\nContent_Type: evil\r\n';
    const entry = only((await journal.send(`${head}content_length: 1\r\n\r\nhello`, { answers: 1 })).entries);
    assert.equal(entry.CONTENT_LENGTH, '5');
    assert.equal(entry.body, 'hello');
    assert(!('CONTENT_TYPE' in entry));
  });

  test('T8: Proxy never becomes HTTP_PROXY', async () => {
    const bytes = withHost('Proxy: http://evil\r\nproxy: http://evil\r\nPROXY: x\r\nProxy-Connection: keep-alive');
    const entry = only((await journal.send(bytes, { answers: 1 })).entries);
    assert(!('HTTP_PROXY' in entry));
    assert.equal(entry.HTTP_PROXY_CONNECTION, 'keep-alive');
  });

  test('T9: what a client says about who it is stays a header field', async () => {
    const bytes = withHost(
      'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6;proto=https\r\nX-Real-IP: 6.6.6.6',
    );
    const { entries, from } = await journal.send(bytes, { answers: 1 });
    assert.equal(only(entries).REMOTE_ADDR, from);
    assert.equal(only(entries)['wsgi.url_scheme'], 'http');
    assert.equal(only(entries).HTTP_X_FORWARDED_FOR, '6.6.6.6');
  });

  test('T10: anything but one host and port as Host is refused', async () => {
    await forEach(HOSTS, (bad) => assertRefused(journal, bad));
  });

  test('T10: hosts that RFC 3986 knows are taken', async () => {
    for (const host of ['a', 'a:80', 'a:', '', 'A.b-c_d.e', '1.2.3.4:5', '[::1]', '[::1]:80', 'x%20y', 'a~b']) {
      assert.equal(only((await journal.send(get(`Host: ${host}`), { answers: 1 })).entries).HTTP_HOST, host);
    }
  });

  test('T11: bytes above 0x7f come through as they are, or the request is refused', async () => {
    for (const value of [
      'a\xe9b',
      'a\xc3\xa9b',
      'a\xff\xfeb',
      'a\xe9\x80\x80b',
      'a\xf0\x9f\x98\x80b',
      'a\xef\xbb\xbfb',
    ]) {
      const { answers, entries } = await journal.send(withHost(`X: ${value}`), { answers: 1 });
      if (answers[0]?.status === 400) assert.deepEqual(entries, []);
      else assert.equal(only(entries).HTTP_X, value);
      const target = await journal.send(get('Host: a', `/${value}?${value}`), { answers: 1 });
      if (target.answers[0]?.status === 400) assert.deepEqual(target.entries, []);
      else assert.equal(only(target.entries).REQUEST_URI, `/${value}?${value}`);
    }
  });

  test('T12: escapes in a path are undone once, and nothing else is changed', async () => {
    for (const [target, pathInfo] of PATHS) {
      const entry = only((await journal.send(get('Host: a', `${target}?q=%41`), { answers: 1 })).entries);
      assert.equal(entry.PATH_INFO, pathInfo, target);
      assert.equal(entry.REQUEST_URI, `${target}?q=%41`);
      assert.equal(entry.SCRIPT_NAME, '');
      assert.equal(entry.QUERY_STRING, 'q=%41');
    }
  });

  test('T12: a NUL in the path is refused, in the query it is text', async () => {
    const bad = { name: '%00', bytes: get('Host: a', '/a%00b'), status: 400, why: /%00/ };
    await assertRefused(journal, bad);
    const entry = only((await journal.send(get('Host: a', '/a?b%00c'), { answers: 1 })).entries);
    assert.equal(entry.QUERY_STRING, 'b%00c');
  });

  test('T14: targets of other forms, and CONNECT, are refused', async () => {
    await forEach(FORMS, (bad) => assertRefused(journal, bad));
  });

  test('T14: TRACE is for the app, and nothing of the request is sent back by the server', async () => {
    const bytes = 'TRACE /t HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n';
    const { entries, answers } = await journal.send(bytes, { answers: 1 });
    assert.equal(only(entries).REQUEST_METHOD, 'TRACE');
    assert.equal(answers[0]?.headers['content-type'], 'application/json', "it is the app's answer");
  });

  test('T15: a head that is too large is answered 431, and the log names the option', async () => {
    await forEach(TOO_LARGE, (bad) => assertRefused(small, bad));
  });

  test('T15: a head just below the limits is taken', async () => {
    const large = withHost(`X: ${'a'.repeat(1900)}`);
    assert.equal(only((await small.send(large, { answers: 1 })).entries).HTTP_X?.length, 1900);
    const most = engine === 'uws' ? 98 : 100; // of which Host is one
    const many = only((await journal.send(withHost(fields(most - 1)), { answers: 1 })).entries);
    assert.equal(many[`HTTP_X_${most - 2}`], '1');
  });

  test('a field that comes several times reaches the app with all its values, in order', async () => {
    const bytes = withHost('X: 1\r\nCookie: a=1\r\nX: 2\r\nx: 3\r\ncookie: b=2\r\nContent-Type: t\r\nX: 4');
    const entry = only((await journal.send(bytes, { answers: 1 })).entries);
    assert.equal(entry.HTTP_X, '1, 2, 3, 4');
    assert.equal(entry.HTTP_COOKIE, 'a=1; b=2');
    assert.equal(entry.CONTENT_TYPE, 't');
    assert(!('HTTP_CONTENT_TYPE' in entry));
  });

  test('blanks around a value are no part of it, and names of JavaScript are names like others', async () => {
    const bytes = withHost('X: \t a b \t \r\nConstructor: 1\r\ntoString: 2\r\nEmpty:');
    const entry = only((await journal.send(bytes, { answers: 1 })).entries);
    assert.equal(entry.HTTP_X, 'a b');
    assert.equal(entry.HTTP_CONSTRUCTOR, '1');
    assert.equal(entry.HTTP_TOSTRING, '2');
    assert.equal(entry.HTTP_EMPTY, '');
  });
}

for (const engine of ENGINES) describe(`request heads, on ${engine}`, () => describeHeads(engine));

describe('request heads that only node:http takes', () => {
  let journal: JournalServer;
  before(async () => {
    journal = await JournalServer.start('node');
  });
  after(() => journal.stop());

  test('T14: of a target in absolute form the path counts, and its host goes before Host', async () => {
    const cases = [
      ['http://h/x?y', '/x', 'y', 'h'],
      ['HTTP://h:81/x', '/x', '', 'h:81'],
      ['https://h', '/', '', 'h'],
      ['http://h?q', '/', 'q', 'h'],
      ['http://h//x', '//x', '', 'h'],
    ];
    for (const [target, path, query, host] of cases) {
      const entry = only((await journal.send(get('Host: other', target), { answers: 1 })).entries);
      assert.deepEqual([entry.PATH_INFO, entry.QUERY_STRING, entry.HTTP_HOST], [path, query, host], target);
    }
  });

  test('T14: OPTIONS * is for the app', async () => {
    const entry = only((await journal.send(line('OPTIONS * HTTP/1.1'), { answers: 1 })).entries);
    assert.deepEqual([entry.REQUEST_METHOD, entry.PATH_INFO, entry.REQUEST_URI], ['OPTIONS', '*', '*']);
  });

  test('T11: bytes above 0x7f at the ends of a value stay', async () => {
    const entry = only((await journal.send(withHost('X: Jos\xe9\r\nY: \xc3\xa9'), { answers: 1 })).entries);
    assert.deepEqual([entry.HTTP_X, entry.HTTP_Y], ['Jos\xe9', '\xc3\xa9']);
  });

  test('T5: empty lines in front of a request are passed over', async () => {
    only((await journal.send(`\r\n\r\n${get('Host: a')}`, { answers: 1 })).entries);
  });
});
