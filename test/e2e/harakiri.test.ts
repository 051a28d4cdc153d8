// Requests that run for too long: 504 for their clients, and no harm to anybody else.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { raw, request, startServer, type TestServer } from './harness.js';
import { SteadyLoad } from './steady-load.js';

const LIMIT_S = 1;

async function started(t: TestContext, app: string, ...more: string[]): Promise<TestServer> {
  const args = ['--http', '127.0.0.1:0', '--wsgi-file', app, '--harakiri', String(LIMIT_S), '--disable-logging'];
  const server = await startServer([...args, ...more]);
  t.after(() => server.stop());
  return server;
}

/** Asks for a path that takes too long; asserts 504, not before its time and not long after it. */
async function assertLate(server: TestServer, path: string): Promise<void> {
  const startedMs = performance.now();
  const { status } = await request(server.port, path);
  const tookS = (performance.now() - startedMs) / 1000;
  assert.equal(status, 504);
  assert(tookS >= LIMIT_S - 0.05 && tookS < LIMIT_S + 2, `after ${tookS} s`);
}

// biome-ignore format: a table
const LATE: readonly (readonly [app: string, path: string, what: string, isKilled: boolean])[] = [
  ['troubles.py',  '/sleep?60', 'sleeps in Python',               false],
  ['troubles.py',  '/spin?60',  'takes the processor',            false],
  ['troubles.py',  '/c?60',     'sleeps in C',                    false],
  ['troubles.py',  '/gil?60',   'sleeps in C and holds the GIL',  true],
  ['troubles.mjs', '/sleep?60', 'waits for a promise',            false],
  ['troubles.mjs', '/spin?60',  'takes the processor',            true],
];

describe('harakiri of a worker with one thread', () => {
  for (const [app, path, what, isKilled] of LATE) {
    test(`${app} that ${what}: 504, others are served, the worker is ${isKilled ? 'killed' : 'replaced'}`, async (t) => {
      const server = await started(t, app, '--processes', '2');
      const load = new SteadyLoad(server.port, '/', 2);
      await assertLate(server, path);
      await server.waitForLog(
        /\*\*\* HARAKIRI ON WORKER \d \(.*\n.*HARAKIRI \[core 0\] 127\.0\.0\.1 - GET .* since \d s/,
      );
      if (isKilled) await server.waitForLog(/HARAKIRI !!! worker \d \(.*\) is killed: it does not react/);
      else await server.waitForLog(/worker \d \(.*buried/);
      await server.waitForLog(/Respawned uWSGI worker/);
      await load.more(20);
      const { failures } = await load.end();
      // in a JS thread, what it had begun just before may not have come to its end
      const own = app === 'troubles.mjs' && isKilled ? failures.filter((f) => f.startsWith('504')) : [];
      assert.deepEqual(
        failures.filter((failure) => !own.includes(failure)),
        [],
      );
      assert(own.length <= 2);
    });
  }

  for (const more of [[], ['--add-header', 'X-Edited: yes']]) {
    test(`cuts off an answer that has no end${more.length > 0 ? ', and is edited on its way' : ''}`, async (t) => {
      const server = await started(t, 'rests.py', '--processes', '2', ...more);
      const cut = await raw(server.port, 'GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match(cut.bytes, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(cut.bytes.endsWith('\r\n0\r\n\r\n'), false);
      await server.waitForLog(/worker \d \(.*buried/);
      assert.equal((await request(server.port, '/short')).body, 'short\n');
    });
  }

  test('logs where in the app it was', async (t) => {
    const server = await started(t, 'troubles.py');
    await assertLate(server, '/spin?60');
    await server.waitForLog(/failed: GET \/spin\?60\n[\s\S]*in spin\n[\s\S]*Harakiri: the request ran for too long/);
  });

  test('with harakiri-verbose logs what all threads were doing, even where C code holds the GIL', async (t) => {
    const server = await started(t, 'troubles.py', '--threads', '2', '--harakiri-verbose');
    await assertLate(server, '/gil?60');
    await server.waitForLog(/Thread 0x[\s\S]*in hold_the_gil[\s\S]*in application/);
  });

  test('with harakiri-verbose logs what a JS thread was doing, also in a loop', async (t) => {
    const server = await started(t, 'troubles.mjs', '--harakiri-verbose');
    await assertLate(server, '/spin?60');
    await server.waitForLog(/What it is doing \(most recent call first\):\n.* at \S+ \(.*troubles\.mjs:\d+\)/);
  });
});

describe('harakiri of a worker with several threads', () => {
  test('breaks off the late request and leaves the others alone', async (t) => {
    const server = await started(t, 'troubles.py', '--threads', '4');
    const late = [assertLate(server, '/spin?60'), assertLate(server, '/sleep?60')];
    const neighbours = Array.from({ length: 5 }, async () => (await request(server.port, '/sleep?0.4')).status);
    await Promise.all(late);
    assert.deepEqual(await Promise.all(neighbours), [200, 200, 200, 200, 200]);
  });

  test('lets the neighbours finish before a thread that is lost in C is killed with its worker', async (t) => {
    const server = await started(t, 'troubles.py', '--threads', '2');
    const load = new SteadyLoad(server.port, '/sleep?0.7', 3); // some of them run when it becomes late
    await assertLate(server, '/lost?60');
    await server.waitForLog(/HARAKIRI !!! worker 1 \(.*\) is killed: it cannot break off what it runs/);
    await load.more(3);
    assert.deepEqual((await load.end()).failures, []);
  });
});

describe('uwsgi.set_user_harakiri', () => {
  test('makes the time of one request shorter, or longer', async (t) => {
    const server = await started(t, 'own_harakiri.py', '--processes', '2');
    const startedMs = performance.now();
    assert.equal((await request(server.port, '/?3&2')).status, 200, 'it has three seconds and takes two');
    assert(performance.now() - startedMs > 1900);
    await assertLate(server, '/?0&60');
  });

  test('works without harakiri', async (t) => {
    const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', 'own_harakiri.py']);
    t.after(() => server.stop());
    assert.equal((await request(server.port, '/?1&60')).status, 504);
    assert.equal((await request(server.port, '/?1&0')).status, 200);
  });
});
