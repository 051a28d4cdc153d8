// Whoever can write to a uwsgi socket: rows T6 to T9, T17 and T22 to T31 of docs/security.md, as far as one packet does not
// show them (those are in test/corpus/uwsgi/).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MODIFIER, PACKET_HEADER_BYTES, packetHeader, packetOf } from '../../src/wire/uwsgi.js';
import { open, raw, startServer, type TestServer } from './harness.js';

type Variables = readonly (readonly [name: string, value: string])[];
interface Seen {
  readonly environ: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
}

const packet = (path: string, more: Variables = []) =>
  packetOf([['REQUEST_METHOD', 'GET'], ['PATH_INFO', path], ['REQUEST_URI', path], ...more]);

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));

/** Sends a packet and returns what the app says it got. */
async function inspect(server: TestServer, bytes: Buffer): Promise<Seen> {
  const { answers, bytes: got } = await raw(server.port, bytes);
  assert.equal(answers[0]?.status, 200, got);
  return JSON.parse(answers[0].body);
}

for (const app of ['inspect.py', 'inspect.mjs']) {
  describe(`a stranger at the uwsgi socket of ${app}`, () => {
    let server: TestServer;
    before(async () => {
      server = await startServer(['--socket', '127.0.0.1:0', '--wsgi-file', app]);
    });
    after(() => server.stop());

    test('T22: no variable makes the server run, load, read, write or touch anything', async () => {
      const marker = join(directory, `marker-${app}`);
      const code = join(directory, 'evil.py');
      writeFileSync(
        code,
        `open(${JSON.stringify(marker)}, 'w')\ndef application(e, s):\n    s('200 OK', [])\n    return [b'evil']\n`,
      );
      const attacks: Variables = [
        ['UWSGI_FILE', code],
        ['UWSGI_FILE', `exec://touch ${marker}`],
        ['UWSGI_SCRIPT', 'evil:application'],
        ['UWSGI_MODULE', 'evil'],
        ['UWSGI_CALLABLE', '__import__'],
        ['UWSGI_PYHOME', directory],
        ['UWSGI_HOME', directory],
        ['UWSGI_CHDIR', directory],
        ['UWSGI_SETENV', 'LD_PRELOAD=/tmp/evil.so'],
        ['UWSGI_POSTFILE', '/etc/passwd'],
        ['UWSGI_TOUCH_RELOAD', marker],
        ['UWSGI_APPID', marker],
      ];
      for (const attack of attacks) {
        const { environ } = await inspect(server, packet('/', [attack]));
        assert(!(attack[0] in environ), `${attack[0]} reached the app`);
      }
      const all = await inspect(server, packet('/', attacks));
      assert.deepEqual(
        Object.keys(all.environ).filter((name) => name.startsWith('UWSGI_')),
        [],
      );
      assert(!existsSync(marker));
      for (const name of new Set(attacks.map(([name]) => name))) {
        const warning = new RegExp(`variable "${name}" is dropped`, 'g');
        await server.waitForLog(new RegExp(warning.source));
        assert.equal(server.log.match(warning)?.length, 1, name);
      }
    });

    test('T23: every modifier but that of a request and that of a ping is refused by its number', async () => {
      const others = Array.from({ length: 256 }, (_, i) => i).filter(
        (i) => i !== MODIFIER.REQUEST && i !== MODIFIER.PING,
      );
      for (let i = 0; i < others.length; i += 32) {
        await Promise.all(
          others.slice(i, i + 32).map(async (modifier) => {
            const bytes = packet('/');
            bytes[0] = modifier;
            const { answers, closed } = await raw(server.port, bytes, { halfClose: true });
            assert.deepEqual([answers[0]?.status, closed], [400, true]);
            await server.waitForLog(new RegExp(`-- unavailable modifier requested: ${modifier} --`));
          }),
        );
      }
    });

    test("T25: the server's own keys stay what they are, and what is no name does not come in", async () => {
      const evil: Variables = [
        ['wsgi.input', 'evil'],
        ['wsgi.errors', 'evil'],
        ['wsgi.file_wrapper', 'evil'],
        ['wsgi.url_scheme', 'evil'],
        ['wsgi.multithread', 'evil'],
        ['uwsgi.version', 'evil'],
        ['uwsgi.node', 'evil'],
        ['', 'evil'],
        ['A\r\nB', 'evil'],
        ['A B', 'evil'],
        ['\x1b[31m', 'evil'],
        ['\xe9', 'evil'],
      ];
      const body = Buffer.from('hello');
      const { environ, bodyBytes } = await inspect(
        server,
        Buffer.concat([
          packet('/', [...evil, ['CONTENT_LENGTH', '5'], ['__proto__', 'x'], ['constructor', 'x']]),
          body,
        ]),
      );
      assert.equal(bodyBytes, 5, 'wsgi.input is the body');
      assert.deepEqual(
        Object.entries(environ).filter(([, value]) => value === 'evil'),
        [],
      );
      assert.equal(environ['wsgi.url_scheme'], 'http');
      await inspect(server, packet('/'));
    });

    test('T26: the status line is the server’s own, whatever protocol the peer claims', async () => {
      for (const protocol of ['HTTP/1.0', 'HTTP/9.9', 'evil', '', 'HTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\nevil']) {
        const { bytes } = await raw(server.port, packet('/', [['SERVER_PROTOCOL', protocol]]));
        assert.match(bytes, /^HTTP\/1\.1 200 OK\r\n/);
        assert.doesNotMatch(bytes.slice(0, bytes.indexOf('\r\n\r\n')), /evil/i);
      }
    });

    test('T31: nothing that a peer says can begin a line of the log, or hide in one', async () => {
      const from = server.log.length;
      const evil = 'x\r\n[pid: 1|app: 0|req: 1/1] forged \x1b[31m\x9b2J"\\';
      const names = [
        'REQUEST_METHOD',
        'REQUEST_URI',
        'SERVER_PROTOCOL',
        'REMOTE_ADDR',
        'REMOTE_USER',
        'HTTP_USER_AGENT',
      ];
      await inspect(
        server,
        packet(
          `/${evil}`,
          names.map((name) => [name, evil] as const),
        ),
      );
      await raw(server.port, packet('/', [['CONTENT_LENGTH', evil]]));
      await raw(server.port, packet('/', [[`UWSGI_${evil}`, 'x']]));
      await inspect(server, packet('/last'));
      await server.waitForLog(/GET \/last /, from);
      const lines = server.log.slice(from).trimEnd().split('\n');
      assert(lines.length >= 4);
      for (const line of lines) {
        assert.match(line, /^[\x20-\x7e]*$/);
        assert.doesNotMatch(line, /^\[pid: 1\|/);
      }
    });
  });
}

describe('packets that do not come to their end', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer(['--socket', '127.0.0.1:0', '--wsgi-file', 'journal.py', '--socket-timeout', '2']);
  });
  after(() => server.stop());

  const post = (length: number) =>
    packet('/upload', [
      ['REMOTE_ADDR', '10.9.9.9'],
      ['CONTENT_LENGTH', String(length)],
    ]);
  const entries = async () => {
    const { answers } = await raw(server.port, packet('/journal', [['QUERY_STRING', '10.9.9.9']]));
    return JSON.parse(answers[0]!.body) as unknown[];
  };

  test('T28: a body whose connection is reset in the middle is not given to the app, and the log says so', async () => {
    const socket = await open(server.port);
    await new Promise<void>((resolve) =>
      socket.write(Buffer.concat([post(10), Buffer.from('hello')]), () => resolve()),
    );
    await entries(); // by now it is read
    socket.resetAndDestroy();
    await server.waitForLog(/^refused 499 127\.0\.0\.1: the connection was closed in the middle.*after 5 bytes/m);
    assert.deepEqual(await entries(), []);
  });

  test('T28: a packet whose connection is reset in the middle is told in the log', async () => {
    const socket = await open(server.port);
    await new Promise<void>((resolve) => socket.write(post(0).subarray(0, 10), () => resolve()));
    await entries();
    const from = server.log.length;
    socket.resetAndDestroy();
    await server.waitForLog(/^refused 499 127\.0\.0\.1: the connection was closed in the middle/m, from);
  });

  test('T17: a peer that stops in the middle of a packet or body is told 408, and one that sends nothing is let go', async () => {
    const whole = post(10);
    const starts = [
      Buffer.alloc(0),
      packetHeader(0, 20, 0).subarray(0, 2),
      whole.subarray(0, PACKET_HEADER_BYTES),
      whole,
    ];
    const got = await Promise.all(
      starts.map(async (start) => {
        const socket = await open(server.port);
        let bytes = '';
        socket.on('data', (chunk) => {
          bytes += chunk.toString('latin1');
        });
        socket.write(start);
        await once(socket, 'close');
        return bytes.slice(0, 12);
      }),
    );
    const told = 'HTTP/1.1 408';
    assert.deepEqual(got.slice(1), [told, told, told]);
    assert.deepEqual(await entries(), []);
  });

  test('T17: a peer that does not take its answer is given up', async () => {
    const slow = await startServer(['--socket', '127.0.0.1:0', '--wsgi-file', 'rules.py', '--socket-timeout', '2']);
    const socket = await open(slow.port);
    socket.pause();
    socket.write(packet('/closes-when-gone'));
    await slow.waitForLog(/^refused 408 127\.0\.0\.1: the client took nothing of its answer for 2000 ms$/m);
    await slow.waitForLog(/closes-when-gone closed 1 times/);
    socket.destroy();
    await slow.stop();
  });

  test('T16: a body over limit-post is refused before it has come, and a peer that sends all of it sees the 413', async () => {
    const small = await startServer(['--socket', '127.0.0.1:0', '--wsgi-file', 'inspect.py', '--limit-post', '1000']);
    const large = Buffer.alloc(16 << 20);
    for (const body of [Buffer.alloc(0), large]) {
      const { answers } = await raw(small.port, Buffer.concat([post(large.length), body]));
      assert.equal(answers[0]?.status, 413);
    }
    await small.stop();
  });
});
