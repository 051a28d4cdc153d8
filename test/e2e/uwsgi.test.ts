// The uwsgi listener beyond single packets: slow and many peers, warnings, mounts, workers that die, JS apps. Single
// packets are in uwsgi-corpus.test.ts.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packetOf } from '../../src/wire/uwsgi.js';
import { packetCases } from '../corpus/uwsgi-corpus.js';
import { mutate, randomFrom } from '../fuzz.js';
import { APPS, open, raw, startServer, type TestServer } from './harness.js';

const get = (path: string, more: readonly (readonly [string, string])[] = []) =>
  packetOf([['REQUEST_METHOD', 'GET'], ['PATH_INFO', path], ['REQUEST_URI', path], ...more]);

/** Sends a packet and returns the app's JSON (test/apps/inspect.py). */
async function inspect(port: number, packet: Buffer) {
  const { answers } = await raw(port, packet);
  assert.equal(answers[0]?.status, 200);
  return JSON.parse(answers[0].body) as { environ: Record<string, string>; bodyBytes: number };
}

describe('the uwsgi listener', () => {
  let server: TestServer;
  before(async () => {
    const more = ['--mount', '/sub=inspect.py', '--mount', '/js=hello.mjs', '--mount', '/proxy=behind_proxy.py'];
    const apps = ['--mount', '/=inspect.py', ...more];
    server = await startServer(['--socket', '127.0.0.1:0', ...apps, '--socket-timeout', '2']);
  });
  after(() => server.stop());

  test('T29: 20 half packets do not delay the requests of others', async () => {
    const halves = await Promise.all(Array.from({ length: 20 }, () => open(server.port)));
    for (const socket of halves) socket.write(get('/').subarray(0, 20));
    for (let i = 0; i < 5; i++) assert.equal((await inspect(server.port, get('/'))).environ.PATH_INFO, '/');
    // and each of them is told, once it has been silent for socket-timeout
    const told = await Promise.all(
      halves.map(async (socket) => {
        const [data] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        return data.toString('latin1', 0, 12);
      }),
    );
    assert.deepEqual(new Set(told), new Set(['HTTP/1.1 408']));
  });

  test('a peer that says nothing is told after socket-timeout, although the kernel holds it back at first', async () => {
    const socket = await open(server.port);
    const [told] = (await once(socket, 'data')) as [Buffer];
    assert.match(told.toString('latin1'), /^HTTP\/1\.1 408 /);
    socket.destroy();
  });

  test('HTTP that was meant for another socket is told so, in the log and to whoever sent it', async () => {
    const from = server.log.length;
    const { answers, closed } = await raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert(closed);
    assert.equal(answers[0]?.status, 400);
    assert.match(
      answers[0].body,
      /^This is a uwsgi socket: it does not speak HTTP\.\nFor HTTP start the server with --http/,
    );
    await server.waitForLog(/HTTP was sent to a uwsgi socket; for HTTP use --http or --http-socket/, from);
  });

  test('an app does not run ahead of a peer that takes nothing of its answer, and is told when that is given up', async () => {
    const from = server.log.length;
    const socket = await open(server.port);
    socket.pause();
    socket.write(get('/proxy/endless'));
    await server.waitForLog(/refused 408 127\.0\.0\.1: the client took nothing of its answer for 2000 ms/, from);
    const [, parts] = await server.waitForLog(/closed after (\d+) parts/, from);
    const mib = (Number(parts) * 65536) / 1048576;
    // what --response-buffering allows, and what the buffers of the kernel at both ends hold
    assert(mib < 16, `${mib} MiB`);
    socket.destroy();
  });

  test('a mount point is found by the path, and split off it', async () => {
    const { environ } = await inspect(server.port, get('/sub/x'));
    assert.equal(environ.SCRIPT_NAME, '/sub');
    assert.equal(environ.PATH_INFO, '/x');
    assert.equal(environ.REQUEST_URI, '/sub/x');
  });

  test('a SCRIPT_NAME that the peer sends chooses the app, and the path stays as it is', async () => {
    const { environ } = await inspect(server.port, get('/x', [['SCRIPT_NAME', '/sub']]));
    assert.equal(environ.SCRIPT_NAME, '/sub');
    assert.equal(environ.PATH_INFO, '/x');
  });

  test('a JavaScript app is served too', async () => {
    const { answers } = await raw(server.port, get('/js'));
    assert.equal(answers[0]?.body, 'hello\n');
  });

  test('T22: a dropped variable is warned of once, not with every request', async () => {
    const packet = get('/', [['UWSGI_FILE', '/tmp/evil.py']]);
    for (let i = 0; i < 3; i++) assert(!('UWSGI_FILE' in (await inspect(server.port, packet)).environ));
    await server.waitForLog(/the variable "UWSGI_FILE" is dropped/);
    assert.equal(server.log.match(/"UWSGI_FILE" is dropped/g)?.length, 1);
  });

  test('10 000 mutated packets leave the server as it was', async () => {
    const random = randomFrom(11);
    const seeds = packetCases()
      .map((c) => c.packet)
      .filter((packet) => packet.length > 0);
    for (let i = 0; i < 10_000; i += 100) {
      const packets = Array.from({ length: 100 }, () => mutate(seeds, random));
      await Promise.all(packets.map((packet) => raw(server.port, packet, { halfClose: true })));
    }
    assert.equal((await inspect(server.port, get('/'))).environ.PATH_INFO, '/');
    assert.doesNotMatch(server.log, /defect of the server|DAMN/);
  });
});

describe('the uwsgi listener with dynamic-apps', () => {
  test('lets the variables through to the app, and still loads nothing', async () => {
    const server = await startServer(['--socket', '127.0.0.1:0', '--wsgi-file', 'inspect.py', '--dynamic-apps']);
    const { environ } = await inspect(server.port, get('/', [['UWSGI_FILE', join(APPS, 'hello.py')]]));
    assert.equal(environ.UWSGI_FILE, join(APPS, 'hello.py'));
    await server.stop();
  });
});

describe('--protocol http', () => {
  test('makes --socket an HTTP socket', async () => {
    const server = await startServer(['--socket', '127.0.0.1:0', '--protocol', 'http', '--wsgi-file', 'hello.py']);
    const { answers } = await raw(server.port, 'GET / HTTP/1.0\r\n\r\n');
    assert.equal(answers[0]?.body, 'hello\n');
    await server.stop();
  });
});
