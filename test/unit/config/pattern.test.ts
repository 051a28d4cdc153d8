import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePattern } from '../../../src/config/pattern.js';

describe('regular expressions in a configuration', () => {
  // biome-ignore format: a table
  const SAME = [
    // pattern              matches        does not match
    ['^/foo/(.*)$',         '/foo/bar',    '/x/foo/bar'],
    ['(?i)^/FOO',           '/foo',        '/bar'],
    ['\\A/a\\z',            '/a',          '/aa'],
    ['\\A/a\\z',            '/a',          'A/az'],
    ['^[[:digit:]]+$',      '123',         '12d'],
    ['^[^[:space:]/]+$',    'ab',          'a b'],
    ['^[]a]+$',             ']a]',         '[b'],
    ['^[^]a]$',             'b',           ']'],
    ['^(?P<x>a)$',          'a',           'b'],
    ['a\\hb',               'a\tb',        'ahb'],
    ['^[\\w.-]+$',          'a.b-c',       'a/b'],
    ['^a{2}$',              'aa',          'a'],
    ['caf\\xe9',            'caf\u00e9',   'cafe'],
    ['\\.php(?=/|$)',       '/a.php/b',    '/a.phpx'],
    ['^/a.b$',              '/a\rb',       '/a\nb'],
    ['^/a$',                '/a\n',        '/a\n\n'],
    ['^/a\\z',              '/a',          '/a\n'],
    ['^/a\\Z',              '/a\n',        '/ab'],
    ['(?s)^/a.b',           '/a\nb',       '/ab'],
    ['(?m)^b$',             'a\nb\nc',     'ab'],
    ['^[.$]$',              '$',           'a'],
  ] as const;
  test("mean what they mean to uWSGI's PCRE", () => {
    for (const [text, yes, no] of SAME) {
      const parsed = parsePattern(text);
      assert('value' in parsed, `${text}: ${JSON.stringify(parsed)}`);
      assert.match(yes, parsed.value);
      assert.doesNotMatch(no, parsed.value);
    }
  });

  // biome-ignore format: a table
  const REFUSED = [
    ['(',               /Unterminated group/],
    ['[a',              /Unterminated character class/],
    ['a++',             /Nothing to repeat/],
    ['(?>a)',           /Invalid group/],
    ['(?x) a',          /\(\?x\) is not/],
    ['a\\Kb',           /\\K is not supported/],
    ['[[:nonsense:]]',  /\[:nonsense:\] is not supported/],
    ['[\\A]',           /\\A is not supported/],
    ['a\\',             /\\ at end of pattern/],
  ] as const;
  test('are refused where JavaScript cannot say the same', () => {
    for (const [text, why] of REFUSED) {
      const parsed = parsePattern(text);
      assert('wanted' in parsed, text);
      assert.match(parsed.wanted, why);
    }
  });
});
