// The WSGI shape in JavaScript: every rule on every front, as python-wsgi.test.ts has them for Python. What becomes of an
// application that breaks the rules is in js-broken.test.ts.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ask, ask, Client, FRONTS, startBehind } from './fronts.js';
import { APPS, type RawAnswer, ROOT, type TestServer, until } from './harness.js';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
/** Longer than --post-buffering below, so that it is spooled. */
const LONG = 'long '.repeat(10_000);
const POST_BUFFERING = 8192;
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

// biome-ignore format: a table
const BODIES: readonly (readonly [path: string, status: number, body: string])[] = [
  ['/hello',       200, 'hello\n'],
  ['/hello-async', 200, 'hello\n'],
  ['/thenable',    200, 'then'],
  ['/bytes',       200, 'hi'],
  ['/buffer',      200, latin1('grüße')],
  ['/text',        200, latin1('grüße €')],
  ['/list',        200, latin1('abü')],
  ['/nothing',     202, ''],
  ['/generator',   200, 'abc'],
  ['/set',         200, 'xy'],
  ['/stream',      200, readFileSync(join(APPS, 'rules.mjs'), 'latin1')],
  ['/web-stream',  200, 'web stream'],
  ['/empty',       200, ''],
  ['/large',       200, '0123456789'.repeat(100_000)],
  ['/large-list',  200, '0123456789'.repeat(100_000)],
];

for (const front of FRONTS) {
  describe(`a JavaScript application behind ${front.name}`, () => {
    let server: TestServer;
    const get = (path: string, options: Ask = {}): Promise<RawAnswer> => ask(front, server.port, path, options);
    const post = (path: string, body: string) => get(path, { method: 'POST', body });
    /** How often the iterable `name` says it was closed, from `from` on in the log. */
    const closed = async (name: string, from: number) => {
      await server.waitForLog(new RegExp(`${name} closed`), from);
      const later = server.log.length;
      await get('/errors'); // a second close would have been said by now
      await server.waitForLog(/grüße/, later);
      return server.log.slice(from).match(new RegExp(`${name} closed \\d+ times`, 'g'));
    };
    const closedOnce = (name: string) => [`${name} closed 1 times`];

    before(async () => {
      server = await startBehind(front, ['--wsgi-file', 'rules.mjs', '--post-buffering', String(POST_BUFFERING)]);
    });
    after(() => server.stop());

    for (const [path, status, body] of BODIES) {
      test(`${path} gives its body`, async () => {
        const answer = await get(path);
        assert.deepEqual([answer.status, answer.body, answer.complete], [status, body, true]);
      });
    }

    for (const path of ['/yields', '/writes']) {
      test(`${path.slice(1)}: the client sees a part before the next one is made`, async () => {
        const client = await Client.ask(front, server.port, path);
        await client.sees('first;'); // the app makes the second part only after /release
        assert(!client.bytes.includes('second'));
        await get('/release');
        const answer = await client.answer();
        assert.deepEqual([answer.body, answer.complete], ['first;second', true]);
      });
    }

    test('writes that nobody waits for come in order, and before what is returned', async () => {
      const expected = Array.from({ length: 100 }, (_, i) => `${i};`.repeat(1000)).join('');
      assert.equal((await get('/writes-without-waiting')).body, `${expected}end`);
      assert.equal((await get('/writes-then-yields')).body, 'written;yielded');
    });

    test('the head may come as late as the first part that is not empty', async () => {
      const answer = await get('/starts-late');
      assert.deepEqual([answer.status, answer.headers['x-late'], answer.body], [201, 'yes', 'late']);
    });

    test('startResponse with an error before anything was sent replaces status and fields', async () => {
      const answer = await get('/changes-its-mind');
      assert.deepEqual([answer.status, answer.reason, answer.body], [500, 'Changed', 'the error page']);
      assert.deepEqual([answer.headers['x-second'], answer.headers['x-first']], ['yes', undefined]);
      assert.equal((await get('/changes-from-204')).body, 'the error page');
    });

    test('startResponse with an error after something was sent throws it, and the connection is cut', async () => {
      const from = server.log.length;
      const answer = await get('/fails-in-the-middle');
      assert.deepEqual([answer.status, answer.body], [200, 'part']);
      if (!front.isUwsgi) assert(!answer.complete);
      await server.waitForLog(/failed: GET \/fails-in-the-middle\n\[worker 1\] Error: in the middle/, from);
      assert.deepEqual(await closed('failsInTheMiddle', from), closedOnce('failsInTheMiddle'));
    });

    test('an iterable that was taken to its end is not closed', async () => {
      const from = server.log.length;
      assert.equal((await get('/closes')).body, 'abc');
      await server.waitForLog(/closes ended/, from);
      assert.doesNotMatch(server.log.slice(from), /closed/);
    });

    for (const name of ['closesInHead', 'closesInHeadSync']) {
      test(`${name}: return() is called once after a HEAD, though the iterable has no end`, async () => {
        const from = server.log.length;
        const path = `/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        assert.equal((await get(path, { method: 'HEAD' })).body, '');
        assert.deepEqual(await closed(name, from), closedOnce(name));
      });
    }

    test('return() is called once when the client has gone', async () => {
      const from = server.log.length;
      const client = await Client.ask(front, server.port, '/closes-when-gone');
      await client.sees('xxx');
      await client.leave();
      assert.deepEqual(await closed('closesWhenGone', from), closedOnce('closesWhenGone'));
    });

    for (const name of ['closesWhenTooLong', 'closesWhenTooLongSync']) {
      test(`${name}: return() is called once, though the iterable has no end`, async () => {
        const from = server.log.length;
        const path = `/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        const answer = await get(path);
        assert.deepEqual([answer.headers['content-length'], answer.body, answer.complete], ['10', 'xxxxxxxxxx', true]);
        assert.deepEqual(await closed(name, from), closedOnce(name));
      });
    }

    test('a 204 and a 304 have no body', async () => {
      const from = server.log.length;
      const none = await Client.ask(front, server.port, '/no-content');
      assert.deepEqual([(await none.answer()).status, none.bytes.slice(-4)], [204, '\r\n\r\n']);
      assert.deepEqual(await closed('noContent', from), closedOnce('noContent'));
      const same = await Client.ask(front, server.port, '/not-modified');
      assert.deepEqual([(await same.answer()).headers.etag, same.bytes.slice(-4)], ['"1"', '\r\n\r\n']);
    });

    for (const path of ['/hello', '/list', '/length-known', '/large']) {
      test(`a HEAD of ${path} has the head of the GET and no body`, async () => {
        const whole = await get(path);
        const client = await Client.ask(front, server.port, path, { method: 'HEAD' });
        const head = await client.answer();
        assert.equal(head.headers['content-length'], whole.headers['content-length']);
        assert.equal(head.headers['content-type'], whole.headers['content-type']);
        assert.match(client.bytes, /\r\n\r\n$/);
      });
    }

    test('a body of known length is sent with it, one of unknown length so that its end is seen', async () => {
      const known = await get('/length-known');
      assert.deepEqual([known.headers['content-length'], known.body], ['6', 'abcdef']);
      const unknown = await get('/length-unknown');
      assert.deepEqual(
        [unknown.headers['content-length'], unknown.body, unknown.complete],
        [undefined, 'abcdef', true],
      );
    });

    test('fields come as they were given: many, repeated, latin-1', async () => {
      const answer = await get('/many-fields');
      assert.deepEqual([answer.headers['x-99'], answer.headers['set-cookie']], ['caf\xe9 99', 'a=1, b=2']);
      assert.equal(answer.reason, 'Fine \xe9');
    });

    for (const [kind, body] of [
      ['in memory', '{"a": "ü"}'],
      ['in a file', JSON.stringify({ text: LONG })],
    ] as const) {
      const bytes = Buffer.byteLength(body);

      test(`wsgi.input ${kind}: text, json and bytes`, async () => {
        assert.equal((await post('/read-text', body)).body, latin1(`${body.length} ${body.slice(0, 20)}`));
        assert.equal((await post('/read-json', body)).body, latin1(JSON.stringify(JSON.parse(body))));
        assert.equal((await post('/echo', body)).body, latin1(body));
      });

      test(`wsgi.input ${kind} is a Readable: a loop, events, and as the body of the answer`, async () => {
        assert.equal((await post('/read-loop', body)).body, String(bytes));
        assert.equal((await post('/read-events', body)).body, `${bytes} true true`);
        assert.equal((await post('/pipe', body)).body, latin1(body));
      });
    }

    test('a request without a body reads as empty', async () => {
      assert.deepEqual([(await get('/echo')).body, (await get('/read-loop')).body], ['', '0']);
      assert.equal((await get('/read-json')).status, 500);
    });

    test('a spooled body that the app leaves unread is given up with its request', async () => {
      const open = () => readdirSync(`/proc/${server.pid}/fd`).length;
      const before = open();
      for (let i = 0; i < 20; i++) assert.equal((await post('/leave-unread', LONG)).body, 'left');
      await until(() => open() <= before + 1, 'the files are closed');
      assert.equal((await post('/keep', LONG)).body, 'kept');
      assert.match((await get('/look-at-kept')).body, /cannot be read any more: the request has been answered/);
    });

    test('what the app prints goes to the log, line by line, marked with the worker', async () => {
      const from = server.log.length;
      await get('/errors');
      await server.waitForLog(/grüße/, from);
      const lines = ['written to wsgi.errors', 'one', 'two', 'grüße'].map((line) => `[worker 1] ${line}\n`);
      assert(server.log.slice(from).includes(lines.join('')), server.log.slice(from));
    });

    test('the environ has what CGI, PEP 3333 and uWSGI put there', async () => {
      const fields = { 'X-Test': 'caf\xc3\xa9 au lait', Cookie: 'a=1' };
      const environ = JSON.parse(
        Buffer.from((await get('/shows/a%20b?x=1&y=%20', { fields })).body, 'latin1').toString(),
      );
      const expected: Record<string, unknown> = {
        REQUEST_METHOD: 'GET',
        REQUEST_URI: '/shows/a%20b?x=1&y=%20',
        PATH_INFO: front.isUwsgi ? '/shows/a%20b' : '/shows/a b',
        QUERY_STRING: 'x=1&y=%20',
        SCRIPT_NAME: '',
        SERVER_PROTOCOL: 'HTTP/1.1',
        HTTP_X_TEST: 'caf\xc3\xa9 au lait',
        HTTP_COOKIE: 'a=1',
        'wsgi.version': [1, 0],
        'wsgi.url_scheme': 'http',
        'wsgi.multithread': false,
        'wsgi.multiprocess': false,
        'wsgi.run_once': false,
        'uwsgi.version': version,
        'uwsgi.node': hostname(),
        'test.note': 'an application may write to its environ',
      };
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(environ[name], value, name);
    });
  });
}
