// What a Python application says reaches the log whole, marked with its worker; and what `import uwsgi` tells it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT, request, startServer, type TestServer } from './harness.js';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

describe('what a Python app says', () => {
  let server: TestServer;
  /** Asks for `path` and gives what the worker says, without its mark, once `last` has been said. */
  const said = async (path: string, last: RegExp): Promise<string> => {
    const from = server.log.length;
    assert.equal((await request(server.port, path)).body, 'said');
    await server.waitForLog(last, from);
    const lines = server.log.slice(from).split('\n');
    return lines
      .filter((line) => line.startsWith('[worker '))
      .map((line) => line.replace(/^\[worker [12]\] /, ''))
      .join('\n');
  };

  before(async () => {
    const workers = ['--processes', '2', '--threads', '2', '--env', 'A=1', '--env', 'B=2'];
    server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', 'prints.py', ...workers]);
  });
  after(() => server.stop());

  test('while it is loaded is said once, in the name of the app, and not by every worker', () => {
    assert.equal(server.log.match(/^\[prints\.py\] loading in worker 0, pid \d+$/gm)?.length, 1);
    assert.equal(server.log.match(/a line that loading does not end/g)?.length, 1);
  });

  test('by print, on stdout and stderr, in order', async () => {
    assert.equal(await said('/print', /to stderr/), 'to stdout in two words\nto stderr');
  });

  test('by logging that was set up while it was loaded, tracebacks included', async () => {
    const text = await said('/logging', /ValueError: logged/);
    assert.match(text, /^INFO a record\nERROR it failed\nTraceback \(most recent call last\):\n {2}File "prints\.py"/);
  });

  test('by warnings', async () => {
    assert.match(await said('/warnings', /a warning/), /^prints\.py:\d+: UserWarning: a warning$/m);
  });

  test('in bytes, to the buffer and to the descriptors', async () => {
    const lines = ['bytes to the buffer', 'bytes to descriptor 1', 'bytes to descriptor 2'];
    assert.equal(await said('/bytes', /descriptor 2/), lines.join('\n'));
  });

  test('by programs that it starts, which inherit nothing of the server', async () => {
    const text = await said('/program', /inherited/);
    assert.equal(text, 'from a program\nto the stream it was given\ninherited: []');
  });

  test('in characters that a pipe takes in two pieces', async () => {
    const text = await said('/unicode', /surrogate/);
    assert.equal(text, `${'€'.repeat(30_000)}\na lone surrogate: \\udc80`);
  });

  test('from several threads at once: no line has two authors', async () => {
    const text = await said('/threads', /threads are done/);
    const lines = text.split('\n').filter((line) => line !== 'threads are done');
    assert.equal(lines.length, 4 * 200);
    for (const line of lines) assert.match(line, /^<([abcd])-\d+-{20}\1>$/);
  });

  test('in a line that was flushed before its end: what another thread says does not go on in it', async () => {
    const text = await said('/unfinished', /and ended/);
    assert.equal(text, 'begun\nfrom another thread\nand ended');
  });

  test('by uwsgi.log', async () => {
    assert.equal(await said('/uwsgi.log', /said by/), 'said by uwsgi.log');
  });

  test('when a thread of its own fails', async () => {
    const text = await said('/thread-fails', /KeyError/);
    assert.match(
      text,
      /^Exception in thread Thread-\d+.*:\nTraceback[\s\S]*KeyError: 'in a thread of the application'$/,
    );
  });
});

describe('import uwsgi', () => {
  test('tells what the server is, who this worker is, and which request it runs', async () => {
    const args = ['--processes', '2', '--threads', '3', '--env', 'A=1', '--env', 'B=2', '--buffer-size', '8192'];
    const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', 'prints.py', ...args]);
    const ask = async () => (await request(server.port, '/uwsgi')).body;
    const told = await ask();
    const expected = {
      version: `b'${version}'`,
      numproc: '2',
      cores: '3',
      hostname: `b'${hostname()}'`,
      has_threads: '1',
      buffer_size: '8192',
      masterpid: String(server.pid),
      at_load: '(0, 0)',
      started: 'True',
      micros: 'True',
      mem: 'True',
      argv: `['uwsgi']`,
      name: `'uwsgi_file_prints'`,
      processes: `b'2'`,
      'wsgi-file': `b'prints.py'`,
      flag: 'None',
      env: `[b'A=1', b'B=2']`,
      log: 'True',
      bad: 'False',
    };
    for (const [name, value] of Object.entries(expected)) {
      assert(told.includes(`'${name}': ${value}`), `${name} should be ${value} in ${told}`);
    }
    const id = (text: string, name: string) => Number(new RegExp(`'${name}': (\\d+)`).exec(text)?.[1]);
    assert([1, 2].includes(id(told, 'worker_id')), told);
    const pids = [...server.log.matchAll(/spawned uWSGI worker (\d) \(pid: (\d+)/g)].map((m) =>
      [m[1], m[2]].map(Number),
    );
    assert(
      pids.some(([worker, pid]) => worker === id(told, 'worker_id') && pid === id(told, 'pid')),
      told,
    );
    assert(id(await ask(), 'request_id') > id(told, 'request_id'));
    await server.stop();
  });
});
