// The log of a running server: its lines beside a real uWSGI's, its targets, rotation under load, readers that fail.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { packetOf } from '../../src/wire/uwsgi.js';
import { rotateUnderLoad } from '../log-rotation.js';
import { openDoors } from './front-doors.js';
import { DEBIAN_PYTHON, open, raw, request, runToEnd, startServer, until } from './harness.js';
import { freePort } from './nginx.js';
import { RealUwsgi, readAll } from './real-uwsgi.js';
import { SteadyLoad } from './steady-load.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-log-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const LINE = /^\[pid: .*$/gm;
const APP = ['--wsgi-file', 'logged.py'];

/** What must differ from run to run. */
const steady = (line: string) =>
  line
    .replace(/pid: \d+/, 'pid: P')
    .replace(/\[\w{3} \w{3} .*? \d{4}\]/, '[DATE]')
    .replace(/in \d+ msecs/, 'in M msecs');

/** The same requests, over HTTP and in packets. */
async function ask(httpPort: number, uwsgiPort: number): Promise<void> {
  const paths = ['/', '/sized?a=b', '/missing', '/big', '/parts', '/%41%20b?c=%0d%0a'];
  for (const path of paths) {
    const head = `GET ${path} HTTP/1.1\r\nHost: example.org\r\nUser-Agent: a "test"\r\n\r\n`;
    await raw(httpPort, head, { answers: 1 });
  }
  const body = 'x'.repeat(321);
  await raw(httpPort, `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`, {
    answers: 1,
  });
  for (const user of ['', 'somebody']) {
    const variables = [
      ['REQUEST_METHOD', 'PUT'],
      ['REQUEST_URI', '/sized?x'],
      ['PATH_INFO', '/sized'],
      ['QUERY_STRING', 'x'],
      ['SERVER_PROTOCOL', 'HTTP/1.0'],
      ['SCRIPT_NAME', ''],
      ['REMOTE_ADDR', '10.1.2.3'],
      ['REMOTE_USER', user],
      ['HTTP_HOST', 'a'],
      ['SERVER_NAME', 'a'],
      ['SERVER_PORT', '80'],
    ] as const;
    await raw(uwsgiPort, packetOf(variables));
  }
}

describe('request lines', () => {
  test('are those of a real uWSGI, field by field', async () => {
    const uwsgi = await RealUwsgi.start('logged.py');
    const port = await freePort(); // of as many digits as uWSGI's: SERVER_PORT is a variable
    const sockets = ['--http-socket', `127.0.0.1:${port}`, '--socket', '127.0.0.1:0'];
    const server = await startServer([...sockets, ...APP]);
    try {
      await ask(uwsgi.httpPort, uwsgi.uwsgiPort);
      await ask(port, server.port);
      const linesOf = (log: string) => [...log.matchAll(LINE)].map(([line]) => steady(line));
      await until(() => linesOf(uwsgi.log).length === 9, 'uWSGI has logged all');
      await until(() => linesOf(server.log).length === 9, 'the server has logged all');
      assert.deepEqual(linesOf(server.log), linesOf(uwsgi.log));
    } finally {
      await uwsgi.stop();
      await server.stop();
    }
  });

  test('are JSON objects where that is wanted, messages and output of the app too', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', ...APP, '--log-json']);
    try {
      await request(server.port, '/print/"quoted"');
      await until(() => server.log.includes('"uri":"/print/'), 'the request is logged');
    } finally {
      await server.stop();
    }
    const all = server.log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert(all.every(({ time }) => !Number.isNaN(Date.parse(String(time)))));
    const logged = all.find(({ uri }) => uri !== undefined)!;
    assert.deepEqual([logged.method, logged.uri, logged.status, logged.rsize], ['GET', '/print/"quoted"', 200, 6]);
    const printed = all.find(({ output }) => output === 'printed /print/"quoted" 199')!;
    assert.equal(printed.source, 'worker 1');
    assert(all.some(({ message }) => /^spawned uWSGI worker 1/.test(String(message))));
  });

  test('have what --log-format, --log-date and --log-prefix say, of every way in', async () => {
    const format = '%(addr) %(var.HTTP_HOST) %(var.SERVER_PORT) %(var.QUERY_STRING) %(uri)';
    const options = ['--log-format', format, '--log-date=%Y', '--log-prefix', 'shop '];
    const { server, each } = await openDoors([...APP, ...options]);
    const year = new Date().getFullYear();
    try {
      await each(async ({ name, ask }) => {
        const from = server.log.length;
        await ask('/sized?a=b');
        const host = name === 'uwsgi' ? '\\S+' : 'test';
        await server.waitForLog(new RegExp(`^${year} - shop \\S+ ${host} \\d+ a=b /sized\\?a=b$`, 'm'), from);
      });
      await server.waitForLog(new RegExp(`^${year} - shop spawned uWSGI worker 1`, 'm'));
    } finally {
      await server.stop();
    }
  });
});

describe('a request that its client gives up', () => {
  test('has its line too, whether it waits or runs', async () => {
    const server = await startServer(['--http-socket', '127.0.0.1:0', ...APP]); // one worker with one thread
    try {
      const running = await open(server.port);
      running.write('GET /slow/1 HTTP/1.1\r\nHost: a\r\n\r\n');
      await server.waitForLog(/begins \/slow/);
      const waiting = await Promise.all([1, 2, 3].map(() => open(server.port)));
      for (const [i, socket] of waiting.entries()) socket.write(`GET /waits/${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await request(server.port, '/'); // all of them are inside by now
      for (const socket of [running, ...waiting]) socket.destroy();
    } finally {
      await server.stop();
    }
    const paths = [...server.log.matchAll(/ GET (\S+) => /g)].map(([, path]) => path);
    assert.deepEqual(paths.sort(), ['/', '/slow/1', '/waits/0', '/waits/1', '/waits/2']);
  });

  test('before a worker has begun it is logged with status 499', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', ...APP]); // where a closed connection is seen at once
    try {
      const running = request(server.port, '/slow/1');
      await server.waitForLog(/begins \/slow/);
      const waiting = await open(server.port);
      waiting.write('GET /waits HTTP/1.1\r\nHost: a\r\n\r\n');
      await request(server.port, '/missing?x', { headers: ['Bad Name: x'] }).catch(() => {}); // the one before has been read
      waiting.destroy();
      await server.waitForLog(
        / GET \/waits => generated 0 bytes in \d+ msecs \(HTTP\/1\.1 499\) 0 headers in 0 bytes /,
      );
      assert.equal((await running).status, 200);
    } finally {
      await server.stop();
    }
  });
});

describe('what an app prints', () => {
  test('comes line by line, marked with its worker, in the order of its thread', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', ...APP, '--processes', '2', '--threads', '2']);
    try {
      await Promise.all(Array.from({ length: 8 }, (_, i) => request(server.port, `/print/${i}`)));
      await until(() => [...server.log.matchAll(/ printed /g)].length === 1600, 'all of it is there');
      for (let i = 0; i < 8; i++) {
        const lines = [...server.log.matchAll(new RegExp(`^\\[worker \\d\\] printed /print/${i} (\\d+)$`, 'gm'))];
        assert.deepEqual(
          lines.map(([, n]) => Number(n)),
          Array.from({ length: 200 }, (_, n) => n),
        );
      }
      assert.match(server.log, /^\[worker \d\] INFO logged \/print\/3$/m);
      assert.doesNotMatch(server.log, /printed.*printed/);
    } finally {
      await server.stop();
    }
    assert.match(server.log, /^\[worker \d\] .*no line end/m, 'what has no line end comes at the end');
  });
});

/** A Python program that prints every datagram it gets, and tells when it listens. */
const RECEIVER = `
import socket, sys
kind, address = sys.argv[1], sys.argv[2]
if kind == 'udp':
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 0))
    print('port', s.getsockname()[1], flush=True)
else:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(address)
    print('port 0', flush=True)
while True:
    print(repr(s.recv(65536)), flush=True)
`;

async function receive(kind: 'udp' | 'unix', address: string) {
  const child = spawn(DEBIAN_PYTHON, ['-c', RECEIVER, kind, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await until(() => text.includes('\n'), 'the receiver listens');
  return {
    port: Number(/^port (\d+)/.exec(text)![1]),
    get lines() {
      return text.split('\n').slice(1, -1);
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

describe('where the log goes', () => {
  test('loggers, routes and encoders send each line where it belongs', async () => {
    const udp = await receive('udp', '127.0.0.1');
    const remote = await receive('udp', '127.0.0.1');
    const socketPath = join(directory, 'datagrams');
    const unix = await receive('unix', socketPath);
    const file = join(directory, 'errors.log');
    const targets = [
      ...['--req-logger', `udp socket:127.0.0.1:${udp.port},mark`],
      ...['--req-logger', `file file:${file}`],
      ...['--req-logger', `socket:${socketPath}`],
      ...['--req-logger', `remote rsyslog:127.0.0.1:${remote.port},shop`],
      ...['--log-req-route', 'file  404\\)', '--log-req-route', 'udp /sized', '--log-req-route', 'remote /sized'],
      ...['--log-drain', '/parts'],
      ...['--log-req-encoder', 'prefix:file ERROR '],
    ];
    const server = await startServer(['--http', '127.0.0.1:0', ...APP, ...targets]);
    try {
      for (const path of ['/', '/sized', '/missing', '/parts', '/last']) await request(server.port, path);
      await until(() => unix.lines.length === 2 && udp.lines.length === 1 && remote.lines.length === 1, 'datagrams');
      assert.match(unix.lines[0]!, /^b'\[pid: \d+\|app: 0\|req: 1\/1\] .* GET \/ =>.*\\n'$/);
      assert.match(unix.lines[1]!, /GET \/last =>/);
      assert.match(udp.lines[0]!, /^b'mark \[pid: .* GET \/sized =>/);
      assert.match(remote.lines[0]!, /^b'<30>\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ shop\[\d+\]: \[pid: .* GET \/sized =>/);
      await until(() => readFileSync(file, 'utf8').endsWith('\n'), 'the file is written');
      assert.match(readFileSync(file, 'utf8'), /^ERROR \[pid: .* GET \/missing => .*\n$/);
      assert.doesNotMatch(server.log, LINE, 'and nothing of it goes to standard error');
    } finally {
      await server.stop();
      for (const receiver of [udp, remote, unix]) await receiver.stop();
    }
  });

  test('a UNIX socket whose daemon is gone costs lines, which are counted, and no request', async () => {
    const socketPath = join(directory, 'daemon');
    const first = await receive('unix', socketPath);
    const server = await startServer(['--http', '127.0.0.1:0', ...APP, '--req-logger', `socket:${socketPath}`]);
    try {
      await request(server.port, '/1');
      await until(() => first.lines.length === 1, 'the first line');
      await first.stop();
      rmSync(socketPath);
      for (let i = 0; i < 5; i++) assert.equal((await request(server.port, '/2')).status, 200);
      await server.waitForLog(/cannot send log lines to .*daemon: E[A-Z]+\. Requests go on without it\./);
      const second = await receive('unix', socketPath);
      await until(() => {
        void request(server.port, '/3');
        return second.lines.length > 0;
      }, 'lines come again');
      await server.waitForLog(/log lines reach .*daemon again, \d+ were lost meanwhile/);
      assert.equal([...server.log.matchAll(/cannot send/g)].length, 1);
      await second.stop();
    } finally {
      await server.stop();
    }
  });

  test('a reader of standard error that goes away stops no request, nor the end', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', ...APP]);
    server.child.stderr!.destroy(); // the pipe has no reader any more
    for (let i = 0; i < 20; i++) assert.equal((await request(server.port, '/print/x')).status, 200);
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
  });

  test('a reader of standard error that reads nothing stops no request, nor the end', async () => {
    const server = await startServer(['--http', '127.0.0.1:0', ...APP]);
    server.child.stderr!.pause(); // the pipe fills up: it holds 64 KiB, and each request prints 5 KiB
    for (let i = 0; i < 50; i++) assert.equal((await request(server.port, '/print/x')).status, 200);
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
  });
});

describe('a log file on a full disk', () => {
  test('costs no request; the loss is counted, told once, and lines come again when there is room', async () => {
    const disk = mkdtempSync(join(directory, 'disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk]);
    try {
      const path = join(disk, 'requests.log');
      const statsPort = await freePort();
      const server = await startServer([
        ...['--http', '127.0.0.1:0', ...APP, '--stats', `127.0.0.1:${statsPort}`],
        ...['--req-logger', `file:${path}`],
      ]);
      try {
        const lost = async () => JSON.parse(await readAll(statsPort)).nuwsgi.log_lines_lost as number;
        const load = new SteadyLoad(server.port, `/sized?${'x'.repeat(3000)}`);
        await server.waitForLog(/cannot write to the log .*requests\.log: ENOSPC.*Requests go on without it\./);
        while ((await lost()) === 0) await load.more(500); // beyond what is kept for better times
        await load.more(500);
        execFileSync('mount', ['-o', 'remount,size=64m', disk]);
        const [, told] = await server.waitForLog(/requests\.log is written again, (\d+) lines were lost/);
        await load.more(100);
        const { bodies, failures } = await load.end();
        assert.deepEqual(failures, []);
        const lostInAll = await lost();
        assert.equal(Number(told), lostInAll);
        await server.stop();
        const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
        const requests = lines.filter((line) => /^\[pid: .* GET \/sized\?x{3000} => .*\)$/.test(line));
        assert.equal(requests.length, bodies.hello! - lostInAll, 'every request has a line, or is counted as lost');
        assert.equal(lines.length, requests.length + 1, 'and one line says so');
        assert.equal([...server.log.matchAll(/cannot write to the log/g)].length, 1);
      } finally {
        await server.end('SIGKILL');
      }
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});

describe('a log file that is rotated under load', () => {
  test('by size, by touching a file, and by others: every request has one whole line', async () => {
    const { requests, lines, broken, files } = await rotateUnderLoad({ requests: 20_000, rotations: 6 });
    assert.deepEqual({ lines, broken }, { lines: requests, broken: [] });
    assert(files >= 5, String(files)); // touches within a second of each other are one
  });

  test('as JSON stays JSON', async () => {
    const [log, fifo] = [join(directory, 'rotated.json'), join(directory, 'rotate')];
    const server = await startServer([
      ...['--http', '127.0.0.1:0', ...APP, '--log-json', '--master-fifo', fifo],
      ...['--req-logger', `file:${log}`],
    ]);
    try {
      await request(server.port, '/');
      writeFileSync(fifo, 'L');
      await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('log rotated'), 'the file is rotated');
      await request(server.port, '/');
      const lines = () => readFileSync(log, 'utf8').split('\n').slice(0, -1);
      await until(() => lines().length === 2, 'both lines');
      for (const line of lines()) assert.equal(typeof JSON.parse(line), 'object');
    } finally {
      await server.stop();
    }
  });

  test('a log that cannot be opened ends the start with a reason', async () => {
    const { code, output } = await runToEnd(['--http', '127.0.0.1:0', ...APP, '--logto', '/nowhere/log']);
    assert.equal(code, 1);
    assert.match(output, /^nuwsgi: cannot log to \/nowhere\/log: ENOENT/);
  });
});
