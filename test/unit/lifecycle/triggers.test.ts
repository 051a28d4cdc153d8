import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALL_TRIGGERS, TOUCH_OPTIONS, verbOfLetter } from '../../../src/lifecycle/triggers.js';

describe('the triggers', () => {
  test('name each verb, signal, letter and option once', () => {
    for (const values of [
      ALL_TRIGGERS.map((row) => row.verb),
      ALL_TRIGGERS.flatMap((row) => row.signals ?? []),
      ALL_TRIGGERS.flatMap((row) => row.letter ?? []),
      ALL_TRIGGERS.flatMap((row) => row.touch ?? []),
    ]) {
      assert.equal(new Set(values).size, values.length, values.join());
    }
  });
  test('are found by letter and by option', () => {
    assert.equal(verbOfLetter('r'), 'reload');
    assert.equal(verbOfLetter('?'), undefined);
    assert(TOUCH_OPTIONS.some(([option, verb]) => option === 'touch-chain-reload' && verb === 'reloadInTurn'));
  });
});
