// Signals of `import uwsgi` and what raises them, in the running server: each handler writes a line, which is awaited.

import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { DEBIAN_PYTHON, request, startServer, type TestServer } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-signals-'));
after(() => rmSync(directory, { recursive: true }));
const ARGS = ['--http', '127.0.0.1:0', '--wsgi-file', 'signals.py', '--processes', '2'];
const start = (...more: string[]) => startServer([...ARGS, ...more], { env: { WATCHED: directory } });
const raise = (server: TestServer, signal: number) => request(server.port, `/raise/${signal}`);
const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

for (const [python, whose] of [
  ['python3', 'ours'],
  [DEBIAN_PYTHON, "uWSGI's own"],
] as const) {
  describe(`signals by uwsgidecorators that are ${whose}`, () => {
    test('are raised by timers, files and the app, and handled in workers outside of requests', async (t) => {
      const server = await start('--python', python);
      t.after(() => server.stop());
      await server.waitForLog(/forked: signal True, worker 1/);
      await server.waitForLog(/forked: signal True, worker 2/);
      await server.waitForLog(/raised: signal 70, worker [12], run 1/); // while the app was loaded
      await server.waitForLog(/tick: signal 0, worker [12], run 2/);
      for (const worker of [1, 2])
        await server.waitForLog(new RegExp(`everywhere: signal 60, worker ${worker}, run 2`));
      await server.waitForLog(/second: signal 1, worker 2, run 3/);
      writeFileSync(join(directory, 'single'), 'appears');
      await server.waitForLog(/single: signal 4/);
      await server.waitForLog(/directory: signal 3/);
      const from = server.log.length;
      appendFileSync(join(directory, 'single'), ' and changes');
      await server.waitForLog(/single: signal 4/, from);
      await server.waitForLog(/directory: signal 3/, from);
      assert.doesNotMatch(server.log, /second: signal 1, worker 1/);
    });
  });
}

describe('a signal', () => {
  test('whose timer has iterations is raised so many times', async (t) => {
    const server = await start();
    t.after(() => server.stop());
    await server.waitForLog(/tick: signal 0, worker [12], run 4/);
    assert.equal(count(server.log, /once: signal 80/g), 2);
  });

  test('whose handler fails is told in the log, and the worker goes on', async (t) => {
    const server = await start();
    t.after(() => server.stop());
    await raise(server, 71);
    await server.waitForLog(
      /error managing signal 71 on worker [12]\n.*Traceback.*\n.*in fails\n.*\n.*LookupError: no such thing/,
    );
    await raise(server, 72);
    await server.waitForLog(/error managing signal 72 on worker [12]\n[\s\S]*SystemExit: 3/);
    await raise(server, 99);
    await server.waitForLog(/error managing signal 99 on worker [12]: it has registered no handler/);
    assert.equal((await request(server.port, '/')).status, 200);
    assert.doesNotMatch(server.log, /died/);
  });

  test('for a mule is handled by a worker, with one warning', async (t) => {
    const server = await start();
    t.after(() => server.stop());
    await raise(server, 73);
    await server.waitForLog(/elsewhere: signal 73/);
    assert.equal(count(server.log, /nuwsgi has no mule: signals for it are handled by the first worker/g), 1);
  });

  test('for any worker is handled by the one that is free', async (t) => {
    const server = await start();
    t.after(() => server.stop());
    const waits = request(server.port, '/wait');
    const [, busy] = await server.waitForLog(/waits in worker (\d)/);
    const from = server.log.length;
    for (let i = 1; i <= 20; i++) {
      const before = server.log.length;
      await raise(server, 70);
      await server.waitForLog(/raised: signal 70/, before);
    }
    const handledBy = [...server.log.slice(from).matchAll(/raised: signal 70, worker (\d)/g)].map(([, id]) => id);
    assert(!handledBy.includes(busy), `worker ${busy} has no thread free, and handled one of ${handledBy}`);
    await request(server.port, '/release');
    assert.equal((await waits).body, busy);
  });

  test('that a worker is handling when it dies is lost, and what waits behind it is not', async (t) => {
    const server = await start('--threads', '2');
    t.after(() => server.stop());
    await raise(server, 90);
    await raise(server, 90);
    await server.waitForLog(/slow: signal 90, worker 1, run 2/);
    await raise(server, 90); // both threads are at it: this one waits in the server
    const [, pid] = /spawned uWSGI worker 1 \(pid: (\d+)/.exec(server.log)!;
    const from = server.log.length;
    process.kill(Number(pid), 'SIGKILL');
    await server.waitForLog(/Respawned uWSGI worker 1/, from);
    await server.waitForLog(/slow: signal 90, worker 1, run 1/, from);
    await request(server.port, '/release');
    await server.waitForLog(/slow end: signal 90, worker 1, run/, from);
  });

  test('is registered anew by a reload, which handles what the old version had', async (t) => {
    const server = await start();
    t.after(() => server.stop());
    await server.waitForLog(/tick: signal 0/);
    server.child.kill('SIGHUP');
    await server.waitForLog(/reloaded in/);
    const from = server.log.length;
    await server.waitForLog(/tick: signal 0, worker [12], run 3/, from);
    const ticks = count(server.log.slice(from), /tick: signal 0/g);
    const everywhere = count(server.log.slice(from), /everywhere: signal 60, worker 1,/g);
    assert(Math.abs(ticks - everywhere) <= 1, `two timers of one second: ${ticks} and ${everywhere} times`);
  });

  test('that each worker registers with --lazy-apps is raised once per period, and not once per worker', async (t) => {
    const server = await start('--lazy-apps');
    t.after(() => server.stop());
    await server.waitForLog(/everywhere: signal 60, worker 1, run 4/);
    const ticks = count(server.log, /tick: signal 0/g);
    assert(ticks >= 3 && ticks <= 5, `${ticks} in about four periods`);
    assert.equal(count(server.log, /once: signal 80/g), 2);
  });
});
