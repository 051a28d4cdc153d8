// The queue against the plain array that it must behave like.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fifo } from '../../../src/base/fifo.js';
import { randomFrom } from '../../fuzz.js';

describe('a fifo', () => {
  test('gives back in order of arrival, and undefined when there is nothing', () => {
    const fifo = new Fifo<number>();
    assert.equal(fifo.shift(), undefined);
    for (let i = 0; i < 3; i++) fifo.push(i);
    assert.equal(fifo.length, 3);
    assert.deepEqual([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()], [0, 1, 2, undefined]);
    assert.equal(fifo.length, 0);
  });
  test('takes items back at its front, in their order', () => {
    const fifo = new Fifo<number>();
    for (let i = 3; i < 6; i++) fifo.push(i);
    assert.equal(fifo.shift(), 3);
    fifo.unshift([1, 2, 3]);
    assert.deepEqual([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()], [1, 2, 3, 4, 5]);
  });
  test('drops what is not to be kept', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 6; i++) fifo.push(i);
    fifo.shift();
    fifo.keep((item) => item % 2 === 0);
    assert.equal(fifo.length, 2);
    assert.deepEqual([fifo.shift(), fifo.shift(), fifo.shift()], [2, 4, undefined]);
  });
  test('does the same as an array over 200 000 random steps', () => {
    const random = randomFrom(1);
    const fifo = new Fifo<number>();
    let array: number[] = [];
    for (let i = 0; i < 200_000; i++) {
      const step = random();
      const isGrowing = Math.floor(i / 5000) % 2 === 0; // long enough for the point where it moves its items
      if (step < (isGrowing ? 0.7 : 0.3)) {
        fifo.push(i);
        array.push(i);
      } else if (step < 0.995) {
        assert.equal(fifo.shift(), array.shift());
      } else if (step < 0.999) {
        fifo.unshift([i, -i]);
        array.unshift(i, -i);
      } else {
        fifo.keep((item) => item % 3 !== 0);
        array = array.filter((item) => item % 3 !== 0);
      }
      assert.equal(fifo.length, array.length);
    }
    while (array.length > 0) assert.equal(fifo.shift(), array.shift());
  });
});
