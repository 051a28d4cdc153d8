// JavaScript applications that break the rules: the client gets a 500 or a cut connection and nothing of what went wrong,
// the log gets the reason and whose request it was, and the thread goes on. Threads that die are in js-threads.test.ts.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, Client, FRONTS, startBehind } from './fronts.js';
import type { TestServer } from './harness.js';

// biome-ignore format: a table
const FAILURES: readonly (readonly [path: string, why: RegExp])[] = [
  // what it throws
  ['raises',             /RangeError: raised before startResponse\n.* at Object\.raises \(file:.*broken\.mjs/],
  ['rejects',            /RangeError: rejected before startResponse\n[\s\S]*cause.*Error: the first/],
  ['raises-after-start', /RangeError: raised after startResponse/],
  ['raises-after-204',   /RangeError: raised after 204/],
  ['raises-text',        /just a text/],
  ['raises-nothing',     /undefined/],
  ['raises-oddly',       /odd: true/],
  // what it does not call, or calls too often
  ['no-start',           /returned without calling startResponse/],
  ['no-start-no-body',   /returned without calling startResponse/],
  ['no-start-generator', /gives a body but did not call startResponse/],
  ['starts-twice',       /startResponse was called a second time, without an error/],
  // what it returns
  ['returns-number',     /gives number where a body is wanted/],
  ['returns-object',     /gives Object where a body is wanted/],
  ['returns-map',        /gives Array where text or bytes are wanted/],
  ['returns-numbers',    /gives number where text or bytes are wanted/],
  ['yields-null',        /gives null where text or bytes are wanted/],
  ['writes-number',      /gives number where text or bytes are wanted/],
  // its status
  ['status-number',      /the status must be a string, not number/],
  ['status-injection',   /the status must be three digits/],
  ['status-word',        /the status must be three digits/],
  ['status-100',         /the status must be three digits \(200 or above\)/],
  ['status-euro',        /the status must be three digits/],
  // its fields
  ['headers-object',     /headers must be an array/],
  ['header-text',        /a header must be a \[name, value\] pair/],
  ['header-triple',      /a header must be a \[name, value\] pair/],
  ['name-number',        /a header name must be a string, not number/],
  ['name-space',         /header name "X A" is not a token/],
  ['name-empty',         /header name "" is not a token/],
  ['name-injection',     /header name "X-A: b\\r\\nX-Evil" is not a token/],
  ['value-number',       /the value of header X-A must be a string, not number/],
  ['value-cr',           /the value of header X-A has a control character.*"b\\rX-Evil: 1"/],
  ['value-lf',           /the value of header X-A has a control character.*"b\\nX-Evil: 1"/],
  ['value-nul',          /the value of header X-A has a control character/],
  ['value-euro',         /the value of header X-A has a control character, or one above 0xff/],
  ['length-word',        /Content-Length "five" is not a number of bytes/],
  ['length-negative',    /Content-Length "-1" is not a number of bytes/],
  ['length-twice',       /two different Content-Length/],
  ['too-short-empty',    /announced 10 bytes and gave 10 less/],
  ['head-too-large',     /the head of the answer has 1000\d\d bytes, the most is 65536/],
];

for (const front of FRONTS) {
  describe(`a JavaScript application that breaks the rules, behind ${front.name}`, () => {
    let server: TestServer;
    const get = (path: string) => ask(front, server.port, path);
    before(async () => {
      server = await startBehind(front, ['--wsgi-file', 'broken.mjs']);
    });
    after(async () => {
      await server.stop();
      assert.doesNotMatch(server.log, /DAMN/, 'the thread went on through all of it');
    });

    for (const [path, why] of FAILURES) {
      test(`${path}: 500, and the reason in the log`, async () => {
        const from = server.log.length;
        const client = await Client.ask(front, server.port, `/${path}`);
        const answer = await client.answer();
        assert.deepEqual([answer.status, answer.body, answer.complete], [500, 'Internal Server Error', true]);
        assert.doesNotMatch(client.bytes, /evil|broken\.mjs/i);
        await server.waitForLog(/\(HTTP\/1\.1 500\)/, from);
        await server.waitForLog(new RegExp(`failed: GET /${path}\\n[\\s\\S]*?${why.source}`), from);
        assert.doesNotMatch(server.log.slice(from), /dist\/worker/, 'no line of the server’s own in the stack');
      });
    }

    for (const path of ['/yields-number', '/writes-and-raises']) {
      test(`${path}: an error behind the first part cuts the connection`, async () => {
        const from = server.log.length;
        const answer = await get(path);
        assert.equal(answer.status, 200);
        if (!front.isUwsgi) assert(!answer.complete);
        await server.waitForLog(new RegExp(`failed: GET ${path}`), from);
      });
    }

    test('a write behind the end of the answer is refused, whether the app looks or not', async () => {
      const from = server.log.length;
      const answer = await get('/writes-late');
      assert.deepEqual([answer.body, answer.complete], ['in time', true]);
      await server.waitForLog(/write said: write was called after the end of the answer/, from);
      assert.equal((await get('/writes-late-unseen')).body, 'in time');
      assert.equal((await get('/fine')).body, 'fine');
    });

    test('a body is cut off at its Content-Length', async () => {
      const answer = await get('/too-long');
      assert.deepEqual([answer.headers['content-length'], answer.body, answer.complete], ['5', '12345', true]);
      await server.waitForLog(/more bytes than its Content-Length of 5: cut off/);
    });

    test('a body shorter than its Content-Length ends the connection', async () => {
      const from = server.log.length;
      const answer = await get('/too-short');
      assert.deepEqual([answer.headers['content-length'], answer.body, answer.complete], ['10', '12345', false]);
      await server.waitForLog(/GET \/too-short: the application announced 10 bytes and gave 5 less/, from);
    });

    test('an error in return() is only logged, because the answer is out', async () => {
      const from = server.log.length;
      const answer = await get('/close-fails');
      assert.deepEqual([answer.body, answer.complete], ['who', true]);
      await server.waitForLog(/RangeError: return\(\) failed/, from);
    });

    test('a status without a reason gets the usual one', async () => {
      assert.equal((await get('/status-short')).reason, 'Not Found');
    });

    test('fields of the connection are dropped, with a warning each', async () => {
      const answer = await get('/hop-by-hop');
      assert.deepEqual([answer.status, answer.body, answer.headers.upgrade], [200, 'must not be sent', undefined]);
      assert.equal(answer.headers['transfer-encoding'], undefined);
      await server.waitForLog(/sends Transfer-Encoding, which is the server's own matter: dropped/);
    });

    test('a head that is too large can be replaced by a smaller one', async () => {
      assert.equal((await get('/catches-too-large-head')).body, 'a smaller one');
    });

    test('write tells an app that the client has gone, as often as it asks', async () => {
      const from = server.log.length;
      const client = await Client.ask(front, server.port, '/goes-on-when-gone');
      await client.sees('xxx');
      await client.leave();
      await server.waitForLog(/(?:write said: the client went away\n[\s\S]*?){3}/, from);
    });

    test('an app that looks at none of its writes does not fall over when the client has gone', async () => {
      const client = await Client.ask(front, server.port, '/writes-on-when-gone');
      await client.sees('xxx');
      await client.leave();
      assert.equal((await get('/fine')).body, 'fine');
    });
  });
}
