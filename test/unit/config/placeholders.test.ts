import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expand, expandMagic, namesIn } from '../../../src/config/placeholders.js';

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
      assert.equal(expand(text!, { HOME: '/home', INNER: '%(base)' }, named), expected, text);
    }
  });

  test('the names in a text are found', () => {
    assert.deepEqual(namesIn('%(a)/%(b-c)/$(d)'), ['a', 'b-c']);
  });

  test('letters stand for parts of the file, upper case for the first file', () => {
    // biome-ignore format: a table
    const table = [
      ['%p', '/srv/apps/blog.ini'], ['%d', '/srv/apps/'], ['%s', 'blog.ini'], ['%n', 'blog'], ['%e', 'ini'], ['%c', 'apps'],
      ['%P', '/etc/main.yaml'], ['%D', '/etc/'], ['%N', 'main'], ['%%n', '%n'], ['%(d)', '%(d)'], ['%z', '%z'], ['5 %', '5 %'],
    ];
    for (const [text, expected] of table) {
      assert.equal(expandMagic(text!, '/srv/apps/blog.ini', '/etc/main.yaml'), expected, text);
    }
  });
});
