import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { median, medianRatio, spread } from '../../../native-bench/statistics.js';

describe('the median', () => {
  test('is the value in the middle, whatever order they come in', () => {
    assert.equal(median([10, 9, 100]), 10);
  });
  test('of an even number is between the two in the middle', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });
  test('of nothing is unknown', () => {
    assert.equal(median([]), undefined);
  });
  test('leaves its input as it is', () => {
    const values = [3, 1, 2];
    median(values);
    assert.deepEqual(values, [3, 1, 2]);
  });
});

describe('the spread', () => {
  test('leaves out rounds without a value', () => {
    assert.deepEqual(spread([5, undefined, 1, 3]), { min: 1, median: 3, max: 5 });
  });
  test('of nothing is unknown', () => {
    assert.equal(spread([undefined]), undefined);
  });
});

describe('the ratio over rounds', () => {
  test('is the median of the ratios, not the ratio of the medians', () => {
    // the machine was half as fast in the second round, and in the third only for one of them
    assert.equal(medianRatio([200, 100, 200], [100, 50, 50]), 2);
    assert.equal(medianRatio([30, 10, 50], [10, 10, 100]), 1);
  });
  test('counts only rounds in which both have a value', () => {
    assert.equal(medianRatio([1, undefined, 6, 8], [1, 1, 2]), 2);
  });
  test('does not divide by zero', () => {
    assert.equal(medianRatio([5], [0]), undefined);
  });
});
