import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { directoryWith } from './files.js';
import { failure, MINIMAL, serve } from './serve.js';

/** The values of `env` that an INI file with these lines gives. */
function envOf(lines: string, env: NodeJS.ProcessEnv = {}): string[] {
  const directory = directoryWith({ 'app.ini': `[uwsgi]\n${lines}\n`, 'words.txt': 'x y\nz\n', 'sub/a.txt': '' });
  const { config } = serve([...MINIMAL, '--ini', join(directory, 'app.ini')], { DIR: directory, ...env });
  return config.env.map(({ text }) => text.replaceAll(directory, '.'));
}

describe('loops', () => {
  // biome-ignore format: a table
  const LOOPS: readonly (readonly [lines: string, env: readonly string[]])[] = [
    ['for = a b  c\nenv = X=%(_)\nendfor =',                  ['X=a', 'X=b', 'X=c']],
    ['for = 1 2\nenv = A=%(_)\nenv = B=%(_)%(_)\nend-for',    ['A=1', 'A=2', 'B=11', 'B=22']], // one option at a time
    ['for-times = 3\nenv = T%(_)=\nendfor',                   ['T1=', 'T2=', 'T3=']],
    ['for-readline = $(DIR)/words.txt\nenv = L=%(_)\nendfor', ['L=x y', 'L=z']],
    ['for-glob = $(DIR)/*\nenv = G=%(_)\nendfor',             ['G=./app.ini', 'G=./sub/', 'G=./words.txt']],
    ['for-glob = $(DIR)/*.nothing\nenv = G=%(_)\nendfor',     ['G=./*.nothing']],
    ['list = a b\nfor = %(list)\nenv = X=%(_)\nendfor',       ['X=a', 'X=b']],
    ['for =\nenv = X=%(_)\nendfor\nenv = Y=%(_)',             ['Y=%(_)']],
  ];
  for (const [lines, expected] of LOOPS) {
    test(lines.replaceAll('\n', ' · '), () => assert.deepEqual(envOf(lines), expected));
  }
});

describe('conditions', () => {
  const holds = (condition: string, env: NodeJS.ProcessEnv = {}) => {
    const lines = `base = 3\nprocesses = 2\nenv = BASE=%(base)\n${condition}\nenv = X=%(_)\nelse\nenv = ELSE=1\nendif`;
    return envOf(lines, env)[1];
  };
  // biome-ignore format: a table
  const CONDITIONS: readonly (readonly [condition: string, outcome: string])[] = [
    ['if-env = USER_X',              'X=me'],   ['if-env = NOBODY',             'ELSE=1'],
    ['if-env = USER_X=me',           'X=me'],   ['if-env = USER_X=you',         'ELSE=1'],
    ['if-not-env = NOBODY',          'X=NOBODY'], ['if-not-env = USER_X',       'ELSE=1'],
    ['if-opt = base',                'X=3'],    ['if-opt = base=4',             'ELSE=1'],
    ['if-opt = processes=2',         'X=2'],    ['if-opt = workers=2',          'X=2'],
    ['if-not-opt = threads',         'X=threads'], ['if-not-opt = base',        'ELSE=1'],
    ['if-exists = $(DIR)/sub',       'X=./sub'], ['if-exists = $(DIR)/no',      'ELSE=1'],
    ['if-not-exists = $(DIR)/no',    'X=./no'], ['ifexists = $(DIR)/sub',       'X=./sub'],
    ['if-file = $(DIR)/words.txt',   'X=./words.txt'], ['if-file = $(DIR)/sub', 'ELSE=1'],
    ['if-not-file = $(DIR)/sub',     'X=./sub'], ['if-dir = $(DIR)/sub',        'X=./sub'],
    ['if-directory = $(DIR)/words.txt', 'ELSE=1'], ['if-not-dir = $(DIR)/no',   'X=./no'],
    [`if-hostname = ${hostname()}`,  `X=${hostname()}`], ['if-hostname = other.example', 'ELSE=1'],
    ['if-not-hostname = other.example', 'X=other.example'],
    ['if-hostname-match = .',        'X=.'],    ['if-not-hostname-match = ^$',  'X=^$'],
    ['if-plugin = python3',          'X=python3'], ['if-plugin = rrdtool',      'ELSE=1'],
    ['if-not-plugin = rrdtool',      'X=rrdtool'], ['if-reload',                'ELSE=1'],
    ['if-not-reload = true',         'X=true'],
  ];
  for (const [condition, outcome] of CONDITIONS) {
    test(`${condition} gives ${outcome}`, () => assert.equal(holds(condition, { USER_X: 'me' }), outcome));
  }

  test('if-reload holds when the server says that it reads the configuration again', () => {
    assert.equal(holds('if-reload', { UWSGI_RELOADS: '1' }), 'X=');
  });

  test('also work on the command line, in YAML and in an app of a list', () => {
    const { config } = serve([
      ...MINIMAL,
      '--for',
      '1 2',
      '--env',
      'N%(_)=',
      '--endfor',
      '--if-env',
      'NO',
      '--env',
      'A=',
      '--endif',
    ]);
    assert.deepEqual(
      config.env.map(({ key }) => key),
      ['N1', 'N2'],
    );
    const directory = directoryWith({
      'app.yaml':
        'uwsgi:\n  http: :0\n  apps:\n    - app: a.py\n      if-env: BIG\n      processes: 8\n      else:\n      threads: 3\n      endif:\n',
    });
    const yaml = join(directory, 'app.yaml');
    assert.deepEqual([serve([yaml]).apps[0]!.config.processes, serve([yaml]).apps[0]!.config.threads], [1, 3]);
    assert.equal(serve([yaml], { BIG: '1' }).apps[0]!.config.processes, 8);
  });
});

describe('a block that is not right', () => {
  // biome-ignore format: a table
  const MISTAKES: readonly (readonly [lines: string, message: RegExp])[] = [
    ['for = a b\nenv = X=%(_)',                       /app\.ini:2: for has no endfor in this source$/],
    ['if-env = A\nenv = X=1',                         /app\.ini:2: if-env has no endif in this source$/],
    ['env = X=1\nendif',                              /app\.ini:3: endif without a block that it could end$/],
    ['else\nendif',                                   /app\.ini:2: else without an if-\.\.\. in front/],
    ['for = a\nelse\nendfor',                         /app\.ini:3: else without an if-\.\.\. in front$/],
    ['for = a\nfor = b\nendfor\nendfor',              /app\.ini:3: for cannot stand in the for of .*app\.ini:2$/],
    ['for-times = many\nendfor',                      /app\.ini:2: for-times: "many" is no number of times, from 0 to 65536$/],
    ['for-readline = /no/such/file\nendfor',          /app\.ini:2: for-readline: ENOENT: no such file or directory/],
    ['if-hostname-match = (\nendif',                  /app\.ini:2: if-hostname-match: Invalid regular expression/],
  ];
  for (const [lines, message] of MISTAKES) {
    test(lines.replaceAll('\n', ' · '), () => {
      const directory = directoryWith({ 'app.ini': `[uwsgi]\n${lines}\n` });
      assert.match(failure([...MINIMAL, '--ini', join(directory, 'app.ini')]), message);
    });
  }
});
