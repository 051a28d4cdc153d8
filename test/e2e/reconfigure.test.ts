// SIGHUP reads the configuration again: what can be applied is applied without a lost request, the rest is named.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { descendants, request, startServer, until } from './harness.js';
import { SteadyLoad } from './steady-load.js';
import { VersionedApp } from './versioned-app.js';

/** A server with a configuration file, and what rewrites the file and reloads. */
async function started(t: TestContext, lines: readonly string[]) {
  const app = new VersionedApp('python');
  app.write('v1', "VERSION = os.environ.get('NAMED', VERSION)\n");
  const path = join(app.directory, 'app.ini');
  const write = (more: readonly string[]) =>
    writeFileSync(path, ['[uwsgi]', 'wsgi-file = app.py', ...more, ''].join('\n'));
  write(lines);
  // given relative to a directory that the server leaves at once
  const server = await startServer(['--http', '127.0.0.1:0', 'app.ini', '--chdir', app.directory], {
    cwd: app.directory,
  });
  t.after(async () => {
    await server.stop();
    app.remove();
  });
  const reload = async (more: readonly string[], pattern: RegExp) => {
    write(more);
    const from = server.log.length;
    server.child.kill('SIGHUP');
    await server.waitForLog(pattern, from);
    return server.log.slice(from);
  };
  return { app, server, reload };
}

describe('SIGHUP', () => {
  test('applies the number of workers, the environment and limits, and no request fails', async (t) => {
    const { server, reload } = await started(t, ['processes = 2']);
    const load = new SteadyLoad(server.port, '/', 4);
    const more = ['processes = 4', 'env = NAMED=new', 'max-requests = 1000000', 'harakiri = 1'];
    const log = await reload(more, /reloaded in \d+ ms \(SIGHUP\)/);
    assert.match(log, /the configuration has changed: .*env.*processes.*max-requests.*harakiri/);
    assert.equal((await request(server.port, '/')).body, 'new');
    await server.waitForLog(/worker 4 \(/);
    await load.more(50);
    await reload(['processes = 1'], /the configuration has changed[\s\S]*reloaded in \d+ ms/);
    await until(() => descendants(server.pid).length === 2, 'one worker is left, and its zygote');
    assert.deepEqual((await load.end()).failures, []);
    assert.equal((await request(server.port, '/')).body, 'v1');
  });

  test('reads what stands in if-reload, and no more what stands in if-not-reload', async (t) => {
    const lines = ['if-reload =', 'env = NAMED=again', 'endif =', 'if-not-reload =', 'env = NAMED=first', 'endif ='];
    const { server, reload } = await started(t, lines);
    assert.equal((await request(server.port, '/')).body, 'first');
    await reload(lines, /reloaded in/);
    assert.equal((await request(server.port, '/')).body, 'again');
  });

  test('names what needs a restart, and goes on without it', async (t) => {
    const { app, server, reload } = await started(t, ['processes = 1']);
    app.write('v2');
    const log = await reload(['threads = 4', 'listen = 17', 'processes = 9'], /reloaded in/);
    assert.match(
      log,
      /WARNING: changed, and needs a restart: .*listen.*threads|WARNING: changed, and needs a restart: .*threads.*listen/,
    );
    assert.match(log, /WARNING: app\.py: 3 workers are the most without a restart/);
    assert.equal((await request(server.port, '/')).body, 'v2');
  });

  test('with a mistake in the configuration changes nothing, and says where it is', async (t) => {
    const { app, server, reload } = await started(t, []);
    app.write('v2');
    await reload(
      ['proceses = 4'],
      /NOT reloaded \(SIGHUP\), because of the configuration: app\.ini:3: .*"proceses".*"processes"/,
    );
    assert.equal((await request(server.port, '/')).body, 'v1');
    await reload(['processes = 1'], /reloaded in/);
    assert.equal((await request(server.port, '/')).body, 'v2');
  });
});
