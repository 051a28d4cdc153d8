// `nuwsgi ping` and `nuwsgi curl`, against this server and against a real uWSGI; and a real uWSGI's ping against us.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT, runToEnd, startServer, type TestServer } from './harness.js';
import { RealUwsgi } from './real-uwsgi.js';

const abstractName = `@nuwsgi-client-${process.pid}`;

describe('nuwsgi ping and nuwsgi curl', () => {
  let server: TestServer;
  let uwsgi: RealUwsgi;
  before(async () => {
    const apps = ['--mount', '/=inspect.py', '--mount', '/proxy=behind_proxy.py'];
    server = await startServer(['--socket', '127.0.0.1:0', '--socket', abstractName, ...apps]);
    const sockets = ['--socket', `${abstractName}-uwsgi`];
    uwsgi = await RealUwsgi.start('inspect.py', ['--plugin', 'ping', ...sockets]);
  });
  after(async () => {
    await server.stop();
    await uwsgi.stop();
  });

  /** This server and the real one, by port and by abstract name. */
  const addresses = () => [
    `127.0.0.1:${server.port}`,
    abstractName,
    `127.0.0.1:${uwsgi.uwsgiPort}`,
    `${abstractName}-uwsgi`,
  ];

  test('ask both servers', async () => {
    for (const address of addresses()) {
      const ping = await runToEnd(['ping', address]);
      assert.equal(ping.code, 0, ping.output);
      assert.match(ping.output, /answers after [\d.]+ ms\n$/);
      const curl = await runToEnd(['curl', address, '/a%20b?c=d', '-H', 'X-One: 1', '-d', 'hello', '-i']);
      assert.equal(curl.code, 0, curl.output);
      assert.match(curl.output, /^HTTP\/1\.1 200 OK\r\n/);
      const { environ, bodyBytes } = JSON.parse(curl.output.split('\r\n\r\n')[1]!);
      assert.equal(environ.REQUEST_METHOD, 'POST');
      assert.equal(environ.PATH_INFO, '/a b');
      assert.equal(environ.QUERY_STRING, 'c=d');
      assert.equal(environ.HTTP_X_ONE, '1');
      assert.equal(bodyBytes, 5);
    }
  });

  test("a real uWSGI's --ping takes us for one", async () => {
    const args = ['--plugin', 'ping', '--ping', `127.0.0.1:${server.port}`];
    const { stdout, stderr } = await promisify(execFile)('uwsgi', args); // rejects unless it exits with 0
    assert.match(stdout + stderr, /PING uwsgi host/);
    await server.waitForLog(/127\.0\.0\.1: PING/);
  });

  test("--ping, uWSGI's way to ask, is the same", async () => {
    const address = `127.0.0.1:${server.port}`;
    for (const args of [
      ['--ping', address],
      [`--ping=${address}`, '--ping-timeout', '3'],
      ['--ping', address, '--ping-timeout=3'],
    ]) {
      const { code, output } = await runToEnd(args);
      assert.equal(code, 0, output);
    }
    assert.equal((await runToEnd(['--ping', '127.0.0.1:1'])).code, 1);
  });

  test('-v shows what is sent and what comes back, --var sets variables as they are, in UTF-8', async () => {
    const address = `127.0.0.1:${server.port}`;
    const args = [
      'curl',
      address,
      '/ü',
      '-v',
      '-H',
      'X-Name: José',
      '--var',
      'REMOTE_ADDR=192.0.2.7',
      '--var',
      'OWN=1',
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${ROOT}/dist/cli.js`, ...args], {
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    assert.match(stderr, /^> REQUEST_URI=\/ü$/m);
    assert.match(stderr, /^> HTTP_X_NAME=José$/m);
    assert.equal(stderr.match(/REMOTE_ADDR/g)?.length, 1);
    assert.match(stderr, /^< HTTP\/1\.1 200 OK$/m);
    const { environ } = JSON.parse(stdout);
    assert.equal(environ.REMOTE_ADDR, '192.0.2.7');
    assert.equal(environ.OWN, '1');
    assert.equal(Buffer.from(environ.HTTP_X_NAME, 'latin1').toString(), 'José');
  });

  test('-f turns an answer that says no into exit code 22', async () => {
    const refused = await runToEnd(['curl', `127.0.0.1:${server.port}`, '/', '-f', '--var', 'CONTENT_LENGTH=-1']);
    assert.equal(refused.code, 22);
    assert.match(refused.output, /^nuwsgi curl: HTTP\/1\.1 400 Bad Request$/m);
    assert.doesNotMatch(refused.output, /^Bad Request$/m);
    assert.equal((await runToEnd(['curl', `127.0.0.1:${server.port}`, '/proxy/', '-f'])).code, 0);
  });

  test('a large body goes out, and a large answer comes whole', async () => {
    const { code, output } = await runToEnd([
      'curl',
      `127.0.0.1:${server.port}`,
      '/proxy/sha',
      '-d',
      'x'.repeat(100_000),
    ]);
    assert.equal(code, 0);
    assert.match(output, /^100000 [0-9a-f]{64}$/);
  });

  test('explain themselves, and name what cannot be', async () => {
    assert.match((await runToEnd(['curl', '--help'])).output, /^usage: nuwsgi curl ADDRESS \[PATH\]/);
    const CASES: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [['ping', '9090'], /for a port write :9090/],
      [['ping', 'fd://3'], /is not an address that can be connected to/],
      [['ping', ':1', '--timeout', 'soon'], /"soon" is not a number of seconds/],
      [['curl', ':1', '/', '-H', 'none'], /"none" is not of the form Name: value/],
      [['curl', ':1', '/', '--nonsense'], /Unknown option '--nonsense'/],
      [['curl'], /^nuwsgi: usage: nuwsgi curl ADDRESS/],
    ];
    for (const [args, message] of CASES) {
      const { code, output } = await runToEnd(args);
      assert.equal(code, 2, args.join(' '));
      assert.match(output, message);
    }
    const gone = await runToEnd(['ping', '127.0.0.1:1']);
    assert.equal(gone.code, 1);
    assert.match(gone.output, /ECONNREFUSED/);
  });
});

describe('a server that does not behave', () => {
  /** Runs the client against a server that does `act` with each connection. */
  async function against(act: (socket: Socket) => void, command: readonly string[]) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => act(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const [name, ...rest] = command;
    const result = await runToEnd([name!, `127.0.0.1:${port}`, ...rest]);
    server.close();
    return result;
  }

  // biome-ignore format: a table
  const CASES: readonly (readonly [what: string, act: (socket: Socket) => void, command: readonly string[], code: number, message: RegExp])[] = [
    ['closes at once',               (s) => s.end(),                                      ['ping'], 1, /closed the connection without an answer/],
    ['says something else',          (s) => s.end('HTTP/1.1 400 Bad Request\r\n\r\n'),    ['ping'], 1, /the answer is no pong/],
    ['warns',                        (s) => s.end(Buffer.from('64040001666f6f21', 'hex')), ['ping'], 2, /: foo!$/m],
    ['says nothing',                 () => {},                                            ['ping', '--timeout', '0.2'], 1, /no answer within 0\.2 s/],
    ['gives half an answer',         (s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'), ['curl'], 1, /the answer ends after 4 of 9 bytes/],
    ['gives an answer without head', (s) => s.end('just this'),                           ['curl'], 0, /^just this$/],
    ['answers like CGI',             (s) => s.end('Status: 404 Not Found\r\n\r\nno'),     ['curl', '/', '-f'], 22, /Status: 404/],
    ['answers before it has read all, and resets', (s) => { s.write('HTTP/1.1 413 X\r\n\r\nno', () => s.resetAndDestroy()); }, ['curl', '/', '-d', 'x'.repeat(100_000)], 0, /^no$/],
  ];
  for (const [what, act, command, code, message] of CASES) {
    test(`${what}: is told`, async () => {
      const result = await against(act, command);
      assert.equal(result.code, code, result.output);
      assert.match(result.output, message);
    });
  }
});
