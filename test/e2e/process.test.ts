// The server among other processes: hooks, daemons, cron, users (row T36 of docs/security.md), the background.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseCron } from '../../src/config/cron.js';
import { CronTable } from '../../src/process/cron-table.js';
import { descendants, isAlive, request, runToEnd, startServer, until } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-process-'));
chmodSync(directory, 0o777); // the server under test may run as another user
after(() => rmSync(directory, { recursive: true }));
const HELLO = ['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py'];
const isRoot = process.getuid!() === 0;
const pidIn = (text: RegExpExecArray) => Number(text[1]);

describe('hooks', () => {
  test('run at their stages, in order, and the server serves', async () => {
    const stages = [
      'as-user-atexit',
      'accepting-once',
      'post-app',
      'master-start',
      'pre-app',
      'as-user',
      'as-root',
      'asap',
    ];
    const hooks = stages.flatMap((stage) => [`--hook-${stage}`, `print:this is ${stage}`]);
    const server = await startServer([...HELLO, ...hooks, '--exec-pre-app', 'echo by command']);
    await server.waitForLog(/this is accepting-once/);
    assert.equal((await request(server.port, '/')).body, 'hello\n');
    await server.stop();
    const said = [...server.log.matchAll(/^\[hook [\w-]+\] (?:this is )?(.*)$/gm)].map((match) => match[1]);
    assert.match(server.log, /^spawned uWSGI master process \(pid: \d+\)\nrunning "print:this is master-start"/m);
    assert.deepEqual(said, [...stages.toReversed().slice(0, 4), 'by command', ...stages.toReversed().slice(4)]);
  });

  test('at the start of the master may name a signal that stops the server in order', async () => {
    const graceful = ['--hook-master-start', 'unix_signal:3 gracefully_kill_them_all'];
    const server = await startServer([...HELLO, ...graceful]);
    assert.deepEqual(await server.end('SIGQUIT'), { code: 0, signal: null });
    assert.match(server.log, /^SIGQUIT received: no new connections; the requests inside are answered/m);
  });

  test('one that fails before the server serves ends the start and names itself', async () => {
    const { code, output } = await runToEnd([...HELLO, '--hook-pre-app', 'exec:exit 3']);
    assert.equal(code, 1);
    assert.match(output, /hook-pre-app = exec:exit 3 failed: it exited with code 3/);
  });
});

describe('attached daemons', () => {
  test('start before the apps, start again when they end, and stop with the server', async () => {
    const server = await startServer([...HELLO, '--attach-daemon', 'echo up; exec sleep 1000']);
    const first = pidIn(await server.waitForLog(/\[daemon 1\] started .* \(pid (\d+)\)/));
    assert(server.log.indexOf('[daemon 1] started') < server.log.indexOf('spawned uWSGI worker 1'));
    await server.waitForLog(/\[daemon 1\] up/);
    process.kill(first, 'SIGKILL');
    const second = pidIn(await server.waitForLog(/was killed by SIGKILL[\s\S]*\[daemon 1\] started .* \(pid (\d+)\)/));
    assert(isAlive(second));
    await server.stop();
    assert(!isAlive(second));
  });

  test('one with a pidfile is adopted, and outlives the server', async () => {
    const pidfile = join(directory, 'smart.pid');
    const command = `${pidfile} sleep 1000 & echo $! > ${pidfile}`;
    const one = await startServer([...HELLO, '--smart-attach-daemon', command]);
    await until(() => Number(readIfThere(pidfile)) > 0, 'the pidfile is written');
    const pid = Number(readFileSync(pidfile, 'utf8'));
    await one.stop();
    assert(isAlive(pid));
    const two = await startServer([...HELLO, '--smart-attach-daemon', command]);
    await two.waitForLog(new RegExp(`found running: pid ${pid} `));
    await two.stop();
    process.kill(pid, 'SIGKILL');
  });

  test('the server stops when one does that it is controlled by', async () => {
    const server = await startServer([...HELLO, '--attach-control-daemon', 'read line < /dev/zero; sleep 1000']);
    const pid = pidIn(await server.waitForLog(/\[daemon 1\] started .* \(pid (\d+)\)/));
    process.kill(-pid, 'SIGTERM');
    await server.waitForLog(/goodbye to nuwsgi/);
  });
});

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

describe('cron', () => {
  test('runs what is due, once a minute, and a unique job not twice at a time', async () => {
    const lines: string[] = [];
    const log = { line: (text: string) => lines.push(text), output: () => {} };
    const job = (text: string, unique = false) => ({ ...parseCron(text)!, unique });
    const jobs = [
      job('7 -1 -1 -1 -1 echo seven'),
      job('8 -1 -1 -1 -1 echo eight'),
      job('-1 -1 -1 -1 -1 sleep 1000', true),
    ];
    const table = new CronTable(jobs, log);
    const at = (time: string) => table.tick(new Date(`2026-11-24T${time}`));
    at('15:07:00');
    at('15:07:30'); // the same minute
    await until(() => lines.includes('[uwsgi-cron 1] seven'), 'the job that is due has run');
    assert(isAlive(table.states[2]!.pid));
    at('15:08:00');
    await until(() => lines.includes('[uwsgi-cron 2] eight'), 'the next one has run');
    assert.equal(lines.filter((line) => line === '[uwsgi-cron 1] seven').length, 1);
    assert.equal(lines.filter((line) => line.includes('not started again')).length, 1);
    const { pid } = table.states[2]!;
    await table.stop();
    assert(!isAlive(pid));
  });

  test('a job that runs longer than cron-harakiri is killed', async () => {
    const lines: string[] = [];
    const log = { line: (text: string) => lines.push(text), output: () => {} };
    const table = new CronTable([{ ...parseCron('-1 -1 -1 -1 -1 sleep 1000')!, harakiriMs: 50 }], log);
    table.tick(new Date());
    await until(() => lines.some((line) => line.includes('was killed by SIGKILL')), 'it is killed');
    await table.stop();
  });
});

describe('--uid and --gid', () => {
  const whoami = join(directory, 'whoami.py');
  writeFileSync(
    whoami,
    'import os\nWHO = "loaded as %d:%d " % (os.getuid(), os.getgid())\n' +
      'def application(environ, start_response):\n' +
      '    body = WHO + "runs as %d:%d %s reads %d" % (os.getuid(), os.getgid(), os.getgroups(), len(environ["wsgi.input"].read()))\n' +
      '    start_response("200 OK", [("Content-Type", "text/plain")])\n    return [body.encode()]\n',
  );

  if (isRoot) {
    test('apps load and run as that user, who can also read a body in a file', async () => {
      const args = ['--http', '127.0.0.1:0', '--wsgi-file', whoami, '--uid', 'nobody', '--gid', 'nogroup'];
      const server = await startServer([...args, '--python', '/usr/bin/python3'], { isForOthers: true });
      const answer = await request(server.port, '/', { method: 'POST', body: Buffer.alloc(300_000) });
      assert.equal(answer.body, 'loaded as 65534:65534 runs as 65534:65534 [65534] reads 300000');
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
      await server.stop();
    });

    test('a directory that this user may not enter ends the start, and is named', async () => {
      const closed = join(directory, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      const args = ['--http', '127.0.0.1:0', '--chdir', closed, '--wsgi-file', whoami, '--uid', 'nobody'];
      const { code, output } = await runToEnd(args, { isForOthers: true });
      assert.equal(code, 22);
      assert.match(output, /\nuid 65534 may not run "python3", or not enter ".*\/closed" \(chdir, uid\)/);
    });

    test('requests that come while the apps are being loaded are answered', async () => {
      const slow = join(directory, 'slow_start.py');
      const flag = join(directory, 'go');
      writeFileSync(
        slow,
        `import os, time\nwhile not os.path.exists(${JSON.stringify(flag)}): time.sleep(0.01)\n` +
          'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"late"]\n',
      );
      const args = ['--http', '127.0.0.1:0', '--wsgi-file', slow, '--uid', 'nobody'];
      const server = await startServer(args, { isForOthers: true });
      assert.doesNotMatch(server.log, /spawned uWSGI worker/);
      const answer = request(server.port, '/');
      writeFileSync(flag, '');
      assert.equal((await answer).body, 'late');
      await server.stop();
    });
  } else {
    test('end the start where the rights are missing', async () => {
      const { code, output } = await runToEnd([...HELLO, '--uid', 'root']);
      assert.equal(code, 1);
      assert.match(output, /uid, gid: user root: .*EPERM/);
    });
  }

  test('a user that does not exist ends the start', async () => {
    const { code, output } = await runToEnd([...HELLO, '--uid', 'no-such-user']);
    assert.equal(code, 1);
    assert.match(output, /uid, gid: user no-such-user: /);
  });
});

describe('--daemonize', () => {
  test('comes back when the server is ready, which then runs on its own and logs to the file', async () => {
    const log = join(directory, 'daemon.log');
    const { code, output } = await runToEnd([...HELLO, '--daemonize', log]);
    assert.equal(code, 0, output);
    const pid = Number(/\(pid (\d+)\)/.exec(output)?.[1]);
    assert(isAlive(pid));
    const text = readFileSync(log, 'utf8');
    const port = Number(/\(port (\d+)\) is open/.exec(text)?.[1]);
    assert.equal((await request(port, '/')).body, 'hello\n');
    process.kill(pid, 'SIGTERM');
    await until(() => !isAlive(pid), 'it has ended');
    assert.match(readFileSync(log, 'utf8'), /goodbye to nuwsgi/);
  });

  test('comes back with the exit code and the log when it does not come up', async () => {
    const log = join(directory, 'failed.log');
    const { code, output } = await runToEnd(['--http', '127.0.0.1:0', '--wsgi-file', 'missing.py', '--daemonize', log]);
    assert.equal(code, 22);
    assert.match(output, /did not come up; its log .* says:\n[\s\S]*missing\.py/);
  });
});

describe('--auto-procname', () => {
  const titleOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '');

  test('calls the processes what they are, with what is to stand around it', async () => {
    const names = ['--auto-procname', '--procname-prefix-spaced', 'shop:', '--procname-append', ' (live)'];
    const server = await startServer([...HELLO, '--processes', '2', ...names]);
    assert.equal(titleOf(server.pid), 'shop: uWSGI master (live)');
    const titles = descendants(server.pid).map(titleOf).sort();
    const wanted = ['worker 1', 'worker 2', 'zygote'].map((role) => `shop: uWSGI ${role} (live)`);
    assert.deepEqual(titles, wanted);
    assert.equal((await request(server.port, '/')).body, 'hello\n');
    await server.stop();
  });
});
