// What options ask of the interpreter of Python apps, and of the environment of apps.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { APPS, DEBIAN_PYTHON, request, runToEnd, startServer } from './harness.js';

const INTERPRETER = join(APPS, 'interpreter');
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-envdir-'));
after(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'FROM_DIR'), 'a value  \nmore\n');
writeFileSync(join(directory, 'EMPTY'), '');
writeFileSync(join(directory, 'OVER'), 'of the directory');

const HTTP = ['--http', '127.0.0.1:0'];
const NEEDED = [
  ...['--chdir', INTERPRETER, '--wsgi-file', 'tell.py', '--import', 'early.py', '--shared-import', 'shared'],
  ...['--pymodule-alias', 'nickname=real_name', '--pythonpath', 'lib_*'],
];

async function tell(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const server = await startServer([...HTTP, ...NEEDED, ...args], { env });
  try {
    return JSON.parse((await request(server.port, '/')).body);
  } finally {
    await server.stop();
  }
}

describe('the interpreter of a Python app', () => {
  test('is as the options say', async () => {
    const facts = await tell([
      ...['--pyargv', 'one  --two', '--py-executable', '/opt/python', '--python', DEBIAN_PYTHON, '-O', '2'],
      ...['--chdir2', '/', '--cpu-affinity', '1', '--thread-stacksize', '256', '--wsgi-disable-file-wrapper'],
      ...['--prio', '3', '--max-fd', '512', '--limit-nproc', '10000'],
    ]);
    assert.deepEqual(facts.argv, ['uwsgi', 'one', '--two']);
    assert.equal(facts.executable, '/opt/python');
    assert.equal(facts.optimize, 2);
    assert.equal(facts.cwd, '/');
    assert.equal(facts.affinity, 1);
    assert.equal(facts.stack, 256 * 1024);
    assert.equal(facts.wrapper, false);
    assert.equal(facts.nice, 3);
    assert.deepEqual(facts.files, [512, 512]);
    assert.equal(facts.processes, 10000);
  });

  test('imports and aliases are there before the app, and a pattern finds paths', async () => {
    const facts = await tell([]);
    assert.deepEqual([facts.nickname, facts.second], ['real_name', 'second']);
    assert.deepEqual(facts.early, [true, true], 'imported once, in the process that workers are forked from');
    assert.equal(facts.shared, true);
    assert.deepEqual(facts.path.slice(0, 2), ['lib_one', '.']);
    assert.deepEqual([facts.wrapper, facts.optimize, facts.no_site, facts.nice], [true, 0, 0, 0]);
    assert.equal(facts.affinity, availableParallelism());
  });

  test('with lazy-apps each worker imports for itself, but what is shared', async () => {
    const facts = await tell(['--lazy-apps', '--no-site']);
    assert.deepEqual(facts.early, [true, false]);
    assert.equal(facts.shared, true);
    assert.equal(facts.no_site, 1);
  });

  test('an import that fails ends the start as the app itself would', async () => {
    const { code, output } = await runToEnd([...HTTP, ...NEEDED, '--import', 'no_such_module']);
    assert.equal(code, 22);
    assert.match(output, /No module named 'no_such_module'/);
    const lost = await runToEnd([...HTTP, ...NEEDED, '--chdir2', '/no/such/place']);
    assert.equal(lost.code, 22);
    assert.match(lost.output, /No such file or directory: '\/no\/such\/place'/);
  });

  test('a limit that may not be raised ends the start', async () => {
    const { code, output } = await runToEnd([...HTTP, ...NEEDED, '--max-fd', '1073741816']);
    assert.notEqual(code, 0);
    assert.match(output, /max-fd 1073741816: /);
  });
});

describe('the environment of an app', () => {
  test('is that of the server, without unenv, with envdir, and env over all', async () => {
    const args = ['--unenv', 'GONE', '--envdir', directory, '--env', 'OVER=of env'];
    const { environ } = await tell(args, { GONE: '1', EMPTY: '1', HOME: '/home/x' });
    assert.deepEqual(environ, { FROM_DIR: 'a value', GONE: null, EMPTY: null, HOME: '/home/x', OVER: 'of env' });
  });

  test('a directory that cannot be read ends the start', async () => {
    const { code, output } = await runToEnd([...HTTP, ...NEEDED, '--envdir', '/no/such']);
    assert.equal(code, 2);
    assert.match(output, /envdir: "\/no\/such" cannot be read: ENOENT/);
  });
});
