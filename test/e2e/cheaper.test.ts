// The adaptive number of workers: it follows the load, and no client notices a worker that comes or goes.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { descendants, request, runToEnd, startServer, type TestServer } from './harness.js';
import { SteadyLoad } from './steady-load.js';

const FAST = ['--cheaper-overload', '1', '--disable-logging'];

async function started(t: TestContext, app: string, ...more: string[]): Promise<TestServer> {
  const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app, ...FAST, ...more]);
  t.after(() => server.end('SIGTERM'));
  return server;
}
const sleepers = (server: TestServer, n: number) =>
  Promise.all(Array.from({ length: n }, async () => (await request(server.port, '/sleep?1')).status));

const REST_MS = 10;

describe('cheaper', () => {
  test('starts with cheaper-initial, grows while all are busy, shrinks when they are idle, and loses no request', async (t) => {
    const server = await started(t, 'troubles.py', '--processes', '4', '--cheaper', '1', '--cheaper-initial', '2');
    assert.equal(descendants(server.pid).length, 3, 'the zygote and two workers');
    const load = new SteadyLoad(server.port, '/sleep?0.2', 8);
    await server.waitForLog(/troubles\.py: 3 workers instead of 2, because all workers are busy/);
    await server.waitForLog(/troubles\.py: 4 workers instead of 3/);
    await server.waitForLog(/spawned uWSGI worker 4/);
    assert.deepEqual((await load.end()).failures, []);
    // without a rest one client may keep a worker busy for half of the time, and then none of two is idle
    const trickle = new SteadyLoad(server.port, '/', 1, undefined, REST_MS);
    await server.waitForLog(/troubles\.py: 1 workers instead of 2, because there are idle ones/);
    await server.waitForLog(/worker 2 \(.*buried/);
    await trickle.more(10);
    assert.deepEqual((await trickle.end()).failures, []);
    assert.equal(descendants(server.pid).length, 2);
  });

  test('backlog goes by the requests that wait, for threads of a JS app too', async (t) => {
    const args = ['--processes', '3', '--threads', '1', '--cheaper', '1', '--cheaper-algo', 'backlog'];
    const server = await started(t, 'troubles.mjs', ...args);
    const load = new SteadyLoad(server.port, '/sleep?0.1', 6);
    await server.waitForLog(/2 workers instead of 1, because \d+ requests wait/);
    await server.waitForLog(/spawned uWSGI worker 2/);
    assert.deepEqual((await load.end()).failures, []);
  });

  for (const app of ['hello.mjs', 'hello.py']) {
    test(`${app}: a worker that is no longer wanted while it starts leaves as soon as it is ready`, async (t) => {
      const fifo = join(mkdtempSync(join(tmpdir(), 'nuwsgi-cheaper-')), 'fifo');
      t.after(() => rmSync(dirname(fifo), { recursive: true }));
      const args = ['--processes', '2', '--cheaper', '1', '--cheaper-algo', 'manual', '--master-fifo', fifo];
      const server = await started(t, app, ...args);
      for (let round = 1; round <= 3; round++) {
        writeFileSync(fifo, '+-');
        await server.waitForLog(new RegExp(`(?:worker 2 \\(.*buried[\\s\\S]*){${round}}`));
        assert.equal((await request(server.port, '/')).body, 'hello\n');
      }
      assert.doesNotMatch(server.log, /worker 1 \(.*buried/);
      writeFileSync(fifo, '-'); // there is one left, and it may go
      await server.waitForLog(/worker 1 \(.*buried/);
      writeFileSync(fifo, '+++'); // there are seats for two
      await server.waitForLog(/2 workers instead of 1/);
      assert.equal((await request(server.port, '/')).body, 'hello\n');
    });
  }

  test('that is not below processes is refused', async () => {
    const args = ['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py', '--processes', '2', '--cheaper', '2'];
    const { code, output } = await runToEnd(args);
    assert.equal(code, 2);
    assert.match(output, /invalid cheaper value: 2 must be lower than processes/);
  });
});

describe('cheap', () => {
  test('starts no worker before the first request, and idle ends them until the next', async (t) => {
    const server = await started(t, 'troubles.py', '--processes', '2', '--cheap', '--idle', '1');
    assert.equal(descendants(server.pid).length, 1, 'the zygote');
    assert.equal((await request(server.port, '/')).body, 'fine');
    assert.deepEqual(await sleepers(server, 2), [200, 200]);
    await server.waitForLog(/workers have been inactive for more than 1 seconds/);
    await server.waitForLog(/cheap mode enabled/);
    await server.waitForLog(/worker 2 \(.*buried/);
    await server.waitForLog(/worker 1 \(.*buried/);
    assert.equal(descendants(server.pid).length, 1);
    assert.equal((await request(server.port, '/')).body, 'fine', 'and once more');
  });

  test('die-on-idle ends the server', async (t) => {
    const server = await started(t, 'troubles.mjs', '--idle', '1', '--die-on-idle');
    await request(server.port, '/');
    await server.waitForLog(/die-on-idle received[\s\S]*goodbye to nuwsgi/);
  });
});
