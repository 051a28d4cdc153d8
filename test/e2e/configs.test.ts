// Every file of configs/ as a user starts it: on the project's own examples, with other ports.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import {
  DEBIAN_PYTHON,
  type RawAnswer,
  ROOT,
  raw,
  request,
  runToEnd,
  startServer,
  type TestServer,
  until,
} from './harness.js';
import { freePort, Nginx } from './nginx.js';

/** A copy of configs/ and examples/, in which every port is one that the kernel chooses. */
const COPY = mkdtempSync(join(tmpdir(), 'nuwsgi-configs-'));
after(() => rmSync(COPY, { recursive: true }));
for (const name of ['configs', 'examples']) cpSync(join(ROOT, name), join(COPY, name), { recursive: true });
for (const file of readdirSync(join(COPY, 'configs'), { recursive: true, encoding: 'utf8' })) {
  const path = join(COPY, 'configs', file);
  if (!/\.(?:ini|ya?ml)$/.test(file) || !statSync(path).isFile()) continue;
  writeFileSync(path, readFileSync(path, 'utf8').replace(/:9\d\d\d\b(?!\/)/g, ':0'));
}

/** Starts a configuration; resolves when `listeners` listeners are open. */
async function start(file: string, listeners = 1): Promise<TestServer> {
  const server = await startServer([file, '--python', DEBIAN_PYTHON], { cwd: COPY });
  await server.waitForLog(new RegExp(`(?:--\\S+ \\S+ .*is open, [^]*?){${listeners}}`));
  return server;
}

const portOf = ({ log }: TestServer) => Number(/--\S+ [^"\n]*\(port (\d+)\) is open/.exec(log)![1]);

async function serves(file: string, ask: (port: number, server: TestServer) => Promise<void>): Promise<void> {
  const server = await start(file);
  try {
    await ask(portOf(server), server);
  } finally {
    await server.stop();
  }
  assert.doesNotMatch(server.log, /^WARNING/m, file);
}

/** A configuration of an image, with the example app in place of the image's. */
function inImage(name: string, text: string): string {
  const path = join(COPY, 'configs', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    text
      .replace('/srv/app', join(COPY, 'examples'))
      .replace(/^ +virtualenv: .*\n/m, '')
      .replace(/:9\d\d\d\b/g, ':0'),
  );
  return path;
}

const GREETING = 'Hello, uwsgi_file_foobar\n';
const on = async (port: number, host: string, path: string): Promise<RawAnswer> =>
  (await raw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, { answers: 1 })).answers[0]!;

describe('the files of configs/', () => {
  for (const file of [
    'foobar.ini',
    'foobar.yaml',
    'benchmark.yaml',
    'latency.yaml',
    'quickstart.ini',
    'quickstart.yaml',
  ]) {
    test(`${file} serves the app of the tutorial`, async () => {
      await serves(join('configs', file), async (port) => assert.equal((await request(port, '/')).body, GREETING));
    });
  }

  test('static-and-routing.yaml answers what it says by itself', async () => {
    await serves('configs/static-and-routing.yaml', async (port) => {
      const ask = (path: string, ...headers: string[]) => request(port, path, { headers });
      assert.equal((await ask('/')).body, GREETING);
      const style = await ask('/static/style.css?v=7');
      assert.deepEqual([style.status, style.headers['content-type']], [200, 'text/css']);
      assert.equal(style.headers['x-content-type-options'], 'nosniff');
      assert(Date.parse(style.headers.expires!) > Date.now());
      assert.equal((await ask('/static/style.css', 'Accept-Encoding: gzip')).headers['content-encoding'], 'gzip');
      assert.equal((await ask('/home')).headers.location, '/');
      assert.equal((await ask('/a?b', 'Host: www.example.com')).headers.location, 'http://example.com/a?b');
      assert.match((await ask('/dump.SQL')).body, /There is no such page/);
      assert.equal((await ask('/admin')).status, 401);
      assert.equal((await ask('/admin', 'Authorization: Basic YWRtaW46Y2hhbmdlLW1l')).body, GREETING);
    });
  });

  test('flask.yaml serves a Flask app', async () => {
    await serves('configs/flask.yaml', async (port) => {
      assert.equal((await request(port, '/')).body, 'Hello from Flask\n');
      const headers = ['Content-Type: application/json'];
      const answer = await request(port, '/echo', { method: 'POST', headers, body: '{"a": 1}' });
      assert.deepEqual(JSON.parse(answer.body), { a: 1 });
    });
  });

  test('django.ini serves a Django project', async () => {
    await serves('configs/django.ini', async (port) => {
      assert.equal((await request(port, '/')).body, 'Hello from Django, test\n');
      assert.equal((await request(port, '/nothing')).status, 404);
    });
  });

  test('express.yaml serves an app written for node:http', async () => {
    await serves('configs/express.yaml', async (port) => {
      assert.equal((await request(port, '/')).body, 'Hello from a node:http handler\n');
      assert.equal((await request(port, '/count')).body, 'data: 1\n\ndata: 2\n\ndata: 3\n\n');
      assert.equal((await request(port, '/nothing', { method: 'DELETE' })).status, 404);
      const body = 'x'.repeat(3_000_000);
      const echo = await request(port, '/echo', { method: 'POST', headers: ['Content-Type: text/x'], body });
      assert.equal(echo.headers['content-type'], 'text/x');
      assert(echo.body === body, 'what was sent comes back');
    });
  });

  test('multi-app.yaml serves four apps, one of them to its host only', async () => {
    await serves('configs/multi-app.yaml', async (port) => {
      assert.equal((await request(port, '/')).body, GREETING);
      assert.equal((await request(port, '/flask/')).body, 'Hello from Flask\n');
      assert.match((await request(port, '/js/there')).body, /^Hello from JavaScript, you asked for \/there\n/);
      assert.equal((await on(port, 'django.localhost', '/')).body, 'Hello from Django, django.localhost\n');
      assert.equal((await on(port, 'other.localhost', '/')).body, GREETING);
    });
  });

  test('emperor.ini runs the servers of configs/vassals, with what they have in common', async () => {
    // the vassal of Flask needs the Python that has it
    const defaults = join(COPY, 'configs/vassals/common/defaults.ini');
    writeFileSync(defaults, `${readFileSync(defaults, 'utf8')}python = ${DEBIAN_PYTHON}\n`);
    const emperor = await startServer(['configs/emperor.ini'], { cwd: COPY });
    const ask = async (vassal: string) => {
      const open = new RegExp(`^\\[${vassal}\\] --http .*\\(port (\\d+)\\) is open`, 'm');
      return (await request(Number((await emperor.waitForLog(open))[1]), '/')).body;
    };
    try {
      assert.equal(await ask('flask.ini'), 'Hello from Flask\n');
      assert.match(await ask('js.yaml'), /^Hello from JavaScript/);
      await emperor.waitForLog(/\[flask\.ini\] spawned uWSGI worker 2 /);
    } finally {
      await emperor.stop();
    }
  });

  for (const [file, options] of [
    ['uwsgi_pass.conf', ['--socket']],
    ['proxy_pass.conf', ['--trusted-proxy', '127.0.0.1', '--http-socket']],
  ] as const) {
    test(`nginx/${file} stands in front, as its comment says`, async () => {
      const conf = readFileSync(join(ROOT, 'configs/nginx', file), 'utf8');
      const command = /^#\s+npx nuwsgi (.*)$/m.exec(conf)![1]!;
      assert(options.every((option) => command.includes(option)));
      const server = await startServer(command.replaceAll(':9090', ':0').split(' '), { cwd: COPY });
      const port = await freePort();
      const nginx = await Nginx.serve(
        port,
        conf.replace('listen 8080', `listen 127.0.0.1:${port}`).replaceAll(':9090', `:${server.port}`),
      );
      try {
        for (let i = 0; i < 3; i++) assert.equal((await request(nginx.port, '/')).body, GREETING);
        await server.waitForLog(/\] 127\.0\.0\.1 \(\) .* GET \/ /);
      } finally {
        await nginx.stop();
        await server.stop();
      }
    });
  }

  test('docker/Dockerfile starts what is beside it, and asks for its health', async () => {
    const dockerfile = readFileSync(join(ROOT, 'configs/docker/Dockerfile'), 'utf8');
    for (const [, source] of dockerfile.matchAll(/^COPY (configs\S+) /gm))
      assert(existsSync(join(ROOT, source!)), source);
    const [, , file] = /^CMD \["(nuwsgi)", "(.*)"\]$/m.exec(dockerfile)!;
    assert(dockerfile.includes(`COPY configs/docker/app.yaml ${file}\n`));
    assert(dockerfile.includes(`nuwsgi check --strict-options ${file}\n`));
    const path = /^HEALTHCHECK .*127\.0\.0\.1:9090(\S+?)'/m.exec(dockerfile)![1]!;
    await serves(
      inImage('docker/app.yaml', readFileSync(join(ROOT, 'configs/docker/app.yaml'), 'utf8')),
      async (port) => {
        assert.equal((await request(port, '/')).body, GREETING);
        assert.equal((await request(port, path)).status, 200);
      },
    );
  });

  test('kubernetes/shop.yaml has probes, a drain and metrics that fit its configuration', async () => {
    const documents = parseAllDocuments(readFileSync(join(ROOT, 'configs/kubernetes/shop.yaml'), 'utf8'));
    const [configMap, deployment, service] = documents.map((document) => document.toJS());
    const text: string = configMap.data['app.yaml'];
    const { spec, metadata } = deployment.spec.template;
    const [container] = spec.containers;
    const numberOf = (option: string) => Number(new RegExp(`^  ${option}: (\\d+)$`, 'm').exec(text)![1]);
    assert(spec.terminationGracePeriodSeconds > numberOf('stop-delay') + numberOf('worker-reload-mercy'));
    const ports = new Map<string, number>(
      container.ports.map((port: { name: string; containerPort: number }) => [port.name, port.containerPort]),
    );
    assert.deepEqual([...ports.values()], [9090, 9192]);
    assert.equal(service.spec.ports[0].targetPort, 'http');
    const { annotations } = metadata;
    assert.equal(annotations['prometheus.io/port'], String(ports.get('metrics')));

    const server = await start(inImage('kubernetes/app.yaml', text.replace('stop-delay: 5', 'stop-delay: 1')));
    const port = portOf(server);
    const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map(
      (probe) => container[probe].httpGet.path as string,
    );
    for (const path of probes) assert.equal((await request(port, path)).status, 200, path);
    const metricsPort = Number((await server.waitForLog(/Metrics for Prometheus on \S+:(\d+)/))[1]);
    assert.match((await request(metricsPort, annotations['prometheus.io/path'])).body, /^# HELP /);
    const ended = server.end('SIGTERM');
    await until(() => server.log.includes('SIGTERM'), 'the signal has come');
    const [ready, live, page] = await Promise.all([
      request(port, probes[1]!),
      request(port, probes[2]!),
      request(port, '/'),
    ]);
    assert.deepEqual(
      [ready.status, live.status, page.status],
      [503, 200, 200],
      'while it drains it is alive and serves',
    );
    assert.deepEqual(await ended, { code: 0, signal: null });
  });

  test('systemd takes the units', () => {
    const units = ['nuwsgi.service', 'nuwsgi.socket'].map((unit) => {
      const text = readFileSync(join(ROOT, 'configs/systemd', unit), 'utf8');
      writeFileSync(join(COPY, unit), text.replaceAll('/usr/bin/nuwsgi', '/bin/true'));
      return join(COPY, unit);
    });
    execFileSync('systemd-analyze', ['verify', ...units], { stdio: ['ignore', 'pipe', 'pipe'] });
  });

  test('nuwsgi check finds nothing wrong, and nothing that is not supported', async () => {
    const files = readdirSync(join(ROOT, 'configs'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(?:ini|ya?ml)$/.test(file) && !/common|kubernetes/.test(file))
      .map((file) => join('configs', file));
    assert(files.length >= 12);
    const { code, output } = await runToEnd(['check', ...files, '--strict-options'], { cwd: ROOT });
    assert.equal(code, 0, output);
  });
});
