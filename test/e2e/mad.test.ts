// A Python process that writes nonsense into the shared memory (T34), and answers that must not be taken for one another's (T35).
//
// Nothing that a child wrote is trusted: it is killed, its requests get 502, and nobody else notices. The real bridge, the
// real server, an app that forges through ctypes (test/apps/mad.py).

import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { askHttp, askUwsgi } from '../load/client.js';
import { nextAsk, withScene } from '../load/scene.js';
import {
  APPS,
  ENGINES,
  type Engine,
  isAlive,
  request,
  runToEnd,
  startOn,
  startServer,
  type TestServer,
  until,
} from './harness.js';

// biome-ignore format: a list
const MADNESS = [
  'long-head', 'long-body', 'negative-head', 'negative-body', 'overflowing-sum', 'one-byte-too-many', 'low-status',
  'high-status', 'endless-length', 'no-head', 'unknown-slot', 'unknown-event', 'ready-again', 'slots', 'ring', 'answers',
  'endless', 'credits',
];
const SLOTS = 16;

/** Innocent requests, a few at a time, until `isOver`. Returns how each ended, and asserts that none is another's. */
async function innocents(port: number, isOver: () => boolean): Promise<string[]> {
  const agent = new Agent({ keepAlive: true });
  const endings: string[] = [];
  const go = async () => {
    while (!isOver()) {
      const { ending, why } = await askHttp(port, nextAsk(), { agent });
      assert.notEqual(ending, 'wrong', why);
      endings.push(ending === 'status' ? why : ending);
    }
  };
  await Promise.all([go(), go(), go()]);
  agent.destroy();
  return endings;
}

/** Uses a server and stops it; one that a failed test leaves behind in a bad state does not hide why the test failed. */
async function withServer(server: TestServer, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } catch (error) {
    await server.end('SIGKILL');
    throw error;
  }
  await server.stop();
}

async function assertWellAgain(server: TestServer): Promise<void> {
  let left = 60;
  const endings = await innocents(server.port, () => left-- <= 0);
  assert.deepEqual([...new Set(endings)], ['right']);
}

/** Lets one worker go mad while others are asked, and asserts that it is dealt with. */
async function goMad(server: TestServer, what: string): Promise<void> {
  const from = server.log.length;
  let isOver = false;
  const beside = innocents(server.port, () => isOver);
  const answer = await request(server.port, `/?do=${what}`);
  assert.equal(answer.status, 502, what);
  isOver = true;
  const endings = await beside;
  // those that the mad worker was handed share its fate, because nobody can tell which of them it had started
  const hurt = endings.filter((ending) => ending !== 'right');
  assert(hurt.length <= 3 && hurt.every((ending) => ending === '502'), `${what}: ${hurt.join()}`);
  await server.waitForLog(/worker \d \(pid: \d+\) wrote nonsense into shared memory \(.+\): it is killed/, from);
  await server.waitForLog(/^DAMN ! worker \d \(pid: \d+\) died: it was killed by SIGKILL/m, from);
  const kills = server.log.slice(from).match(/wrote nonsense/g)!.length;
  assert.equal(kills, 1, `${what}: killed and told of once`);
}

describe('a worker that goes mad', () => {
  for (const engine of ENGINES) {
    test(`is killed, its request is answered 502, and nobody else notices: ${MADNESS.length} ways (${engine})`, async () => {
      // enough workers that none ends so often that its successor is made to wait
      const args = ['--wsgi-file', 'mad.py', '-p', '8', '--max-inflight', String(SLOTS), '--disable-logging'];
      const server = await startOn(engine, args);
      await withServer(server, async () => {
        for (const what of MADNESS) await goMad(server, what);
        await until(() => server.log.match(/^Respawned uWSGI worker \d/gm)?.length === MADNESS.length, 'all are back');
        await assertWellAgain(server);
        await assertSlotsFree(server);
      });
    });
  }

  test('is known by a head that cannot be sent, where the listener looks at it once more', async () => {
    const server = await startOn('node', ['--wsgi-file', 'mad.py', '-p', '2']);
    await withServer(server, async () => {
      for (const head of ['200 OK\r\nX Y: z', '200 O\x01K', '200 OK\r\nX: a\x00b']) {
        const answer = await request(server.port, `/?id=a&head=${encodeURIComponent(head)}`);
        assert.equal(answer.status, 502, head);
      }
      await until(() => server.log.match(/wrote nonsense/g)?.length === 3, 'each is told of');
      await assertWellAgain(server);
    });
  });

  test('does not hurt another app, even if it writes over everything that it can reach', async () => {
    const args = ['--http', '127.0.0.1:0', '--mount', '/mad=mad.py', '--mount', '/js=ledger.mjs', '-p', '2'];
    const server = await startServer(args);
    try {
      for (let i = 0; i < 3; i++) {
        const gone = request(server.port, '/mad?do=everything', { timeoutMs: 2000 }).catch(() => {});
        for (let j = 0; j < 50; j++) {
          assert.equal((await askHttp(server.port, nextAsk(), { mount: '/js' })).ending, 'right');
        }
        await gone;
      }
      assert(isAlive(server.pid));
    } finally {
      await server.end('SIGKILL'); // its own app is beyond help, and may take its mercy time
    }
  });
});

/** Asserts that all slots are free: so many requests can be inside at once, and no more. */
async function assertSlotsFree(server: TestServer): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const counts = { right: 0, other: 0 };
  for (let i = 0; i < 50; i++) {
    const outcomes = await Promise.all(
      Array.from({ length: SLOTS }, () => askHttp(server.port, nextAsk(), { agent })), // one slot less, and one gets 503
    );
    for (const { ending } of outcomes) counts[ending === 'right' ? 'right' : 'other']++;
  }
  agent.destroy();
  assert.deepEqual(counts, { right: 50 * SLOTS, other: 0 });
}

describe('late answers', () => {
  test('are dropped, and their number tells an accident from madness', async () => {
    const server = await startOn('uws', ['--wsgi-file', 'mad.py']);
    await withServer(server, async () => {
      await request(server.port, '/?id=first'); // so that its slot has had an older generation
      for (let i = 0; i < 5; i++) assert.equal((await request(server.port, `/?id=a${i}&late=5`)).body, `a${i}\n`);
      assert.doesNotMatch(server.log, /nonsense/);
      assert.equal((await request(server.port, '/?id=b&late=55')).status, 502);
      await server.waitForLog(/wrote nonsense into shared memory \(\d+ answers that nobody waits for\)/);
      await assertWellAgain(server);
    });
  });
});

describe('answers through a few slots that are used again and again', () => {
  const ways: readonly (readonly [string, readonly string[], typeof askHttp | typeof askUwsgi])[] = [
    ...ENGINES.map((engine: Engine) => [engine, ['--http', '127.0.0.1:0', '--http-engine', engine], askHttp] as const),
    ['uwsgi', ['--socket', '127.0.0.1:0'], askUwsgi],
  ];
  for (const [name, listener, ask] of ways) {
    for (const app of ['ledger.py', 'ledger.mjs']) {
      test(`are each the right one, whole, and no byte more: long and short in turns (${name}, ${app})`, async () => {
        await withScene([...listener, '--wsgi-file', app, '-p', '2', '--threads', '2'], async (scene) => {
          const agent = new Agent({ keepAlive: true, maxSockets: 16 });
          const sizes = [undefined, 65_000, 10, 200_000, 1, 65_536, 131_072, 0];
          const asks = Array.from({ length: 1600 }, (_, i) => {
            const bytes = sizes[i % sizes.length];
            return nextAsk({ ...(bytes !== undefined && { bytes }), ...(i % 5 === 0 && bytes !== 0 && { parts: 3 }) });
          });
          let next = 0;
          const go = async () => {
            while (next < asks.length) {
              const one = asks[next++]!;
              await scene.record(one, ask(scene.port, one, { agent }));
            }
          };
          await Promise.all(Array.from({ length: 16 }, go));
          agent.destroy();
          const verdict = scene.verdict();
          assert.equal(String(verdict), '1600 right', verdict.remarks.join('\n'));
        });
      });
    }
  }
});

describe('shared memory that is not shared', () => {
  test('is noticed at the start, which fails and says so', async () => {
    const args = [
      '--http',
      '127.0.0.1:0',
      '--wsgi-file',
      'hello.py',
      '--python',
      join(APPS, 'python_without_memory.py'),
    ];
    const { code, output } = await runToEnd(args);
    assert.match(output, /shared memory: the self-test failed: what the other process wrote does not arrive here/);
    assert.equal(code, 1, output);
  });
});
