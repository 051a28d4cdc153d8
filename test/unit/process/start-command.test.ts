import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { directoryAsCalled } from '../../../src/process/start-command.js';

describe('the directory of a start', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-start-'));
  after(() => rmSync(directory, { recursive: true }));
  const [actual, called, other] = ['release-1', 'current', 'other'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(actual);
  mkdirSync(other);
  symlinkSync('release-1', called);
  const unreadable = join(directory, 'loop');
  symlinkSync('loop', unreadable); // ELOOP, where another user would get EACCES

  test('is what the shell calls it, where that is the same', () => {
    assert.equal(directoryAsCalled(called, actual), called);
  });

  test('is what the system says, where the shell says something else, or nothing', () => {
    for (const wrong of [other, join(directory, 'missing'), unreadable, 'current', '', undefined])
      assert.equal(directoryAsCalled(wrong, actual), actual, wrong);
  });
});
