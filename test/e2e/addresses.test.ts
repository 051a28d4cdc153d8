// Every kind of address on every kind of listener, the files of UNIX sockets, what is said when an address cannot be
// had, and sockets that systemd hands over (the real systemd-socket-activate).

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { APPS, open, ROOT, raw, request, runToEnd, startServer, type TestServer, until } from './harness.js';
import { freePort } from './nginx.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-addresses-'));
after(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);
const NUWSGI = join(ROOT, 'dist/cli.js');
const APP = ['--wsgi-file', 'inspect.mjs'];

interface Seen {
  readonly environ: Record<string, string>;
}

/** Asks by HTTP with curl, which knows every kind of address. */
function curl(address: string, ...how: string[]): Seen {
  const output = execFileSync('curl', ['-sS', '-g', '-m', '10', ...how, `http://${address}/x`], { encoding: 'utf8' });
  return JSON.parse(output) as Seen;
}

function uwsgiCurl(address: string): Seen {
  return JSON.parse(execFileSync(process.execPath, [NUWSGI, 'curl', address, '/x'], { encoding: 'utf8' })) as Seen;
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('one server on addresses of every kind', () => {
  let server: TestServer;
  const name = `nuwsgi-test-${process.pid}`;
  before(async () => {
    const http = ['--http', at('http.sock'), '--http', `@${name}-http`, '--http', '[::1]:0', '--http', ':0'];
    const node = ['--http-socket', `unix:${at('node.sock')}`, '--http-socket', `@${name}-node`];
    const ports = ['--http-socket', '[::1]:0', '--http-socket', 'localhost:0'];
    const uwsgi = ['--socket', at('uwsgi.sock'), '-s', `@${name}-uwsgi`, '--socket', '127.0.0.1:0'];
    server = await startServer([...http, ...node, ...ports, ...uwsgi, ...APP]);
  });
  after(() => server.stop());

  test('answers on each of them, and tells the app the port', async () => {
    const [http6, http4, node6, node4, uwsgi] = server.ports.map(String);
    const seen: readonly (readonly [Seen, peer: string, port: string])[] = [
      [curl('x', '--unix-socket', at('http.sock')), '', '80'],
      [curl('x', '--unix-socket', at('node.sock')), '', '80'],
      [curl('x', '--abstract-unix-socket', `${name}-http`), '', '80'],
      [curl('x', '--abstract-unix-socket', `${name}-node`), '', '80'],
      [curl(`[::1]:${http6}`), '::1', http6!],
      [curl(`[::1]:${node6}`), '::1', node6!],
      [curl(`127.0.0.1:${http4}`), '127.0.0.1', http4!],
      [curl(`localhost:${node4}`), '', node4!],
    ];
    for (const [{ environ }, peer, port] of seen) {
      assert.equal(environ.PATH_INFO, '/x');
      assert.equal(environ.SERVER_PORT, port);
      if (port !== node4) assert.equal(environ.REMOTE_ADDR, peer);
    }
    for (const address of [at('uwsgi.sock'), `@${name}-uwsgi`, `127.0.0.1:${uwsgi}`]) {
      assert.equal(uwsgiCurl(address).environ.PATH_INFO, '/x');
    }
  });

  test('several clients of a dual-stack socket are told apart, IPv4 ones by their IPv4 address', async () => {
    const both = await startServer(['--http', '[::]:0', '--http-socket', '[::]:0', ...APP]);
    for (const port of both.ports) {
      const held = await open(port); // an IPv4 connection beside the others
      assert.equal(curl(`127.0.0.1:${port}`).environ.REMOTE_ADDR, '127.0.0.1');
      assert.equal(curl(`[::1]:${port}`).environ.REMOTE_ADDR, '::1');
      held.destroy();
    }
    await both.stop();
  });
});

describe('the file of a UNIX socket', () => {
  const OPTIONS = ['--http', '--http-socket', '--socket'];

  test('gets the permissions and the owner asked for, and is gone after the end', async () => {
    const group = execFileSync('id', ['-g'], { encoding: 'utf8' }).trim();
    const sockets = OPTIONS.flatMap((option) => [option, at(`mode${option}`)]);
    const server = await startServer([...sockets, ...APP, '--chmod-socket=660', '--chown-socket', `:${group}`]);
    for (const option of OPTIONS) assert.equal(modeOf(at(`mode${option}`)), '660', option);
    await server.stop();
    for (const option of OPTIONS) assert(!existsSync(at(`mode${option}`)), option);
  });

  test('has 666 when chmod-socket stands alone, and else what umask leaves', async () => {
    const bare = await startServer(['--socket', at('bare.sock'), '--http', at('bare-http.sock'), ...APP, '-C']);
    assert.deepEqual([at('bare.sock'), at('bare-http.sock')].map(modeOf), ['666', '666']);
    await bare.stop();
    const masked = await startServer(['--socket', at('masked.sock'), '--http', at('m.sock'), ...APP, '--umask', '027']);
    assert.deepEqual([at('masked.sock'), at('m.sock')].map(modeOf), ['750', '750']);
    await masked.stop();
  });

  for (const option of OPTIONS) {
    test(`${option} replaces one that a killed server left behind`, async () => {
      const path = at(`stale${option}`);
      const killed = await startServer([option, path, ...APP]);
      await killed.end('SIGKILL');
      assert(existsSync(path));
      const server = await startServer([option, path, ...APP]);
      await server.stop();
    });

    test(`${option} leaves one alone that a server listens on, and names the server`, async () => {
      const path = at(`live${option}`);
      const server = await startServer([option, path, ...APP]);
      const second = await runToEnd([option, path, ...APP]);
      assert.equal(second.code, 1);
      assert(second.output.includes(`${option} ${path}: the address is in use by pid ${server.pid} (`), second.output);
      assert(existsSync(path));
      await server.stop();
    });

    test(`${option} leaves a file alone that is no socket`, async () => {
      const path = at(`plain${option}`);
      writeFileSync(path, 'precious');
      const { code, output } = await runToEnd([option, path, ...APP]);
      assert.equal(code, 1);
      assert.match(output, /there is a file that is no socket; it is left alone/);
      assert.equal(readFileSync(path, 'utf8'), 'precious');
    });

    test(`${option} does not remove at its end what another server has put there`, async () => {
      const path = at(`moved${option}`);
      const first = await startServer([option, path, ...APP]);
      renameSync(path, `${path}.old`);
      const second = await startServer([option, path, ...APP]);
      const { ino } = statSync(path);
      await first.stop();
      assert.equal(statSync(path).ino, ino);
      await second.stop();
      assert(!existsSync(path));
    });
  }
});

describe('an address that cannot be had', () => {
  const missing = at('missing/x.sock');
  // biome-ignore format: a table
  const CASES: readonly (readonly [what: string, address: string, message: string])[] = [
    ['an address of another machine', '192.0.2.1:0', 'this machine has no such address'],
    ['a host that is not known',      'nobody.invalid:0', 'no host of that name is known'],
    ['a directory that is not there', missing,       `there is no directory ${at('missing')}`],
    ['a descriptor that is not open', 'fd://99',     'descriptor 99 is no socket that can be listened on (ENOTSOCK)'],
  ];

  for (const option of ['--http', '--http-socket', '--socket']) {
    for (const [what, address, message] of CASES) {
      test(`${option} tells before the app is loaded: ${what}`, async () => {
        const { code, output } = await runToEnd([option, address, '--wsgi-file', 'hello.py']);
        assert.equal(code, 1);
        assert(output.includes(`nuwsgi: ${option} ${address}: ${message}`), output);
        assert.doesNotMatch(output, /spawned|loaded/);
      });
    }

    test(`${option} names the option, the address and the process of a port in use`, async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as { port: number };
      const { code, output } = await runToEnd([option, `:${port}`, '--wsgi-file', 'hello.py']);
      holder.close();
      assert.equal(code, 1);
      assert(output.includes(`nuwsgi: ${option} :${port}: the address is in use by pid ${process.pid} (`), output);
      assert.doesNotMatch(output, /spawned|loaded/);
    });
  }

  test('chown-socket with a user that is not known', async () => {
    const { code, output } = await runToEnd(['--socket', at('x.sock'), '--chown-socket', 'no-such-user', ...APP]);
    assert.equal(code, 2);
    assert.match(output, /chown-socket = "no-such-user" is not known here: there is no user of that name/);
  });
});

describe('options of sockets', () => {
  /** The timer of the kernel that runs for the server's end of a connection: see proc(5), /proc/net/tcp. */
  function timerOf(serverPort: number, clientPort: number): string | undefined {
    const hex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
      const [, local, remote, , , timer] = line.trim().split(/\s+/);
      if (local?.endsWith(hex(serverPort)) && remote?.endsWith(hex(clientPort))) return timer?.slice(0, 2);
    }
    return undefined;
  }
  const KEEPALIVE_TIMER = '02';

  test('--so-keepalive has the kernel probe the connections of every listener', async () => {
    const sockets = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0'];
    for (const [args, timer] of [
      [['--so-keepalive'], KEEPALIVE_TIMER],
      [[], '00'],
    ] as const) {
      const server = await startServer([...sockets, ...APP, ...args]);
      for (const port of server.ports) {
        const socket = await open(port);
        await until(() => timerOf(port, socket.localPort!) === timer, `a timer ${timer} on ${port}`);
        socket.destroy();
      }
      await server.stop();
    }
  });

  test('--listen is the backlog of every listener, whatever the engine', async () => {
    const sockets = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0'];
    const server = await startServer([...sockets, ...APP, '--listen', '77']);
    const listening = execFileSync('ss', ['-ltnH'], { encoding: 'utf8' });
    for (const port of server.ports) assert.match(listening, new RegExp(`LISTEN +\\d+ +77 +127\\.0\\.0\\.1:${port} `));
    await server.stop();
  });

  test('--reuse-port lets two servers share a port', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const args = ['--http', address, ...APP, '--reuse-port'];
    const servers = [await startServer(args), await startServer(args)];
    const port = Number(address.split(':')[1]);
    assert.equal((await request(port, '/')).status, 200);
    for (const server of servers) await server.stop();
  });
});

describe('sockets that systemd hands over', () => {
  /** Runs nuwsgi by the real systemd-socket-activate, which starts it when something connects. */
  async function activate(systemd: readonly string[], args: readonly string[], port: number) {
    const command = [...systemd, process.execPath, NUWSGI, ...args];
    const child: ChildProcess = spawn('systemd-socket-activate', command, { cwd: APPS });
    let log = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk) => {
        log += chunk;
      });
    }
    await until(() => log.includes('Listening on'), 'systemd listens');
    // the connection that starts the server is the first that it serves
    const first = await raw(port, 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n', { answers: 1 });
    const stop = async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
      assert.equal(child.exitCode, 0, log);
    };
    return { first: first.answers[0]!, log: () => log, stop };
  }

  test('are served by the option that names them, by the option they are named after, and else as uwsgi', async () => {
    const [named, spelt, other] = [await freePort(), await freePort(), await freePort()];
    const listen = [named, spelt, other].flatMap((port) => ['-l', `127.0.0.1:${port}`]);
    const systemd = [...listen, '-l', at('sd.sock'), '--fdname=web:http:anything:web'];
    const server = await activate(systemd, ['--http-socket', 'fd://web', '--wsgi-file', 'inspect.py'], named);
    const { environ } = JSON.parse(server.first.body) as Seen;
    assert.equal(environ.SERVER_PORT, String(named));
    assert.equal(curl(`127.0.0.1:${spelt}`).environ.SERVER_PORT, String(spelt));
    assert.equal(uwsgiCurl(`127.0.0.1:${other}`).environ.PATH_INFO, '/x');
    assert.equal(curl('x', '--unix-socket', at('sd.sock')).environ.PATH_INFO, '/x');
    assert.match(server.log(), /--http fd:\/\/4 \(http\) \(port \d+\) is open, engine uWebSockets\.js/);
    await server.stop();
    assert(existsSync(at('sd.sock')), "systemd's file is not ours to remove");
  });

  test('are served in the order of their numbers, and their variables do not reach the app', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const args = ['--http-socket', 'fd://4', '--http', 'fd://3', '--wsgi-file', 'env.py'];
    const server = await activate(['-l', `127.0.0.1:${first}`, '-l', `127.0.0.1:${second}`], args, second);
    assert.deepEqual(JSON.parse(server.first.body), []);
    assert.equal((await request(first, '/')).status, 200);
    await server.stop();
  });

  test('are not there for a process that they are not for', async () => {
    const env = { LISTEN_FDS: '1', LISTEN_PID: '1' };
    const { code, output } = await runToEnd(['--http-socket', 'fd://web', ...APP], { env });
    assert.equal(code, 2);
    assert.match(output, /"fd:\/\/web" is not the name of a socket that systemd has handed over \(there are none\)/);
  });
});
