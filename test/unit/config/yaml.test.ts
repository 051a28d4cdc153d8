import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readYaml } from '../../../src/config/yaml.js';

const lines = (source: string, section?: string) => {
  const { settings, problems } = readYaml(source, 'app.yaml', section);
  assert.deepEqual(problems.map(String), []);
  return settings.map(({ name, text, at }) => `${at.replace('app.yaml:', '')} ${name}=${text ?? '(alone)'}`);
};

describe('YAML files', () => {
  test('a list repeats its key, and every value keeps its line', () => {
    const source =
      'uwsgi:\n  http: :9090\n  mount:\n    - /=a.py\n    - /b=b.py # the second\n  pythonpath: [x, "y: z"]\n';
    assert.deepEqual(lines(source), [
      '2 http=:9090',
      '4 mount=/=a.py',
      '5 mount=/b=b.py',
      '6 pythonpath=x',
      '6 pythonpath=y: z',
    ]);
  });

  test('values are taken as they are written: no octal numbers, no dates, no null', () => {
    const source =
      'uwsgi:\n  processes: 010\n  master: yes\n  env: A=1e3\n  callable: null\n  chdir: 2024-01-01\n  vacuum:\n';
    assert.deepEqual(lines(source), [
      '2 processes=010',
      '3 master=yes',
      '4 env=A=1e3',
      '5 callable=null',
      '6 chdir=2024-01-01',
      '7 vacuum=(alone)',
    ]);
  });

  test('a key that comes again counts again', () => {
    assert.deepEqual(lines('uwsgi:\n  http: :1\n  http: :2\n'), ['2 http=:1', '3 http=:2']);
  });

  test('the top key may be uwsgi or nuwsgi, and others are left alone unless they are asked for', () => {
    assert.deepEqual(lines('nuwsgi:\n  http: :1\nother:\n  http: :2\n'), ['2 http=:1']);
    assert.deepEqual(lines('uwsgi:\n  http: :1\nprod:\n  http: :2\n', 'prod'), ['4 http=:2']);
  });

  test('an option of the form NAME=VALUE takes a map as well', () => {
    const source = 'uwsgi:\n  mount:\n    /: a.py\n    /js: b.mjs\n  env:\n    - A: "1"\n    - B=2\n';
    assert.deepEqual(lines(source), ['3 mount=/=a.py', '4 mount=/js=b.mjs', '6 env=A=1', '7 env=B=2']);
  });

  test('an alias stands for what it is an alias of', () => {
    const source = 'base: &base\n  http: :1\nuwsgi: *base\n';
    assert.deepEqual(lines(source), ['2 http=:1']);
    assert.deepEqual(lines('uwsgi:\n  chdir: &d /srv\n  pythonpath: *d\n'), ['2 chdir=/srv', '3 pythonpath=/srv']);
  });

  // biome-ignore format: a table
  const COMPLAINS: readonly (readonly [mistake: string, source: string, message: RegExp])[] = [
    ['a tab',                'uwsgi:\n\thttp: :1\n',               /^app\.yaml:2: there is a tab in the indentation \(YAML is indented with spaces/],
    ['a tab behind a space', 'uwsgi:\n  http: :1\n \tmaster: 1\n', /^app\.yaml:3: there is a tab in the indentation/],
    ['a missing bracket',    'uwsgi:\n  http: [":1"\n  x: y\n',    /^app\.yaml:3: /],
    ['a missing quote',      'uwsgi:\n  http: ":1\n',              /^app\.yaml:\d: Missing closing "quote/],
    ['a colon in a value',   'uwsgi:\n  env: A: b\n',              /^app\.yaml:2: .*\(put quotes around a value with ": " in it\)$/],
    ['a percent sign',       'uwsgi:\n  chdir: %z\n',              /^app\.yaml:2: .*\(put quotes around a value that starts with this character\)$/],
    ['crooked columns',      'uwsgi:\n  http: :1\n threads: 2\n',  /^app\.yaml:3: /],
    ['no top key',           'http: :1\nmodule: x\n',              /^app\.yaml: there is no top key "uwsgi:" or "nuwsgi:": put it above the options/],
    ['an empty file',        '# nothing\n',                        /^app\.yaml: there is no top key "uwsgi:" or "nuwsgi:"$/],
    ['another top key',      'app:\n  http: :1\n',                 /^app\.yaml: there is no top key "uwsgi:" or "nuwsgi:"$/],
    ['a text for options',   'uwsgi: app.py\n',                    /^app\.yaml:1: under "uwsgi:" come options/],
    ['a list for options',   'uwsgi:\n  - http: :1\n',             /^app\.yaml:1: under "uwsgi:" come options/],
    ['a map for a value',    'uwsgi:\n  module:\n    - a: b\n',    /^app\.yaml:3: module takes a text, not a map/],
    ['a list in a list',     'uwsgi:\n  http: [[":1"]]\n',         /^app\.yaml:2: http takes a text, not a list in a list/],
    ['a deep map',           'uwsgi:\n  env:\n    A: {b: c}\n',    /^app\.yaml:2: env takes a text, not a map/],
    ['two documents',        'uwsgi:\n  http: :1\n---\na: b\n',    /^app\.yaml:3: .*one file holds one document/],
    ['an address with *',    'uwsgi:\n  http: *:9090\n',           /^app\.yaml:2: .*put quotes around a value that starts with "\*"\)$/],
    ['a list for a name',    'uwsgi:\n  ? [a, b]\n  : c\n',         /^app\.yaml:2: an option has a plain name/],
    ['the same in a list',   'uwsgi:\n  http:\n    - *any\n',      /^app\.yaml:3: "\*any" refers to nothing/],
  ];
  for (const [mistake, source, message] of COMPLAINS) {
    test(`${mistake} is one problem, with the line and what to do`, () => {
      const { problems } = readYaml(source, 'app.yaml', undefined);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!.message, message);
    });
  }

  test('an empty map of options is none', () => {
    assert.deepEqual(lines('uwsgi:\n'), []);
    assert.deepEqual(lines('uwsgi: {}\n'), []);
  });
});
