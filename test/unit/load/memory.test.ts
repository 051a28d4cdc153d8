// The line through samples of memory.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { growth, slopePerMinute } from '../../load/memory.js';

const samples = (valueAt: (second: number) => number) =>
  Array.from({ length: 60 }, (_, second) => ({ atMs: 5000 + second * 1000, value: valueAt(second) }));

describe('the slope of memory', () => {
  test('is that of a line, per minute', () => {
    assert.equal(slopePerMinute(samples(() => 7)), 0);
    assert(Math.abs(slopePerMinute(samples((second) => 100 + second / 10)) - 6) < 1e-9);
    assert(Math.abs(slopePerMinute(samples((second) => 100 - second)) + 60) < 1e-9);
  });
  test('does not take a saw for a rise', () => {
    assert(Math.abs(slopePerMinute(samples((second) => 100 + (second % 10)))) < 2);
  });
  test('of nothing is none', () => {
    assert.equal(slopePerMinute([]), 0);
    assert.equal(slopePerMinute([{ atMs: 1, value: 1 }]), 0);
  });
  test('leaves the warm-up out', () => {
    const warmed = samples((second) => Math.min(second, 10)).map(({ atMs, value }) => ({
      atMs,
      mainRssMib: value,
      treePssMib: 0,
    }));
    const { perMinute, first, last, most } = growth(warmed, 'mainRssMib');
    assert.deepEqual([perMinute, first, last, most], [0, 10, 10, 10]);
  });
});
