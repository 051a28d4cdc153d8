import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appTarget, fileTarget, isAppArgument, moduleTarget } from '../../../src/config/app-target.js';

// biome-ignore format: a table
const APPS: readonly (readonly [text: string, target: object])[] = [
  ['foobar.py',                { kind: 'python-file', path: 'foobar.py', callable: undefined }],
  ['/srv/my app/foobar.py',    { kind: 'python-file', path: '/srv/my app/foobar.py', callable: undefined }],
  ['foobar.py:api',            { kind: 'python-file', path: 'foobar.py', callable: 'api' }],
  ['django.wsgi',              { kind: 'python-file', path: 'django.wsgi', callable: undefined }],
  ['/srv/site.wsgi:app',       { kind: 'python-file', path: '/srv/site.wsgi', callable: 'app' }],
  ['hello.js',                 { kind: 'js', path: 'hello.js', callable: undefined }],
  ['./dist/hello.mjs',         { kind: 'js', path: './dist/hello.mjs', callable: undefined }],
  ['hello.cjs',                { kind: 'js', path: 'hello.cjs', callable: undefined }],
  ['hello.ts',                 { kind: 'js', path: 'hello.ts', callable: undefined }],
  ['hello.mts',                { kind: 'js', path: 'hello.mts', callable: undefined }],
  ['hello.cts:handler',        { kind: 'js', path: 'hello.cts', callable: 'handler' }],
  ['pkg.mod',                  { kind: 'python-module', module: 'pkg.mod', callable: undefined }],
  ['pkg.mod:app',              { kind: 'python-module', module: 'pkg.mod', callable: 'app' }],
  ['pkg.mod:create_app()',     { kind: 'python-module', module: 'pkg.mod', callable: 'create_app()' }],
  ['app:app',                  { kind: 'python-module', module: 'app', callable: 'app' }],
  ['mysite.wsgi:application',  { kind: 'python-module', module: 'mysite.wsgi', callable: 'application' }],
  ['büro.seiten:anwendung',    { kind: 'python-module', module: 'büro.seiten', callable: 'anwendung' }],
];
const NO_APPS = [
  '',
  'app',
  'hello.tsx',
  'app.rb',
  'index.html',
  'a b',
  'pkg.mod:',
  'pkg.mod:a.b',
  'pkg..mod',
  './app',
  'x.json',
];

describe('app targets', () => {
  test('the language is told by the extension, and what has none is a module', () => {
    for (const [text, target] of APPS) assert.deepEqual(appTarget(text), { ...target, text }, text);
  });

  test('what is neither a file that is served nor a module is no app', () => {
    for (const text of NO_APPS) assert.equal(appTarget(text), undefined, text);
  });

  test('a module may be called anything that Python can import, but not like a file', () => {
    assert.equal(moduleTarget('app')?.module, 'app');
    assert.equal(moduleTarget('mysite.wsgi')?.module, 'mysite.wsgi');
    assert.equal(moduleTarget('my-app:app')?.module, 'my-app');
    for (const text of ['foobar.py', 'hello.mjs', './app', 'a/b', '', 'pkg.mod:a.b']) {
      assert.equal(moduleTarget(text), undefined, text);
    }
  });

  test('a file may be called anything, and is Python unless its extension says JavaScript', () => {
    assert.deepEqual(fileTarget('bin/app'), {
      kind: 'python-file',
      path: 'bin/app',
      callable: undefined,
      text: 'bin/app',
    });
    assert.equal(fileTarget('index.cgi')?.kind, 'python-file');
    assert.equal(fileTarget('hello.mjs')?.kind, 'js');
    assert.equal(fileTarget('foobar.py:api')?.callable, 'api');
    assert.equal(fileTarget('mysite.wsgi:application'), undefined, 'a module, not a file');
  });

  test('a bare argument is an app when it is a file that is served, or a module with a dot and a callable', () => {
    for (const text of ['a.py', 'a.wsgi', 'a.mjs', 'pkg.mod:app', 'pkg.mod:make()']) assert(isAppArgument(text), text);
    for (const text of ['app:app', 'pkg.mod', 'app', '4', 'false', 'a.ini', 'a.json'])
      assert(!isAppArgument(text), text);
  });
});
