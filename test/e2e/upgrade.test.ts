// SIGUSR2: a new process takes over, on the same sockets, and nobody notices.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { packetOf } from '../../src/wire/uwsgi.js';
import { selfSigned } from './certificates.js';
import {
  APPS,
  descendants,
  endWithTests,
  isAlive,
  open,
  parseAnswers,
  type RawAnswer,
  ROOT,
  request,
  runToEnd,
  startServer,
  type TestServer,
  until,
} from './harness.js';
import { freePort } from './nginx.js';
import { VersionedApp } from './versioned-app.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-upgrade-'));
chmodSync(directory, 0o755); // the server under test may run as another user
after(() => rmSync(directory, { recursive: true }));
const inDirectory = (name: string) => join(directory, name);
const own = selfSigned(directory, 'localhost');
const TLS = `127.0.0.1:0,${own.cert},${own.key}`;

type Target = { readonly port: number; readonly host: string } | { readonly socketPath: string };
/** Resolves with the body of a 200, or with what is wrong. */
type AskOnce = () => Promise<string>;

function overHttp(target: Target, isTls: boolean, isKept: boolean): AskOnce {
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: isKept, timeout: 5000 });
  const send = isTls ? httpsRequest : httpRequest;
  return () =>
    new Promise((resolve) => {
      const asked = send({ ...target, agent, path: '/', rejectUnauthorized: false }, (answer) => {
        let body = '';
        answer.on('data', (chunk) => {
          body += chunk;
        });
        answer.on('error', (error) => resolve(`cut off: ${error.message}`));
        answer.on('end', () => resolve(answer.statusCode === 200 ? body : `${answer.statusCode} ${body}`));
      });
      asked.on('error', (error) => resolve(`failed: ${error.message}`));
      asked.end();
    });
}

const PACKET = packetOf(
  Object.entries({ REQUEST_METHOD: 'GET', PATH_INFO: '/', REQUEST_URI: '/', SERVER_PROTOCOL: 'HTTP/1.1' }),
);

function overUwsgi(target: Target): AskOnce {
  return () =>
    new Promise((resolve) => {
      const socket = 'port' in target ? connect(target.port, target.host) : connect(target.socketPath);
      let bytes = '';
      socket.on('connect', () => socket.write(PACKET));
      socket.on('data', (chunk) => {
        bytes += chunk.toString('latin1');
      });
      socket.on('error', (error) => resolve(`failed: ${error.message}`));
      socket.on('end', () => {
        socket.end();
        resolve(bytes.startsWith('HTTP/1.1 200 ') ? bytes.slice(bytes.indexOf('\r\n\r\n') + 4) : `got ${bytes}`);
      });
    });
}

/** Asks at a fixed rate whatever becomes of the requests before, by each of `ways` in turn. */
class OpenLoop {
  /** How often each way got each answer. */
  readonly answers = new Map<string, number>();
  asked = 0;
  #isOver = false;
  readonly #pending: Promise<void>[] = [];
  readonly #sending: Promise<void>;

  constructor(ways: readonly (readonly [name: string, ask: AskOnce])[], perSecond: number) {
    this.#sending = this.#send(ways, perSecond);
  }

  async #send(ways: readonly (readonly [name: string, ask: AskOnce])[], perSecond: number): Promise<void> {
    const startMs = performance.now();
    while (!this.#isOver) {
      const [name, ask] = ways[this.asked % ways.length]!;
      this.#pending.push(
        ask().then((answer) => {
          const key = `${name}: ${answer}`;
          this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
        }),
      );
      this.asked++;
      const dueMs = startMs + (this.asked * 1000) / perSecond;
      if (performance.now() < dueMs) await pause(dueMs - performance.now());
    }
  }

  /** Resolves when the last answer has come. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
    await Promise.all(this.#pending);
  }
}

const HELLO = ['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py'];
/** Says when the server is ready, where its sockets are open before. */
const READY = ['--hook-accepting-once', 'print:ready'];
const READY_LINE = /^\[hook accepting-once\] ready$/m;
const pidIn = (file: string) => Number(readFileSync(file, 'latin1'));

/** Asserts that nothing is left of `server`, and of the processes that served before. */
async function assertGone(server: TestServer, pids: readonly number[]): Promise<void> {
  await until(() => pids.every((pid) => !isAlive(pid)), 'all processes are gone');
  assert.deepEqual(descendants(server.child.pid!), []);
}

describe('an upgrade', () => {
  test('three times in a row under load is noticed by nobody, on any kind of listener', async () => {
    const app = new VersionedApp('python');
    const [httpFile, nodeFile, uwsgiFile] = ['http', 'node', 'uwsgi'].map((name) => inDirectory(`${name}.sock`));
    // biome-ignore format: a table
    const listeners = [
      ['--http', '127.0.0.1:0'], ['--https', TLS], ['--http', httpFile!],
      ['--http-socket', '127.0.0.1:0'], ['--https-socket', TLS], ['--http-socket', nodeFile!],
      ['--socket', '127.0.0.1:0'], ['--socket', uwsgiFile!],
    ] as const;
    const args = [...listeners.flat(), '--disable-logging', '--wsgi-file', app.file, '--processes', '2'];
    const server = await startServer(args);
    const [http, https, node, nodeTls, uwsgi] = inOrder(server.log, listeners);
    const tcp = (port: number | undefined) => ({ host: '127.0.0.1', port: port! });
    const unix = (socketPath: string | undefined) => ({ socketPath: socketPath! });
    const webs: [string, Target, boolean][] = [
      ['uws', tcp(http), false],
      ['uws, TLS', tcp(https), true],
      ['uws, UNIX', unix(httpFile), false],
      ['node', tcp(node), false],
      ['node, TLS', tcp(nodeTls), true],
      ['node, UNIX', unix(nodeFile), false],
    ];
    const ways: [string, AskOnce][] = [
      ...webs.flatMap(([name, target, isTls]): [string, AskOnce][] => [
        [`${name}, new`, overHttp(target, isTls, false)],
        [`${name}, kept`, overHttp(target, isTls, true)],
      ]),
      ['uwsgi', overUwsgi(tcp(uwsgi))],
      ['uwsgi, UNIX', overUwsgi(unix(uwsgiFile))],
    ];
    const load = new OpenLoop(ways, 140);
    const pids = [server.pid];
    for (const version of ['v2', 'v3', 'v4']) {
      app.write(version);
      await server.upgrade();
      pids.push(server.pid);
    }
    // a kept connection brings old answers once more, and then is closed
    const isNew = ([name]: (typeof ways)[number]) => load.answers.has(`${name}: v4`);
    await until(() => ways.every(isNew), 'the last version has answered on every way');
    await load.end();
    const answers = [...load.answers.keys()];
    const wrong = answers.filter((answer) => !/: v[1-4]$/.test(answer));
    assert.deepEqual(wrong, [], `of ${load.asked} requests`);
    assert.equal(new Set(pids).size, 4);
    await server.stop();
    await assertGone(server, pids);
    for (const path of [httpFile, nodeFile, uwsgiFile]) assert(!existsSync(path!), path);
    app.remove();
  });
});

describe('a successor', () => {
  test('that does not come up leaves the old process serving, says why, and a repaired one takes over', async () => {
    const app = new VersionedApp('js');
    const pidfile = inDirectory('broken.pid');
    const ini = inDirectory('broken.ini');
    const config = `[uwsgi]\nhttp = 127.0.0.1:0\nwsgi-file = ${app.file}\nstats = ${inDirectory('stats')}\npidfile = ${pidfile}\n`;
    writeFileSync(ini, `${config}[end]\n`);
    const server = await startServer(['--ini', ini, '--http-socket', '127.0.0.1:0']);
    const before = server.pid;
    const fails = async (why: RegExp) => {
      const from = server.log.length;
      process.kill(before, 'SIGUSR2');
      await server.waitForLog(/^NOT upgraded \(SIGUSR2\), this process goes on serving: /m, from);
      assert.match(server.log.slice(from), why);
      assert.equal((await request(server.ports.at(-1)!, '/')).body, 'v1');
      assert.equal(pidIn(pidfile), before);
    };
    app.break();
    await fails(/this process goes on serving: cannot load .*app\.mjs/);
    app.write('v2');
    writeFileSync(ini, `${config}no-such-option = 1\n`);
    await fails(/this process goes on serving: .*broken\.ini:6.*no-such-option/);
    writeFileSync(ini, `${config}pidfile2 = ${inDirectory('nowhere/at/all')}\n`); // found out when it is about to take over
    await fails(/this process goes on serving: .*pidfile2: .*nowhere\/at\/all/);
    const { reloads } = (await statsOf(inDirectory('stats'))).nuwsgi.apps[0]!;
    assert.deepEqual(
      reloads.map(({ kind, reason, result }) => [kind, reason, result]),
      Array(3).fill(['upgrade', 'SIGUSR2', 'failed']),
    );
    assert.match(reloads[1]!.detail, /no-such-option/);
    writeFileSync(ini, config);
    await server.upgrade();
    assert.equal((await request(server.ports.at(-1)!, '/')).body, 'v2');
    assert.equal(pidIn(pidfile), server.pid);
    assert.notEqual(server.pid, before);
    const [own] = (await statsOf(inDirectory('stats'))).nuwsgi.apps[0]!.reloads;
    assert.deepEqual([own!.kind, own!.reason, own!.result], ['upgrade', 'SIGUSR2', 'done']);
    await server.stop();
    await assertGone(server, [before, server.pid]);
    for (const name of ['broken.pid', 'stats']) assert(!existsSync(inDirectory(name)), name);
    app.remove();
  });

  test('takes over pidfiles, the master FIFO and statistics, and is what --stop stops', async () => {
    const [fifo, stats] = [inDirectory('fifo'), inDirectory('stats.sock')];
    const files = ['pidfile', 'pidfile2', 'safe-pidfile'].map((name) => [name, inDirectory(name)] as const);
    const pids = files.flatMap(([name, path]) => [`--${name}`, path]);
    const server = await startServer([...HELLO, ...pids, '--master-fifo', fifo, '--stats', stats]);
    const before = server.pid;
    await server.upgrade();
    for (const [name, path] of files) assert.equal(pidIn(path), server.pid, name);
    assert.equal((await statsOf(stats)).pid, server.pid);
    writeFileSync(fifo, 's');
    await server.waitForLog(/^worker 1 \(pid: \d+\) idle: /m);
    await until(() => !isAlive(before), 'the old process ends');
    assert.deepEqual([server.child.exitCode, server.child.signalCode], [0, null]);
    assert.equal((await runToEnd(['--reload', files[0]![1]])).code, 0);
    await server.waitForLog(/reloaded in \d+ ms \(SIGHUP\)/);
    assert.equal((await runToEnd(['--stop', files[0]![1]])).code, 0);
    await server.waitForLog(/goodbye to nuwsgi/);
    await assertGone(server, [before, server.pid]);
    for (const path of [...files.map(([, file]) => file), fifo, stats]) assert(!existsSync(path), path);
  });

  test('reads the configuration anew: other engines on the same addresses, new listeners, and without old ones', async () => {
    const [kept, dropped] = [inDirectory('kept.sock'), inDirectory('dropped.sock')];
    const ini = inDirectory('changing.ini');
    writeFileSync(ini, `[uwsgi]\nwsgi-file = hello.py\nhttp = ${kept}\nsocket = ${dropped}\n`);
    const server = await startServer(['--ini', ini, '--http-socket', '127.0.0.1:0']);
    writeFileSync(ini, `[uwsgi]\nwsgi-file = hello.py\nhttp-socket = ${kept}\nhttp-socket = 127.0.0.2:0\n`);
    await server.upgrade();
    await server.waitForLog(/--http-socket \S*kept\.sock is open, engine node:http/);
    assert.equal(await overHttp({ socketPath: kept }, false, false)(), 'hello\n');
    const port = /127\.0\.0\.2:0 \(port (\d+)\)/.exec(server.log)![1];
    assert.equal(await overHttp({ host: '127.0.0.2', port: Number(port) }, false, false)(), 'hello\n');
    assert.equal((await request(server.port, '/')).body, 'hello\n');
    assert(!existsSync(dropped));
    await server.stop();
    assert(!existsSync(kept));
  });

  test('starts where a symbolic link leads by then', async () => {
    for (const release of ['1', '2']) {
      mkdirSync(inDirectory(`release-${release}`));
      writeFileSync(
        inDirectory(`release-${release}/app.mjs`),
        `export const application = (_, start) => (start('200 OK', []), 'release ${release}');\n`,
      );
    }
    const current = inDirectory('current');
    symlinkSync('release-1', current);
    const args = ['--http', '127.0.0.1:0', '--wsgi-file', 'app.mjs'];
    const server = await startServer(args, { cwd: current, env: { PWD: current } });
    assert.equal((await request(server.port, '/')).body, 'release 1');
    symlinkSync('release-2', `${current}.new`);
    renameSync(`${current}.new`, current);
    await server.upgrade();
    assert.equal((await request(server.port, '/')).body, 'release 2');
    await server.stop();
  });

  test('starts daemons when those of the old process have ended', async () => {
    const said = inDirectory('daemon says');
    const say = (word: string) => `echo ${word} >> '${said}'`;
    const daemon = `trap "${say('ends')}; exit" TERM; ${say('runs')}; while :; do sleep 0.01; done`;
    const server = await startServer([...HELLO, '--attach-daemon', daemon]);
    const hasSaid = (...words: string[]) => {
      return until(() => existsSync(said) && readFileSync(said, 'utf8') === `${words.join('\n')}\n`, words.join());
    };
    await hasSaid('runs');
    await server.upgrade();
    await hasSaid('runs', 'ends', 'runs');
    await server.stop();
    await hasSaid('runs', 'ends', 'runs', 'ends');
  });

  test('takes over in the background', async () => {
    const [log, pidfile] = [inDirectory('daemon.log'), inDirectory('daemon.pid')];
    const { code, output } = await runToEnd([...HELLO, '--daemonize', log, '--pidfile', pidfile]);
    assert.equal(code, 0, output);
    const before = pidIn(pidfile);
    process.kill(before, 'SIGUSR2');
    await until(() => pidIn(pidfile) !== before && !isAlive(before), 'another process has taken over');
    const port = Number(/\(port (\d+)\)/.exec(readFileSync(log, 'utf8'))![1]);
    assert.equal((await request(port, '/')).body, 'hello\n');
    const pid = pidIn(pidfile);
    assert.equal((await runToEnd(['--stop', pidfile])).code, 0);
    await until(() => !isAlive(pid), 'it ends');
    assert(!existsSync(pidfile));
  });

  if (process.getuid!() === 0) {
    test('listens on a port below 1024 and on a socket file that root has opened, without being root', async () => {
      const file = inDirectory('root.sock');
      const args = ['--http', '127.0.0.1:81', '--http', file, '--add-gid', 'daemon', '--uid', 'nobody', ...READY];
      const app = ['--python', '/usr/bin/python3', '--wsgi-file', 'hello.py'];
      const server = await startServer([...args, ...app], { isForOthers: true });
      await server.waitForLog(READY_LINE);
      await server.upgrade();
      assert.match(readFileSync(`/proc/${server.pid}/status`, 'utf8'), /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
      assert.equal((await request(81, '/')).body, 'hello\n');
      assert.equal(await overHttp({ socketPath: file }, false, false)(), 'hello\n');
      await server.stop();
    });
  }
});

describe('the old process', () => {
  test('answers what it runs, and what an idle connection still asks', async () => {
    const app = new VersionedApp('python');
    const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app.file]);
    const before = server.pid;
    const idle = await Client.open(server.port);
    assert.equal((await idle.ask('/')).body, 'v1');
    const slow = request(server.port, '/slow');
    await server.waitForLog(/slow has begun/);
    app.write('v2');
    await server.upgrade();
    assert.equal((await request(server.port, '/')).body, 'v2');
    const answer = await idle.ask('/');
    assert.deepEqual([answer.body, answer.headers.connection], ['v1', 'close']);
    assert.equal((await slow).body, 'v1');
    await until(() => !isAlive(before), 'the old process ends when the last connection has closed');
    await server.stop();
    app.remove();
  });

  test('waits for connections on which nothing has come yet, not even a TLS handshake', async () => {
    const server = await startServer(['--https', TLS, '--https-socket', TLS, '--wsgi-file', 'hello.py']);
    const before = server.pid;
    const early = await Promise.all(server.ports.map((port) => open(port)));
    await server.upgrade();
    const bodies = early.map(async (socket) => {
      const secured = tlsConnect({ socket, rejectUnauthorized: false });
      secured.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
      let bytes = '';
      for await (const chunk of secured) bytes += chunk;
      return parseAnswers(bytes, false, true)[0]?.body;
    });
    assert.deepEqual(await Promise.all(bodies), ['hello\n', 'hello\n']);
    await until(() => !isAlive(before), 'the old process ends');
    await server.stop();
  });

  test('ends at once when the server is stopped, whoever is connected to it', async () => {
    const server = await startServer(HELLO);
    const before = server.pid;
    const idle = await Client.open(server.port);
    await idle.ask('/');
    await server.upgrade();
    assert(isAlive(before));
    process.kill(server.pid, 'SIGTERM');
    await assertGone(server, [before, server.pid]);
    await until(() => server.child.exitCode === 0, 'the old one ends well');
    idle.close();
  });

  test('takes its successor with it when it is stopped, or killed, before the other has taken over', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const app = new VersionedApp('python');
      const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app.file]);
      app.write('v2', "print('is being loaded', flush=True)\ntime.sleep(60)");
      process.kill(server.pid, 'SIGUSR2');
      await server.waitForLog(/is being loaded/);
      const successor = Number(/pid (\d+) is started beside/.exec(server.log)![1]);
      process.kill(server.pid, 'SIGUSR2');
      await server.waitForLog(/SIGUSR2: not obeyed, pid \d+ is on its way to take over/);
      assert.deepEqual(
        await server.end(signal),
        signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal },
      );
      await until(() => !isAlive(successor), `the successor ends after ${signal}`);
      app.remove();
    }
  });

  test('starts no successor where that would not do: as a vassal', async () => {
    const vassals = inDirectory('vassals');
    mkdirSync(vassals);
    writeFileSync(join(vassals, 'one.ini'), `[uwsgi]\nhttp = 127.0.0.1:0\nwsgi-file = ${join(APPS, 'hello.py')}\n`);
    const emperor = await startServer(['--emperor', vassals]);
    const [, pid] = await emperor.waitForLog(
      /^\[one\.ini\] \*\*\* Starting nuwsgi .* \(pid: (\d+)\) \*\*\*[\s\S]*is open/m,
    );
    await until(() => {
      process.kill(Number(pid), 'SIGUSR2');
      return /SIGUSR2: not obeyed, an emperor sees to its vassals itself/.test(emperor.log);
    }, 'the vassal says so');
    process.kill(emperor.pid, 'SIGUSR2');
    await emperor.waitForLog(/^SIGUSR2: not obeyed, an emperor is upgraded by a restart/m);
    await emperor.stop();
  });
});

describe('a service manager', () => {
  test('hands over sockets that outlive the upgrade, names and numbers alike', async () => {
    const ports = [await freePort(), await freePort()] as const;
    const listen = ports.flatMap((port) => ['-l', `127.0.0.1:${port}`]);
    const nuwsgi = [process.execPath, join(ROOT, 'dist/cli.js'), '--http', 'fd://web', '--http-socket', 'fd://4'];
    const command = [
      ...listen,
      '--fdname=web:other',
      ...nuwsgi,
      '--wsgi-file',
      'hello.py',
      '--pidfile',
      inDirectory('sd'),
    ];
    const child = spawn('systemd-socket-activate', command, { cwd: APPS });
    endWithTests(child);
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk));
    await until(() => log.includes('Listening on'), 'systemd listens');
    assert.equal((await request(ports[0], '/')).body, 'hello\n'); // which starts the server
    const before = pidIn(inDirectory('sd'));
    for (const times of [1, 2]) {
      process.kill(pidIn(inDirectory('sd')), 'SIGUSR2');
      await until(() => log.match(/^upgraded in/gm)?.length === times, `${times} upgrades`);
      for (const port of ports) assert.equal((await request(port, '/')).body, 'hello\n');
    }
    const last = pidIn(inDirectory('sd'));
    assert.notEqual(last, before);
    process.kill(last, 'SIGTERM');
    await until(() => !isAlive(last) && !isAlive(before), 'all end');
  });

  test('is told when the server is ready, reloads, is another process, and stops', async () => {
    for (const [name, receiver] of [
      [inDirectory('notify'), 'sys.argv[1]'],
      [`@nuwsgi-notify-${process.pid}`, '"\\0" + sys.argv[1][1:]'],
    ] as const) {
      const python = `import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.bind(${receiver})\nprint("bound", flush=True)\nwhile True: print(s.recv(4096).decode(), flush=True)`;
      const manager = spawn('python3', ['-c', python, name]);
      endWithTests(manager);
      let told = '';
      manager.stdout.on('data', (chunk) => (told += chunk));
      await until(() => told.startsWith('bound'), 'the service manager listens');
      const server = await startServer(HELLO, { env: { NOTIFY_SOCKET: name } });
      await until(() => told.includes('READY=1'), 'it is told that the server is ready');
      process.kill(server.pid, 'SIGHUP');
      await until(() => /RELOADING=1\nMONOTONIC_USEC=\d+\n[\s\S]*READY=1/.test(told), 'it is told of the reload');
      await server.upgrade();
      await until(() => new RegExp(`^MAINPID=${server.pid}$[\\s\\S]*READY=1`, 'm').test(told), 'it is told who serves');
      await server.stop();
      await until(() => told.includes('STOPPING=1'), 'it is told that the server stops');
      manager.kill();
    }
  });
});

interface Stats {
  readonly pid: number;
  readonly nuwsgi: {
    readonly apps: readonly {
      readonly reloads: readonly {
        readonly kind: string;
        readonly reason: string;
        readonly result: string;
        readonly detail: string;
      }[];
    }[];
  };
}

/** What the server tells at the UNIX socket of --stats. */
async function statsOf(path: string): Promise<Stats> {
  let text = '';
  for await (const chunk of connect(path)) text += chunk;
  return JSON.parse(text) as Stats;
}

/** A connection that is kept between requests. */
class Client {
  readonly #socket: Socket;
  #bytes = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes += chunk.toString('latin1');
    });
  }

  static async open(port: number): Promise<Client> {
    return new Client(await open(port));
  }

  async ask(path: string): Promise<RawAnswer> {
    this.#bytes = '';
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await until(() => parseAnswers(this.#bytes, false, false)[0]?.complete === true, 'an answer comes');
    return parseAnswers(this.#bytes, false, false)[0]!;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Ports of the TCP listeners in the order of `listeners`; the log has them in the order in which they opened. */
function inOrder(log: string, listeners: readonly (readonly [option: string, address: string])[]): number[] {
  return listeners.flatMap(([option, address]) => {
    if (!address.startsWith('127.')) return [];
    const line = new RegExp(`^${option} \\S+ \\(port (\\d+)\\) is open`, 'm').exec(log);
    return Number(line![1]);
  });
}
