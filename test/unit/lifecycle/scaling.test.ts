import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ScalingFacts, type ScalingRules, scale, UNSCALED } from '../../../src/lifecycle/scaling.js';

const RULES: ScalingRules = {
  algorithm: 'spare',
  least: 1,
  most: 8,
  step: 1,
  looks: 3,
  rssSoftBytes: 0,
  rssHardBytes: 0,
  busyness: { max: 50, min: 25, multiplier: 2, penalty: 1, backlogAlert: 33, backlogStep: 2, backlogNonzero: 5 },
};
const CALM: ScalingFacts = { workers: 4, busy: 3, allBusy: 0, waiting: 0, rssBytes: 0 };
const FULL: Partial<ScalingFacts> = { busy: 4, allBusy: 1 };
const QUIET: Partial<ScalingFacts> = { busy: 0 };
const GIB = 2 ** 30;

/** What happens in the looks that see `facts`, one after the other. */
function changes(rules: Partial<ScalingRules>, looks: readonly Partial<ScalingFacts>[]): number[] {
  let state = UNSCALED;
  return looks.map((facts) => {
    const scaling = scale({ ...RULES, ...rules }, { ...CALM, ...facts }, state);
    state = scaling.state;
    return scaling.change;
  });
}
const times = <T>(n: number, facts: T): T[] => Array(n).fill(facts);

// biome-ignore format: a table
const CASES: readonly (readonly [what: string, rules: Partial<ScalingRules>, looks: readonly Partial<ScalingFacts>[], expected: readonly number[]])[] = [
  ['spare: nothing changes while one is idle',         {}, times(4, {}), [0, 0, 0, 0]],
  ['spare: all busy for the third time in a row',      {}, times(4, FULL), [0, 0, 1, 0]],
  ['spare: all busy, but not in a row',                {}, [FULL, FULL, {}, FULL, FULL, FULL], [0, 0, 0, 0, 0, 1]],
  ['spare: all busy half of the time is enough',       { looks: 1 }, [{ ...FULL, allBusy: 0.5 }, { ...FULL, allBusy: 0.4 }], [1, 0]],
  ['spare: several at once',                           { step: 3 }, times(3, FULL), [0, 0, 3]],
  ['spare: never more than there may be',              { step: 3, most: 5 }, times(3, FULL), [0, 0, 1]],
  ['spare: not beyond the most',                       { most: 4 }, times(6, FULL), [0, 0, 0, 0, 0, 0]],
  ['spare: idle ones leave one by one',                {}, times(6, QUIET), [0, 0, -1, 0, 0, -1]],
  ['spare: never fewer than the least',                { least: 4 }, times(6, QUIET), [0, 0, 0, 0, 0, 0]],
  ['backlog: requests wait',                           { algorithm: 'backlog' }, times(3, { waiting: 1 }), [0, 0, 1]],
  ['backlog: busy workers alone are no reason',        { algorithm: 'backlog' }, times(4, FULL), [0, 0, 0, 0]],
  ['backlog: nothing waits and two are idle',          { algorithm: 'backlog' }, times(3, { busy: 2 }), [0, 0, -1]],
  ['backlog: idle ones stay while something waits',    { algorithm: 'backlog', most: 4 }, times(4, { busy: 0, waiting: 1 }), [0, 0, 0, 0]],
  ['busyness: above the most percent',                 { algorithm: 'busyness' }, times(3, { busy: 2.1 }), [0, 0, 1]],
  ['busyness: between the bounds',                     { algorithm: 'busyness' }, times(9, { busy: 1.5 }), times(9, 0)],
  ['busyness: below the least, for longer',            { algorithm: 'busyness' }, times(6, { busy: 0.5 }), [0, 0, 0, 0, 0, -1]],
  ['busyness: many wait at once',                      { algorithm: 'busyness' }, [{ waiting: 34 }, { waiting: 33 }], [2, 0]],
  ['busyness: few wait for long',                      { algorithm: 'busyness' }, times(5, { busy: 1.5, waiting: 1 }), [0, 0, 0, 0, 1]],
  ['manual: whatever happens',                         { algorithm: 'manual' }, [...times(4, FULL), ...times(9, QUIET)], times(13, 0)],
  ['memory: too much to grow',                         { rssSoftBytes: GIB }, times(4, { ...FULL, rssBytes: GIB }), [0, 0, 0, 0]],
  ['memory: far too much',                             { rssHardBytes: GIB }, [{ rssBytes: GIB - 1 }, { rssBytes: GIB }], [0, -1]],
  ['memory: far too much, with the least there is',    { rssHardBytes: 1, least: 4 }, times(3, { ...FULL, rssBytes: GIB }), [0, 0, 0]],
];

describe('the number of workers', () => {
  for (const [what, rules, looks, expected] of CASES) {
    test(what, () => assert.deepEqual(changes(rules, looks), expected));
  }
  test('busyness: a worker that was ended too soon makes the next wait longer', () => {
    const quiet = times(6, { busy: 0.5 });
    const looks = [...quiet, ...times(3, FULL), ...times(9, { busy: 0.5 })];
    const seen = changes({ algorithm: 'busyness' }, looks);
    assert.deepEqual(seen.slice(0, 9), [0, 0, 0, 0, 0, -1, 0, 0, 1]);
    assert.deepEqual(seen.slice(9), [0, 0, 0, 0, 0, 0, 0, 0, -1], 'nine looks, not six');
  });
});
