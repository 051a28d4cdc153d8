// Opening what a path may name and what it may not: row T13 of docs/security.md.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rename, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FileStore } from '../../../src/edge/static/file-store.js';
import { openFile, Tree } from '../../../src/edge/static/open-file.js';
import { until } from '../../e2e/harness.js';

let base: string;
let root: Tree;
const at = (name: string) => join(base, 'root', name);

before(() => {
  base = mkdtempSync(join(tmpdir(), 'nuwsgi-static-'));
  mkdirSync(join(base, 'root/dir'), { recursive: true });
  mkdirSync(join(base, 'root2'));
  writeFileSync(at('a.txt'), 'inside');
  writeFileSync(join(base, 'secret'), 'secret');
  writeFileSync(join(base, 'root2/b.txt'), 'beside');
  symlinkSync('a.txt', at('inner'));
  symlinkSync('../secret', at('outer'));
  symlinkSync('..', at('up'));
  symlinkSync('loop', at('loop'));
  symlinkSync('/dev/null', at('null'));
  symlinkSync(join(base, 'root2'), at('beside'));
  execFileSync('mkfifo', [at('fifo')]);
  root = new Tree(join(base, 'root'));
});
after(() => rmSync(base, { recursive: true }));

/** Kind of what `name` is, and its bytes where it can be read. */
async function open(name: string, trees: readonly Tree[] = [root]): Promise<string> {
  const opened = await openFile(at(name), trees);
  if (opened.kind !== 'file') return opened.kind;
  const text = readFileSync(opened.fd, 'utf8');
  closeSync(opened.fd);
  return text;
}

const descriptors = () => readdirSync('/proc/self/fd').length;

describe('a file', () => {
  test('is opened where it lies below the root, through links too', async () => {
    assert.equal(await open('a.txt'), 'inside');
    assert.equal(await open('inner'), 'inside');
    assert.equal(await open('dir'), 'directory');
  });

  test('is not opened where it lies elsewhere, unless that place is safe', async () => {
    assert.equal(await open('outer'), 'outside');
    assert.equal(await open('up/secret'), 'outside');
    assert.equal(await open('up'), 'outside');
    assert.equal(await open('beside/b.txt'), 'outside', 'root2 is not below root');
    assert.equal(await open('beside/b.txt', [root, new Tree(join(base, 'root2'))]), 'beside');
  });

  test('lies below the root of all, where that is the directory', async () => {
    assert.equal(await open('outer', [new Tree('')]), 'secret');
  });

  test('that is none is missing: nothing waits for a FIFO, and no device is woken', async () => {
    for (const name of ['none', 'a.txt/b', 'a.txt/', 'loop', 'fifo', 'null', `${'x'.repeat(300)}`]) {
      assert.equal(await open(name), 'missing', name);
    }
  });

  test('leaves no descriptor open, whatever becomes of it', async () => {
    const names = ['a.txt', 'inner', 'dir', 'outer', 'none', 'fifo', 'null'];
    for (const name of names) await open(name);
    const before = descriptors();
    for (let i = 0; i < 50; i++) await Promise.all(names.map((name) => open(name)));
    await until(() => descriptors() <= before, 'all descriptors are closed'); // which is asynchronous
  });

  test('is never one outside, however links are swapped meanwhile', async () => {
    const swaps = (async () => {
      for (let i = 0; i < 400; i++) {
        await symlink(i % 2 === 0 ? '../secret' : 'a.txt', at('next'));
        await rename(at('next'), at('swapped'));
      }
    })();
    const seen = new Set<string>();
    let done = false;
    swaps.then(() => {
      done = true;
    });
    while (!done) seen.add(await open('swapped'));
    assert(!seen.has('secret'), [...seen].join());
    assert(seen.has('inside') && seen.has('outside'), [...seen].join());
  });

  test('is found where a deployment has moved the root to', async () => {
    await symlink('root', join(base, 'current'));
    const current = new Tree(join(base, 'current'));
    const read = async (name: string) => {
      const opened = await openFile(join(base, 'current', name), [current]);
      if (opened.kind === 'file') closeSync(opened.fd);
      return opened.kind;
    };
    assert.equal(await read('a.txt'), 'file');
    await symlink('root2', join(base, 'newer'));
    await rename(join(base, 'newer'), join(base, 'current'));
    assert.equal(await read('b.txt'), 'file');
    assert.equal(await read('a.txt'), 'missing');
  });
});

describe('the store of files', () => {
  const text = async (store: FileStore, name: string) => {
    const stored = await store.get(at(name), root, []);
    return stored.kind === 'file' ? stored.file.content?.toString() : stored.kind;
  };
  /** A file that changed a moment ago is not kept; nothing but time makes it older. */
  const settle = () => new Promise((resolve) => setTimeout(resolve, 150));

  test('notices every change of a file it keeps', async () => {
    const store = new FileStore(0);
    writeFileSync(at('c.txt'), 'one');
    assert.equal(await text(store, 'c.txt'), 'one');
    writeFileSync(at('c.txt'), 'two');
    assert.equal(await text(store, 'c.txt'), 'two', 'changed within a tick of the clock');
    await settle();
    assert.equal(await text(store, 'c.txt'), 'two');
    writeFileSync(at('c.txt'), 'six');
    assert.equal(await text(store, 'c.txt'), 'six');
    rmSync(at('c.txt'));
    assert.equal(await text(store, 'c.txt'), 'missing');
  });

  test('looks at nothing for as long as it is told to trust', async () => {
    const store = new FileStore(60_000);
    writeFileSync(at('d.txt'), 'old');
    await settle();
    assert.equal(await text(store, 'd.txt'), 'old');
    assert.equal(await text(store, 'none'), 'missing');
    writeFileSync(at('d.txt'), 'new');
    assert.equal(await text(store, 'd.txt'), 'old');
    assert(!(store.get(at('d.txt'), root, []) instanceof Promise), 'at once');
    assert(!(store.get(at('none'), root, []) instanceof Promise), 'at once');
  });

  test('opens a large file anew for everybody', async () => {
    const store = new FileStore(0);
    writeFileSync(at('large'), Buffer.alloc(300_000));
    const [one, two] = await Promise.all([store.get(at('large'), root, []), store.get(at('large'), root, [])]);
    assert(one.kind === 'file' && two.kind === 'file');
    assert.notEqual(one.file.fd, two.file.fd);
    assert.equal(fstatSync(one.file.fd).size, 300_000);
    closeSync(one.file.fd);
    closeSync(two.file.fd);
  });
});
