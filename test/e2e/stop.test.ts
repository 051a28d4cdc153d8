// The end of a server: in order on SIGTERM and SIGINT, at once on the second, by force. What was begun is finished as far as
// there is time, and nothing is left behind.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ask, Client, encode, FRONTS, type Front, startBehind } from './fronts.js';
import { descendants, isAlive, open, startServer, type TestServer, until } from './harness.js';
import { freePort } from './nginx.js';
import { BLOCK_BYTES, Download, MIB, STREAM_APPS } from './transfers.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));
const gate = join(directory, 'gate');
execFileSync('mkfifo', [gate]);
const openGate = () => writeFile(gate, '');
const spool = join(directory, 'spool');
mkdirSync(spool);

const start = (front: Front, app: string, more: readonly string[] = []) =>
  startBehind(front, ['--wsgi-file', app, '--threads', '4', '--env', `GATE=${gate}`, '--body-tmpdir', spool, ...more]);

/** Tells the server to stop; resolves when it has taken that in. */
async function tellToStop(server: TestServer, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  server.child.kill(signal);
  await server.waitForLog(/no new connections/);
}

const hasEnded = ({ child }: TestServer) =>
  until(() => child.exitCode !== null || child.signalCode !== null, 'the server has ended');

/** Waits for the end of a server that was told to stop, and asserts that it is a good one that leaves nothing behind. */
async function assertEnds(server: TestServer, children: readonly number[]): Promise<void> {
  await hasEnded(server);
  assert.deepEqual([server.child.exitCode, server.child.signalCode], [0, null], server.log);
  assert.deepEqual(children.filter(isAlive), []);
  assert.deepEqual(readdirSync(spool), []);
}

for (const front of FRONTS) {
  for (const app of STREAM_APPS) {
    describe(`told to stop: ${app} behind ${front.name}`, () => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        test(`${signal}: takes no new connections, answers what runs, and ends with 0`, async () => {
          const server = await start(front, app);
          const children = descendants(server.pid);
          const held = await Client.ask(front, server.port, '/hold');
          await server.waitForLog(/holding/);
          await tellToStop(server, signal);
          server.child.kill('SIGTERM'); // at once, as npm passes a Ctrl-C on: the same wish, and not a second one
          await assert.rejects(open(server.port), { code: 'ECONNREFUSED' });
          await openGate();
          const answer = await held.answer();
          assert.deepEqual([answer.status, answer.body, answer.complete], [200, 'hello\n', true]);
          if (!front.isUwsgi) assert.equal(answer.headers.connection?.toLowerCase(), 'close');
          await assertEnds(server, children);
        });
      }

      for (const withLength of [false, true]) {
        test(`a slow client gets all of an answer ${withLength ? 'with' : 'without'} a length that was under way`, async () => {
          const server = await start(front, app);
          const children = descendants(server.pid);
          const blocks = (16 * MIB) / BLOCK_BYTES;
          const slow = await Download.start(front, server, blocks, withLength);
          await slow.stall();
          await tellToStop(server);
          await slow.finish(blocks);
          await assertEnds(server, children);
        });
      }

      test('a slow client gets all of an answer that no app is busy with any more', async () => {
        // little enough for --response-buffering, and more than the kernel holds for a connection
        const server = await start(front, app, ['--response-buffering', String(32 * MIB)]);
        const children = descendants(server.pid);
        const blocks = (24 * MIB) / BLOCK_BYTES;
        const slow = await Download.start(front, server, blocks, false);
        await slow.stall();
        await server.waitForLog(/closed after/);
        await tellToStop(server);
        await slow.finish(blocks);
        await assertEnds(server, children);
      });

      test('a body that was on its way is taken, and answered', async () => {
        const server = await start(front, app);
        const children = descendants(server.pid);
        const request = encode(front, '/sha', { method: 'POST', body: 'x'.repeat(300_000) });
        const client = await Client.send(server.port, request.subarray(0, 200_000));
        await until(
          () => readdirSync(`/proc/${server.pid}/fd`).length > 0 && client.socket.writableLength === 0,
          'it is sent',
        );
        await ask(front, server.port, '/hello'); // by now it has been taken in
        await tellToStop(server);
        client.socket.write(request.subarray(200_000));
        const answer = await client.answer();
        assert.deepEqual([answer.status, answer.complete], [200, true]);
        assert.match(answer.body, /^300000 /);
        await assertEnds(server, children);
      });

      test('a request that never ends is given up after worker-reload-mercy', async () => {
        const server = await start(front, app, ['--worker-reload-mercy', '1']);
        const children = descendants(server.pid);
        const held = await Client.ask(front, server.port, '/hold');
        await server.waitForLog(/holding/);
        await tellToStop(server);
        await held.until(() => held.ended, 'the end of the connection');
        assert.doesNotMatch(held.bytes, /^HTTP\/1\.1 200/);
        await assertEnds(server, children);
      });

      test('the second signal ends it at once, and everything with it', async () => {
        const server = await start(front, app);
        const children = descendants(server.pid);
        await Client.ask(front, server.port, '/hold');
        await server.waitForLog(/holding/);
        await tellToStop(server);
        await until(() => server.child.exitCode !== null || !server.child.kill('SIGTERM'), 'the server has ended');
        assert.equal(server.child.exitCode, 130);
        assert.match(server.log, /SIGTERM again/);
        await until(() => children.every((pid) => !isAlive(pid)), 'the children have ended', 2000);
        assert.deepEqual(readdirSync(spool), []);
      });

      test('kill -9 ends everything within 2 s, and the address is free', async () => {
        const port = await freePort(); // one that the kernel chose for uWebSockets.js can only be had again after minutes
        const args = front.args.map((arg) => arg.replace(/:0$/, `:${port}`));
        const server = await startServer([
          ...args,
          '--wsgi-file',
          app,
          '--env',
          `GATE=${gate}`,
          '--body-tmpdir',
          spool,
        ]);
        const children = descendants(server.pid);
        const upload = encode(front, '/sha', { method: 'POST', body: 'x'.repeat(300_000) });
        await Client.send(port, upload.subarray(0, 200_000));
        await Client.send(port, encode(front, '/hold'));
        await server.waitForLog(/holding/);
        await server.end('SIGKILL');
        await until(() => children.every((pid) => !isAlive(pid)), 'the children have ended', 2000);
        assert.deepEqual(readdirSync(spool), []);
        const next = await startServer([...args, '--wsgi-file', app]);
        await next.stop();
      });
    });
  }
}

describe('a server that is told to stop', () => {
  for (const front of FRONTS.filter((one) => !one.isUwsgi)) {
    test(`${front.name}: answers one more request of a connection that is kept alive, and says that it is the last`, async () => {
      const server = await start(front, 'streams.py');
      const held = await Client.ask(front, server.port, '/hold');
      const kept = await Client.ask(front, server.port, '/hello');
      await kept.sees('hello\n');
      await server.waitForLog(/holding/);
      await tellToStop(server);
      kept.bytes = '';
      kept.socket.write(encode(front, '/pid'));
      const answer = await kept.answer();
      assert.deepEqual([answer.status, answer.headers.connection?.toLowerCase()], [200, 'close']);
      await openGate();
      assert.equal((await held.answer()).status, 200);
      await assertEnds(server, []);
    });

    test(`${front.name}: does not wait for connections that ask nothing`, async () => {
      const server = await start(front, 'streams.py');
      const silent = await open(server.port);
      const idle = await Client.ask(front, server.port, '/hello');
      await idle.sees('hello\n');
      const fromMs = performance.now();
      await tellToStop(server);
      await assertEnds(server, []);
      assert(performance.now() - fromMs < 5000, 'it ends at once');
      silent.destroy();
    });
  }

  for (const [what, file, source] of [
    ['a Python app', 'loads.py', 'import time\nprint("loading")\ntime.sleep(3600)'],
    [
      'a JavaScript app',
      'loads.mjs',
      'console.log("loading");\nawait new Promise((resolve) => setTimeout(resolve, 3600e3));',
    ],
    ['a JavaScript app in a loop', 'loops.mjs', 'console.log("loading");\nfor (;;);'],
  ] as const) {
    test(`while ${what} is loaded ends at once`, async () => {
      writeFileSync(join(directory, file), source);
      const server = await startServer([...FRONTS[0]!.args, '--wsgi-file', join(directory, file)], {
        until: /loading/,
      });
      const children = descendants(server.pid);
      const fromMs = performance.now();
      await tellToStop(server);
      await assertEnds(server, children);
      assert(performance.now() - fromMs < 10_000, 'it ends at once');
    });
  }
});

describe('the file of a UNIX socket', () => {
  for (const option of ['--http', '--http-socket', '--socket']) {
    const path = join(directory, `${option.slice(2)}.sock`);
    const serve = () => startServer([option, path, '--wsgi-file', 'hello.py']);
    const answers = async () => {
      const socket = connect(path);
      await once(socket, 'connect');
      socket.destroy();
    };

    test(`${option}: is removed by a stop, also by one in a hurry, and replaced after kill -9`, async () => {
      let server = await serve();
      await answers();
      await server.stop();
      assert(!existsSync(path));

      server = await serve();
      server.child.kill('SIGTERM');
      server.child.kill('SIGINT');
      await hasEnded(server);
      assert(!existsSync(path), server.log);

      server = await serve();
      await server.end('SIGKILL');
      server = await serve();
      await answers();
      await server.stop();
      assert(!existsSync(path));
    });
  }
});
