import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBelow, isServable, pathBelow, withSlash } from '../../../src/edge/static/paths.js';

describe('the path of a request, as a file', () => {
  // biome-ignore format: a table
  const PATHS = [
    // path                    with dot files  without
    ['/a.txt',                 true,           true],
    ['/a/b..c/d.',             true,           true],
    ['/a//b',                  true,           true],
    ['',                       true,           true],
    ['/..\\a',                 true,           false],
    ['/a%2e%2e/b',             true,           true],
    ['/.well-known/x',         true,           true],
    ['/a/.well-known',         true,           true],
    ['/.well-knownish',        true,           false],
    ['/.env',                  true,           false],
    ['/a/.git/config',         true,           false],
    ['/..',                    false,          false],
    ['/../etc/passwd',         false,          false],
    ['/a/../b',                false,          false],
    ['/a/..',                  false,          false],
    ['/.well-known/../x',      false,          false],
    ['/a/./b',                 false,          false],
    ['..',                     false,          false],
    ['/a\0.txt',               false,          false],
  ] as const;
  test('is one only without dots that lead elsewhere, and without hidden names unless they are wanted', () => {
    for (const [path, withHidden, without] of PATHS) {
      assert.equal(isServable(path, true), withHidden, `${JSON.stringify(path)} with dot files`);
      assert.equal(isServable(path, false), without, `${JSON.stringify(path)} without`);
    }
  });

  // biome-ignore format: a table
  const BELOW = [
    // prefix     keeps   path               below
    ['/static',   false,  '/static/a',       '/a'],
    ['/static',   false,  '/static/',        '/'],
    ['/static',   false,  '/static',         ''],
    ['/static',   false,  '/staticx',        undefined],
    ['/static',   false,  '/static../a',     undefined],
    ['/static',   false,  '/Static/a',       undefined],
    ['/static',   false,  '/x/static/a',     undefined],
    ['/static',   true,   '/static/a',       '/static/a'],
    ['',          true,   '/a',              '/a'],
    ['',          false,  '/',               '/'],
  ] as const;
  test('lies below a mount point that ends at a slash', () => {
    for (const [prefix, keepsPrefix, path, below] of BELOW) {
      assert.equal(pathBelow({ prefix, keepsPrefix, root: '/srv' }, path), below, `${prefix} ${path}`);
    }
  });
});

describe('a real path', () => {
  test('is below a directory only at a slash', () => {
    assert(isBelow('/srv/www', '/srv/www'));
    assert(isBelow('/srv/www/a', '/srv/www'));
    assert(isBelow('/anything', '/'));
    assert(!isBelow('/srv/www2/a', '/srv/www'));
    assert(!isBelow('/srv', '/srv/www'));
  });
});

describe('the redirection of a directory', () => {
  test('puts a slash in front of the query', () => {
    assert.equal(withSlash('/a/b'), '/a/b/');
    assert.equal(withSlash('/a%20b?c=/d'), '/a%20b/?c=/d');
  });

  test('never leads to another host', () => {
    assert.equal(withSlash('//evil.example/x'), '/evil.example/x/');
    assert.equal(withSlash('/\\evil.example'), '/evil.example/');
    assert.equal(withSlash('\\/evil.example?//x'), '/evil.example/?//x');
  });
});
