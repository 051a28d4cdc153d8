// PEP 3333 as an application meets it: every rule on every front, with the real CPython, under wsgiref's validator.
// What becomes of an application that breaks the rules is in python-broken.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ask, ask, Client, FRONTS, startBehind } from './fronts.js';
import { APPS, type RawAnswer, ROOT, type TestServer } from './harness.js';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
/** Longer than --post-buffering below, so that it is spooled. */
const LONG = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`).join('');
const POST_BUFFERING = 8192;
const LINES = 'abcd\nefgh\nijklmnop\nqr\nst\nuv\nwx';
/** What read_in_every_way of test/apps/rules.py gives for LINES; `rest` is what stands behind its lines. */
const readInEveryWay = (rest: string) =>
  ['ab', 'cd\n', '', 'efgh\n', 'ijk', 'lmnop\n', 'qr\n', 'st\n', `uv\nwx${rest}`, '', '', '']
    .map((text) => `b'${text.replaceAll('\n', '\\n')}'`)
    .join(', ');

for (const front of FRONTS) {
  describe(`a WSGI application behind ${front.name}`, () => {
    let server: TestServer;
    const get = (path: string, options: Ask = {}): Promise<RawAnswer> => ask(front, server.port, path, options);
    /** How often the iterable `name` says it was closed, from `from` on in the log. */
    const closed = async (name: string, from: number) => {
      await server.waitForLog(new RegExp(`${name} closed`), from);
      await get('/hello'); // a second close would have been said by now
      return server.log.slice(from).match(new RegExp(`${name} closed \\d+ times`, 'g'));
    };
    const closedOnce = (name: string) => [`${name} closed 1 times`];

    before(async () => {
      const workers = ['--processes', '1', '--threads', '4', '--post-buffering', String(POST_BUFFERING)];
      server = await startBehind(front, ['--wsgi-file', 'rules.py', ...workers]);
    });
    after(() => server.stop());

    for (const path of ['/yields', '/writes']) {
      test(`${path.slice(1)}: the client sees a part before the next one is made`, async () => {
        const client = await Client.ask(front, server.port, path);
        await client.sees('first;'); // the app makes the second part only after /release
        assert(!client.bytes.includes('second'));
        await get('/release');
        const answer = await client.answer();
        assert.equal(answer.body, 'first;second');
        assert(answer.complete);
      });
    }

    test('what the environ holds is let go of when the thread has nothing to do', async () => {
      const from = server.log.length;
      await get('/holds');
      await server.waitForLog(/what was held is let go of/, from);
    });

    test('what was written comes before what is yielded', async () => {
      assert.equal((await get('/writes-then-yields')).body, 'written;yielded');
    });

    test('the head may come as late as the first part that is not empty', async () => {
      const answer = await get('/starts-late');
      assert.deepEqual([answer.status, answer.headers['x-late'], answer.body], [201, 'yes', 'late']);
    });

    test('start_response with exc_info before anything was sent replaces status and fields', async () => {
      const answer = await get('/changes-its-mind');
      assert.deepEqual([answer.status, answer.reason, answer.body], [500, 'Changed', 'the error page']);
      assert.equal(answer.headers['x-second'], 'yes');
      assert.equal(answer.headers['x-first'], undefined);
      assert(answer.complete);
    });

    test('start_response with exc_info replaces a 204 by a status that has a body', async () => {
      const answer = await get('/changes-from-204');
      assert.deepEqual([answer.status, answer.body], [500, 'the error page']);
    });

    test('start_response with exc_info after something was sent raises it, and the connection is cut', async () => {
      const from = server.log.length;
      const answer = await get('/fails-in-the-middle');
      assert.deepEqual([answer.status, answer.body], [200, 'part']);
      // without chunks or a length only a reset tells, and `raw` cannot see the difference: see streams.test.ts
      if (!front.isUwsgi) assert(!answer.complete);
      await server.waitForLog(/failed: GET \/fails-in-the-middle\n[\s\S]*ValueError: in the middle/, from);
      assert.deepEqual(await closed('fails-in-the-middle', from), closedOnce('fails-in-the-middle'));
    });

    test('close() is called once, when all parts were taken', async () => {
      const from = server.log.length;
      assert.equal((await get('/closes')).body, 'abc');
      assert.deepEqual(await closed('closes', from), closedOnce('closes'));
    });

    test('close() is called once after a HEAD, though the iterable has no end', async () => {
      const from = server.log.length;
      assert.equal((await get('/closes-in-head', { method: 'HEAD' })).body, '');
      assert.deepEqual(await closed('closes-in-head', from), closedOnce('closes-in-head'));
    });

    test('close() is called once when the client has gone', async () => {
      const from = server.log.length;
      const client = await Client.ask(front, server.port, '/closes-when-gone');
      await client.sees('xxx');
      await client.leave();
      assert.deepEqual(await closed('closes-when-gone', from), closedOnce('closes-when-gone'));
    });

    test('close() is called once when more comes than was announced, though the iterable has no end', async () => {
      const from = server.log.length;
      const answer = await get('/closes-when-too-long');
      assert.deepEqual([answer.headers['content-length'], answer.body, answer.complete], ['10', 'xxxxxxxxxx', true]);
      assert.deepEqual(await closed('closes-when-too-long', from), closedOnce('closes-when-too-long'));
    });

    test('close() is called once when less comes than was announced, and the client notices', async () => {
      const from = server.log.length;
      const answer = await get('/closes-when-too-short');
      assert.deepEqual([answer.body, answer.complete], ['abc', false]);
      assert.deepEqual(await closed('closes-when-too-short', from), closedOnce('closes-when-too-short'));
      assert.match(
        server.log.slice(from),
        /GET \/closes-when-too-short: the application announced 10 bytes and gave 7 less/,
      );
    });

    test('a 204 has no body and no Content-Length', async () => {
      const from = server.log.length;
      const client = await Client.ask(front, server.port, '/no-content');
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.headers['x-kept']], [204, 'yes']);
      assert.equal(answer.headers['content-length'], undefined);
      assert.match(client.bytes, /\r\n\r\n$/);
      assert.deepEqual(await closed('no-content', from), closedOnce('no-content'));
    });

    test('a 304 has no body', async () => {
      const client = await Client.ask(front, server.port, '/not-modified');
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.headers.etag], [304, '"1"']);
      assert.match(client.bytes, /\r\n\r\n$/);
    });

    for (const path of ['/hello', '/length-known', '/large']) {
      test(`a HEAD of ${path} has the head of the GET and no body`, async () => {
        const whole = await get(path);
        const client = await Client.ask(front, server.port, path, { method: 'HEAD' });
        const head = await client.answer();
        assert.equal(head.status, whole.status);
        assert.equal(head.headers['content-length'], whole.headers['content-length']);
        assert.equal(head.headers['content-type'], whole.headers['content-type']);
        assert.match(client.bytes, /\r\n\r\n$/);
      });
    }

    test('a HEAD that the app answers with an empty list says nothing of the length, which may be another for a GET', async () => {
      const answer = await get('/empty', { method: 'HEAD' });
      assert.deepEqual([answer.status, answer.headers['content-length']], [200, undefined]);
    });

    test('a body of known length is sent with it, one of unknown length so that its end is seen', async () => {
      const known = await get('/length-known');
      assert.deepEqual([known.headers['content-length'], known.body], ['6', 'abcdef']);
      const unknown = await get('/length-unknown');
      assert.equal(unknown.headers['content-length'], undefined);
      assert.deepEqual([unknown.body, unknown.complete], ['abcdef', true]);
      assert.equal((await get('/empty')).headers['content-length'], '0');
    });

    test('a body larger than a slot comes whole', async () => {
      assert.equal((await get('/large')).body, '0123456789'.repeat(100_000));
    });

    test('fields come as they were given: many, repeated, latin-1, with a Date of the app', async () => {
      const answer = await get('/many-fields');
      assert.equal(answer.headers['x-99'], 'caf\xe9 99');
      assert.equal(answer.headers['set-cookie'], 'a=1, b=2');
      assert.equal(answer.reason, 'Fine \xe9');
      if (front.name !== 'uWebSockets.js') assert.equal(answer.headers.date, 'Thu, 01 Jan 1970 00:00:00 GMT');
    });

    for (const [kind, rest] of [
      ['in memory', ''],
      ['in a file', `\n${LONG}`],
    ] as const) {
      const body = LINES + rest;

      test(`wsgi.input ${kind}: read, readline, readlines and iteration`, async () => {
        assert.equal((await get('/reads', { method: 'POST', body })).body, `[${readInEveryWay(rest)}]`);
      });

      test(`wsgi.input ${kind}: seek and tell`, async () => {
        assert.equal((await get('/bare/seeks', { method: 'POST', body })).body, `(${body.length}, True, 3, b'd\\nef')`);
      });

      test(`wsgi.input ${kind} arrives byte for byte`, async () => {
        assert.equal((await get('/echo', { method: 'POST', body })).body, body);
      });
    }

    test('a spooled body is closed with its request, whoever kept it', async () => {
      await get('/bare/keeps-input', { method: 'POST', body: LONG });
      assert.equal((await get('/bare/looks-at-kept-input')).body, 'True');
    });

    test('a request without a body reads as empty', async () => {
      assert.equal((await get('/echo')).body, '');
    });

    test('wsgi.file_wrapper sends a file, under the validator and without it', async () => {
      const source = readFileSync(join(APPS, 'rules.py'), 'latin1');
      assert.equal((await get('/file')).body, source);
      assert.equal((await get('/bare/file')).body, source);
      const from = server.log.length;
      assert.equal((await get('/bare/wraps-file')).body, 'y'.repeat(200_000));
      await server.waitForLog(/the file was closed 1 times/, from);
      assert.equal((await get('/bare/wraps-from-the-middle')).body, '6789');
    });

    test('wsgi.errors goes to the log, line by line, marked with the worker', async () => {
      const from = server.log.length;
      await get('/errors');
      await server.waitForLog(/^\[worker 1\] two$/m, from);
      assert.match(
        server.log.slice(from),
        /\[worker 1\] written to wsgi\.errors\n\[worker 1\] one\n\[worker 1\] two\n/,
      );
    });

    test('the environ has what CGI, PEP 3333 and uWSGI put there, with the types that they give it', async () => {
      const fields = { 'X-Test': 'caf\xc3\xa9 au lait', Cookie: 'a=1' };
      const shown = (await get('/shows/a%20b%C3%A9?x=1&y=%20', { fields })).body;
      const environ = new Map(shown.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]));
      const expected: Record<string, string> = {
        REQUEST_METHOD: "'GET'",
        REQUEST_URI: "'/shows/a%20b%C3%A9?x=1&y=%20'",
        QUERY_STRING: "'x=1&y=%20'",
        SCRIPT_NAME: "''",
        SERVER_PROTOCOL: "'HTTP/1.1'",
        REMOTE_ADDR: "'127.0.0.1'",
        HTTP_COOKIE: "'a=1'",
        'wsgi.version': '(1, 0)',
        'wsgi.url_scheme': "'http'",
        'wsgi.multithread': 'True',
        'wsgi.multiprocess': 'False',
        'wsgi.run_once': 'False',
        'uwsgi.version': `b'${version}'`,
        'uwsgi.node': `b'${hostname()}'`,
        'test.note': "'an application may write to its environ'",
      };
      if (front.isUwsgi) delete expected.REMOTE_ADDR; // the peer says who the client is, and this one says nothing
      for (const [name, value] of Object.entries(expected)) assert.equal(environ.get(name), value, name);
      // one character per byte
      assert.equal(environ.get('HTTP_X_TEST'), "'caf\\xc3\\xa9 au lait'");
      assert.equal(environ.get('PATH_INFO'), front.isUwsgi ? "'/shows/a%20b%C3%A9'" : "'/shows/a b\\xc3\\xa9'");
      assert.match(environ.get('uwsgi.core')!, /^[0-3]$/);
      assert(environ.has('wsgi.errors') && environ.has('wsgi.file_wrapper'));
      // what one application writes does not reach the next request
      assert.doesNotMatch((await get('/bare/shows')).body.replace(/test\.note.*/, ''), /test\.note/);
    });
  });
}
