// How a running server is told things: the master FIFO, pidfiles, signals, an app, changed sources.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { request, runToEnd, startServer, until } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-control-'));
after(() => rmSync(directory, { recursive: true }));
const HELLO = ['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py'];
const inDirectory = (name: string) => join(directory, name);

describe('the master FIFO', () => {
  test('takes commands of one letter, is only for its owner, and goes with the server', async () => {
    const fifo = inDirectory('fifo');
    const server = await startServer([...HELLO, '--master-fifo', fifo]);
    assert(statSync(fifo).isFIFO());
    assert.equal(statSync(fifo).mode & 0o777, 0o600);
    const tell = (letters: string) => writeFileSync(fifo, letters);
    tell('r\n');
    await server.waitForLog(/reloaded in \d+ ms \(master-fifo/);
    tell('s');
    await server.waitForLog(/^worker 1 \(pid: \d+\) idle: /m);
    tell('x');
    await server.waitForLog(/no command has the letter "x"/);
    tell('q');
    await server.waitForLog(/goodbye to nuwsgi/);
    await until(() => !existsSync(fifo), 'the pipe is removed');
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
  });

  test('has several pipes, of which a digit chooses the one that is listened to', async () => {
    const [zero, one] = [inDirectory('fifo0'), inDirectory('fifo1')];
    const server = await startServer([...HELLO, '--master-fifo', zero, '--master-fifo', one]);
    writeFileSync(zero, '1');
    writeFileSync(one, 's');
    await server.waitForLog(/^worker 1 /m);
    await server.stop();
  });

  test('does not stay behind when the start fails, unless it was there before', async () => {
    const [made, found] = [inDirectory('made'), inDirectory('found')];
    assert.equal(spawnSync('mkfifo', [found]).status, 0);
    const { code } = await runToEnd([...HELLO, '--master-fifo', made, '--master-fifo', found, '--exec-asap', 'exit 3']);
    assert.equal(code, 1);
    assert.deepEqual([existsSync(made), existsSync(found)], [false, true]);
  });

  test('that is another kind of file already ends the start', async () => {
    const path = inDirectory('plain');
    writeFileSync(path, '');
    const { code, output } = await runToEnd([...HELLO, '--master-fifo', path]);
    assert.equal(code, 2);
    assert.match(output, /master-fifo: ".*plain" cannot be made: mkfifo: .*File exists/);
  });
});

describe('pidfiles', () => {
  test('are written at their time, name the server to --reload and --stop, and go with it', async () => {
    const files = ['pidfile', 'pidfile2', 'safe-pidfile'].map((name) => [name, inDirectory(name)] as const);
    const server = await startServer([...HELLO, ...files.flatMap(([name, path]) => [`--${name}`, path])]);
    const [, pidfile] = files[0]!;
    await until(() => existsSync(files[2]![1]), 'the last one is written');
    for (const [, path] of files) assert.equal(readFileSync(path, 'utf8'), `${server.pid}\n`);
    assert.equal((await runToEnd(['--reload', pidfile])).code, 0);
    await server.waitForLog(/reloaded in \d+ ms \(SIGHUP\)/);
    assert.equal((await runToEnd(['--stop', pidfile])).code, 0);
    await server.waitForLog(/goodbye to nuwsgi/);
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
    for (const [, path] of files) assert(!existsSync(path), path);
  });

  test("stay where root's directory keeps them, and are named then", { skip: process.getuid!() !== 0 }, async () => {
    const path = inDirectory('roots.pid');
    const server = await startServer([...HELLO, '--pidfile', path, '--uid', 'nobody'], { isForOthers: true });
    await server.stop();
    assert.match(
      server.log,
      /the pidfile .*roots\.pid stays: its directory may not be written to since root was given up/,
    );
    assert.equal(readFileSync(path, 'utf8'), `${server.pid}\n`);
  });

  test('that are not there, hold no process, or an ended one, are told apart', async () => {
    const path = inDirectory('wrong.pid');
    const stop = async () => runToEnd(['--stop', path]);
    assert.match((await stop()).output, /--stop: ".*wrong\.pid" cannot be read: ENOENT/);
    writeFileSync(path, 'no number');
    assert.match((await stop()).output, /holds no process id/);
    writeFileSync(path, '4194303');
    const gone = await stop();
    assert.match(gone.output, /names process 4194303, which is not there/);
    assert.equal(gone.code, 2);
  });
});

describe('a pause', () => {
  test('lets requests wait inside, and all are answered when it is over', async () => {
    const server = await startServer([...HELLO, '--pidfile', inDirectory('pause.pid')]);
    await runToEnd(['--pause', inDirectory('pause.pid')]);
    await server.waitForLog(/\*\*\* PAUSE/);
    let answered = 0;
    const requests = Array.from({ length: 20 }, () => request(server.port, '/').then(() => answered++));
    const from = server.log.length;
    process.kill(server.pid, 'SIGUSR1');
    await server.waitForLog(/0 requests with workers, \d+ waiting/, from);
    await until(() => {
      process.kill(server.pid, 'SIGUSR1');
      return /0 requests with workers, 20 waiting/.test(server.log);
    }, 'all 20 wait inside');
    assert.equal(answered, 0);
    await runToEnd(['--resume', inDirectory('pause.pid')]);
    await Promise.all(requests);
    await server.stop();
  });

  test('ends with a stop, which answers what waits', async () => {
    const server = await startServer(HELLO);
    process.kill(server.pid, 'SIGTSTP');
    await server.waitForLog(/\*\*\* PAUSE/);
    const answer = request(server.port, '/');
    await until(() => {
      process.kill(server.pid, 'SIGUSR1');
      return /, 1 waiting/.test(server.log);
    }, 'the request waits inside');
    const [{ body }] = await Promise.all([answer, server.stop()]);
    assert.equal(body, 'hello\n');
  });
});

describe('an app', () => {
  test('reloads and stops the server by the module uwsgi', async () => {
    const app = inDirectory('teller.py');
    writeFileSync(
      app,
      'import uwsgi\ndef application(environ, start_response):\n' +
        '    getattr(uwsgi, environ["PATH_INFO"][1:])()\n' +
        '    start_response("200 OK", [])\n    return [b"told"]\n',
    );
    const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', app]);
    assert.equal((await request(server.port, '/reload')).body, 'told');
    await server.waitForLog(/reloaded in \d+ ms \(SIGHUP\)/);
    assert.equal((await request(server.port, '/stop')).body, 'told');
    await server.waitForLog(/goodbye to nuwsgi/);
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
  });
});

describe('changed sources', () => {
  const python = (answer: string) => `ANSWER = ${JSON.stringify(answer)}\n# ${'x'.repeat(answer.length)}\n`;

  test('of a Python app reload it, with what its modules import', async () => {
    writeFileSync(inDirectory('answers.py'), python('one'));
    writeFileSync(
      inDirectory('watched.py'),
      'import answers\ndef application(environ, start_response):\n    start_response("200 OK", [])\n' +
        '    return [answers.ANSWER.encode()]\n',
    );
    const args = ['--http', '127.0.0.1:0', '--wsgi-file', 'watched.py', '--processes', '2', '--py-autoreload', '1'];
    const server = await startServer(args, { cwd: directory, env: { PYTHONDONTWRITEBYTECODE: '1' } });
    for (let i = 0; i < 4; i++) assert.equal((await request(server.port, '/')).body, 'one');
    writeFileSync(inDirectory('answers.py'), python('second'));
    await server.waitForLog(/\[uwsgi-python-reloader\] module\/file .*answers\.py has been modified/);
    await server.waitForLog(/reloaded in \d+ ms \(SIGHUP\)/);
    assert.equal((await request(server.port, '/')).body, 'second');
    await server.stop();
    assert.equal(server.log.match(/reloaded in/g)?.length, 1, 'one change is one reload');
  });

  test('of a JavaScript app reload it, with what its modules import', async () => {
    const answers = inDirectory('answers.mjs');
    writeFileSync(answers, "export const ANSWER = 'one';\n");
    writeFileSync(
      inDirectory('watched.mjs'),
      "import { ANSWER } from './answers.mjs';\nexport function application(environ, startResponse) {\n" +
        "  startResponse('200 OK', []);\n  return ANSWER;\n}\n",
    );
    const args = ['--http', '127.0.0.1:0', '--wsgi-file', 'watched.mjs', '--processes', '2', '--js-autoreload', '1'];
    const server = await startServer(args, { cwd: directory });
    assert.equal((await request(server.port, '/')).body, 'one');
    writeFileSync(answers, "export const ANSWER = 'two';\n");
    await server.waitForLog(/reloaded in \d+ ms \(.*answers\.mjs has been modified\)/);
    assert.equal((await request(server.port, '/')).body, 'two');
    await server.stop();
  });

  test('in a directory that fs-reload names reload the server at once', async () => {
    const watched = mkdtempSync(join(directory, 'fs-'));
    const server = await startServer([...HELLO, '--fs-reload', watched]);
    appendFileSync(join(watched, 'deployed'), 'now');
    await server.waitForLog(/reloaded in \d+ ms \(fs-reload /);
    await server.stop();
  });

  test('stop the server with exit-on-reload', async () => {
    const server = await startServer([...HELLO, '--exit-on-reload']);
    process.kill(server.pid, 'SIGHUP');
    await server.waitForLog(/SIGHUP \(exit-on-reload\) received[\s\S]*goodbye to nuwsgi/);
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
  });
});
