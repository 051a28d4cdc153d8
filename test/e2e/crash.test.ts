// Workers that die: only the requests that ran there fail, with 502; everybody else is served, and the next worker comes at
// once. What each fault must look like: the table of faults in docs/operating.md.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { descendants, isAlive, raw, request, startServer, type TestServer, until } from './harness.js';
import { SteadyLoad } from './steady-load.js';
import { VersionedApp } from './versioned-app.js';

async function started(t: TestContext, app: string, ...more: string[]): Promise<TestServer> {
  const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app, ...more]);
  t.after(() => server.end('SIGTERM'));
  return server;
}

/** The pids of the workers, as the log tells them, the youngest last. */
const workerPids = (server: TestServer) =>
  [...server.log.matchAll(/(?:spawned|Respawned) uWSGI worker \d+ \((?:new )?pid: (\d+)/g)].map((m) => Number(m[1]));

// biome-ignore format: a table
const DEATHS: readonly (readonly [app: string, path: string, how: RegExp, options?: readonly string[]])[] = [
  ['troubles.py',  '/exit?3',    /died: it exited with code 3/],
  ['troubles.py',  '/exit?0',    /died: it exited with code 0/],
  ['troubles.py',  '/exit?22',   /died: it exited with code 22/],
  ['troubles.py',  '/exit?30',   /died: it exited with code 30/],
  ['troubles.py',  '/segv',      /died: it was killed by SIGSEGV/],
  ['troubles.py',  '/null',      /died: it was killed by SIGSEGV/],
  ['troubles.py',  '/abort',     /died: it was killed by SIGABRT/],
  ['troubles.py',  '/kill',      /died: it was killed by SIGKILL/],
  ['troubles.mjs', '/exit?3',    /died: it exited with code 3/],
  ['troubles.mjs', '/uncaught',  /died: it ended by an uncaught error\n.*thrown by a timer/],
  ['troubles.mjs', '/rejection', /died: it ended by an uncaught error\n.*nobody catches it/],
  ['troubles.mjs', '/heap',      /died: it ran out of memory/, ['--js-heap-limit', '32']],
];

describe('a worker that dies', () => {
  for (const [app, path, how, options = []] of DEATHS) {
    test(`${app} ${path}: its request is answered 502, others are served, the next worker comes at once`, async (t) => {
      const server = await started(t, app, '--processes', '2', '--threads', '2', ...options);
      const load = new SteadyLoad(server.port, '/', 2);
      await load.more(20);
      const from = server.log.length;
      assert.equal((await request(server.port, path)).status, 502);
      await server.waitForLog(how, from);
      await server.waitForLog(/Respawned uWSGI worker \d \(new pid/, from);
      await load.more(20);
      const { failures } = await load.end();
      // a thread of a JS app runs all its requests at once: those die with it
      if (app.endsWith('.py'))
        assert.deepEqual(
          failures.filter((failure) => !failure.startsWith('502')),
          [],
        );
      assert(failures.length <= 2, failures.join('\n'));
      assert.equal((await request(server.port, '/')).body, 'fine');
    });
  }

  test('in the middle of its answer cuts the connection', async (t) => {
    const server = await started(t, 'troubles.py');
    const { answers } = await raw(server.port, 'GET /half HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.deepEqual([answers[0]?.status, answers[0]?.complete], [200, false]);
    assert.equal((await request(server.port, '/')).body, 'fine');
  });

  test('by kill -9 under load takes along only what ran there', async (t) => {
    const server = await started(t, 'troubles.py', '--processes', '4', '--threads', '2');
    const load = new SteadyLoad(server.port, '/', 16);
    await load.more(200);
    for (let round = 1; round <= 5; round++) {
      const from = server.log.length;
      process.kill(workerPids(server).at(-1)!, 'SIGKILL');
      await server.waitForLog(/Respawned uWSGI worker/, from);
      await load.more(100);
    }
    const { failures } = await load.end();
    assert.deepEqual(
      failures.filter((failure) => !failure.startsWith('502')),
      [],
    );
    assert(failures.length <= 5 * 2, failures.join('\n'));
  });

  test('with the zygote: the app is loaded again, what had not started is served then', async (t) => {
    const server = await started(t, 'troubles.py', '--processes', '2', '--threads', '1');
    const load = new SteadyLoad(server.port, '/', 8);
    await load.more(100);
    const from = server.log.length;
    const [, zygote] = /zygote pid (\d+)/.exec(server.log)!;
    process.kill(Number(zygote), 'SIGKILL');
    await server.waitForLog(/the zygote .* was killed by SIGKILL; it is started again/, from);
    await server.waitForLog(/Respawned uWSGI worker 2/, from);
    await load.more(100);
    const { failures } = await load.end();
    assert.deepEqual(
      failures.filter((failure) => !failure.startsWith('502')),
      [],
    );
    assert(failures.length <= 2, failures.join('\n'));
  });

  test('leaves nobody behind when the server is killed', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', 'troubles.py', '--processes', '2']);
    const below = descendants(server.pid);
    assert.equal(below.length, 3);
    await server.end('SIGKILL');
    await until(() => !below.some(isAlive), 'zygote and workers have ended');
  });

  test('again and again is started ever more slowly, and comes back when it can', async (t) => {
    const app = new VersionedApp('python');
    t.after(() => app.remove());
    const flag = `${app.directory}/flag`;
    app.write('v1', `if os.path.exists(${JSON.stringify(flag)}): os._exit(3)\n`);
    const server = await started(t, app.file, '--processes', '2', '--lazy-apps', '--forkbomb-delay', '1');
    const load = new SteadyLoad(server.port, '/', 2);
    writeFileSync(flag, '');
    process.kill(workerPids(server)[0]!, 'SIGKILL');
    await server.waitForLog(/respawning too fast !!! i have to sleep a bit \(100 ms\)/);
    await server.waitForLog(/i have to sleep a bit \(400 ms\)/);
    const { failures } = await load.end(); // the other worker has served all the time
    assert(failures.length <= 1, failures.join('\n'));
    rmSync(flag);
    await server.waitForLog(/Respawned uWSGI worker 1/);
    assert.equal((await request(server.port, '/')).body, 'v1');
  });
});
