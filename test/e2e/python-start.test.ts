// How a Python app is found and loaded, by every CPython on this machine; and what a start says that fails.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { DEBIAN_PYTHON, request, runToEnd, startServer } from './harness.js';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nuwsgi-test-')));
after(() => rmSync(directory, { recursive: true }));
const LISTEN = ['--http', '127.0.0.1:0'] as const;

/** Writes a file below the directory that the servers of this test start in. */
function write(path: string, source: string): string {
  const whole = join(directory, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, source);
  return whole;
}

/** An app that answers with the Python expression `shown`. */
const showing = (shown: string, name = 'application') => `
import os, sys
loaded_by = os.getpid()
def ${name}(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [repr(${shown}).encode()]
`;

async function answerOf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const server = await startServer([...LISTEN, ...args], { cwd: directory, env });
  const { status, body } = await request(server.port, '/');
  assert.equal(status, 200);
  await server.stop();
  return body;
}

/** Every python3.x there is, by path: those of pyenv, Debian's, and the one in PATH. */
function interpreters(): readonly { path: string; version: readonly number[] }[] {
  const pyenv = join(homedir(), '.pyenv/versions');
  const installed = existsSync(pyenv) ? readdirSync(pyenv).map((name) => join(pyenv, name, 'bin/python')) : [];
  return [...installed, DEBIAN_PYTHON, 'python3'].map((path) => {
    const print = 'import sys; print("%d.%d" % sys.version_info[:2])';
    const version = execFileSync(path, ['-c', print], { encoding: 'utf8' }).trim().split('.').map(Number);
    return { path, version };
  });
}
const isOld = ([major = 0, minor = 0]: readonly number[]) => major < 3 || minor < 8;

describe('a Python app is loaded', () => {
  for (const { path, version } of interpreters().filter((one) => !isOld(one.version))) {
    test(`by CPython ${version.join('.')} (${path}), which answers, streams, reads and logs`, async () => {
      const server = await startServer([...LISTEN, '--wsgi-file', 'rules.py', '--python', path, '--threads', '2']);
      assert.match(server.log, new RegExp(`Python ${version.join('\\.')}\\.`));
      assert.equal((await request(server.port, '/hello')).body, 'hello\n');
      assert.equal((await request(server.port, '/closes')).body, 'abc');
      assert.equal((await request(server.port, '/echo', { body: 'x'.repeat(100_000) })).body.length, 100_000);
      assert.equal((await request(server.port, '/bare/file')).status, 200);
      assert.equal((await request(server.port, '/fails-in-the-middle')).complete, false);
      await server.waitForLog(/ {2}File "rules\.py", line \d+, in failing[\s\S]*ValueError: in the middle/);
      await server.stop();
    });
  }

  for (const { path, version } of interpreters().filter((one) => one.version[1]! >= 12)) {
    test(`and CPython ${version.join('.')} (${path}) keeps no names that clients make up`, async () => {
      write('interned.py', showing('sys.getunicodeinternedsize()'));
      const server = await startServer([...LISTEN, '--wsgi-file', 'interned.py', '--python', path], { cwd: directory });
      const interned = async (name: string) => {
        const { body } = await request(server.port, '/', { headers: [`${name}: 1`] });
        return Number(body);
      };
      const before = await interned('x-first');
      for (let i = 0; i < 100; i++) await interned(`x-made-up-${i}`);
      assert((await interned('x-last')) - before < 50);
      await server.stop();
    });
  }

  test('from a file, by the name that --callable gives', async () => {
    write('named.py', showing('__name__', 'other'));
    assert.equal(await answerOf(['--wsgi-file', 'named.py', '--callable', 'other']), `'uwsgi_file_named'`);
  });

  test('from a module: module, module:callable, module:factory()', async () => {
    write('package/__init__.py', '');
    write('package/app.py', `${showing('__name__')}${showing('"other"', 'other')}\ndef make():\n    return other\n`);
    assert.equal(await answerOf(['--module', 'package.app']), `'package.app'`);
    assert.equal(await answerOf(['--module', 'package.app:other']), `'other'`);
    assert.equal(await answerOf(['--module', 'package.app:make()']), `'other'`);
    assert.equal(await answerOf(['--app', 'package.app:other']), `'other'`);
    assert.equal(await answerOf(['package.app:other']), `'other'`);
  });

  test('with the paths in the order of uWSGI: the last --pythonpath, the first, the working directory', async () => {
    write('one/found.py', 'NAME = "one"');
    write('two/found.py', 'NAME = "two"');
    write('here.py', 'NAME = "here"');
    write('paths.py', `import found, here, sys\n${showing('(found.NAME, here.NAME, sys.path[:3])')}`);
    const paths = ['--pythonpath', join(directory, 'one'), '--pythonpath', join(directory, 'two')];
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    assert.equal(await answerOf(['--wsgi-file', 'paths.py', ...paths]), `('two', 'here', ['${two}', '${one}', '.'])`);
  });

  test('when Python is told not to look into the directory of its script', async () => {
    write('safe.py', showing('sys.path[0]'));
    assert.equal(await answerOf(['--wsgi-file', 'safe.py', '--python', DEBIAN_PYTHON], { PYTHONSAFEPATH: '1' }), `'.'`);
  });

  test('and finds none of the files that the server itself is made of', async () => {
    write('own.py', `import importlib.util\n${showing('[p for p in sys.path if os.path.exists(p + "/bridge.py")]')}`);
    assert.equal(await answerOf(['--wsgi-file', 'own.py']), '[]');
  });

  test('in the directory that --chdir names, with the variables that --env sets', async () => {
    write('below/app.py', showing('(os.getcwd(), os.environ["GREETING"], os.environ.get("HOME") is not None)'));
    const args = ['--chdir', join(directory, 'below'), '--wsgi-file', 'app.py', '--env', 'GREETING=a=b'];
    assert.equal(await answerOf(args), `('${join(directory, 'below')}', 'a=b', True)`);
  });

  test('in a virtual environment, with what is installed there', async () => {
    const venv = join(directory, 'venv');
    execFileSync('python3', ['-m', 'venv', '--without-pip', venv]);
    const [version] = readdirSync(join(venv, 'lib'));
    write(`venv/lib/${version}/site-packages/only_here.py`, 'NAME = "from the venv"');
    write('in_venv.py', `import only_here\n${showing('(only_here.NAME, sys.prefix, os.environ["VIRTUAL_ENV"])')}`);
    for (const given of [venv, 'venv']) {
      const answer = await answerOf(['--wsgi-file', 'in_venv.py', '--virtualenv', given]);
      assert.equal(answer, `('from the venv', '${venv}', '${venv}')`);
    }
  });

  test('once, before the workers are forked; with --lazy-apps in each of them', async () => {
    write('pids.py', showing('(loaded_by == os.getpid(), loaded_by == os.getppid())'));
    assert.equal(await answerOf(['--wsgi-file', 'pids.py', '--processes', '2']), '(False, True)');
    assert.equal(await answerOf(['--wsgi-file', 'pids.py', '--processes', '2', '--lazy-apps']), '(True, False)');
  });

  for (const { path, version } of interpreters().filter((one) => one.path === 'python3' || one.version[1]! >= 12)) {
    test(`by CPython ${version.join('.')} (${path}), which says of threads that they do not run in workers`, async () => {
      const thread = `threading.Thread(target=threading.Event().wait, daemon=True, name='collector').start()`;
      write('threads.py', `import threading\n${thread}\n${showing('[t.name for t in threading.enumerate()]')}`);
      const args = [...LISTEN, '--wsgi-file', 'threads.py', '--python', path];
      const server = await startServer(args, { cwd: directory });
      await server.waitForLog(/started threads .* do not run in its workers: collector\. Start them .*--lazy-apps/);
      assert.equal((await request(server.port, '/')).body, `['MainThread']`);
      await server.stop();
      assert.doesNotMatch(server.log, /DeprecationWarning/);
      const lazy = await startServer([...args, '--lazy-apps'], { cwd: directory });
      assert.match((await request(lazy.port, '/')).body, /collector/);
      await lazy.stop();
      assert.doesNotMatch(lazy.log, /do not run in its workers/);
    });
  }

  test('though it starts a thread, changes signal handlers and forks while it is loaded', async () => {
    write(
      'busy.py',
      `import os, signal, subprocess, threading, time
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.signal(signal.SIGTERM, lambda *_: print('SIGTERM in the app'))
threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
assert subprocess.check_output(['echo', 'x']) == b'x\\n'
if os.fork() == 0:
    os._exit(0)
${showing('subprocess.check_output(["echo", "from a worker"])')}`,
    );
    assert.equal(await answerOf(['--wsgi-file', 'busy.py', '--processes', '2']), `b'from a worker\\n'`);
  });
});

// biome-ignore format: a table
const FAILURES: readonly (readonly [what: string, source: string, says: RegExp])[] = [
  ['raises',             'def f():\n    raise LookupError("no such thing")\nf()',
   /File "broken\.py", line 3, in <module>\n.*f\(\)\n(?:.*\n)?.*File "broken\.py", line 2, in f\n.*raise LookupError.*\n(?:.*\n)?LookupError: no such thing/],
  ['is no Python',       'def f(:\n    pass',            /File "broken\.py", line 1\n.*def f\(:\n.*\^\nSyntaxError: invalid syntax/],
  ['lacks a module',     'import no_such_module',        /ModuleNotFoundError: No module named 'no_such_module'\nIs the module installed for this Python, and is its directory in --pythonpath or --chdir\?/],
  ['has no callable',    'x = 1',                        /unable to find "application" callable in file broken\.py\nName the application with --callable, or as module:callable\./],
  ['has something else', 'application = "text"',         /unable to find "application" callable in file broken\.py/],
  ['ends the program',   'import sys; sys.exit("enough")', /SystemExit: enough/],
  ['exits at once',      'import os; os._exit(7)',       /loading the application failed[\s\S]*exited with code 7/],
  ['kills itself',       'import os; os.kill(os.getpid(), 9)', /loading the application failed[\s\S]*was killed by SIGKILL/],
  ['crashes',            'import ctypes; ctypes.string_at(0)', /loading the application failed[\s\S]*Segmentation fault/],
];

describe('a start fails with 22, the step and the reason, when', () => {
  for (const lazy of [[], ['--lazy-apps']]) {
    for (const [what, source, says] of FAILURES) {
      test(`the app ${what}${lazy.length > 0 ? ' in its worker' : ''}`, async () => {
        write('broken.py', source);
        const { code, output } = await runToEnd([...LISTEN, '--wsgi-file', 'broken.py', ...lazy], { cwd: directory });
        assert.equal(code, 22, output);
        assert.match(output, /cannot load broken\.py: /);
        if (lazy.length === 0) assert.match(output, says);
        else
          assert.match(
            output.replaceAll(/^\[worker 1\] /gm, ''),
            new RegExp(
              says.source.replace(/^loading the application failed\[.*?\]\*|\\nIs the module.*$|\\nName the.*$/g, ''),
            ),
          );
        assert.doesNotMatch(output, what === 'crashes' ? /defect of the server/ : /bridge\w*\.py|defect of the server/);
      });
    }
  }

  test('the file is not there', async () => {
    const { code, output } = await runToEnd([...LISTEN, '--wsgi-file', 'nowhere.py'], { cwd: directory });
    assert.equal(code, 22);
    assert.match(output, /No such file or directory: 'nowhere\.py'\nIs the path right\?/);
  });

  test('the module is not there', async () => {
    const { code, output } = await runToEnd([...LISTEN, '--module', 'no.such:app'], { cwd: directory });
    assert.equal(code, 22);
    assert.match(output, /No module named 'no'/);
  });

  test('the factory fails', async () => {
    write('factory.py', 'def make():\n    raise ValueError("nothing to make it of")');
    const { code, output } = await runToEnd([...LISTEN, '--module', 'factory:make()'], { cwd: directory });
    assert.equal(code, 22);
    assert.match(output, /ValueError: nothing to make it of/);
  });

  test('there is no python3', async () => {
    const { code, output } = await runToEnd([...LISTEN, '--wsgi-file', 'named.py'], {
      cwd: directory,
      env: { PATH: '/nowhere' },
    });
    assert.equal(code, 22);
    assert.match(
      output,
      /starting the interpreter failed \(python3\)\nno program "python3" was found\n.*install python3, or name it/,
    );
  });

  test('the interpreter is not there, or is no program', async () => {
    for (const python of ['/nowhere/python', directory]) {
      const { code, output } = await runToEnd([...LISTEN, '--wsgi-file', 'named.py', '--python', python], {
        cwd: directory,
      });
      assert.equal(code, 22);
      assert.match(output, new RegExp(`starting the interpreter failed \\(${python}\\)`));
    }
  });

  for (const [what, line] of [
    ['no JSON', 'nonsense'],
    ['no event', '{"event": "what"}'],
    ['the end of a worker that is not there', '{"event": "ended", "place": 0, "pid": 2}'],
    ['the end of nobody', '{"event": "ended", "place": 0}'],
  ] as const) {
    test(`the app writes ${what} to a descriptor that is the server's`, async () => {
      write('writes.py', `import os\nos.write(3, b'${line}\\n')\n${showing('1')}`);
      const { code, output } = await runToEnd([...LISTEN, '--wsgi-file', 'writes.py'], { cwd: directory });
      assert.equal(code, 22);
      assert.match(output, /cannot load writes\.py: .*\n.*told the server ".*", which means nothing/);
    });
  }

  for (const { path, version } of interpreters().filter((one) => isOld(one.version))) {
    test(`the interpreter is CPython ${version.join('.')}`, async () => {
      write('any.py', showing('1'));
      const { code, output } = await runToEnd([...LISTEN, '--wsgi-file', 'any.py', '--python', path], {
        cwd: directory,
      });
      assert.equal(code, 22);
      assert.match(
        output,
        new RegExp(
          `Python ${version.join('\\.')}\\.\\d+ is too old: nuwsgi needs 3\\.8 or newer\nChoose another interpreter`,
        ),
      );
    });
  }
});
