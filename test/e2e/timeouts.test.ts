// How long a connection may take for what: heads and bodies that come too slowly, bodies that are slow and honest, and
// connections without a request.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { packetOf } from '../../src/wire/uwsgi.js';
import { ENGINES, open, request, startOn, startServer, type TestServer, until } from './harness.js';

const APP = ['--wsgi-file', 'inspect.mjs'];
const post = (bytes: number) => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`;
const packet = (bytes: number) =>
  packetOf([
    ['REQUEST_METHOD', 'POST'],
    ['PATH_INFO', '/'],
    ['CONTENT_LENGTH', String(bytes)],
  ]);

/** What a client gets that sends `start`, and then `piece` every `everyMs` until `count` are sent or there is an answer. */
class Dripper {
  readonly ended: Promise<{ text: string; ms: number }>;
  #text = '';

  constructor(socket: Socket, start: string | Buffer, piece: string, everyMs: number, count: number) {
    const startedMs = performance.now();
    socket.write(start);
    let sent = 0;
    const timer = setInterval(() => {
      if (sent++ < count && this.#text === '') socket.write(piece);
    }, everyMs);
    this.ended = new Promise((resolve) => {
      const finish = () => {
        clearInterval(timer);
        socket.destroy();
        resolve({ text: this.#text, ms: performance.now() - startedMs });
      };
      socket.on('data', (chunk) => {
        this.#text += chunk;
        if (/\r\n\r\n.*[}\n]$/s.test(this.#text)) finish(); // the app's JSON, or the text of a refusal
      });
      socket.on('error', () => {});
      socket.on('close', finish);
    });
  }
}

const drip = async (port: number, start: string | Buffer, piece: string, everyMs: number, count: number) =>
  new Dripper(await open(port), start, piece, everyMs, count).ended;

// They wait for time to pass, so they wait together.
describe('time limits', { concurrency: true }, () => {
  describe('a request that comes too slowly', () => {
    let server: TestServer;
    let ports: { uws: number; node: number; uwsgi: number };
    const sockets = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0'];
    before(async () => {
      const limits = [
        '--http-headers-timeout',
        '2',
        '--http-timeout',
        '2',
        '--socket-timeout',
        '2',
        '--min-body-rate',
        '1000',
      ];
      server = await startServer([...sockets, ...limits, ...APP]);
      const [uws, node, uwsgi] = server.ports as [number, number, number];
      ports = { uws, node, uwsgi };
    });
    after(() => server.stop());

    test('is answered 408 when its body comes in drops, on every listener', async () => {
      // a longer limit, so that a busy machine does not make a silence of the time between two drops
      const limits = ['--http-timeout', '5', '--socket-timeout', '5', '--min-body-rate', '1000'];
      const server = await startServer([...sockets, ...limits, ...APP]);
      const [uws, node, uwsgi] = server.ports as [number, number, number];
      const all = [
        drip(uws, post(100_000), 'x'.repeat(50), 100, 1000),
        drip(node, post(100_000), 'x'.repeat(50), 100, 1000),
        drip(uwsgi, packet(100_000), 'x'.repeat(50), 100, 1000),
      ];
      for (const { text, ms } of await Promise.all(all)) {
        assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
        assert(ms >= 4900, `${ms} ms`);
      }
      const told =
        /refused 408 127\.0\.0\.1: the request body comes with \d+ bytes per second; min-body-rate asks for 1000/g;
      await until(() => server.log.match(told)?.length === 3, 'three lines in the log');
      await server.stop();
    });

    test('is answered 408 when nothing more of its body comes, on every listener', async () => {
      const all = [
        drip(ports.uws, `${post(100)}xxx`, '', 10_000, 0),
        drip(ports.node, `${post(100)}xxx`, '', 10_000, 0),
        drip(ports.uwsgi, packet(100), '', 10_000, 0),
      ];
      for (const { text } of await Promise.all(all)) assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    });

    test('is answered 408 when its head comes in drops, however steadily; uWebSockets.js closes without an answer', async () => {
      const head = 'GET / HTTP/1.1\r\nHost: x\r\n';
      const [uws, node, uwsgi] = await Promise.all([
        drip(ports.uws, head, 'X-A: b\r\n', 1500, 100),
        drip(ports.node, head, 'X-A: b\r\n', 300, 100),
        drip(ports.uwsgi, packet(0).subarray(0, 5), 'x', 300, 100),
      ]);
      assert.match(node.text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
      assert.match(uwsgi.text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
      assert(node.ms < 8000 && uwsgi.ms < 8000);
      assert.equal(uws.text, '');
      assert(uws.ms < 15_000, `${uws.ms} ms`);
    });
  });

  describe('a slow and honest upload', () => {
    test('is taken, even where uWebSockets.js by itself would ask for 16 kB a second', async () => {
      const sockets = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0'];
      const server = await startServer([...sockets, ...APP]);
      const [uws, node, uwsgi] = server.ports as [number, number, number];
      // 500 bytes a second for longer than any fixed limit, with a pause in the middle of it
      const all = [uws, node].map((port) => drip(port, post(7000), 'x'.repeat(1000), 2000, 7));
      all.push(drip(uwsgi, packet(7000), 'x'.repeat(1000), 2000, 7));
      for (const { text, ms } of await Promise.all(all)) {
        assert.match(text, /"bodyBytes":7000/);
        assert(ms > 13_000);
      }
      assert.doesNotMatch(server.log, /refused/);
      await server.stop();
    });
  });

  describe('--http-timeout and --socket-timeout', () => {
    test('are for --http and --http-socket, each for its own', async () => {
      const sockets = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--http-engine', 'node'];
      const server = await startServer([...sockets, '--http-timeout', '1', '--socket-timeout', '3', ...APP]);
      const [http, worker] = server.ports as [number, number];
      const [first, second] = await Promise.all(
        [http, worker].map((port) => drip(port, `${post(100)}x`, '', 10_000, 0)),
      );
      for (const { text } of [first!, second!]) assert.match(text, /^HTTP\/1\.1 408/);
      assert(first!.ms < 2900 && second!.ms > 2900, `${first!.ms} and ${second!.ms} ms`);
      await server.stop();
    });
  });

  describe('--http-keepalive', () => {
    for (const engine of ENGINES) {
      for (const off of ['--http-keepalive=0', '--http-keepalive=false']) {
        test(`${off} closes behind each answer, on ${engine}`, async () => {
          const server = await startOn(engine, [...APP, off]);
          const socket = await open(server.port);
          let text = '';
          socket.on('data', (chunk) => {
            text += chunk;
          });
          socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
          await once(socket, 'close');
          assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
          assert.match(text, /\r\nConnection: close\r\n/i);
          await server.stop();
        });
      }
    }

    test('is the time after which node:http closes an idle connection', async () => {
      const server = await startOn('node', [...APP, '--http-keepalive=2']);
      const socket = await open(server.port);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
      const from = performance.now();
      socket.resume();
      await once(socket, 'close');
      const ms = performance.now() - from;
      assert(ms > 1500 && ms < 6000, `${ms} ms`);
      await server.stop();
    });

    test("alone or true, as uWSGI's configurations have it, keeps connections open", async () => {
      for (const on of ['--http-keepalive', '--http-keepalive=1', '--http-keepalive=true']) {
        const server = await startOn('node', [...APP, on]);
        assert.doesNotMatch(JSON.stringify(await request(server.port, '/')), /connection":"close/i);
        await server.stop();
      }
    });
  });
});
