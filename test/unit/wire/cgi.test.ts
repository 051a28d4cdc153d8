// From an HTTP head to the environ block: what is taken, what is dropped, what is refused. The same on a live server is
// in test/e2e/http-heads.test.ts; here are the cases that an engine's own parser would not let through (rows T5, T6, T10
// and T12 of docs/security.md).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodePath, HeadReader, isTarget, isToken, MAX_FIELDS, parseTarget } from '../../../src/wire/cgi.js';

type Fields = readonly (readonly [name: string, value: string])[];

/** Reads one head; `host` is added unless there is one among `fields`. */
function read(fields: Fields, reader = new HeadReader(), isHttp11 = true): HeadReader {
  reader.begin(isHttp11);
  for (const [name, value] of fields) reader.field(name, value);
  return reader;
}

/** The variables as a worker gets them: the last value of a name counts. */
function variablesOf(reader: HeadReader): Record<string, string> {
  const names = reader.names.split('\0').slice(1);
  const values = reader.values.split('\0').slice(1);
  assert.equal(names.length, values.length);
  assert.equal(names.length, reader.count);
  return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
}

const HOST = ['Host', 'a'] as const;
const withHost = (...fields: Fields) => read([HOST, ...fields]);

/** The reason why a head is refused; '' when it is not. */
function faultOf(reader: HeadReader): string {
  reader.complete();
  return reader.fault === undefined ? '' : `${reader.fault.status} ${reader.fault.message}`;
}

describe('header fields', () => {
  test('become HTTP_ variables, but for two that CGI names otherwise', () => {
    const head = withHost(['Accept-Language', 'de'], ['CONTENT-TYPE', 'text/plain'], ['Content-Length', '5']);
    assert.equal(faultOf(head), '');
    assert.deepEqual(variablesOf(head), {
      HTTP_HOST: 'a',
      HTTP_ACCEPT_LANGUAGE: 'de',
      CONTENT_TYPE: 'text/plain',
      CONTENT_LENGTH: '5',
    });
  });

  test('that repeat are joined in order, whatever their case; cookies by semicolons', () => {
    const head = withHost(['X', '1'], ['Cookie', 'a'], ['x', '2'], ['COOKIE', 'b'], ['X', ''], ['X', '4']);
    const { HTTP_X, HTTP_COOKIE } = variablesOf(head);
    assert.deepEqual([HTTP_X, HTTP_COOKIE], ['1, 2, , 4', 'a; b']);
  });

  test('of the request before do not count as repeated', () => {
    const reader = new HeadReader();
    read([HOST, ['X', '1']], reader);
    assert.equal(variablesOf(read([HOST, ['X', '2']], reader)).HTTP_X, '2');
  });

  test('with names that no client has sent before stay right when the names that are kept are forgotten', () => {
    const reader = new HeadReader();
    for (let i = 0; i < 3000; i++) {
      const head = read([HOST, [`X-${i}`, '1'], ['Cookie', 'a'], [`x-${i}`, '2'], ['Content-Length', '1']], reader);
      assert.equal(faultOf(head), '');
      assert.equal(variablesOf(head)[`HTTP_X_${i}`], '1, 2');
    }
    assert.match(faultOf(read([HOST, HOST], reader)), /two Host/);
  });

  test('with an underscore, and Proxy, are dropped, and told by their names', () => {
    const told: string[] = [];
    const reader = new HeadReader({ allowUnderscores: false, onDropped: (name) => told.push(name) });
    const dropped = ['X_Real_IP', 'x_real_ip', '_', 'Content_Length', 'Transfer_Encoding', 'Host_', 'Proxy', 'PROXY'];
    for (let i = 0; i < 3; i++) {
      const head = read([HOST, ...dropped.map((name) => [name, '1'] as const)], reader);
      assert.equal(faultOf(head), '');
      assert.deepEqual(variablesOf(head), { HTTP_HOST: 'a' });
      assert.equal(head.framing.kind, 'none');
    }
    assert.deepEqual(told, ['X_Real_IP', '_', 'Content_Length', 'Transfer_Encoding', 'Host_', 'Proxy']);
  });

  test('with an underscore reach the app where that is wanted, but never in place of one with dashes', () => {
    const reader = new HeadReader({ allowUnderscores: true, onDropped() {} });
    // biome-ignore format: a table
    const CASES: readonly (readonly [fields: Fields, variables: Readonly<Record<string, string>>])[] = [
      [[['api_key', '1']],                                          { HTTP_API_KEY: '1' }],
      [[['api_key', '1'], ['API_KEY', '2']],                        { HTTP_API_KEY: '1, 2' }],
      [[['X_A', '6'], ['X-A', '1']],                                { HTTP_X_A: '1' }],
      [[['X-A', '1'], ['X_A', '6']],                                { HTTP_X_A: '1' }],
      [[['X_A', '6'], ['X-A', '1'], ['X_A', '6'], ['X-A', '2']],    { HTTP_X_A: '1, 2' }],
      [[['Content_Length', '6'], ['content_type', 'x']],            {}],
      [[['Transfer_Encoding', 'chunked'], ['Host_', 'x']],          { HTTP_HOST_: 'x' }],
      [[['Proxy', 'x'], ['proxy_', 'x']],                           { HTTP_PROXY_: 'x' }],
    ];
    for (const [fields, variables] of CASES) {
      const head = read([HOST, ...fields], reader);
      assert.equal(faultOf(head), '');
      assert.deepEqual(variablesOf(head), { HTTP_HOST: 'a', ...variables }, JSON.stringify(fields));
      assert.equal(head.framing.kind, 'none');
    }
  });

  test('at most a hundred', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => [`X-${i}`, '1'] as const);
    assert.equal(faultOf(withHost(...many(MAX_FIELDS - 1))), '');
    assert.match(faultOf(withHost(...many(MAX_FIELDS))), /^431 the number of header fields is over the limit \(100\)/);
  });

  test('of the server come first in every request, and give way to what the client says', () => {
    const reader = new HeadReader();
    reader.preset('SERVER_PORT', '80');
    assert.deepEqual(variablesOf(read([HOST], reader)), { SERVER_PORT: '80', HTTP_HOST: 'a' });
    reader.add('SERVER_PORT', '81');
    assert.equal(variablesOf(reader).SERVER_PORT, '81');
  });
});

describe('a head is refused', () => {
  // biome-ignore format: a table
  const REFUSED: readonly (readonly [why: RegExp, fields: Fields])[] = [
    [/^400 HTTP\/1.1 without Host/,        []],
    [/^400 two Host/,                      [HOST, HOST]],
    [/^400 two Host/,                      [HOST, ['hOST', 'a']]],
    [/^400 two Content-Length/,            [HOST, ['Content-Length', '5'], ['content-length', '5']]],
    [/^400 .*beside Transfer-Encoding/,    [HOST, ['Transfer-Encoding', 'chunked'], ['Content-Length', '5']]],
    [/^400 .*beside Content-Length/,       [HOST, ['Content-Length', '5'], ['Transfer-Encoding', 'chunked']]],
    [/^400 two Transfer-Encoding/,         [HOST, ['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']]],
    [/^501 transfer coding "gzip"/,        [HOST, ['Transfer-Encoding', 'gzip']]],
    [/^501/,                               [HOST, ['Transfer-Encoding', 'chunked, chunked']]],
    [/^501/,                               [HOST, ['Transfer-Encoding', '']]],
    [/^417 cannot meet Expect: x/,         [HOST, ['Expect', 'x']]],
    [/^417/,                               [HOST, ['Expect', '100-continue'], ['Expect', '200-ok']]],
    [/^400 "" is no header field name/,    [HOST, ['', 'x']]],
    [/is no header field name/,            [HOST, ['X A', 'x']]],
    [/is no header field name/,            [HOST, ['X:', 'x']]],
    [/is no header field name/,            [HOST, ['X\r', 'x']]],
    [/is no header field name/,            [HOST, ['X\0', 'x']]],
    [/is no header field name/,            [HOST, ['X\xe9', 'x']]],
  ];
  for (const [why, fields] of REFUSED) {
    test(`with ${JSON.stringify(fields)}`, () => assert.match(faultOf(read(fields)), why));
  }

  test('whose names only look like others when they are put in lower case', () => {
    const kelvin = 'Coo\u212aie'; // its lower case is cookie
    for (const fields of [
      [HOST, [kelvin, 'x']],
      [HOST, ['Cookie', 'a'], [kelvin, 'x']],
    ] as Fields[]) {
      assert.match(faultOf(read(fields)), /is no header field name/);
    }
    assert.match(faultOf(withHost(['Transfer-Encoding', 'chun\u212aed'])), /^(?:400|501)/);
    assert.match(faultOf(withHost(['Expect', '100-\u017fontinue'])), /^(?:400|417)/);
  });

  test('with any control character in a value', () => {
    for (let code = 0; code < 0x100; code++) {
      const isAllowed = code === 9 || (code >= 0x20 && code !== 0x7f);
      const head = withHost(['X', `a${String.fromCharCode(code)}b`]);
      assert.equal(faultOf(head) === '', isAllowed, `0x${code.toString(16)}`);
    }
  });

  // biome-ignore format: a table
  const LENGTHS = ['', '-1', '+5', '5,5', '0x5', '1_0', ' 5', '5 ', '5.', '\u0665', '1e3', '1'.repeat(16)];
  for (const length of LENGTHS) {
    test(`with Content-Length ${JSON.stringify(length)}`, () => {
      assert.match(faultOf(withHost(['Content-Length', length])), /^400/);
    });
  }

  // biome-ignore format: a table
  const HOSTS = ['a/b', 'u@a', 'a b', 'a,b', 'a?', 'a#', 'a\\', '"a"', 'a:b', 'a:1:2', 'a:123456', '[::1', '[::1]x', '::1',
    '[g]', '%', '%4', '%zz', 'http://a', 'a\t'];
  for (const host of HOSTS) {
    test(`with Host ${JSON.stringify(host)}`, () => assert.match(faultOf(read([['Host', host]])), /^400/));
  }
});

describe('a head is taken', () => {
  // biome-ignore format: a table
  const HOSTS = ['', 'a', 'a.b:80', 'a:', '1.2.3.4', '[::1]', '[::ffff:1.2.3.4]:8080', 'a_b', "a!$&'()*+;=b", '%41'];
  for (const host of HOSTS) {
    test(`with Host ${JSON.stringify(host)}`, () => assert.equal(faultOf(read([['Host', host]])), ''));
  }

  test('of HTTP/1.0 without Host', () => assert.equal(faultOf(read([], new HeadReader(), false)), ''));

  test('with a target whose host goes before the Host field', () => {
    const head = withHost(['X', '1']);
    head.overrideHost('b:80');
    assert.equal(faultOf(head), '');
    assert.equal(variablesOf(head).HTTP_HOST, 'b:80');
    const bad = withHost();
    bad.overrideHost('u@b');
    assert.match(faultOf(bad), /^400/);
  });

  test('and says how its body is framed', () => {
    assert.deepEqual(withHost().framing, { kind: 'none' });
    assert.deepEqual(withHost(['Content-Length', '0012']).framing, { kind: 'length', bytes: 12 });
    assert.deepEqual(withHost(['Transfer-Encoding', 'CHUNKED']).framing, { kind: 'chunked' });
    assert(!('HTTP_TRANSFER_ENCODING' in variablesOf(withHost(['Transfer-Encoding', 'chunked']))));
    assert(withHost(['Expect', '100-Continue']).expectsContinue);
    assert(!withHost().expectsContinue);
  });

  test('and says whether the client closes the connection, or wants another protocol', () => {
    // biome-ignore format: a table
    const CONNECTIONS: readonly (readonly [fields: Fields, close: boolean, upgrade: boolean])[] = [
      [[],                                                            false, false],
      [[['Connection', 'keep-alive']],                                false, false],
      [[['Connection', 'close']],                                     true,  false],
      [[['Connection', 'Close']],                                     true,  false],
      [[['Connection', 'x, close']],                                  true,  false],
      [[['Connection', 'x'], ['Connection', 'close']],                true,  false],
      [[['Connection', 'closed, xclose']],                            false, false],
      [[['Connection', 'Upgrade'], ['Upgrade', 'h2c']],               false, true],
      [[['Connection', 'keep-alive, upgrade'], ['Upgrade', 'x']],     false, true],
      [[['Upgrade', 'h2c']],                                          false, false],
      [[['Connection', 'upgrade']],                                   false, false],
    ];
    for (const [fields, close, upgrade] of CONNECTIONS) {
      const head = withHost(...fields);
      assert.deepEqual([head.wantsClose, head.wantsUpgrade], [close, upgrade], JSON.stringify(fields));
    }
  });

  test('with values that an engine has decoded, when the bytes can be had back', () => {
    const reader = new HeadReader(undefined, (value) =>
      value.includes('\ufffd') ? undefined : Buffer.from(value).toString('latin1'),
    );
    assert.equal(variablesOf(read([HOST, ['X', 'caf\u00e9 \u20ac']], reader)).HTTP_X, 'caf\xc3\xa9 \xe2\x82\xac');
    assert.match(faultOf(read([HOST, ['X', 'caf\ufffd']], reader)), /^400/);
    assert.match(faultOf(read([HOST, ['X', 'a\u0000b']], reader)), /^400/);
  });
});

describe('a request target', () => {
  // biome-ignore format: a table
  const TARGETS: readonly (readonly [method: string, target: string, path?: string, query?: string | undefined, host?: string])[] = [
    ['GET',     '/',                     '/'],
    ['GET',     '/a?b',                  '/a',      'b'],
    ['GET',     '/a?',                   '/a',      ''],
    ['GET',     '/a?b?c',                '/a',      'b?c'],
    ['GET',     '//a',                   '//a'],
    ['GET',     '/http://a',             '/http://a'],
    ['GET',     'http://h/a?b',          '/a',      'b',         'h'],
    ['GET',     'HTTPS://h:1',           '/',       undefined,   'h:1'],
    ['GET',     'http://h?q=/x',         '/',       'q=/x',      'h'],
    ['GET',     'http://u@h/',           '/',       undefined,   'u@h'],  // for overrideHost to refuse
    ['OPTIONS', '*',                     '*'],
    ['GET',     '*'],
    ['GET',     ''],
    ['GET',     'a'],
    ['GET',     '?a'],
    ['GET',     'http:///a'],
    ['GET',     'http:/a'],
    ['GET',     'http://'],
    ['GET',     'ftp://h/a'],
    ['GET',     'h:80'],
    ['GET',     '*a'],
  ];
  for (const [method, target, path, query, host] of TARGETS) {
    test(`${method} ${target} ${path === undefined ? 'has no form that is known' : `asks for ${path}`}`, () => {
      assert.deepEqual(parseTarget(target, method), path === undefined ? undefined : { path, query, host });
    });
  }

  // biome-ignore format: a table
  const PATHS: readonly (readonly [escaped: string, path: string | undefined])[] = [
    ['/a',            '/a'],
    ['/%41%2f%2F',    '/A//'],
    ['/%e9%C3%A9',    '/\xe9\xc3\xa9'],
    ['/%2541',        '/%41'],
    ['/%',            '/%'],
    ['/%4',           '/%4'],
    ['/%zz%4g',       '/%zz%4g'],
    ['/%0a%0D',       '/\n\r'],
    ['/a%00',         undefined],
    ['/%2500',        '/%00'],
    ['/a#b%00',       '/a'],
    ['/%23a',         '/#a'],
    ['*',             '*'],
  ];
  for (const [escaped, path] of PATHS) {
    test(`${escaped} is ${path === undefined ? 'refused' : JSON.stringify(path)}`, () => {
      assert.equal(decodePath(escaped), path);
    });
  }

  test('and a method have only the characters that they may have', () => {
    for (const target of ['/', '/a?b', '/\xe9', '/[]{}|"<>^`\\']) assert(isTarget(target), target);
    for (const target of ['', '/ ', '/\t', '/\r', '/\0', '/\x7f', '/\u20ac']) assert(!isTarget(target), target);
    for (const method of ['GET', 'get', 'M-SEARCH', "!#$%&'*+-.^_`|~"]) assert(isToken(method), method);
    for (const method of ['', 'G T', 'G(T', 'G\xe9T', 'G\0', 'G\u212a', 'G:']) assert(!isToken(method), method);
  });
});
