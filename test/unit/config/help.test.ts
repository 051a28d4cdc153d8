import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { helpText, optionHelp } from '../../../src/config/help.js';
import { OPTIONS } from '../../../src/config/options.js';
import { WORDS } from '../../../src/config/vocabulary.js';

const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('help', () => {
  test('names every option that does something, in 100 columns', () => {
    const text = helpText();
    assert.match(text, /^Usage: nuwsgi /);
    assert.match(text, /--help OPTION/);
    for (const { name } of OPTIONS) assert(text.includes(name), name);
    assert(widest(text) <= 100);
    assert.doesNotMatch(text, /[ \t]$/m);
  });

  test('of one option tells its names, value, default, section and how it differs from uWSGI', () => {
    const text = optionHelp('processes');
    for (const part of ['--processes', '--workers', '-p', 'from 1 to 1024', 'default', 'Workers', 'unlike uWSGI']) {
      assert(text.includes(part), part);
    }
    assert.equal(optionHelp('workers'), text);
    assert.equal(optionHelp('p'), text);
  });

  test('of every name that is known is there, in 100 columns', () => {
    for (const { name } of WORDS) assert(widest(optionHelp(name)) <= 100, name);
  });

  test('of an option that is not served tells why', () => {
    assert.match(optionHelp('gevent'), /not supported: Python apps run in threads/);
    assert.match(optionHelp('fastcgi-socket'), /does not start with it/);
  });

  test('of a section is that part of the list', () => {
    const text = optionHelp('Sock');
    assert.match(text, /^Sockets\n {6}--http ADDR/);
    assert.doesNotMatch(text, /Python/);
    assert.equal(optionHelp('Loops'), optionHelp('loops and conditions in files'));
    assert.match(optionHelp('emperor'), /^--emperor/, 'an option comes first');
  });

  test('of nothing suggests a name', () => {
    assert.throws(() => optionHelp('proceses'), { code: 'CONFIG_UNKNOWN_OPTION', message: /did you mean "processes"/ });
  });
});
