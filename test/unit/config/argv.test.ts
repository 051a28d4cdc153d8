import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArgv } from '../../../src/config/argv.js';

/** The settings as `name` or `name=text`, in order. */
function settings(...argv: string[]): string[] {
  const { settings, problems } = readArgv(argv);
  assert.deepEqual(problems.map(String), []);
  return settings.map(({ name, text }) => (text === undefined ? name : `${name}=${text}`));
}
const problems = (...argv: string[]) => readArgv(argv).problems.map((problem) => problem.message);

describe('the command line', () => {
  // biome-ignore format: a table
  const READS: readonly (readonly [argv: readonly string[], settings: readonly string[]])[] = [
    [['--processes', '4', '--threads', '2'],   ['processes=4', 'threads=2']],
    [['--processes=4', '--env=A=b'],           ['processes=4', 'env=A=b']],
    [['--workers', '4'],                       ['workers=4']],
    [['-p', '4', '-p4', '-l100'],              ['processes=4', 'processes=4', 'listen=100']],
    [['-Mp4', '-MTL'],                         ['master', 'processes=4', 'master', 'enable-threads', 'disable-logging']],
    [['-Mp', '4'],                             ['master', 'processes=4']],
    [['--processe', '4', '--strict-o'],        ['processes=4', 'strict-options']],
    [['--master', '--vacuum=false', '--need-app=no'], ['master', 'vacuum=false', 'need-app=no']],
    [['--callable='],                          ['callable=']],
    [['--listen', '-5'],                       ['listen=-5']],
    [['--chdir=--odd'],                        ['chdir=--odd']],
    [['--harakiri', '30', '--lazy', '--chmod-socket=666', '--http', ':1'], ['harakiri=30', 'lazy', 'chmod-socket=666', 'http=:1']],
    [['-t', '30', '-C', '-p', '2'],            ['harakiri=30', 'chmod-socket', 'processes=2']],
    [['foobar.py', '-p', '2'],                 ['app=foobar.py', 'processes=2']],
    [['-p', '2', 'mysite.wsgi:application'],   ['processes=2', 'app=mysite.wsgi:application']],
    [['hello.mjs', '--', 'other.ts'],          ['app=hello.mjs', 'app=other.ts']],
  ];
  test('is read as getopt_long would', () => {
    for (const [argv, expected] of READS) assert.deepEqual(settings(...argv), expected, argv.join(' '));
  });

  test('keeps configuration files apart, with their sections', () => {
    const { files, settings } = readArgv(['a.ini', '--http', ':1', 'b.yaml', 'c.yml:prod', 'd.ini:x']);
    assert.deepEqual(
      files.map(({ name, text }) => `${name}=${text}`),
      ['ini=a.ini', 'yaml=b.yaml', 'yaml=c.yml:prod', 'ini=d.ini:x'],
    );
    assert.equal(settings.length, 1);
  });

  // biome-ignore format: a table
  const COMPLAINS: readonly (readonly [argv: readonly string[], message: string])[] = [
    [['--proceses', '4'],      'command line: no option is called "proceses"; did you mean "processes"?'],
    [['--proceses=4'],         'command line: no option is called "proceses"; did you mean "processes"?'],
    [['--frobnicate'],         'command line: no option is called "frobnicate" (nuwsgi --help lists them)'],
    [['-Z'],                   'command line: no option is called "-Z" (nuwsgi --help lists them)'],
    [['--chd', 'x'],           'command line: "chd" may be chdir, chdir2'],
    [['--processes'],          'command line: processes needs a value: a number'],
    [['--chdir', '--master'],  'command line: chdir needs a value: a path'],
    [['-p'],                   'command line: processes needs a value: a number'],
    [['--mount'],              'command line: mount needs a value: [HOST]/PATH=APP'],
    [['--http-engine'],        'command line: http-engine needs a value: uws or node'],
    [['--reload-on-uss'],      'command line: reload-on-uss needs a value: it takes one in uWSGI'],
  ];
  test('says what is wrong, once per mistake', () => {
    for (const [argv, message] of COMPLAINS) assert.deepEqual(problems(...argv), [message], argv.join(' '));
  });

  test('names some of many candidates and counts the others', () => {
    assert.match(
      problems('--http-s=1')[0]!,
      /^command line: "http-s" may be http-socket, .*, or \d+ others$|^command line: "http-s" may be http-socket, /,
    );
    assert.match(problems('--log=1')[0]!, /, or \d+ others$/);
  });

  test('an argument that is nothing is a mistake, and a boolean behind a flag shows how to write it', () => {
    assert.match(problems('4')[0]!, /^command line: "4" is no option, no configuration file .* and no app/);
    assert.match(problems('--master', 'false')[0]!, /did you mean --master=false\?$/);
    assert.match(problems('--chmod-socket', '660')[0]!, /did you mean --chmod-socket=660\?$/);
    assert.match(problems('--http-keepalive', '30')[0]!, /did you mean --http-keepalive=30\?$/);
    assert.doesNotMatch(problems('--master', '660')[0]!, /did you mean/);
    assert.match(problems('app.toml')[0]!, /no configuration file/);
    assert.match(problems('-')[0]!, /no configuration file/);
  });

  test('an app behind a misspelt option is still read as an app', () => {
    const { settings, problems } = readArgv(['--mastr', 'foobar.py']);
    assert.equal(problems.length, 1);
    assert.deepEqual(
      settings.map(({ text }) => text),
      ['foobar.py'],
    );
  });

  // biome-ignore format: a table
  const HELP: readonly (readonly [argv: readonly string[], help: string | true | undefined])[] = [
    [['--help'], true], [['-h'], true], [['--usage'], true], [['--help', 'processes'], 'processes'],
    [['--help=--threads'], 'threads'], [['-hp'], 'p'], [['-Mh', 'http'], 'http'], [['--help', '--master'], true], [['-M'], undefined],
  ];
  test('help may name an option', () => {
    for (const [argv, help] of HELP) assert.equal(readArgv(argv).help, help, argv.join(' '));
  });

  test('never throws, whatever it gets', () => {
    for (const argv of [['--'], ['--='], ['-'], [''], ['--__proto__', '1'], ['--constructor'], ['-='], ['--help=']]) {
      assert.doesNotThrow(() => readArgv(argv), argv.join(' '));
    }
  });
});
