// Files without a name, on a file system that has them, and where none can be had.

import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openSpoolFile } from '../../../src/listeners/spool-file.js';

const directories: string[] = [];
after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

function newDirectory(parent: string): string {
  const directory = mkdtempSync(join(parent, 'nuwsgi-spool-test-'));
  directories.push(directory);
  return directory;
}

function openIn(directory: string): Promise<number> {
  return new Promise((resolve, reject) => {
    openSpoolFile(directory, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

/** Calls `act`; returns the names that were seen in `directory` meanwhile. */
async function namesSeen(directory: string, act: () => Promise<void>): Promise<string[]> {
  const LAST = 'the last one';
  const names = new Set<string>();
  const watcher = watch(directory);
  const isOver = new Promise<void>((resolve) => {
    watcher.on('change', (type, name) => {
      if (name === LAST) resolve();
      else if (type === 'rename') names.add(String(name)); // a name came or went; the rest is about what files hold
    });
  });
  await act();
  writeFileSync(join(directory, LAST), ''); // the kernel tells of all names in their order
  await isOver;
  watcher.close();
  return [...names];
}

/** What must hold of any file that is opened. */
function checkFile(fd: number): void {
  const { nlink, mode, size } = fstatSync(fd);
  assert.deepEqual([nlink, mode & 0o777, size], [0, 0o600, 0]);
  writeFileSync(fd, 'hello');
  assert.equal(readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'hello'); // as workers open it
  closeSync(fd);
}

describe('a file for a request body', () => {
  test('has no name at any time, so that nothing stays behind whenever the server is killed', async () => {
    const directory = newDirectory('/dev/shm'); // a tmpfs, which has files without names
    assert.deepEqual(await namesSeen(directory, async () => checkFile(await openIn(directory))), []);
  });

  test('has a name for a moment where there are no files without one', async () => {
    const directory = newDirectory(tmpdir());
    const home = process.cwd();
    process.chdir(directory);
    try {
      // what '' names cannot be opened, but a file in it can: it is the working directory
      const names = await namesSeen(directory, async () => checkFile(await openIn('')));
      assert.equal(names.length, 1);
      assert.match(names[0]!, /^nuwsgi-body-[0-9a-f]{24}$/);
      assert.deepEqual(readdirSync(directory), ['the last one']);
    } finally {
      process.chdir(home);
    }
  });

  test('that cannot be opened at all says why', async () => {
    await assert.rejects(openIn(join(newDirectory(tmpdir()), 'missing')), /ENOENT.*missing/);
  });
});
