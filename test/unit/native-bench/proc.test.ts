// Reading /proc: the texts by themselves, and this very process.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuTicksOf, isAlive, parsePssKib, parseStat, pssMibOf, readTree, treeOf } from '../../../native-bench/proc.js';

/** /proc/PID/stat with the fields that count here; times in ticks. */
const statLine = (name: string, utime = 1, stime = 2, cutime = 4, cstime = 8) =>
  `42 (${name}) S 7 42 42 0 -1 4194304 100 0 0 0 ${utime} ${stime} ${cutime} ${cstime} 20 0 3 0 123456 1000000 500 1844`;

const stat = (pid: number, ppid: number, session: number, cpuTicks = 0) => ({
  pid,
  ppid,
  session,
  state: 'S',
  cpuTicks,
  startTicks: pid,
});

describe('/proc/PID/stat', () => {
  test('gives who it is, whose child, and its time with that of its reaped children', () => {
    const expected = { pid: 42, ppid: 7, session: 42, state: 'S', cpuTicks: 15, startTicks: 123_456 };
    assert.deepEqual(parseStat(statLine('node')), expected);
  });
  test('may hold a name with spaces and parentheses', () => {
    assert.deepEqual(parseStat(statLine('a) S 1 (b')), parseStat(statLine('node')));
  });
  test('that is empty or cut off is none', () => {
    assert.equal(parseStat(''), undefined);
    assert.equal(parseStat('42 (node) S 7 42'), undefined);
  });
});

describe('/proc/PID/smaps_rollup', () => {
  test('gives the PSS, and not one of its parts', () => {
    assert.equal(parsePssKib('Rss:   3944 kB\nPss:                1246 kB\nPss_Dirty:     561 kB\n'), 1246);
  });
  test('of a process without memory gives none', () => {
    assert.equal(parsePssKib(''), undefined);
  });
});

describe('the tree of a server', () => {
  const all = [stat(1, 0, 1), stat(10, 1, 10, 5), stat(11, 10, 10, 7), stat(12, 11, 12, 9), stat(13, 12, 12, 11)];
  const pids = (tree: ReturnType<typeof treeOf>) => tree.map(({ pid }) => pid);

  test('has descendants in sessions of their own, in whatever order they are listed', () => {
    assert.deepEqual(pids(treeOf(all, 10)), [10, 11, 12, 13]);
    assert.deepEqual(pids(treeOf(all.toReversed(), 10)), [13, 12, 11, 10]);
  });
  test('keeps who has lost its parent but not its session, with its children', () => {
    const orphaned = [stat(1, 0, 1), stat(11, 1, 10), stat(12, 11, 12)];
    assert.deepEqual(pids(treeOf(orphaned, 10)), [11, 12]);
  });
  test('has nobody else', () => {
    assert.deepEqual(pids(treeOf([...all, stat(20, 1, 20)], 12)), [12, 13]);
  });
  test('has the time of all', () => {
    assert.equal(cpuTicksOf(treeOf(all, 10)), 32);
  });
});

test('this process is found, alive, and has memory', () => {
  const self = readTree(process.pid).find(({ pid }) => pid === process.pid);
  assert(self !== undefined && isAlive(self));
  assert(!isAlive({ ...self, startTicks: self.startTicks - 1 }), 'the pid of another process');
  assert((pssMibOf([self]) ?? 0) > 5);
});
