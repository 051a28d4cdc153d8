import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Turns } from '../../../src/lifecycle/turns.js';

describe('planned changes', () => {
  test('have their turn one after the other, whether they end well or badly', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const task = (name: string, fails: boolean) => async () => {
      seen.push(`${name} begins`);
      await turn();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
    const outcomes = Promise.allSettled([
      turns.run(task('a', false)),
      turns.run(task('b', true)),
      turns.run(task('c', false)),
    ]);
    assert(turns.isBusy);
    assert.deepEqual(
      (await outcomes).map((o) => (o.status === 'fulfilled' ? o.value : o.reason.message)),
      ['a', 'b', 'c'],
    );
    assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    assert(!turns.isBusy);
  });
});
