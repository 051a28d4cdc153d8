import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { check } from '../../../src/config/check.js';
import { directoryWith } from './files.js';

describe('nuwsgi check', () => {
  const directory = directoryWith({
    'good.yaml': 'uwsgi:\n  http: :9090\n  chdir: %d\n  mount:\n    - /=a.py\n    - example.com/b=b.mjs\n'.replace(
      '%d',
      '"%d"',
    ),
    'bad.ini': '[uwsgi]\nhtp = :9090\nprocesses = many\nmodule = a\nwsgi-file = b.py\n',
    'alone.ini': '[uwsgi]\nmodule = site\n',
    'old.ini': '[uwsgi]\nhttp = :9090\nmodule = site\ngevent = 10\nchdir = /no/such/directory\n',
    'venv.yaml': 'uwsgi:\n  http: :9090\n  apps:\n    - app: c.py\n      virtualenv: venv\n',
    'a.py': '',
    'b.mjs': '',
  });
  const path = (name: string) => join(directory, name);
  const run = (...argv: string[]) => check(argv, {}, '');

  test('says what a good configuration serves, and exits with 0', () => {
    assert.deepEqual(run(path('good.yaml')), {
      text: `${path('good.yaml')}: ok: a.py on /, b.mjs on example.com/b, http :9090\n`,
      exit: 0,
    });
  });

  test('says all problems of each file with their lines, and exits with 2', () => {
    const { text, exit } = run(path('bad.ini'), path('good.yaml'), path('alone.ini'));
    assert.equal(exit, 2);
    const [bad, ...rest] = text.split(/^(?=\S)/m);
    assert.deepEqual(bad!.split('\n'), [
      `${path('bad.ini')}: 3 problems`,
      `  error: ${path('bad.ini')}:2: no option is called "htp"; did you mean "http"?`,
      `  error: ${path('bad.ini')}:3: processes = "many" is not a number from 1 to 1024, in decimal digits`,
      `  error: two apps on /: b.py (wsgi-file, ${path('bad.ini')}:5) and a (module, ${path('bad.ini')}:4); mount one of them elsewhere`,
      '',
    ]);
    assert.match(rest[0]!, /good\.yaml: ok/);
    assert.match(rest[1]!, /alone\.ini: 1 problem\n {2}error: no address to listen on is given/);
  });

  test('options beside the files hold for each of them', () => {
    assert.equal(run(path('alone.ini'), '--http', ':9090').exit, 0);
    assert.equal(run('--http', ':9090', '--module', 'site').exit, 0);
    assert.match(run('--http', ':9090').text, /^command line: 1 problem\n {2}error: no app is given/);
  });

  test('what is not there, or not supported, is a warning; with --strict-options the latter is an error', () => {
    const { text, exit } = run(path('old.ini'));
    assert.equal(exit, 0);
    assert.match(text, /warning: .*old\.ini:4: gevent is known from uWSGI and not supported: ignored/);
    assert.match(text, /warning: the server: chdir \/no\/such\/directory is not there/);
    assert.equal(run(path('old.ini'), '--strict-options').exit, 2);
    const missing = run(path('venv.yaml'), '--chdir', directory).text;
    assert.match(
      missing,
      /warning: .*venv\.yaml:4: virtualenv .*\/venv is not there\n {2}warning: .*the app .*\/c\.py is not/,
    );
  });

  test('explains itself', () => {
    assert.match(run('--help').text, /^usage: nuwsgi check FILE/);
  });
});
