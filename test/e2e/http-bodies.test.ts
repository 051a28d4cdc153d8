// Bodies that are too long, clients that ask before they send, and clients that take their time: rows T16 and T17 of
// docs/security.md, and the expectation of RFC 9110 section 10.1.1.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ENGINES, type Engine, open, raw, request, startOn } from './harness.js';
import { assertRefused, JournalServer, SMUGGLED } from './http-contract.js';

const LIMIT_BYTES = 100_000;
/** More than all buffers between a client and the server hold. */
const LARGE_BYTES = 32 << 20;
const SLOW_CLIENTS = 40;
const SOCKET_TIMEOUT = '2';
/** uWebSockets.js looks after its connections every four seconds, and gives up those that are silent for ten. */
const PATIENCE_MS = 20_000;

const post = (fields: string, body = '') => `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;

/** What a connection has brought when it is closed. */
async function untilClosed(socket: Socket): Promise<string> {
  let bytes = '';
  socket.on('data', (chunk) => {
    bytes += chunk.toString('latin1');
  });
  socket.on('error', () => {}); // 'close' follows
  await once(socket, 'close');
  return bytes;
}

function describeLimits(engine: Engine): void {
  let journal: JournalServer;
  before(async () => {
    journal = await JournalServer.start(engine, ['--limit-post', String(LIMIT_BYTES)]);
  });
  after(() => journal.stop());

  test('T16: a length over limit-post is refused before a byte of the body has come', async () => {
    const bad = {
      name: '',
      bytes: post(`Content-Length: ${LIMIT_BYTES + 1}`),
      status: 413,
      why: /limit-post \(100000\)/,
    };
    await assertRefused(journal, bad);
    const begun = { ...bad, bytes: post(`Content-Length: ${LIMIT_BYTES + 1}`, 'x'.repeat(1000)) };
    await assertRefused(journal, begun);
  });

  test('T16: chunks are counted as they come, and refused at the one that is too many', async () => {
    const half = `c350\r\n${'x'.repeat(50_000)}\r\n`;
    await assertRefused(journal, {
      name: '',
      bytes: post('Transfer-Encoding: chunked', `${half}${half}1\r\nx\r\n`), // the end never comes
      status: 413,
      why: /limit-post/,
    });
    const whole = await journal.send(post('Transfer-Encoding: chunked', `${half}${half}0\r\n\r\n`), { answers: 1 });
    assert.equal(whole.entries[0]?.body.length, LIMIT_BYTES);
  });

  test('T16: a body as long as limit-post is taken', async () => {
    const bytes = post(`Content-Length: ${LIMIT_BYTES}`, 'x'.repeat(LIMIT_BYTES));
    assert.equal((await journal.send(bytes, { answers: 1 })).entries[0]?.body.length, LIMIT_BYTES);
  });

  test('T16: what follows a body that was refused is not run', async () => {
    const bytes = post(`Content-Length: ${LIMIT_BYTES + 1}`, `${'x'.repeat(LIMIT_BYTES + 1)}${SMUGGLED}`);
    const { entries, closed } = await journal.send(bytes);
    assert(closed);
    assert.deepEqual(entries, []);
  });

  test('T16: a client that sends all of its body before it reads sees the 413', async () => {
    const client = `
import http.client
c = http.client.HTTPConnection('127.0.0.1', ${journal.server.port})
c.putrequest('POST', '/')
c.putheader('Content-Length', '${LARGE_BYTES}')
c.endheaders()
for _ in range(${LARGE_BYTES >> 20}):
    c.send(bytes(1 << 20))
print(c.getresponse().status)`;
    const { stdout } = await promisify(execFile)('python3', ['-c', client]);
    assert.equal(stdout, '413\n');
  });

  test('100 Continue is sent before the body, and the body is taken', async () => {
    const socket = await open(journal.server.port);
    socket.write(post('Content-Length: 5\r\nExpect: 100-continue'));
    const [interim] = (await once(socket, 'data')) as [Buffer];
    assert.equal(interim.toString('latin1'), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('hello');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test('a client that does not wait for 100 Continue is served all the same', async () => {
    const { answers, entries } = await journal.send(post('Content-Length: 5\r\nExpect: 100-continue', 'hello'), {
      answers: 1,
    });
    assert.equal(entries[0]?.body, 'hello');
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [100, 200],
    );
  });

  test('any other expectation is refused with 417', async () => {
    for (const value of ['x', '100-continue, x', '200-ok', '100-continue;q=1']) {
      await assertRefused(journal, {
        name: value,
        bytes: post(`Content-Length: 5\r\nExpect: ${value}`, 'hello'),
        status: 417,
      });
    }
  });

  test('100 Continue is not sent for a body that is refused, where the engine lets us decide', async () => {
    const bytes = post(`Content-Length: ${LIMIT_BYTES + 1}\r\nExpect: 100-continue`);
    const { answers, entries } = await journal.send(bytes);
    assert.deepEqual(entries, []);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      engine === 'uws' ? [100, 413] : [413],
    );
  });

  test('curl, which asks first when a body is long, gets its answer', async () => {
    const url = `http://127.0.0.1:${journal.server.port}/`;
    const curl = async (bytes: number) => {
      const args = [
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-H',
        'Expect: 100-continue',
        '--data-binary',
        '@-',
        url,
      ];
      const running = promisify(execFile)('curl', args);
      running.child.stdin!.on('error', () => {}); // it stops reading when it is refused
      running.child.stdin!.end(Buffer.alloc(bytes, 'x'));
      return (await running).stdout;
    };
    assert.equal(await curl(LIMIT_BYTES), '200');
    assert.equal(await curl(LIMIT_BYTES + 1), '413');
  });
}

function describeSlowClients(engine: Engine): void {
  let journal: JournalServer;
  before(async () => {
    journal = await JournalServer.start(engine, ['--socket-timeout', SOCKET_TIMEOUT]);
  });
  after(() => journal.stop());

  test('T17: clients that stop in the middle of a request hold nobody up, and are given up', async () => {
    // heads, and connections without one, uWebSockets.js sees to itself: see uws-limits.test.ts
    const heads = engine === 'uws' ? [] : ['', 'GET / HT', 'GET / HTTP/1.1\r\nHost: a\r\nX: '];
    const starts = [
      ...heads,
      post('Content-Length: 10', ''),
      post('Content-Length: 10', 'hello'),
      post('Transfer-Encoding: chunked', '5\r\nhel'),
    ];
    const all = starts.flatMap((start) => Array.from({ length: SLOW_CLIENTS }, () => start));
    const sockets = await Promise.all(all.map(() => open(journal.server.port)));
    const ends = sockets.map(async (socket, i) => {
      if (all[i] !== '') socket.write(all[i]!);
      return untilClosed(socket);
    });
    for (let i = 0; i < 5; i++)
      assert.equal((await request(journal.server.port, '/', { timeoutMs: 1000 })).status, 200);
    const got = await Promise.all(ends);
    assert.deepEqual((await journal.entries('127.0.0.1')).length, 5, 'the app saw half a request');
    for (const [i, start] of all.entries()) {
      if (start === '') assert.equal(got[i], '', 'nobody asked for anything');
      else assert.match(got[i]!, /^HTTP\/1\.1 408 Request Timeout\r\n/, start);
    }
    const told = (part: string) =>
      new RegExp(`^refused 408 127\\.0\\.0\\.1: the rest of the request ${part} did not come within 2000 ms$`, 'm');
    assert.match(journal.server.log, told('body'));
    if (engine === 'node') assert.match(journal.server.log, told('head'));
  });
}

function describeSlowReaders(engine: Engine): void {
  test('T17: a client that does not read its answer is given up, and its worker is free again', async () => {
    const server = await startOn(engine, ['--wsgi-file', 'rules.py', '--socket-timeout', SOCKET_TIMEOUT]);
    const socket = await open(server.port);
    socket.pause();
    socket.write('GET /closes-when-gone HTTP/1.1\r\nHost: a\r\n\r\n');
    await server.waitForLog(/^refused 408 127\.0\.0\.1: the client took nothing of its answer for 2000 ms$/m);
    await server.waitForLog(/closes-when-gone closed 1 times/);
    assert.equal((await request(server.port, '/hello')).body, 'hello\n');
    socket.destroy();
    await server.stop();
  });

  test('T17: an app that takes longer than socket-timeout is waited for', async () => {
    const server = await startOn(engine, ['--wsgi-file', 'rules.py', '--threads', '3', '--socket-timeout', '1']);
    const started = performance.now();
    const slow = request(server.port, '/yields', { timeoutMs: PATIENCE_MS });
    // and so is one that waits for its turn behind it, though all of it is there
    const behind =
      'GET /yields HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    const pipelined = engine === 'node' ? raw(server.port, behind, { answers: 2 }) : undefined;
    await new Promise((resolve) => setTimeout(resolve, 2500)); // it is about time itself
    await request(server.port, '/release');
    assert.equal((await slow).body, 'first;second');
    if (pipelined !== undefined) assert.equal((await pipelined).answers[1]?.body, 'hello');
    assert(performance.now() - started > 2000);
    assert.doesNotMatch(server.log, /refused/);
    await server.stop();
  });
}

for (const engine of ENGINES) {
  describe(`bodies on ${engine}`, () => describeLimits(engine));
  describe(`slow clients on ${engine}`, () => describeSlowClients(engine));
  describe(`slow readers on ${engine}`, () => describeSlowReaders(engine));
}

test('HTTP/1.0 knows no 100 Continue', async () => {
  const journal = await JournalServer.start('node');
  const bytes = 'POST /p HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello';
  const { answers } = await journal.send(bytes);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200],
  );
  await journal.stop();
});
