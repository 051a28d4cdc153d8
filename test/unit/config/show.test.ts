import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readCommandLine } from '../../../src/config/command-line.js';
import { directoryWith } from './files.js';
import { serve } from './serve.js';

function shown(argv: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const command = readCommandLine(['--show-config', ...argv], env);
  assert(command.kind === 'text');
  return command.text;
}

describe('--show-config', () => {
  const directory = directoryWith({
    'app.ini':
      '[uwsgi]\nbase = /srv\nchdir = %(base)/app\nprocesses = 2\nhttp = :1\ninclude = %dmore.ini\nmaster\nlog-format = %%(addr) %(uri)\n',
    'more.ini': '[uwsgi]\nfor = a b\nenv = X=%(_)\nendfor =\n',
    'apps.yaml': 'uwsgi:\n  http: :0\n  apps:\n    - mount: /a\n      app: a.py\n      processes: 3\n',
  });
  const path = (name: string) => join(directory, name);

  test('shows what counts in the end, and where it comes from', () => {
    const text = shown([path('app.ini'), '-p', '4', '--http', ':2', 'site.py'], { UWSGI_THREADS: '3' });
    assert.equal(
      text,
      `; nuwsgi instance configuration
[uwsgi]
; UWSGI_THREADS
threads = 3
; ${path('app.ini')}:3
chdir = /srv/app
; ${path('app.ini')}:5
http = :1
; ${path('more.ini')}:3
env = X=a
env = X=b
; ${path('app.ini')}:7
master
; ${path('app.ini')}:8
log-format = %(addr) %(uri)
; command line
processes = 4
http = :2
app = site.py
; end of configuration
`,
    );
  });

  test('what it shows can be read again and means the same', () => {
    const argv = ['--http', ':0', 'a.py', '--env', 'DIRECTORY=%d 100%% %(addr)', '-p3', '--pythonpath', 'x'];
    const first = serve(argv);
    const again = directoryWith({ 'shown.ini': shown(argv) });
    const second = serve([join(again, 'shown.ini')]);
    assert.deepEqual({ ...second.config, ini: [] }, { ...first.config, ini: [] });
    assert.deepEqual({ ...second.given, ini: 0 }, { ...first.given, ini: 0 });
  });

  test('keeps a secret to itself', () => {
    const text = shown(['--http', ':0', 'a.py', '--stats-token', 'open-sesame']);
    assert.doesNotMatch(text, /sesame/);
    assert.match(text, /^; stats-token is set, to a secret that is not shown$/m);
  });

  test('entries of the apps list are comments, because INI has no form for them', () => {
    assert.match(
      shown([path('apps.yaml')]),
      /; .*apps\.yaml:4: an entry of apps\n; {3}mount = \/a\n; {3}app = a\.py\n; {3}processes = 3\n; end/,
    );
  });

  test('works in a file, without an app, and a mistake is told as at a start', () => {
    const files = directoryWith({ 'a.ini': '[uwsgi]\nshow-config = true\nprocesses = 2\n' });
    assert.equal(readCommandLine([join(files, 'a.ini')], {}).kind, 'text');
    assert.throws(() => readCommandLine(['--show-config', '-p', 'x'], {}), { code: 'CONFIG_BAD_VALUE' });
  });
});
