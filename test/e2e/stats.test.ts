// The statistics of a running server: uWSGI's form beside a real uWSGI's, their figures, and who gets to see them
// (row T30 of docs/security.md).

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { raw, request, startServer, type TestServer, until } from './harness.js';
import { freePort } from './nginx.js';
import { RealUwsgi, readAll } from './real-uwsgi.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-stats-'));
after(() => rmSync(directory, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noExplicitAny: JSON of two programs, compared key by key
type Json = any;
/** A percentile may be off by as much (observe/stats/histogram.ts). */
const BUCKET_WIDTH = 1 / 16;
const APP = ['--wsgi-file', 'logged.py', '--processes', '2', '--threads', '2'];

async function startWithStats(args: readonly string[]): Promise<{ server: TestServer; statsPort: number }> {
  const statsPort = await freePort();
  const server = await startServer([
    '--http-socket',
    '127.0.0.1:0',
    ...APP,
    '--stats',
    `127.0.0.1:${statsPort}`,
    ...args,
  ]);
  return { server, statsPort };
}

function httpGet(port: number, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
    }).on('error', reject);
  });
}

/** Keys and types, all the way down; of a list, those of its first item. */
function shapeOf(value: Json): Json {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

/** A request that runs until it has been looked at. */
async function whileOneRuns<T>(port: number, look: () => Promise<T>): Promise<T> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /slow/1.5 HTTP/1.1\r\nHost: a\r\nX-Secret: mine\r\nCookie: session=mine\r\n\r\n');
  socket.on('error', () => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  const result = await look();
  socket.destroy();
  return result;
}

describe('the statistics', () => {
  test('have the keys, the types and the units of a real uWSGI', async () => {
    const beside = ['--attach-daemon', 'sleep 1000', '--cron', '5 1 -1 2 3 true', '--unique-cron', '5 1 -1 2 3 true'];
    const all = ['--processes', '2', '--threads', '2', '--memory-report', ...beside];
    const uwsgi = await RealUwsgi.start('logged.py', all);
    const { server, statsPort } = await startWithStats(['--socket', '127.0.0.1:0', ...beside]);
    try {
      const ask = async (port: number) => {
        for (const path of ['/', '/sized', '/fail', '/missing', '/slow/0.2'])
          await raw(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, { answers: path === '/fail' ? 0 : 1 }).catch(
            () => {},
          );
      };
      await ask(uwsgi.httpPort);
      await ask(server.port);
      const theirs: Json = await whileOneRuns(uwsgi.httpPort, () => uwsgi.stats());
      const ours: Json = await whileOneRuns(server.port, async () => JSON.parse(await readAll(statsPort)));
      const { nuwsgi, ...uwsgiPart } = ours;
      assert.equal(typeof nuwsgi, 'object');
      assert.deepEqual(Object.keys(uwsgiPart), Object.keys(theirs), 'the same keys in the same order');
      const busy = (stats: Json) =>
        stats.workers.find(({ cores }: Json) => cores.some((core: Json) => core.in_request === 1));
      const idleCore = (worker: Json) => worker.cores.find((core: Json) => core.in_request === 0);
      const busyCore = (worker: Json) => worker.cores.find((core: Json) => core.in_request === 1);
      assert.deepEqual(uwsgiPart.crons, theirs.crons);
      const { workers: ourWorkers, ...ourServer } = uwsgiPart;
      const { workers: theirWorkers, ...theirServer } = theirs;
      assert.deepEqual(shapeOf(ourServer), shapeOf(theirServer));
      assert.equal(ourWorkers.length, theirWorkers.length);
      for (const core of [idleCore, busyCore]) assert.deepEqual(shapeOf(core(busy(ours))), shapeOf(core(busy(theirs))));
      const withoutCores = ({ cores, ...worker }: Json) => worker;
      assert.deepEqual(shapeOf(withoutCores(busy(ours))), shapeOf(withoutCores(busy(theirs))));
      // the same work gives the same figures
      const sum = (stats: Json, key: string) =>
        stats.workers.reduce((total: number, worker: Json) => total + worker[key], 0);
      assert.equal(sum(ours, 'requests'), sum(theirs, 'requests'));
      assert.equal(sum(ours, 'exceptions'), sum(theirs, 'exceptions'));
      for (const key of ['running_time', 'rss', 'last_spawn', 'tx', 'respawn_count']) {
        const ratio = sum(ours, key) / sum(theirs, key);
        assert(ratio > 0.3 && ratio < 3, `${key}: ${sum(ours, key)} and ${sum(theirs, key)}`);
      }
      assert(Math.abs(busyCore(busy(ours)).req_info.request_start - Date.now() / 1000) < 5, 'seconds of the epoch');
      assert(busyCore(busy(ours)).vars.includes('REQUEST_URI=/slow/1.5'));
      assert.equal(busyCore(busy(ours)).vars.at(-1), '');
    } finally {
      await uwsgi.stop();
      await server.stop();
    }
  });

  test('tell what only this server knows: times by app, what runs, endpoints, how workers ended', async () => {
    const { server, statsPort } = await startWithStats(['--endpoint', '/slow/:seconds']);
    try {
      const timed = async (path: string, times: number) => {
        const beganMs = performance.now();
        for (let i = 0; i < times; i++) await request(server.port, path);
        return performance.now() - beganMs;
      };
      // What the server may say is bounded by what was asked for, and by what clients saw, however busy the machine is.
      const sizedMs = await timed('/sized', 20);
      const slowMs = await timed('/slow/0.1', 1);
      const isWithin = (us: number, leastMs: number, mostMs: number, what: string) =>
        assert(
          us >= leastMs * 1000 * (1 - BUCKET_WIDTH) && us <= mostMs * 1000 * (1 + BUCKET_WIDTH),
          `${what}: ${us} us, ${leastMs} to ${mostMs} ms`,
        );
      const [worker] = (JSON.parse(await readAll(statsPort)) as Json).workers;
      process.kill(worker.pid, 'SIGKILL');
      await server.waitForLog(/Respawned uWSGI worker/);
      const stats: Json = await whileOneRuns(server.port, async () => JSON.parse(await readAll(statsPort)));
      const [app] = stats.nuwsgi.apps;
      assert.equal(app.requests, 21);
      assert.deepEqual(app.statuses, { '2xx': 21 });
      isWithin(app.times_us.app.p50, 0, sizedMs, 'app.p50');
      isWithin(app.times_us.app.max, 100, slowMs, 'app.max');
      isWithin(app.times_us.queue.p50, 0, sizedMs, 'queue.p50');
      isWithin(app.times_us.total.max, Math.max(100, sizedMs / 100), Math.max(sizedMs, slowMs), 'total.max');
      const slow = app.endpoints.find(({ endpoint }: Json) => endpoint === '/slow/:seconds');
      assert.deepEqual([slow.requests, slow.errors], [1, 0]);
      isWithin(slow.p99_us, 100, slowMs, 'p99 of /slow');
      const sized = app.endpoints.find(({ endpoint }: Json) => endpoint === '/sized');
      assert.equal(sized.requests, 20);
      assert(slow.share >= 100 / (100 + sizedMs) - 0.001, `${slow.share} of the time, beside ${sizedMs} ms`);
      assert(Math.abs(slow.share + sized.share - 1) <= 0.001, `${slow.share} and ${sized.share} are not all`);
      assert.deepEqual(app.worker_ends, { 'was killed by SIGKILL': 1 });
      assert.equal(app.slots_in_use, 1);
      const [running] = stats.nuwsgi.running;
      assert.deepEqual([running.method, running.uri, running.started], ['GET', '/slow/1.5', true]);
      assert(running.runs_ms >= 250 && running.runs_ms < 1500, String(running.runs_ms));
      const respawned = stats.workers.find(({ id }: Json) => id === worker.id);
      assert.deepEqual([respawned.respawn_count, respawned.requests >= 0], [2, true]);
      assert.notEqual(respawned.pid, worker.pid);
    } finally {
      await server.stop();
    }
  });

  test('do not show what a request keeps secret', async () => {
    const { server, statsPort } = await startWithStats([]);
    try {
      const text = await whileOneRuns(server.port, () => readAll(statsPort));
      assert.match(text, /REQUEST_URI=\/slow/);
      assert.match((await raw(statsPort, '', { halfClose: true })).bytes, /"nuwsgi"/);
      assert.doesNotMatch(text, /mine|X_SECRET|COOKIE/);
    } finally {
      await server.stop();
    }
  });

  test('come over HTTP to who speaks it, and to no page of another origin', async () => {
    const { server, statsPort } = await startWithStats([]);
    try {
      const answer = await httpGet(statsPort, '/stats.json');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal((JSON.parse(answer.body) as Json).pid, server.pid);
      assert.equal((await httpGet(statsPort, '/stats.json', { Host: 'evil.example' })).status, 421);
      assert.equal((await httpGet(statsPort, '/nothing')).status, 404);
      assert.equal(
        (await raw(statsPort, 'DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n', { answers: 1 })).answers[0]!.status,
        405,
      );
      assert.equal((await raw(statsPort, 'nonsense\r\n\r\n')).closed, true);
    } finally {
      await server.stop();
    }
  });

  test('with a token come to who has it, and to nobody who says nothing', async () => {
    const { server, statsPort } = await startWithStats(['--stats-token', 'a-long-secret']);
    try {
      assert.equal((await httpGet(statsPort, '/stats.json')).status, 401);
      assert.equal((await httpGet(statsPort, '/stats.json', { Authorization: 'Bearer wrong' })).status, 401);
      assert.equal((await httpGet(statsPort, '/stats.json', { Authorization: 'Bearer a-long-secret' })).status, 200);
      assert.equal((await raw(statsPort, '', { halfClose: true })).bytes, '', 'a silent client gets nothing');
      assert.doesNotMatch(server.log, /a-long-secret/);
    } finally {
      await server.stop();
    }
  });

  test('come on a UNIX socket that is for its owner only, and goes with the server', async () => {
    const path = join(directory, 'stats.sock');
    const server = await startServer([
      '--http-socket',
      '127.0.0.1:0',
      ...APP,
      '--stats',
      path,
      '--stats-minified',
      '--stats-no-cores',
    ]);
    try {
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const socket = connect(path).setEncoding('utf8');
      let text = '';
      for await (const chunk of socket) text += chunk;
      const stats = JSON.parse(text) as Json;
      assert.equal(stats.pid, server.pid);
      assert.equal(stats.workers[0].cores, undefined);
      assert.equal(text.split('\n').length, 2, 'minified');
    } finally {
      await server.stop();
    }
    assert(!existsSync(path));
  });

  test('by a port alone are on loopback, and a warning says so when others can read them', async () => {
    const server = await startServer(['--http-socket', '127.0.0.1:0', ...APP, '--stats', ':0']);
    assert.match(server.log, /\*\*\* Stats server enabled on 127\.0\.0\.1:\d+/);
    await server.stop();
    const open = await startServer(['--http-socket', '127.0.0.1:0', ...APP, '--stats', '0.0.0.0:0']);
    assert.match(open.log, /WARNING: --stats: anybody who can reach 0\.0\.0\.0:\d+ can read it; see --stats-token/);
    await open.stop();
  });

  test('stay up to date and cheap when many ask at once', async () => {
    const { server, statsPort } = await startWithStats([]);
    try {
      const texts = await Promise.all(Array.from({ length: 40 }, () => readAll(statsPort)));
      assert(texts.every((text) => (JSON.parse(text) as Json).pid === server.pid));
      await request(server.port, '/');
      let requests = 0;
      while (requests === 0) requests = (JSON.parse(await readAll(statsPort)) as Json).nuwsgi.apps[0].requests;
      assert.equal(requests, 1);
    } finally {
      await server.stop();
    }
  });
});

/** Every sample of a scrape, by name and labels; checks the form on the way. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      assert(!types.has(type[1]!), `${type[1]} comes twice`);
      types.set(type[1]!, type[2]!);
      continue;
    }
    const match = /^([a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)*\})? (\S+)$/.exec(line);
    assert(match !== null, line);
    const [, name, labels = '', value] = match;
    const family = name!.replace(/_(bucket|sum|count)$/, '');
    assert(types.has(name!) || types.get(family) === 'histogram', `${name} has no type`);
    assert(!samples.has(name! + labels), `${line} comes twice`);
    assert(Number.isFinite(Number(value)), line);
    samples.set(name! + labels, Number(value));
  }
  for (const [name, type] of types) if (type === 'counter') assert.match(name, /_total$/);
  return samples;
}

describe('metrics for Prometheus', () => {
  test('are the same figures as the statistics, on the address of either', async () => {
    const metricsPort = await freePort();
    const { server, statsPort } = await startWithStats(['--metrics', `127.0.0.1:${metricsPort}`]);
    try {
      for (let i = 0; i < 10; i++) await request(server.port, '/sized');
      for (const path of ['/missing', '/fail', '/slow/0.2']) await request(server.port, path);
      await request(server.port, '/sized', { method: 'POST', body: 'x' });
      await raw(server.port, 'GET nonsense HTTP/1.1\r\n\r\n');
      const scrape = await httpGet(metricsPort, '/metrics');
      assert.match(scrape.headers['content-type']!, /^text\/plain; version=0\.0\.4/);
      const samples = samplesOf(scrape.body);
      const app = 'app="0",name="logged.py"';
      const count = (method: string, status: string) =>
        samples.get(`nuwsgi_requests_total{${app},method="${method}",status="${status}"}`);
      assert.deepEqual(
        [count('GET', '2xx'), count('GET', '4xx'), count('GET', '5xx'), count('POST', '2xx')],
        [11, 1, 1, 1],
      );
      assert.equal(samples.get(`nuwsgi_exceptions_total{${app}}`), 1);
      assert.equal(samples.get('nuwsgi_refused_total'), 1);
      assert.equal(samples.get(`nuwsgi_workers{${app},state="idle"}`), 2);
      for (const part of ['queue', 'app', 'write']) {
        const name = `nuwsgi_request_${part}_seconds`;
        assert.equal(samples.get(`${name}_count{${app}}`), 14);
        assert.equal(samples.get(`${name}_bucket{${app},le="+Inf"}`), 14);
        const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket`)).map(([, value]) => value);
        assert.deepEqual(
          buckets,
          [...buckets].sort((a, b) => a - b),
          'buckets only grow',
        );
      }
      assert.equal(samples.get(`nuwsgi_request_app_seconds_bucket{${app},le="0.1"}`), 13);
      assert(samples.get(`nuwsgi_request_app_seconds_sum{${app}}`)! > 0.19);
      assert(samples.get('nuwsgi_worker_memory_bytes{app="0",worker="1"}')! > 1 << 20);
      const keysOf = (text: string) => [...samplesOf(text).keys()];
      assert.deepEqual(keysOf((await httpGet(statsPort, '/metrics')).body), keysOf(scrape.body));
      assert.equal((await httpGet(metricsPort, '/stats.json')).status, 404, 'nothing but metrics and health');
      assert.equal((await httpGet(metricsPort, '/health')).status, 200);
    } finally {
      await server.stop();
    }
  });
});

/** A UDP port, and the datagrams that have come to it. */
async function receiveDatagrams(): Promise<{ port: number; texts: string[]; close: () => void }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(data.toString()));
  await once(socket, 'listening');
  return { port: socket.address().port, texts, close: () => socket.close() };
}

describe('statistics that are pushed', () => {
  const PROCESSES = ['--processes', '2', '--threads', '2', '--stats-pusher-default-freq', '1'];

  test('have the metrics of a real uWSGI, by socket and to statsd', async () => {
    const [ours, theirs, statsd] = [await receiveDatagrams(), await receiveDatagrams(), await receiveDatagrams()];
    const plugins = ['--plugin', 'stats_pusher_socket', '--enable-metrics'];
    const uwsgi = await RealUwsgi.start('logged.py', [
      ...[...plugins, ...PROCESSES, '--stats-push', `socket:127.0.0.1:${theirs.port},shop`],
    ]);
    const server = await startServer([
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', ...APP, '--stats-pusher-default-freq', '1'],
      ...['--stats-push', `socket:127.0.0.1:${ours.port},shop`, '--stats-push', `statsd:127.0.0.1:${statsd.port}`],
    ]);
    try {
      const last = (texts: readonly string[]) => texts.filter((text) => text.startsWith('shop.vsz_size ')).length > 1;
      await until(() => last(ours.texts) && last(theirs.texts), 'all metrics of both');
      const namesAndTypes = (texts: readonly string[]) =>
        [...new Set(texts.map((text) => text.replace(/ \d+$/, '')))].sort();
      for (const text of ours.texts) assert.match(text, /^shop\.[a-z0-9_.]+ [0-3] \d+$/);
      assert.deepEqual(namesAndTypes(ours.texts), namesAndTypes(theirs.texts));
      for (let i = 0; i < 3; i++) assert.equal((await request(server.port, '/')).status, 200);
      const counted = () =>
        statsd.texts.map((text) => Number(/^uwsgi\.worker\.0\.requests:(\d+)\|c$/.exec(text)?.[1] ?? 0));
      const sum = () => counted().reduce((a, b) => a + b, 0);
      await until(() => sum() === 3, 'three requests');
      const from = statsd.texts.length;
      await until(() => statsd.texts.slice(from).some((text) => text.startsWith('uwsgi.vsz_size:')), 'the next time');
      assert.equal(sum(), 3, 'what has been counted is not counted again');
      for (const text of statsd.texts) assert.match(text, /^uwsgi\.[a-z0-9_.]+:\d+\|[cg]$/);
    } finally {
      await uwsgi.stop();
      await server.stop();
      for (const receiver of [ours, theirs, statsd]) receiver.close();
    }
  });

  test('into a file are all statistics as JSON, and a file that cannot be written is told once', async () => {
    const path = join(directory, 'pushed.json');
    const targets = ['--stats-push', `file:path=${path},separator=\x1e,freq=1`, '--stats-push', 'file:/nowhere/stats'];
    const server = await startServer([
      ...['--http-socket', '127.0.0.1:0', ...APP, ...targets, '--stats-pusher-default-freq', '1'],
    ]);
    try {
      const pushed = () => (existsSync(path) ? readFileSync(path, 'utf8').split('\x1e').slice(0, -1) : []);
      await until(() => pushed().length >= 3, 'three times');
      for (const text of pushed()) assert.equal((JSON.parse(text) as Json).workers.length, 2);
      await server.waitForLog(/cannot send statistics to \/nowhere\/stats: ENOENT/);
      assert.equal([...server.log.matchAll(/cannot send statistics/g)].length, 1);
    } finally {
      await server.stop();
    }
  });
});
