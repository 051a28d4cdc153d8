// Large bodies, slow clients and clients that leave: what they cost, and that they delay nobody. On every front, for Python
// and JavaScript. The same with 1 GiB and with real minutes: npm run big.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, Client, encode, FRONTS, startBehind } from './fronts.js';
import { open, raw, type TestServer, until } from './harness.js';
import { BLOCK_BYTES, Download, digestOfBlocks, growing, MIB, STREAM_APPS, startStreams, upload } from './transfers.js';

const LARGE_BYTES = 128 * MIB;
/** What server and worker may each grow by. The worker of a JavaScript app is a thread of the server: one process for both. */
const growthBytes = (app: string) => (app.endsWith('.py') ? 64 : 2 * 64) * MIB;
const LARGE_BLOCKS = LARGE_BYTES / BLOCK_BYTES;
const SLOW_BLOCKS = (100 * MIB) / BLOCK_BYTES;
const ENDLESS_BLOCKS = 1e9;

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));
const gate = join(directory, 'gate');
execFileSync('mkfifo', [gate]);

/** How many descriptors a process has open. */
const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

for (const front of FRONTS) {
  for (const app of STREAM_APPS) {
    describe(`${app} behind ${front.name}`, () => {
      let server: TestServer;
      let pids: readonly number[];
      const get = (path: string) => ask(front, server.port, path);
      before(async () => {
        ({ server, pids } = await startStreams(front, app));
      });
      after(() => server.stop());

      test('an upload of 128 MiB is hashed by the app, and neither server nor worker grows by 64 MiB', async () => {
        await growing(pids, growthBytes(app), () => upload(front, server, LARGE_BYTES));
      });

      for (const withLength of [false, true]) {
        const how = withLength ? 'with' : 'without';
        test(`a download of 128 MiB ${how} a length comes whole, and neither server nor worker grows by 64 MiB`, async () => {
          await growing(pids, growthBytes(app), async () => {
            await (await Download.start(front, server, LARGE_BLOCKS, withLength)).finish(LARGE_BLOCKS);
          });
        });

        test(`a client that reads 10 KB/s of 100 MiB ${how} a length costs less than 16 MiB and delays nobody`, async () => {
          const from = server.log.length;
          await growing(pids, 16 * MIB, async () => {
            const slow = await Download.start(front, server, SLOW_BLOCKS, withLength);
            await slow.stall();
            for (let second = 0; second < 10; second++) {
              slow.sip(1000);
              for (let i = 0; i < 10; i++) assert.equal((await get('/hello')).body, 'hello\n');
              await delay(100);
            }
            assert(slow.bytes < MIB, `${slow.bytes} bytes read`);
            slow.socket.destroy();
          });
          await server.waitForLog(/closed after \d+ blocks/, from);
        });

        test(`a client that stalled and then reads on gets 20 MiB ${how} a length whole`, async () => {
          const blocks = (20 * MIB) / BLOCK_BYTES;
          const slow = await Download.start(front, server, blocks, withLength);
          await slow.stall();
          assert.equal((await get('/hello')).body, 'hello\n');
          await slow.finish(blocks);
        });
      }

      if (!front.isUwsgi) {
        test('real clients take a stream that answers a chunked upload, and the connection ends behind it', async () => {
          const url = `http://127.0.0.1:${server.port}/blocks?count=32`;
          const expected = digestOfBlocks(32 * BLOCK_BYTES);
          const curl = spawnSync('curl', ['-sS', '-H', 'Transfer-Encoding: chunked', '--data-binary', '@-', url], {
            input: 'x'.repeat(100_000),
            maxBuffer: 8 * MIB,
          });
          assert.equal(curl.stderr.toString(), '');
          assert.equal(createHash('sha256').update(curl.stdout).digest('hex'), expected);
          const body = new Blob(['x']).stream();
          const fetched = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit);
          assert.equal(
            createHash('sha256')
              .update(Buffer.from(await fetched.arrayBuffer()))
              .digest('hex'),
            expected,
          );
          const python = `import hashlib, http.client
c = http.client.HTTPConnection('127.0.0.1', ${server.port})
c.request('POST', '/blocks?count=32', iter([b'x', b'y']), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
print(hashlib.sha256(c.getresponse().read()).hexdigest())`;
          const { stdout } = spawnSync('python3', ['-c', python], { encoding: 'utf8' });
          assert.equal(stdout.trim(), expected);
          // uWebSockets.js does not look closely enough at chunks to read on behind them (docs/security.md)
          const request =
            'POST /blocks?count=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n';
          const isLast = front.name === 'uWebSockets.js';
          const { answers, closed } = await raw(server.port, request, isLast ? {} : { answers: 1 });
          assert.deepEqual([answers[0]?.complete, closed], [true, isLast]);
        });
      }

      test('clients that leave in the middle of an answer leave nothing behind', async () => {
        const openBefore = descriptors(server.pid);
        const from = server.log.length;
        for (let i = 0; i < 20; i++) {
          const download = await Download.start(front, server, ENDLESS_BLOCKS, i % 2 === 0);
          await download.stall();
          download.socket.destroy();
        }
        await until(
          () => (server.log.slice(from).match(/closed after/g)?.length ?? 0) >= 20,
          '20 iterables are closed',
        );
        await until(() => descriptors(server.pid) <= openBefore, 'the connections are closed');
        assert.equal((await get('/hello')).body, 'hello\n');
      });

      test('clients that leave in the middle of a body leave nothing behind', async () => {
        const openBefore = descriptors(server.pid);
        for (let i = 0; i < 20; i++) {
          const socket = await open(server.port);
          socket.on('error', () => {});
          const isSpooled = i % 2 === 0;
          const packet = encode(front, '/sha', { method: 'POST', body: 'x'.repeat(2_000_000) });
          socket.write(packet.subarray(0, isSpooled ? 1_000_000 : 5000), () => socket.destroy());
        }
        await until(() => descriptors(server.pid) <= openBefore, 'connections and files are closed');
        assert.equal((await get('/hello')).body, 'hello\n');
      });
    });

    describe(`${app} behind ${front.name}, with little room`, () => {
      test('a client that stalls gets all of it, though next to nothing may be held for it', async () => {
        const { server } = await startStreams(front, app, ['--response-buffering', '4096']);
        const blocks = (20 * MIB) / BLOCK_BYTES;
        for (const withLength of [false, true]) {
          const slow = await Download.start(front, server, blocks, withLength);
          await slow.stall();
          assert.equal((await ask(front, server.port, '/hello')).body, 'hello\n');
          await slow.finish(blocks);
        }
        await server.stop();
      });

      test('requests whose clients have left before they began are not started, and their slots are free', async () => {
        const args = ['--wsgi-file', app, '--threads', '1', '--max-inflight', '3', '--env', `GATE=${gate}`];
        const server = await startBehind(front, args);
        const held = await Client.ask(front, server.port, '/hold');
        await server.waitForLog(/holding/);
        const openBefore = descriptors(server.pid);
        for (let round = 0; round < 3; round++) {
          // two of them find a place beside the one that is held
          const clients = await Promise.all(Array.from({ length: 5 }, () => Client.ask(front, server.port, '/count')));
          const refused = () => clients.filter((client) => client.bytes.includes(' 503 ')).length;
          await until(() => refused() === 3, 'three of five are refused');
          for (const client of clients) await client.reset();
          await until(() => descriptors(server.pid) <= openBefore, 'the server has noticed');
        }
        await writeFile(gate, '');
        assert.equal((await held.answer()).status, 200);
        assert.equal((await ask(front, server.port, '/started')).body, '0');
        await server.stop();
      });
    });
  }
}
