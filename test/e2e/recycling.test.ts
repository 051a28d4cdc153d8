// Workers that are replaced because they have served long enough or have grown too large: no client notices.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { descendants, request, rssBytes, startServer, until } from './harness.js';
import { SteadyLoad } from './steady-load.js';

const PYTHON = ['--http', '127.0.0.1:0', '--wsgi-file', 'troubles.py', '--threads', '2', '--disable-logging'];
const JS = ['--http', '127.0.0.1:0', '--wsgi-file', 'troubles.mjs', '--disable-logging'];
const AT_ONCE = ['--min-worker-lifetime', '0'];

/** Asserts that in this log each worker left before the next was replaced. */
function assertOneAtATime(log: string): void {
  let leaving: string | undefined;
  for (const [, replaced, buried] of log.matchAll(/^worker (\d+) is replaced|^worker (\d+) \(.*buried/gm)) {
    if (replaced !== undefined) {
      assert.equal(leaving, undefined, `worker ${replaced} is replaced while ${leaving} leaves:\n${log}`);
      leaving = replaced;
    } else if (buried === leaving) {
      leaving = undefined;
    }
  }
}

for (const [language, args] of [
  ['Python', PYTHON],
  ['JavaScript', JS],
] as const) {
  describe(`${language} workers`, () => {
    test('are replaced by max-requests, one at a time, and no request fails', async (t) => {
      const server = await startServer([...args, '--processes', '3', '--max-requests', '50', ...AT_ONCE]);
      t.after(() => server.stop());
      const load = new SteadyLoad(server.port);
      await until(
        () => (server.log.match(/is replaced: it has answered \d+ requests \(max-requests\)/g)?.length ?? 0) >= 12,
        '12 replaced',
      );
      const { failures } = await load.end();
      assert.deepEqual(failures, []);
      assertOneAtATime(server.log);
    });

    test('are not replaced younger than min-worker-lifetime, and by age behind it', async (t) => {
      const limits = ['--max-requests', '5', '--min-worker-lifetime', '2', '--max-worker-lifetime', '2'];
      const server = await startServer([...args, '--processes', '2', ...limits, '--max-worker-lifetime-delta', '1000']);
      t.after(() => server.stop());
      const load = new SteadyLoad(server.port, '/', 2);
      await load.more(50);
      assert.doesNotMatch(server.log, /is replaced/);
      await server.waitForLog(/is replaced/);
      assert.deepEqual((await load.end()).failures, []);
    });

    test('are replaced by max-worker-lifetime without a request', async (t) => {
      const server = await startServer([...args, '--max-worker-lifetime', '1', ...AT_ONCE]);
      t.after(() => server.stop());
      await server.waitForLog(/worker 1 is replaced: lifetime reached, it was running for [12] second\(s\)/);
      await server.waitForLog(/Respawned uWSGI worker 1/);
      assert.equal((await request(server.port, '/')).status, 200);
    });

    test('that leak are replaced by reload-on-rss, and no request fails', async (t) => {
      const server = await startServer([...args, '--processes', '2', '--reload-on-rss', '150', ...AT_ONCE]);
      t.after(() => server.stop());
      const load = new SteadyLoad(server.port, '/', 2);
      const from = server.log.length;
      while (!/reload-on-rss/.test(server.log.slice(from))) {
        assert.equal((await request(server.port, '/leak?2')).status, 200);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await server.waitForLog(/worker \d is replaced: it has \d+ MiB of resident memory/, from);
      await server.waitForLog(/buried/, from);
      assert.deepEqual((await load.end()).failures, []);
    });

    test('that leak too fast are killed by evil-reload-on-rss', async (t) => {
      const server = await startServer([...args, '--evil-reload-on-rss', '200', '--mem-collector-freq', '1']);
      t.after(() => server.stop());
      await request(server.port, '/leak?250');
      await server.waitForLog(/\*\*\* EVIL RELOAD ON WORKER 1 RSS: \d+ bytes/);
      await server.waitForLog(/Respawned uWSGI worker 1/);
      assert.equal((await request(server.port, '/')).status, 200);
    });
  });
}

describe('the limits of the kernel', () => {
  test('limit-as: what an app cannot allocate is an exception in it, and it goes on', async (t) => {
    const server = await startServer([...PYTHON, '--limit-as', '300']);
    t.after(() => server.stop());
    assert.equal((await request(server.port, '/allocate?50')).status, 200);
    assert.equal((await request(server.port, '/allocate?400')).status, 500);
    await server.waitForLog(/MemoryError/);
    assert.equal((await request(server.port, '/')).status, 200);
    assert.doesNotMatch(server.log, /DAMN/);
  });

  test('reload-on-as does not count what the server shares with its workers', async (t) => {
    const limits = ['--reload-on-as', '400', '--max-inflight', '15000', ...AT_ONCE];
    const server = await startServer([...PYTHON, ...limits]);
    t.after(() => server.stop());
    const from = server.log.length;
    await request(server.port, '/leak?500');
    await server.waitForLog(/worker 1 is replaced: it has \d+ MiB of address space \(reload-on-as\)/, from);
    await server.waitForLog(/buried/, from);
    assert(descendants(server.pid).every((pid) => rssBytes(pid) < 200e6));
    assert.equal(server.log.match(/is replaced/g)?.length, 1);
  });
});
