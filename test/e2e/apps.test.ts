// Many apps in one server: by path, by host, each with its own workers and environment; and one of them that does not load.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { packetOf as packet } from '../../src/wire/uwsgi.js';
import { APPS, DEBIAN_PYTHON, ENGINES, ROOT, raw, request, runToEnd, startServer } from './harness.js';

const PACKET = { REQUEST_METHOD: 'GET', REQUEST_URI: '/other/where', PATH_INFO: '/where', SERVER_PROTOCOL: 'HTTP/1.1' };
const SEVERAL = join(APPS, 'several');

const packetOf = (variables: Record<string, string>) => packet(Object.entries(variables));

/** What this test looks at in the statistics of an app. */
interface AppStats {
  readonly mountpoint: string;
  readonly loaded: boolean;
  readonly load_error: string;
}

/** A configuration file with this text. */
function fileOf(name: string, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-apps-'));
  after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

const SERVED = `
    - mount: /flask
      app: flask_app.py
      callable: app
      processes: 3
      env: NAME=flask
    - mount: /django
      app: django_app:application
      processes: 2
      threads: 4
    - mount: /js
      app: where.mjs
      env: NAME=js
`;
const BROKEN = `
    - mount: /broken
      app: broken.py
`;
const configOf = (apps: string, more = '') =>
  fileOf('apps.yaml', `uwsgi:\n  chdir: ${SEVERAL}\n  python: ${DEBIAN_PYTHON}\n${more}  apps:${apps}`);

describe('three apps in one server, and one that does not load', () => {
  test('the others serve, each with its own number of workers, environment and path', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', configOf(SERVED + BROKEN, '  stats: 127.0.0.1:0\n')]);
    try {
      const get = async (path: string) => (await request(server.port, path)).body.split('|');
      const pids = new Set<string>();
      for (let i = 0; i < 3; i++) pids.add((await get('/flask/where'))[4]!);
      assert.deepEqual((await get('/flask/where')).slice(0, 4), ['/flask', '/where', 'flask', 'several']);
      assert.deepEqual((await get('/django/where')).slice(0, 2), ['/django', '/where']);
      assert.deepEqual(await get('/js/where'), ['/js', '/where', 'js', 'false']);
      const ready = [...server.log.matchAll(/spawned uWSGI worker (\d+) \(pid: \d+(, thread: \d+)?, cores: (\d+)\)/g)];
      assert.equal(ready.length, 6, server.log);
      assert.equal(
        ready.filter((match) => match[3] === '4').length,
        2,
        'the two workers of the Django app have 4 threads',
      );

      const answer = await request(server.port, '/broken/x');
      assert.equal(answer.status, 503);
      assert(answer.headers['retry-after'] !== undefined);
      assert.match(server.log, /No module named 'no_such_module_anywhere'/);
      assert.match(server.log, /\*\*\* broken\.py is not loaded: \/broken answers 503; the other apps serve \*\*\*/);
      await server.waitForLog(/refused 503 127\.0\.0\.1: broken\.py did not load, see the log of the start/);
      assert.equal((await request(server.port, '/')).status, 404);

      const statsPort = Number((await server.waitForLog(/stats.*127\.0\.0\.1:(\d+)/i))[1]);
      const stats = await fetch(`http://127.0.0.1:${statsPort}/`, { headers: { Accept: 'application/json' } });
      const { apps } = ((await stats.json()) as { nuwsgi: { apps: AppStats[] } }).nuwsgi;
      assert.deepEqual(
        apps.map((app) => [app.mountpoint, app.loaded, app.load_error]),
        [
          ['/flask', true, ''],
          ['/django', true, ''],
          ['/js', true, ''],
          ['/broken', false, `cannot load broken.py: loading the application failed (${DEBIAN_PYTHON})`],
        ],
      );
    } finally {
      await server.stop();
    }
  });

  test('with need-app none of them starts, and the exit code is that of uWSGI', async () => {
    const { code, output } = await runToEnd(['--http', '127.0.0.1:0', configOf(SERVED + BROKEN, '  need-app: true\n')]);
    assert.equal(code, 22);
    assert.match(output, /cannot load broken\.py: /);
  });

  test('when none of them loads, the start fails; unless need-app is off', async () => {
    const { code } = await runToEnd(['--http', '127.0.0.1:0', configOf(BROKEN)]);
    assert.equal(code, 22);
    const server = await startServer(['--http', '127.0.0.1:0', configOf(BROKEN, '  need-app: false\n')]);
    try {
      assert.equal((await request(server.port, '/broken')).status, 503);
    } finally {
      await server.stop();
    }
  });
});

describe('virtual hosts', () => {
  const args = [
    '--chdir',
    SEVERAL,
    '--mount',
    '/=where.mjs',
    '--mount',
    'a.example/=flask_app:app',
    '--mount',
    '*.shop.example/js=where.mjs',
    '--python',
    DEBIAN_PYTHON,
    '--vhost',
  ];
  for (const engine of ENGINES) {
    test(`are told apart by the Host field, on the ${engine} engine`, async () => {
      const server = await startServer([...args, '--http', '127.0.0.1:0', '--http-engine', engine]);
      const get = async (host: string, path: string) => {
        const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
        const { answers } = await raw(server.port, head, { answers: 1 });
        return answers[0]!.body;
      };
      try {
        assert.match(await get('a.example', '/where'), /^\|\/where\|\|several\|\d+$/);
        assert.match(await get('A.EXAMPLE:1234', '/where'), /^\|\/where\|\|several\|\d+$/);
        assert.equal(await get('b.example', '/where'), '|/where||false');
        assert.equal(await get('x.shop.example', '/js/where'), '/js|/where||false');
        assert.equal(await get('x.shop.example', '/where'), '|/where||false');
      } finally {
        await server.stop();
      }
    });
  }

  test('and by HTTP_HOST on a uwsgi socket', async () => {
    const server = await startServer([...args, '--socket', '127.0.0.1:0']);
    const get = (host: string, path: string) => {
      const cli = join(ROOT, 'dist/cli.js');
      const more = ['curl', `127.0.0.1:${server.port}`, path, '-H', `Host: ${host}`];
      return execFileSync(process.execPath, [cli, ...more], { encoding: 'utf8' });
    };
    try {
      assert.match(get('a.example', '/where'), /^\|\/where\|\|several\|\d+$/);
      assert.equal(get('b.example', '/where'), '|/where||false');
      assert.equal(get('x.shop.example:80', '/js/where'), '/js|/where||false');
    } finally {
      await server.stop();
    }
  });

  test('SCRIPT_NAME of a peer chooses the app, unless ignore-script-name says otherwise', async () => {
    const asked = async (more: readonly string[]) => {
      const mounts = ['--mount', '/=where.mjs', '--mount', '/other=flask_app:app', '--python', DEBIAN_PYTHON];
      const server = await startServer(['--chdir', SEVERAL, '--socket', '127.0.0.1:0', ...mounts, ...more]);
      try {
        const { bytes } = await raw(server.port, packetOf({ ...PACKET, SCRIPT_NAME: '/other' }));
        return bytes.slice(bytes.indexOf('\r\n\r\n') + 4);
      } finally {
        await server.stop();
      }
    };
    assert.match(await asked([]), /^\/other\|\/where\|/);
    assert.equal(await asked(['--ignore-script-name']), '|/where||false');
  });
});
