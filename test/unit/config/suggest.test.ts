import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { distance, nearest } from '../../../src/config/suggest.js';
import { suggest } from '../../../src/config/vocabulary.js';

describe('suggestions', () => {
  test('each slip of typing counts one', () => {
    assert.equal(distance('threads', 'threads'), 0);
    assert.equal(distance('threds', 'threads'), 1, 'left out');
    assert.equal(distance('threeads', 'threads'), 1, 'typed twice');
    assert.equal(distance('thraeds', 'threads'), 1, 'swapped');
    assert.equal(distance('rhreads', 'threads'), 1, 'next key');
    assert.equal(distance('', 'abc'), 3);
  });

  // biome-ignore format: a table
  const SLIPS = [
    ['proceses', 'processes'], ['porcesses', 'processes'], ['thread', 'threads'], ['http_socket', 'http-socket'],
    ['htpp', 'http'], ['modul', 'module'], ['WSGI-FILE', 'wsgi-file'], ['virtual-env', 'virtualenv'],
    ['harikiri', 'harakiri'], ['buffersize', 'buffer-size'], ['max-request', 'max-requests'],
  ] as const;

  test('the name that was meant is found', () => {
    for (const [typed, meant] of SLIPS) assert.equal(suggest(typed), meant, typed);
  });

  test('what is like nothing gets no suggestion', () => {
    for (const typed of ['frobnicate', 'xyzzy', 'q', '']) assert.equal(suggest(typed), undefined, typed);
  });

  test('of two names equally near the first counts', () => {
    assert.equal(nearest('cat', ['car', 'can']), 'car');
  });
});
