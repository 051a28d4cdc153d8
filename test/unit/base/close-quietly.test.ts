// Descriptors that cannot be closed as they should. What NFS answers (EIO, EDQUOT) cannot be had here; EBADF can.

import assert from 'node:assert/strict';
import { fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { closeQuietly } from '../../../src/base/close-quietly.js';
import { ROOT, until } from '../../e2e/harness.js';

/** More descriptors than a process may have. */
const NOT_OPEN = 2 ** 31 - 1;

describe('a descriptor that nobody waits for', () => {
  test('is closed', async () => {
    const fd = openSync('/dev/null', 'r');
    closeQuietly(fd);
    const isClosed = () => {
      try {
        fstatSync(fd);
        return false;
      } catch {
        return true;
      }
    };
    await until(isClosed, 'the descriptor is closed');
  });

  test('ends nothing when it cannot be closed, nor when there is none', async (t) => {
    const thrown: unknown[] = [];
    const onThrown = (error: unknown) => thrown.push(error);
    process.on('uncaughtException', onThrown);
    t.after(() => process.off('uncaughtException', onThrown));
    closeQuietly(NOT_OPEN);
    closeQuietly(-1);
    const isDone = () => !process.getActiveResourcesInfo().includes('FSReqCallback');
    assert(!isDone(), 'it is not being closed');
    await until(isDone, 'the attempt is over');
    assert.deepEqual(thrown, []);
  });

  test('is closed in this way wherever it is closed', () => {
    const src = join(ROOT, 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const others = files.filter((file) => {
      const source = readFileSync(join(src, file), 'utf8');
      return /^import \{[^}]*\bclose\b[^}]*\} from 'node:fs';|^import (\* as )?fs\b/m.test(source);
    });
    assert.deepEqual(others, ['base/close-quietly.ts']);
  });
});
