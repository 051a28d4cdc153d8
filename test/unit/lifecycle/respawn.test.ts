import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { afterEnd, HEALTHY_MS, NEW_SEAT } from '../../../src/lifecycle/respawn.js';

/** The delays after workers that lived for so long each. */
function delays(livedMs: readonly number[], longestMs: number): number[] {
  let history = NEW_SEAT;
  return livedMs.map((lived) => {
    const after = afterEnd(history, lived, longestMs);
    history = after.history;
    return after.delayMs;
  });
}

describe('the next worker of a seat', () => {
  test('comes at once after one that has lived', () => {
    assert.deepEqual(delays([HEALTHY_MS, HEALTHY_MS, 1e9], 2000), [0, 0, 0]);
  });
  test('comes at once after the first that died young, then later and later, up to the longest pause', () => {
    assert.deepEqual(delays(Array(8).fill(10), 2000), [0, 100, 200, 400, 800, 1600, 2000, 2000]);
    assert.deepEqual(delays(Array(5).fill(10), 150), [0, 100, 150, 150, 150]);
  });
  test('comes at once again after one that has lived in between', () => {
    assert.deepEqual(delays([10, 10, 10, HEALTHY_MS, 10, 10], 2000), [0, 100, 200, 0, 0, 100]);
  });
});
