// The queue in front of the workers, on the running server: what slow requests do to others, what happens when there are too
// many, and that thousands at once are each answered once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { type Ask, targetOf } from '../load/ask.js';
import { askHttp, askUwsgi, type Outcome } from '../load/client.js';
import { judge, Ledger } from '../load/ledger.js';
import { ENGINES, type Engine, open, parseAnswers, request, startServer, type TestServer } from './harness.js';

const APPS = ['ledger.py', 'ledger.mjs'] as const;
const started: TestServer[] = [];
const ledgers: Ledger[] = [];
after(async () => {
  for (const server of started) await server.end('SIGTERM');
  for (const ledger of ledgers) ledger.remove();
});

async function start(args: readonly string[]): Promise<{ server: TestServer; ledger: Ledger }> {
  const ledger = new Ledger();
  const server = await startServer(['--disable-logging', ...args], { env: { LEDGER: ledger.path } });
  started.push(server);
  ledgers.push(ledger);
  return { server, ledger };
}

let asked = 0;
const next = (what: Partial<Ask> = {}): Ask => ({ id: `r${++asked}`, ...what });

const percentile = (sorted: readonly number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)]!;

/** Asks one after the other on a kept connection until `isOver`; the times they took in ms, sorted. */
async function timesUntil(port: number, isOver: () => boolean): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (!isOver()) {
    const startedMs = performance.now();
    assert.equal((await askHttp(port, next(), { agent })).ending, 'right');
    times.push(performance.now() - startedMs);
  }
  agent.destroy();
  return times.sort((a, b) => a - b);
}

describe('slow requests', () => {
  for (const app of APPS) {
    test(`of which seven of eight workers are full do not hold up fast ones (${app})`, async () => {
      // a JS app runs as many at once as --threads says: here one, as the Python app
      const { server } = await start(['--http', '127.0.0.1:0', '--wsgi-file', app, '-p', '8', '--threads', '1']);
      const before = await timesUntil(server.port, counter(300));
      let slow = 7;
      const slowOnes = Array.from({ length: slow }, async () => {
        const startedMs = performance.now();
        const { ending } = await askHttp(server.port, next({ ms: 1000 }));
        slow--;
        return [ending, performance.now() - startedMs >= 1000];
      });
      const during = await timesUntil(server.port, () => slow < 7);
      assert.deepEqual(await Promise.all(slowOnes), Array(7).fill(['right', true]));
      assert(during.length > 50, `${during.length} fast requests in 1 s`);
      // what a fast request takes on this machine just now, and a few ms for one that arrived behind a slow one
      const added = percentile(during, 0.99) - percentile(before, 0.99);
      assert(added < 10, `p99 ${percentile(before, 0.99)} ms alone, ${percentile(during, 0.99)} ms beside slow ones`);
    });

    test(`that are unexpectedly slow give up what waits behind them (${app})`, async () => {
      const { server, ledger } = await start([
        '--http',
        '127.0.0.1:0',
        '--wsgi-file',
        app,
        '-p',
        '2',
        '--threads',
        '1',
      ]);
      await timesUntil(server.port, counter(300)); // the server learns that requests are short, and hands out several
      const outcomes = new Map<string, Outcome>();
      const ask = async (one: Ask) => {
        const startedMs = performance.now();
        outcomes.set(one.id, await askHttp(server.port, one, { agent }));
        return performance.now() - startedMs;
      };
      const agent = new Agent({ keepAlive: true });
      const slow = ask(next({ ms: 800 }));
      const fast = await Promise.all(Array.from({ length: 40 }, () => ask(next())));
      assert(outcomes.size === 40, 'the slow one is not answered yet');
      assert(Math.max(...fast) < 400, `the slowest fast request took ${Math.max(...fast)} ms`);
      await slow;
      agent.destroy();
      assert.equal(String(judge(outcomes, ledger.read())), '41 right');
    });
  }
});

/** True from the `n`th call on. */
function counter(n: number): () => boolean {
  return () => n-- <= 0;
}

describe('more requests than may be inside', () => {
  const MOST = 16;
  const listeners = [
    ['--http', 'uws', askHttp],
    ['--http', 'node', askHttp],
    ['--socket', 'uws', askUwsgi],
  ] as const;
  for (const [option, engine, ask] of listeners) {
    test(`get 503 with Retry-After, at once, and whoever is inside is answered: ${option}, ${engine}`, async () => {
      const args = ['--wsgi-file', 'ledger.py', '-p', '2', '--threads', '2', '--max-inflight', String(MOST)];
      const { server, ledger } = await start([option, '127.0.0.1:0', '--http-engine', engine, ...args]);
      const outcomes = new Map<string, Outcome>();
      const asks = Array.from({ length: 3 * MOST }, () => next({ ms: 100 }));
      await Promise.all(asks.map(async (one) => outcomes.set(one.id, await ask(server.port, one))));
      const verdict = judge(outcomes, ledger.read());
      assert.deepEqual([verdict.right, verdict.refused], [MOST, 2 * MOST], verdict.remarks.join('\n'));
      assert.equal(String(verdict), `${MOST} right, ${2 * MOST} refused`);
      const lines = server.log.match(/^refused 503 .*16 requests are inside already \(max-inflight\)$/gm);
      assert.equal(lines?.length, 2 * MOST, server.log);
      await assertAllFree(server, MOST, ask);
    });
  }

  test('are told when to come again', async () => {
    const { server } = await start(['--http', '127.0.0.1:0', '--wsgi-file', 'ledger.py', '--max-inflight', '1']);
    const busy = askHttp(server.port, next({ ms: 300 }));
    let answer = await request(server.port, targetOf(next()));
    while (answer.status === 200) answer = await request(server.port, targetOf(next())); // it came before the other
    assert.equal(answer.status, 503);
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    assert.equal((await busy).ending, 'right');
  });
});

/** Asserts that exactly `slots` requests can be inside at once: none leaked before. */
async function assertAllFree(server: TestServer, slots: number, ask = askHttp as typeof askHttp | typeof askUwsgi) {
  const outcomes = await Promise.all(Array.from({ length: slots + 3 }, () => ask(server.port, next({ ms: 200 }))));
  const endings = outcomes.map(({ ending, status }) => (ending === 'status' ? status : ending)).sort();
  assert.deepEqual(endings, [503, 503, 503, ...Array(slots).fill('right')]);
}

describe('5000 open connections and 1000 requests for 8 slow slots', () => {
  test('all are answered, none is lost, none is done twice, on both engines', async () => {
    await Promise.all(ENGINES.map(askThousand)); // each waits for 12 s: so both at once
  });
});

async function askThousand(engine: Engine): Promise<void> {
  const args = ['--wsgi-file', 'ledger.py', '-p', '4', '--threads', '2', '--listen', '1024'];
  const { server, ledger } = await start(['--http', '127.0.0.1:0', '--http-engine', engine, ...args]);
  const sockets: Socket[] = [];
  while (sockets.length < 5000) {
    sockets.push(...(await Promise.all(Array.from({ length: 250 }, () => open(server.port)))));
  }
  const asks = Array.from({ length: 1000 }, () => next({ ms: 100 }));
  const outcomes = new Map<string, Outcome>();
  const startedMs = performance.now();
  await Promise.all(asks.map(async (one, i) => outcomes.set(one.id, await askOn(sockets[i]!, one))));
  const seconds = (performance.now() - startedMs) / 1000;
  assert.equal(String(judge(outcomes, ledger.read())), '1000 right', engine);
  assert(seconds >= 12.5, '8 at once, 100 ms each');
  assert(seconds < 17, `${engine}: ${seconds} s where 12.5 would do`);
  assert.equal(sockets.filter((socket) => socket.destroyed).length, 0, engine);
  for (const socket of sockets) socket.destroy();
}

/** Asks on a connection that is open already, and keeps it. */
async function askOn(socket: Socket, ask: Ask): Promise<Outcome> {
  let bytes = '';
  socket.on('data', (chunk) => {
    bytes += chunk.toString('latin1');
  });
  socket.write(`GET ${targetOf(ask)} HTTP/1.1\r\nHost: test\r\n\r\n`);
  for (;;) {
    const [answer] = parseAnswers(bytes, false, false);
    if (answer?.complete) {
      const isRight = answer.status === 200 && answer.headers['x-id'] === ask.id && answer.body === `${ask.id}\n`;
      const ending = isRight ? 'right' : answer.status === 200 ? 'wrong' : 'status';
      return { ending, status: answer.status, why: answer.body };
    }
    const gone = await Promise.race([once(socket, 'data').then(() => false), once(socket, 'close').then(() => true)]);
    if (gone) return { ending: 'lost', status: 0, why: bytes };
  }
}
