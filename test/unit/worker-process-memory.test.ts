import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { memoryOf, parseStatus } from '../../src/worker/process-memory.js';

const STATUS = `Name:\tpython3
VmPeak:\t  900000 kB
VmSize:\t  800000 kB
VmRSS:\t   50000 kB
RssAnon:\t   20000 kB
RssFile:\t   10000 kB
RssShmem:\t   20000 kB
Threads:\t3
`;

describe('the memory of a process', () => {
  test('is what it has, without the shared pages', () => {
    assert.deepEqual(parseStatus(STATUS, 700_000 * 1024), { rssBytes: 30_000 * 1024, asBytes: 100_000 * 1024 });
  });
  test('is not known of a zombie, or of a process that has ended', async () => {
    assert.equal(parseStatus('Name:\tpython3\nState:\tZ (zombie)\n', 0), undefined);
    assert.equal(await memoryOf(0x7fffffff, 0), undefined);
  });
  test('is read from the kernel', async () => {
    const figures = await memoryOf(process.pid, 0);
    const size = Number(/^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024;
    assert(figures!.rssBytes > 1e7 && figures!.rssBytes < process.memoryUsage.rss() * 1.5);
    assert(Math.abs(figures!.asBytes - size) < size / 2);
  });
});
