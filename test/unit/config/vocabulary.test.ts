import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OPTIONS, type Option } from '../../../src/config/options.js';
import { parseValue } from '../../../src/config/values.js';
import {
  findByLetter,
  findByPrefix,
  findByVariable,
  findWord,
  namesOf,
  WORDS,
} from '../../../src/config/vocabulary.js';

/** The tests run from build/test/unit/config. */
const NAMES_FILE = fileURLToPath(new URL('../../../../test/fixtures/uwsgi-option-names.txt', import.meta.url));
const UWSGI_NAMES = readFileSync(NAMES_FILE, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' ')[0]!);
/** Options of plugins that the list has only the main ones of. */
const OF_PLUGINS = /^(?:carbon|rrdtool|gevent)-/;
const split = (names: string) => names.split(/\s+/);

describe('vocabulary', () => {
  test("every option of uWSGI is known, and only uWSGI's are known without being served", () => {
    assert(UWSGI_NAMES.length > 900);
    assert.deepEqual(
      UWSGI_NAMES.filter((name) => findWord(name) === undefined),
      [],
    );
    const unserved = WORDS.filter((word) => 'known' in word).flatMap(namesOf);
    assert.deepEqual(
      unserved.filter((name) => !UWSGI_NAMES.includes(name) && !OF_PLUGINS.test(name)),
      [],
    );
  });

  test('no name and no letter means two things', () => {
    const names = WORDS.flatMap(namesOf);
    const letters = WORDS.flatMap((word) => word.short ?? []);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
    assert.deepEqual(
      letters.filter((letter, i) => letters.indexOf(letter) !== i),
      [],
    );
  });

  test('names are written so that no source mangles them', () => {
    for (const name of WORDS.flatMap(namesOf)) assert.match(name, /^[a-z0-9][a-z0-9_-]*$/);
  });

  // biome-ignore format: a table
  const LETTERS = {
    s: 'socket', l: 'listen', p: 'processes', t: 'harakiri', R: 'max-requests', b: 'buffer-size', z: 'socket-timeout',
    M: 'master', L: 'disable-logging', T: 'enable-threads', i: 'single-interpreter', w: 'module', H: 'virtualenv',
    S: 'set', y: 'yaml', j: 'json', x: 'xml', d: 'daemonize', C: 'chmod-socket', m: 'memory-report', Q: 'spooler',
    A: 'sharedarea', O: 'optimize', v: 'max-vars', a: 'abstract-socket', r: 'reaper', c: 'cgi-mode', J: 'test', h: 'help',
  };
  test("uWSGI's letters mean the same here", () => {
    for (const [letter, name] of Object.entries(LETTERS)) assert.equal(findByLetter(letter)?.name, name, letter);
  });

  // biome-ignore format: a table
  const TAKES = {
    nothing: ['reaper', 'cflags', 'pcre-jit', 'use-abort', 'ssl-verbose', 'setns-preopen'],
    value: ['gevent', 'http-quiet', 'hook-asap', 'processes', 'chdir', 'legion', 'st'],
    maybe: ['mule', 'snmp', 'endif', 'check-cache', 'master', 'need-app', 'vhost'],
  };
  test('of every name it is known whether it takes a value', () => {
    for (const [takes, names] of Object.entries(TAKES)) {
      for (const name of names) assert.equal(findWord(name)?.takes, takes, name);
    }
  });

  test('what would be worse than no start is refused: sockets, rights, commands, configuration', () => {
    const refused = 'fastcgi-socket chroot paste get declare-option cflags';
    for (const name of split(refused)) {
      const word = findWord(name);
      assert(word !== undefined && 'known' in word && word.known.refuses, name);
    }
    for (const name of ['gevent', 'cache2', 'legion']) {
      const word = findWord(name);
      assert(word !== undefined && 'known' in word && !word.known.refuses, name);
    }
  });

  test('every reason reads behind a colon', () => {
    for (const word of WORDS) {
      if ('known' in word) assert.match(word.known.why, /^(?:[a-z]|TLS|PEP|Python|Node).*[^.\s]$/, word.name);
    }
  });

  test('a variable finds its option, also by an alias and where the name has an underscore', () => {
    assert.equal(findByVariable('UWSGI_HTTP_SOCKET')?.name, 'http-socket');
    assert.equal(findByVariable('UWSGI_WORKERS')?.name, 'processes');
    assert.equal(findByVariable('UWSGI_PIVOT_ROOT')?.name, 'pivot-root');
    assert.equal(findByVariable('UWSGI_NONSENSE'), undefined);
  });

  test('a prefix finds a word once, however many of its names fit', () => {
    assert.deepEqual(
      findByPrefix('processe').map(({ name }) => name),
      ['processes'],
    );
    assert.deepEqual(
      findByPrefix('virtual').map(({ name }) => name),
      ['virtualenv'],
    );
    assert.deepEqual(
      findByPrefix('pythonpat').map(({ name }) => name),
      ['pythonpath'],
    );
    assert(findByPrefix('hook').length > 10);
  });
});

describe('the options table', () => {
  const all: readonly Option[] = OPTIONS;

  test('every default is in its range', () => {
    for (const option of all) {
      if (typeof option.default !== 'number') continue;
      assert.deepEqual(parseValue(option, String(option.default)), { value: option.default }, option.name);
    }
  });

  test('choices and kinds go together, and only what is always so is on without being asked for', () => {
    for (const option of all) {
      assert.equal(option.choices !== undefined, option.kind === 'choice', option.name);
      if (option.always !== undefined && option.kind === 'flag') assert.equal(option.default, true, option.name);
      if (option.kind === 'flag') assert.equal(typeof option.default, 'boolean', option.name);
    }
  });
});
