// Reloads, as clients and operators see them: no request fails, the old version serves until the new one is ready, and a
// version that does not load changes nothing.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { isAlive, request, startServer, type TestServer, until } from './harness.js';
import { SteadyLoad } from './steady-load.js';
import { LANGUAGES, VersionedApp } from './versioned-app.js';

const ask = async (server: TestServer) => (await request(server.port, '/')).body;

test('a Python version that starts a thread and then does not load leaves no process', async (t) => {
  const app = new VersionedApp('python');
  t.after(() => app.remove());
  const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app.file]);
  t.after(() => server.stop());
  const lines = [
    'import os, threading',
    'print("by process", os.getpid())',
    'threading.Thread(target=threading.Event().wait).start()',
  ];
  writeFileSync(app.file, [...lines, 'raise ImportError("no")', ''].join('\n'));
  server.child.kill('SIGHUP');
  await server.waitForLog(/NOT reloaded [\s\S]*ImportError: no/);
  const [, pid] = await server.waitForLog(/by process (\d+)\n/);
  await until(() => !isAlive(Number(pid)), 'the process has ended');
  assert.equal(await ask(server), 'v1');
});

for (const language of LANGUAGES) {
  describe(`reloads of a ${language} app`, () => {
    let app: VersionedApp;
    let server: TestServer;
    before(async () => {
      app = new VersionedApp(language);
      const chain = `${app.trigger}.chain`;
      const args = ['--http', '127.0.0.1:0', '--wsgi-file', app.file, '--processes', '3', '--threads', '2'];
      const touch = ['--touch-reload', app.trigger, '--touch-chain-reload', chain];
      server = await startServer([...args, ...touch, '--touch-workers-reload', `${app.trigger}.workers`]);
    });
    after(async () => {
      await server.stop();
      app.remove();
    });

    /** Makes a change, waits for what the log says of it, and gives the log from there on. */
    const causing = async (change: () => void, pattern: RegExp) => {
      const from = server.log.length;
      change();
      await server.waitForLog(pattern, from);
      return server.log.slice(from);
    };

    test('SIGHUP under load brings the new version, and no request fails', async () => {
      app.write('v2');
      const load = new SteadyLoad(server.port);
      await load.more(100);
      await causing(() => server.child.kill('SIGHUP'), /reloaded in \d+ ms \(SIGHUP\)/);
      assert.equal(await ask(server), 'v2');
      await load.more(100);
      const { bodies, failures } = await load.end();
      assert.deepEqual(failures, []);
      assert(bodies.v1! >= 100 && bodies.v2! >= 100, JSON.stringify(bodies));
    });

    test('a touched file does the same', async () => {
      app.write('v3');
      const load = new SteadyLoad(server.port);
      await causing(() => app.touch(), /reloaded in \d+ ms \(touch-reload .*trigger\)/);
      assert.equal(await ask(server), 'v3');
      assert.deepEqual((await load.end()).failures, []);
    });

    test('a version that does not load leaves the old one serving, and the log says why', async () => {
      app.break();
      const load = new SteadyLoad(server.port);
      const log = await causing(
        () => app.touch(),
        /NOT reloaded .*the old version goes on serving[\s\S]*SyntaxError.*\n/,
      );
      assert.match(log, /this is \(no program|Unexpected identifier/);
      await load.more(50);
      assert.deepEqual((await load.end()).failures, []);
      assert.equal(await ask(server), 'v3');
      app.write('v4');
      await causing(() => app.touch(), /reloaded in/);
      assert.equal(await ask(server), 'v4');
    });

    test('a chain reload replaces one worker after the other', async () => {
      app.write('v5');
      const load = new SteadyLoad(server.port);
      const log = await causing(() => app.touch('.chain'), /reloaded in \d+ ms \(touch-chain-reload/);
      assert.deepEqual((await load.end()).failures, []);
      assert.equal(await ask(server), 'v5');
      const chain = log.slice(log.indexOf('chain reload starting'));
      const steps = [...chain.matchAll(/chain next victim is worker (\d)|worker (\d) \(.*buried/g)];
      assert.deepEqual(
        steps.map(([, victim, buried]) => (victim === undefined ? `${buried} buried` : `${victim} next`)),
        ['1 next', '1 buried', '2 next', '2 buried', '3 next', '3 buried'],
      );
    });

    test('new workers of the loaded version come by touch-workers-reload', async () => {
      app.write('v6');
      const load = new SteadyLoad(server.port);
      await causing(() => app.touch('.workers'), /reloaded in \d+ ms \(touch-workers-reload/);
      assert.deepEqual((await load.end()).failures, []);
      // forked from the process that has the app, or threads that load it each
      assert.equal(await ask(server), language === 'python' ? 'v5' : 'v6');
    });

    test('a request that runs during a reload is answered by the worker that runs it', async () => {
      app.write('v7');
      const from = server.log.length;
      const slow = request(server.port, '/slow');
      await server.waitForLog(/slow has begun/, from);
      await causing(() => server.child.kill('SIGHUP'), /reloaded in/);
      assert.equal(await ask(server), 'v7');
      const { status, body } = await slow;
      assert.equal(status, 200);
      assert.match(body, /v[56]/);
    });

    test('ten reloads asked for at once are done in no more than two, and end with the last version', async () => {
      app.write('v8');
      const load = new SteadyLoad(server.port);
      const from = server.log.length;
      for (let i = 0; i < 10; i++) server.child.kill('SIGHUP');
      await server.waitForLog(/reloaded in/, from);
      app.write('v9');
      await causing(() => app.touch(), /reloaded in \d+ ms \(touch-reload/);
      assert.equal(await ask(server), 'v9');
      assert((server.log.slice(from).match(/reloaded in \d+ ms \(SIGHUP/g)?.length ?? 0) <= 2);
      assert.deepEqual((await load.end()).failures, []);
    });
  });

  describe(`a ${language} worker that is to leave`, () => {
    test('is ended when it takes longer than worker-reload-mercy', async (t) => {
      const app = language === 'python' ? 'troubles.py' : 'troubles.mjs';
      const args = ['--http', '127.0.0.1:0', '--wsgi-file', app, '--worker-reload-mercy', '0'];
      const server = await startServer(args);
      t.after(() => server.stop());
      const slow = request(server.port, '/sleep?60');
      await server.waitForLog(/sleep has begun/);
      server.child.kill('SIGHUP');
      const { status } = await slow;
      assert.equal(status, 502);
      await server.waitForLog(/worker 1 \(.*\) is taking too much time to die\.\.\.NO MERCY !!!/);
      assert.equal(await ask(server), 'fine');
    });

    test('does not hold up the end of the server, nor does a reload that has begun', async () => {
      const app = new VersionedApp(language);
      const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app.file, '-p', '3']);
      server.child.kill('SIGHUP');
      await server.stop();
      app.remove();
    });
  });
}
