import assert from 'node:assert/strict';
import { statSync, symlinkSync } from 'node:fs';
import { availableParallelism, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { expandMagic } from '../../../src/config/magic.js';
import { expand, namesIn } from '../../../src/config/placeholders.js';
import { directoryWith } from './files.js';

describe('placeholders', () => {
  test('are replaced where something is known of them, and stay where nothing is', () => {
    const named = new Map([['base', '/srv']]);
    // biome-ignore format: a table
    const table = [
      ['%(base)/app',           '/srv/app'],
      ['$(HOME)/x',             '/home/x'],
      ['%(addr) $(NOPE) %%',    '%(addr) $(NOPE) %%'],
      ['$(INNER)',              '/srv'], // the environment comes first, and may bring a placeholder
      ['100%',                  '100%'],
      ['%(__proto__)',          '%(__proto__)'],
    ];
    for (const [text, expected] of table) {
      assert.equal(
        expand(text!, { HOME: '/home', INNER: '%(base)' }, (name) => named.get(name)),
        expected,
        text,
      );
    }
  });

  test('the names in a text are found', () => {
    assert.deepEqual(namesIn('%(a)/%(b-c)/$(d)'), ['a', 'b-c']);
  });

  test('an expression joins names and numbers from left to right, unless an operator stands between them', () => {
    const named = new Map([
      ['base', '3'],
      ['next', '7'],
      ['word', 'x'],
    ]);
    // biome-ignore format: a table
    const table = [
      ['%(base + 4)', '7'], ['%(base next)', '37'], ['%(next - base)', '4'], ['%(base * 5)', '15'], ['%(next / 2)', '3'],
      ['%(base / 0)', '0'], ['%(base ++)', '4'], ['%(base --)', '2'], ['%(base next + 1)', '38'], ['%(word base)', 'x3'],
      ['%(nobody + 1)', '1'], ['%(word + 1)', '1'], ['%(base + -5)', '-2'], ['%(9223372036854775807 + 1)', '9223372036854775808'],
    ];
    for (const [text, expected] of table)
      assert.equal(
        expand(text!, {}, (name) => named.get(name)),
        expected,
        text,
      );
    assert.deepEqual(namesIn('%(base next + 1)'), ['base', 'next']);
  });

  test('what a name stands for is expanded too, and one that refers to itself stays', () => {
    const named = new Map([
      ['a', '%(b)!'],
      ['b', '$(B)'],
      ['loop', '[%(loop)]'],
    ]);
    assert.equal(
      expand('%(a) %(loop)', { B: 'b' }, (name) => named.get(name)),
      'b! [%(loop)]',
    );
  });

  test('T33: @(file) is the text of a file without its last line end; commands and URLs are refused', () => {
    const directory = directoryWith({ 'secret.txt': 'one\ntwo\n' });
    const nothing = () => undefined;
    assert.equal(expand(`<@(${directory}/secret.txt)>`, {}, nothing), '<one\ntwo>');
    assert.throws(() => expand(`@(${directory}/nope)`, {}, nothing), /^Error: @\(.*nope\) cannot be read: ENOENT/);
    for (const scheme of ['exec://id', 'http://localhost/', 'fd://0', 'sym://x']) {
      assert.throws(() => expand(`@(${scheme})`, {}, nothing), /no commands and no URLs$/, scheme);
    }
  });
});

describe('magic letters', () => {
  const directory = directoryWith({ 'etc/apps/blog.ini': '', 'main.yaml': '' });
  const file = { path: join(directory, 'etc/apps/blog.ini'), section: 'prod' };
  const first = { path: join(directory, 'main.yaml'), section: undefined };
  const magic = (text: string) => expandMagic(text, file, first, '1.2.3');

  test('stand for parts of the file, upper case for the first file', () => {
    // biome-ignore format: a table
    const table = [
      ['%p', file.path], ['%d', `${directory}/etc/apps/`], ['%s', 'blog.ini'], ['%n', 'blog'], ['%e', 'ini'], ['%c', 'apps'],
      ['%x', 'prod'], ['%X', ''], ['%P', first.path], ['%D', `${directory}/`], ['%N', 'main'], ['%E', 'yaml'],
      ['%S', 'main.yaml'], ['%0', 'tmp'], ['%2', 'etc'], ['%9', ''],
      ['%V', '1.2.3'], ['%v', process.cwd()], ['%h', hostname()], ['%k', String(availableParallelism())],
      ['%u', String(process.getuid!())], ['%U', userInfo().username], ['%g', String(process.getgid!())],
      ['%[[0m', '\x1b[0m'], ['%%n', '%n'], ['%(d)', '%(d)'], ['%z', '%z'], ['5 %', '5 %'],
    ];
    for (const [text, expected] of table) assert.equal(magic(text!), expected, text);
  });

  test('know the time of the start, the inode, and a number for the file', () => {
    assert(Math.abs(Number(magic('%t')) - Date.now() / 1000) < 3600);
    assert.equal(magic('%T').length, magic('%t').length + 6);
    assert.equal(magic('%i'), String(statSync(file.path).ino));
    assert.match(magic('%j'), /^[0-9A-F]{8}$/);
    assert.notEqual(magic('%j'), magic('%J'));
  });

  test('of a file that is a link tell the name of the link, as in uWSGI', () => {
    const link = join(directory, 'vassal.ini');
    symlinkSync(file.path, link);
    assert.equal(expandMagic('%n in %d', { path: link, section: undefined }, first, ''), `vassal in ${directory}/`);
  });
});
