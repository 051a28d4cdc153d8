// --health: what a load balancer or an orchestrator is told in every state of the server.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openDoors } from './front-doors.js';
import { type RawAnswer, raw, request, runToEnd, startServer, until } from './harness.js';
import { freePort } from './nginx.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-health-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const appOf = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return ['--wsgi-file', name];
};
const HELLO = `
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [environ['PATH_INFO'].encode()]
`;
const SLOW_TO_LOAD = `import time\ntime.sleep(1.5)\n${HELLO}`;
const MORTAL = `
import os
def application(environ, start_response):
    os._exit(3)
`;

describe('health', () => {
  test('is answered on every kind of listener, without the app, and in no log', async () => {
    const { server, each } = await openDoors([...appOf('hello.py', HELLO), '--health', '/healthz/'], {
      cwd: directory,
    });
    try {
      await each(async ({ name, ask }) => {
        for (const path of ['/healthz', '/healthz/', '/healthz/ready', '/healthz?x=y']) {
          const answer = await ask(path);
          assert.deepEqual([answer.status, answer.body], [200, 'ready\n'], path);
          assert.equal(answer.headers['cache-control'], 'no-store');
        }
        const live = await ask('/healthz/live');
        assert.deepEqual([live.status, live.body], [200, 'live\n']);
        assert.equal((await ask('/healthz/other')).status, 404);
        const head = await ask('/healthz', { method: 'HEAD' });
        assert.deepEqual([head.status, head.body], [200, ''], name);
        assert.equal((await ask('/healthz', { method: 'POST', body: 'x'.repeat(200_000) })).status, 200);
        assert.equal((await ask('/healthzz')).body, '/healthzz', 'other paths are for the app');
      });
      await until(() => server.log.includes('GET /healthzz'), 'the app has answered');
      assert.doesNotMatch(server.log, /\/healthz[ /?]/);
    } finally {
      await server.stop();
    }
  });

  test('is told beside an app that a host has for itself', async () => {
    const app = join(directory, 'hello.py');
    const mounts = ['--mount', `example.com/=${app}`, '--mount', `/other=${app}`];
    const server = await startServer(['--http-socket', '127.0.0.1:0', ...mounts, '--health', '/healthz']);
    try {
      for (const host of ['example.com', '127.0.0.1', 'else.example']) {
        const { answers } = await raw(server.port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`, { answers: 1 });
        assert.deepEqual([answers[0]!.status, answers[0]!.body], [200, 'ready\n'], host);
      }
    } finally {
      await server.stop();
    }
  });

  test('says on the statistics address that the server starts, before anything else can be asked', async () => {
    const statsPort = await freePort();
    const args = [
      '--http-socket',
      '127.0.0.1:0',
      ...appOf('slow.py', SLOW_TO_LOAD),
      '--stats',
      `127.0.0.1:${statsPort}`,
    ];
    const starting = startServer(args, { cwd: directory });
    let early: RawAnswer | undefined;
    while (early === undefined) early = await request(statsPort, '/health').catch(() => undefined); // not open yet
    assert.deepEqual([early.status, early.body], [503, 'starting\n']);
    const server = await starting;
    try {
      assert.equal((await request(statsPort, '/health')).body, 'ready\n');
      assert.equal((await request(statsPort, '/health/live')).status, 200);
    } finally {
      await server.stop();
    }
  });

  test('is bad while no worker is up, and life goes on', async () => {
    const args = ['--http-socket', '127.0.0.1:0', ...appOf('mortal.py', MORTAL), '--health', '/healthz'];
    const server = await startServer(args, { cwd: directory });
    try {
      assert.equal((await request(server.port, '/healthz')).status, 200);
      const from = server.log.length;
      for (let i = 0; i < 4; i++) await request(server.port, '/'); // each ends its worker, and the next one is held back
      await server.waitForLog(/respawning too fast/, from);
      let answer = await request(server.port, '/healthz');
      while (answer.status === 200) {
        await request(server.port, '/');
        answer = await request(server.port, '/healthz');
      }
      assert.deepEqual([answer.status, answer.body], [503, 'unavailable\n']);
      assert.equal((await request(server.port, '/healthz/live')).status, 200);
    } finally {
      await server.end('SIGKILL');
    }
  });

  test('says that the server is about to stop, for as long as stop-delay says, and requests are served meanwhile', async () => {
    const args = [...appOf('hello.py', HELLO), '--health', '/healthz', '--stop-delay', '1'];
    const server = await startServer(['--http', '127.0.0.1:0', ...args], { cwd: directory });
    const ended = server.end('SIGTERM');
    await server.waitForLog(/serving for another 1 seconds/);
    const answer = await request(server.port, '/healthz');
    assert.deepEqual([answer.status, answer.body], [503, 'draining\n']);
    assert.equal((await request(server.port, '/')).status, 200);
    assert.equal((await request(server.port, '/healthz/live')).status, 200);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });

  test('is not told where it would hide an app, or by a path that is none', async () => {
    const app = join(directory, 'hello.py');
    const hidden = await runToEnd(['--http', '127.0.0.1:0', '--mount', `/a=${app}`, '--health', '/a']);
    assert.deepEqual([hidden.code, /health \/a is where .*hello\.py is mounted/.test(hidden.output)], [2, true]);
    for (const path of ['health', '/', '/a b', '/%41', '/a?b']) {
      const { code, output } = await runToEnd(['--http', '127.0.0.1:0', '--wsgi-file', app, '--health', path]);
      assert.deepEqual([code, /is not a path such as \/health/.test(output)], [2, true], output);
    }
  });
});
