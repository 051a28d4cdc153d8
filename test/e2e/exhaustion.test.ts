// When something runs out: slots, descriptors, disk, clients' patience (docs/security.md, "When something runs out"). What must
// hold after each of them is that nothing has leaked.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { targetOf } from '../load/ask.js';
import { askHttp, askUwsgi } from '../load/client.js';
import { assertAllFree, nextAsk, openFilesOf, type Scene, withScene } from '../load/scene.js';
import { descendants, ENGINES, open, request, rssBytes, startServer, until } from './harness.js';

/** Every way in: the option, the engine, and who asks there. */
const WAYS = [
  { name: '--http on uWebSockets.js', args: ['--http', '127.0.0.1:0', '--http-engine', 'uws'], ask: askHttp },
  { name: '--http on node:http', args: ['--http', '127.0.0.1:0', '--http-engine', 'node'], ask: askHttp },
  { name: '--socket', args: ['--socket', '127.0.0.1:0'], ask: askUwsgi },
] as const;
const APPS = ['ledger.py', 'ledger.mjs'] as const;
const POST_BUFFERING_BYTES = 65_536;
const MIB = 1 << 20;

/** What a server and its processes have open, each by its pid. */
const openFiles = (scene: Scene) =>
  [scene.server.pid, ...descendants(scene.server.pid)].map((pid) => `${pid}: ${openFilesOf(pid)}`).join();

/** The same, once connections that were closed just now are closed there too. */
async function openFilesAtRest(scene: Scene): Promise<string> {
  for (let seen = openFiles(scene); ; ) {
    await pause(50);
    const now = openFiles(scene);
    if (now === seen) return now;
    seen = now;
  }
}

/** Processor time of a process in ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (utime! + stime!) * 10;
}

describe('clients that leave midway', () => {
  for (const { name, args, ask } of WAYS) {
    for (const app of APPS) {
      test(`200 times: what they had is closed and given back (${name}, ${app})`, async () => {
        await withScene([...args, '--wsgi-file', app, '-p', '2', '--max-inflight', '32'], async (scene) => {
          const keptUp = () => scene.record(...askWith({}));
          const askWith = (what: Parameters<typeof nextAsk>[0], leaveAfterBytes?: number) => {
            const one = nextAsk(what);
            const manner = leaveAfterBytes === undefined ? {} : { leaveAfterBytes };
            return [one, ask(scene.port, one, manner)] as const;
          };
          for (let i = 0; i < 4; i++) await keptUp(); // what is opened at the first request stays open
          await scene.record(...askWith({ postBytes: 2 * POST_BUFFERING_BYTES }));
          const before = await openFilesAtRest(scene);
          for (let round = 0; round < 25; round++) {
            await Promise.all([
              scene.record(...askWith({ ms: 5 }, 0)),
              scene.record(...askWith({ ms: 5, postBytes: 2 * POST_BUFFERING_BYTES }, 0)),
              scene.record(...askWith({ bytes: 4 * MIB, parts: 64 }, 1)),
              scene.record(...askWith({ bytes: 4 * MIB, parts: 3 }, MIB)),
              scene.record(...askWith({ bytes: 4 * MIB }, 1)),
              scene.record(...askWith({ bytes: 4 * MIB, parts: 64, postBytes: 2 * POST_BUFFERING_BYTES }, 1)),
              scene.record(...askWith({ ms: 5, bytes: 1000, parts: 2 }, 0)),
              scene.record(...askWith({ bytes: 100, parts: 100 }, 50)),
              keptUp(),
            ]);
          }
          const verdict = scene.verdict();
          assert.equal(verdict.left, 200, String(verdict));
          assert.equal(String(verdict), '30 right, 200 left', verdict.remarks.join('\n'));
          await until(() => openFiles(scene) === before, `all is closed that was not open before: ${before}`);
          await assertAllFree(scene, 32, ask);
          // every iterable that was begun was closed, once
          const begun = [...scene.ledger.read().keys()].filter((id) => (scene.asks.get(id)?.parts ?? 0) > 0).length;
          await until(() => scene.ledger.read().get('closed') === begun, `${begun} iterables are closed`);
        });
      });
    }
  }
});

describe('an arena with few slots', () => {
  const FLOOD = [
    {},
    { ms: 20 },
    { postBytes: 3 * MIB },
    { postBytes: 1000, bytes: 200_000 },
    { bytes: 3 * MIB, parts: 7 },
  ];
  for (const app of APPS) {
    test(`under a flood, with large bodies and slow readers at once, loses nothing (${app})`, async () => {
      const SLOTS = 8;
      const args = ['--wsgi-file', app, '-p', '2', '--threads', '2', '--max-inflight', String(SLOTS)];
      const listeners = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0'];
      await withScene([...listeners, ...args], async (scene) => {
        const [uws, node, uwsgi] = scene.server.ports;
        const before = await openFilesAtRest(scene);
        const asks: Promise<unknown>[] = [];
        for (let i = 0; i < 40; i++) {
          for (const [port, ask] of [
            [uws!, askHttp] as const,
            [node!, askHttp] as const,
            [uwsgi!, askUwsgi] as const,
          ]) {
            for (const what of FLOOD) {
              const one = nextAsk(what);
              asks.push(scene.record(one, ask(port, one)));
            }
          }
        }
        const readers = await Promise.all([uws!, node!, uws!].map(readSlowly));
        await Promise.all(asks);
        const verdict = scene.verdict();
        assert.equal(verdict.right + verdict.refused, 600, verdict.remarks.join('\n'));
        assert.equal(verdict.twice + verdict.ghost, 0, verdict.remarks.join('\n'));
        assert(verdict.right > 0 && verdict.refused > 0, String(verdict));
        for (const reader of readers) reader.destroy();
        await until(() => openFiles(scene) === before, 'no descriptor has leaked');
        await assertAllFree(scene, SLOTS);
      });
    });
  }
});

/** Begins to read a large answer, and takes no more of it. */
async function readSlowly(port: number): Promise<Socket> {
  const socket = await open(port);
  socket.write(`GET ${targetOf(nextAsk({ bytes: 50 * MIB, parts: 800 }))} HTTP/1.1\r\nHost: test\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  return socket;
}

describe('a disk that is full', () => {
  for (const { name, args, ask } of WAYS) {
    test(`is the misfortune of that request alone: 507 (${name})`, async () => {
      await withScene([...args, '--wsgi-file', 'ledger.py', '-p', '2'], async (scene) => {
        const keep = async (what: Parameters<typeof nextAsk>[0]) => {
          const one = nextAsk(what);
          return scene.record(one, ask(scene.port, one));
        };
        await keep({ postBytes: 2 * POST_BUFFERING_BYTES });
        const before = await openFilesAtRest(scene);
        // a limit on the size of files is a disk of that size, for this server alone
        execFileSync('prlimit', ['--pid', String(scene.server.pid), '--fsize=1000000:unlimited']);
        const outcomes = await Promise.all([
          ...Array.from({ length: 5 }, () => keep({ postBytes: 5 * MIB })),
          ...Array.from({ length: 20 }, () => keep({ postBytes: 2 * POST_BUFFERING_BYTES })),
          ...Array.from({ length: 20 }, () => keep({ postBytes: 1000 })),
        ]);
        assert.deepEqual(
          outcomes.map(({ ending, status }) => (ending === 'status' ? status : ending)),
          [...Array(5).fill(507), ...Array(40).fill('right')],
        );
        await scene.server.waitForLog(/^refused 507 .*cannot keep a request body in .*EFBIG/m);
        await until(() => openFiles(scene) === before, 'the files that were begun are closed');
        execFileSync('prlimit', ['--pid', String(scene.server.pid), '--fsize=unlimited:unlimited']);
        assert.equal((await keep({ postBytes: 5 * MIB })).ending, 'right', 'and when there is room again, it goes on');
        assert.equal(scene.verdict().ghost, 0);
      });
    });
  }
});

describe('a disk that is full of the log', () => {
  test('is told once, requests go on, and so does the log when there is room again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-full-'));
    const log = join(directory, 'log');
    const args = ['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py', '--req-logger', `file:${log}`];
    const server = await startServer(args);
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:unlimited`]);
    try {
      limit('4000');
      for (let i = 0; i < 100; i++) assert.equal((await request(server.port, `/${i}`)).status, 200);
      assert.equal(statSync(log).size, 4000);
      limit('unlimited');
      await server.waitForLog(/^cannot write to the log .*log: EFBIG.* Requests go on without it/m);
      await until(() => {
        void request(server.port, '/again').catch(() => {});
        return readFileSync(log, 'latin1').includes('GET /again');
      }, 'lines are written again');
      await server.waitForLog(/^the log .*log is written again, \d+ lines were lost meanwhile/m);
    } finally {
      await server.stop();
      rmSync(directory, { recursive: true });
    }
  });
});

describe('the limit of open files', () => {
  for (const { name, args, ask } of WAYS) {
    test(`is not reached by connections: those beyond it are closed, the rest is served (${name})`, async () => {
      const under = ['prlimit', '--nofile=200'];
      const atOnce = name === '--socket' ? ['--no-defer-accept'] : []; // nothing is sent on these connections
      const useAll = async (scene: Scene) => {
        const sockets = await Promise.all(Array.from({ length: 300 }, () => open(scene.port)));
        const isOpen = (socket: Socket) => !socket.destroyed && !socket.readableEnded;
        for (const socket of sockets) socket.on('error', () => {}).resume();
        await scene.server.waitForLog(/^WARNING: (\d+) connections are open.*ulimit -n/m);
        await until(() => sockets.filter(isOpen).length < 200, 'those beyond the limit are closed');
        const stillOpen = sockets.filter(isOpen);
        assert(stillOpen.length >= 50, `${stillOpen.length} connections are open`);
        const cpuBefore = cpuMs(scene.server.pid);
        await pause(1000);
        const usedMs = cpuMs(scene.server.pid) - cpuBefore;
        assert(usedMs < 100, `${usedMs} ms of processor time in a second of doing nothing`);
        assert.equal(isOpen(stillOpen[0]!), true);
        for (const socket of sockets) socket.destroy();
        await scene.server.waitForLog(/^there is room for connections again; \d+ were closed meanwhile/m);
        for (let i = 0; i < 20; i++) assert.equal((await ask(scene.port, nextAsk())).ending, 'right');
      };
      await withScene([...args, ...atOnce, '--wsgi-file', 'ledger.py', '-p', '2'], useAll, { under });
    });
  }
});

describe('10 000 idle connections', () => {
  // what may be used per connection: uWebSockets.js keeps them in C++, node:http has a parser and several objects for each
  const MOST_BYTES = { uws: 2048, node: 20_000 };
  for (const engine of ENGINES) {
    test(`are held, cost little memory, and do not disturb others (${engine})`, async () => {
      const args = ['--http', '127.0.0.1:0', '--http-engine', engine, '--wsgi-file', 'ledger.py', '--listen', '1000'];
      await withScene(args, async (scene) => {
        const openMany = async (count: number) => {
          const sockets: Socket[] = [];
          while (sockets.length < count) {
            sockets.push(...(await Promise.all(Array.from({ length: 250 }, () => open(scene.port)))));
          }
          return sockets;
        };
        for (const socket of await openMany(1000)) socket.destroy(); // what is there once, however many they are
        await askHttp(scene.port, nextAsk());
        const before = rssBytes(scene.server.pid);
        const sockets = await openMany(10_000);
        const bytesEach = (rssBytes(scene.server.pid) - before) / 10_000;
        for (let i = 0; i < 20; i++) {
          assert.equal((await request(scene.port, targetOf(nextAsk()), { timeoutMs: 1000 })).status, 200);
        }
        assert.equal(sockets.filter((socket) => socket.destroyed).length, 0);
        for (const socket of sockets) socket.destroy();
        assert(bytesEach < MOST_BYTES[engine], `${bytesEach} bytes of memory for each`);
      });
    });
  }
});
