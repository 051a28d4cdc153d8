import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readIni } from '../../../src/config/ini.js';

const lines = (source: string, section?: string) =>
  readIni(source, 'app.ini', section).settings.map(({ name, text, at }) => `${at} ${name}=${text ?? '(alone)'}`);
const problems = (source: string) => readIni(source, 'app.ini', undefined).problems.map((problem) => problem.message);

describe('INI files', () => {
  test('keys and values are trimmed, comments have lines of their own, and a key alone has no value', () => {
    const source = `
; a comment
[uwsgi]
  # another
http = :9090
\tchdir=  /srv/my app  \r
master
callable =
env = A=b ; c # d
`;
    assert.deepEqual(lines(source), [
      'app.ini:5 http=:9090',
      'app.ini:6 chdir=/srv/my app',
      'app.ini:7 master=(alone)',
      'app.ini:8 callable=',
      'app.ini:9 env=A=b ; c # d',
    ]);
  });

  test('a key that comes again counts again, and other sections do not count', () => {
    const source =
      '[uwsgi]\nmount = /=a.py\nmount = /b=b.py\n[other]\nmount = /c=c.py\n[nuwsgi]\nthreads = 2\n[uwsgi]\nprocesses = 1';
    assert.deepEqual(lines(source), [
      'app.ini:2 mount=/=a.py',
      'app.ini:3 mount=/b=b.py',
      'app.ini:7 threads=2',
      'app.ini:9 processes=1',
    ]);
    assert.deepEqual(lines(source, 'other'), ['app.ini:5 mount=/c=c.py']);
  });

  test('a file without the section says so', () => {
    assert.deepEqual(problems('[app]\nhttp = :1'), ['app.ini: there is no section [uwsgi] or [nuwsgi]']);
    const { problems: missing } = readIni('[uwsgi]', 'app.ini', 'prod');
    assert.equal(missing[0]!.message, 'app.ini: there is no section [prod]');
  });

  test('a line that cannot be read is told with its number', () => {
    assert.deepEqual(problems('[uwsgi]\n= 4\n[oops\n'), [
      'app.ini:2: there is no name in front of the "="',
      'app.ini:3: a section is written [name], with both brackets',
    ]);
  });

  test('what stands before the first section is ignored with one warning', () => {
    const { warnings, settings } = readIni('http = :1\nmaster = true\n[uwsgi]\n', 'app.ini', undefined);
    assert.deepEqual(warnings, ['app.ini:1: ignored, because it stands before the first section ([uwsgi])']);
    assert.deepEqual(settings, []);
  });
});
