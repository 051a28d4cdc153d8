// Applications that break the rules of WSGI: the client gets a 500 or a cut connection and nothing of what went wrong,
// the log gets the reason and whose request it was, and the worker goes on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, Client, FRONTS, startBehind } from './fronts.js';
import type { TestServer } from './harness.js';
import { freePort } from './nginx.js';
import { readAll } from './real-uwsgi.js';

// biome-ignore format: a table
const FAILURES: readonly (readonly [path: string, why: RegExp])[] = [
  // what it raises
  ['raises',                  /File "broken\.py", line \d+, in raises\n.*raise LookupError.*\n.*LookupError: raised before start_response/],
  ['raises-after-start',      /LookupError: raised after start_response/],
  ['raises-after-204',        /LookupError: raised after 204/],
  ['raises-from-itself',      /ValueError: its own cause/],
  ['raises-chained',          /KeyError: 'the first'\n[\s\S]*direct cause of the following exception:\n[\s\S]*ValueError: the second/],
  ['raises-deep',             /RecursionError/],
  ['exits',                   /SystemExit: 3/],
  ['interrupts',              /GeneratorExit: an application may raise this too/],
  // what it does not call, or calls too often
  ['no-start',                /gives a body but did not call start_response/],
  ['no-start-no-body',        /returned without calling start_response/],
  ['starts-twice',            /start_response\(\) was called a second time, without exc_info/],
  // what it returns
  ['returns-none',            /returned None where WSGI wants an iterable/],
  ['returns-number',          /TypeError: 'int' object is not iterable/],
  ['returns-dict-of-numbers', /gives int where WSGI wants bytes/],
  ['yields-none',             /gives NoneType where WSGI wants bytes/],
  ['yields-zero',             /gives int where WSGI wants bytes/],
  // its status
  ['status-number',           /http status must be a string, not int/],
  ['status-injection',        /the status must be three digits/],
  ['status-word',             /the status must be three digits/],
  ['status-100',              /the status must be three digits \(200 or above\)/],
  ['status-latin',            /the status must be three digits/],
  // its fields
  ['headers-tuple',           /http headers must be in a python list, not tuple/],
  ['header-list',             /http header must be defined in a tuple, not list/],
  ['header-triple',           /http header must be a 2-item tuple, not 3 items/],
  ['name-bytes',              /http header key must be a string, not bytes/],
  ['name-space',              /http header key 'X A' is not a token/],
  ['name-empty',              /http header key '' is not a token/],
  ['name-colon',              /http header key 'X:' is not a token/],
  ['name-injection',          /http header key 'X-A: b\\r\\nX-Evil' is not a token/],
  ['value-number',            /http header value of X-A must be a string, not int/],
  ['value-cr',                /http header value of X-A has a control character.*'b\\rX-Evil: 1'/],
  ['value-lf',                /http header value of X-A has a control character.*'b\\nX-Evil: 1'/],
  ['value-nul',               /http header value of X-A has a control character.*'b\\x00'/],
  ['value-euro',              /http header value of X-A has a control character or one outside latin-1/],
  ['length-word',             /Content-Length 'five' is not a number of bytes/],
  ['length-negative',         /Content-Length '-1' is not a number of bytes/],
  ['length-twice',            /two different Content-Length: 5 and 6/],
  ['too-short-empty',         /announced 10 bytes and gave 10 less/],
  ['head-too-large',          /the head of the answer has 1000\d\d bytes, the most is 65536/],
];

for (const front of FRONTS) {
  describe(`a WSGI application that breaks the rules, behind ${front.name}`, () => {
    let server: TestServer;
    let statsPort: number;
    before(async () => {
      statsPort = await freePort();
      server = await startBehind(front, ['--wsgi-file', 'broken.py', '--stats', `127.0.0.1:${statsPort}`]);
    });
    after(async () => {
      await server.stop();
      assert.doesNotMatch(server.log, /DAMN/, 'the worker went on through all of it');
    });

    for (const [path, why] of FAILURES) {
      test(`${path}: 500, and the reason in the log`, async () => {
        const from = server.log.length;
        const client = await Client.ask(front, server.port, `/${path}`);
        const answer = await client.answer();
        assert.deepEqual([answer.status, answer.body, answer.complete], [500, 'Internal Server Error', true]);
        assert.doesNotMatch(client.bytes, /evil|Traceback|broken\.py/i);
        // the request's line and what the worker prints come on different ways, in either order
        await server.waitForLog(/\(HTTP\/1\.1 500\)/, from);
        await server.waitForLog(new RegExp(`failed: GET /${path}\\n[\\s\\S]*?${why.source}`), from);
        const said = server.log.slice(from);
        assert.doesNotMatch(said, /bridge_\w+\.py/, 'no line of the server’s own in the traceback');
      });
    }

    test('an error behind the first part cuts the connection', async () => {
      const from = server.log.length;
      const answer = await ask(front, server.port, '/yields-number');
      assert.deepEqual([answer.status, answer.body], [200, 'ok']);
      if (!front.isUwsgi) assert(!answer.complete);
      await server.waitForLog(/gives int where WSGI wants bytes/, from);
    });

    test('an answer that the app breaks off is not counted as one that its client did not wait for', async () => {
      const count = async () =>
        JSON.parse(await readAll(statsPort)).nuwsgi.apps[0] as { aborted: number; requests: number };
      const before = await count();
      for (const path of ['/yields-number', '/too-short']) {
        const from = server.log.length;
        await ask(front, server.port, path);
        await server.waitForLog(new RegExp(`GET ${path} => generated`), from); // written when it has been counted
      }
      const { requests, aborted } = await count();
      assert.deepEqual([requests, aborted], [before.requests + 2, before.aborted]);
    });

    test('an error in close() is only logged, because the answer is out', async () => {
      const from = server.log.length;
      const answer = await ask(front, server.port, '/close-fails');
      assert.deepEqual([answer.status, answer.body, answer.complete], [200, 'whole', true]);
      await server.waitForLog(/RuntimeError: close\(\) failed/, from);
    });

    test('text is sent as UTF-8, with one warning', async () => {
      const body = Buffer.from('grüße').toString('latin1');
      for (let i = 0; i < 3; i++) assert.equal((await ask(front, server.port, '/text')).body, body);
      const from = server.log.length;
      await ask(front, server.port, '/raises');
      await server.waitForLog(/failed: GET \/raises/, from); // what this worker said before has come too
      assert.equal(server.log.match(/gives str where WSGI wants bytes: sent as UTF-8/g)?.length, 1);
    });

    test('bytes that are not in a list are the body', async () => {
      const answer = await ask(front, server.port, '/plain-bytes');
      assert.deepEqual([answer.headers['content-length'], answer.body], ['5', 'plain']);
    });

    test('a body is cut off at its Content-Length', async () => {
      const answer = await ask(front, server.port, '/too-long');
      assert.deepEqual([answer.headers['content-length'], answer.body, answer.complete], ['5', '12345', true]);
      await server.waitForLog(/more bytes than its Content-Length of 5: cut off/);
    });

    test('a wrapped file is read no further than its Content-Length', async () => {
      const from = server.log.length;
      assert.equal((await ask(front, server.port, '/wraps-long-file')).body, 'zzzzz');
      await server.waitForLog(/the long file was closed at 6$/m, from);
    });

    test('a body shorter than its Content-Length ends the connection, and the log says whose it was', async () => {
      const from = server.log.length;
      const answer = await ask(front, server.port, '/too-short');
      assert.deepEqual([answer.headers['content-length'], answer.body, answer.complete], ['10', '12345', false]);
      await server.waitForLog(/GET \/too-short: the application announced 10 bytes and gave 5 less/, from);
    });

    test('a status without a reason gets the usual one', async () => {
      const answer = await ask(front, server.port, '/status-short');
      assert.deepEqual([answer.status, answer.reason], [404, 'Not Found']);
    });

    test('fields of the connection are dropped, with a warning each', async () => {
      const answer = await ask(front, server.port, '/hop-by-hop');
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'must not be sent');
      assert.equal(answer.headers.upgrade, undefined);
      assert.notEqual(answer.headers.connection, 'upgrade');
      assert.equal(answer.headers['transfer-encoding'], undefined);
      await server.waitForLog(/sends Transfer-Encoding, which is the server's own matter: dropped/);
    });

    test('a head that is too large can be replaced by a smaller one', async () => {
      const answer = await ask(front, server.port, '/catches-too-large-head');
      assert.deepEqual([answer.status, answer.body], [200, 'a smaller one']);
    });

    test('write() tells an app that the client has gone, as often as it asks', async () => {
      const from = server.log.length;
      const client = await Client.ask(front, server.port, '/goes-on-when-gone');
      await client.sees('xxx');
      await client.leave();
      await server.waitForLog(/(?:write said: the client went away\n[\s\S]*?){3}/, from);
      assert.equal((await ask(front, server.port, '/plain-bytes')).body, 'plain');
    });

    test('what a client puts into its request line reaches the log escaped', async () => {
      const from = server.log.length;
      await ask(front, server.port, '/raises?%1b[31m"\'\\');
      await server.waitForLog(/failed: GET \/raises\?%1b\[31m"'\\\\$/m, from);
    });
  });
}
