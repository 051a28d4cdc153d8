// The life of a worker: what the table promises, computed over all of it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { next, WORKER, WORKER_STATES, type WorkerEvent, type WorkerState } from '../../../src/dispatch/worker-state.js';

const row = (state: WorkerState) => Object.entries(WORKER[state]) as [WorkerEvent, WorkerState][];
const EVENTS = [...new Set(WORKER_STATES.flatMap((state) => row(state).map(([event]) => event)))];

/** The states that can follow on `from`, itself included, by the events that `isUsed` lets happen. */
function reachable(from: WorkerState, isUsed: (event: WorkerEvent) => boolean = () => true): Set<WorkerState> {
  const found = new Set<WorkerState>([from]);
  for (const state of found) for (const [event, to] of row(state)) if (isUsed(event)) found.add(to);
  return found;
}

describe('worker states', () => {
  test('a pair is looked up in the table, and one that is not there is an error that names both', () => {
    for (const state of WORKER_STATES) {
      const known = new Map(row(state));
      for (const event of EVENTS) {
        const to = known.get(event);
        if (to !== undefined) assert.equal(next(state, event), to);
        else assert.throws(() => next(state, event), new RegExp(`${state} .*"${event}"`));
      }
    }
  });
  test('every state is reached from dead', () => {
    assert.deepEqual([...reachable('dead')].sort(), [...WORKER_STATES].sort());
  });
  test('the end of a worker is taken in every state but dead', () => {
    for (const state of WORKER_STATES.filter((s) => s !== 'dead')) assert.equal(next(state, 'ended'), 'dead', state);
    assert.throws(() => next('dead', 'ended'));
  });
  test('a worker that was told to leave never serves again, and neither does a mad one', () => {
    for (const state of WORKER_STATES.filter((s) => s !== 'dead')) {
      const after = reachable(next(state, 'told_to_leave'), (event) => event !== 'started' && event !== 'ended');
      assert(!after.has('serving'), state);
    }
    assert.deepEqual([...reachable('mad', (event) => event !== 'ended')], ['mad']);
  });
  test('a place gets a new worker only when the old one is dead', () => {
    for (const state of WORKER_STATES.filter((s) => s !== 'dead')) assert.throws(() => next(state, 'started'), state);
  });
  test('only a worker that lives can go mad', () => {
    for (const state of WORKER_STATES) {
      if (state === 'dead' || state === 'mad') assert.throws(() => next(state, 'went_mad'), state);
      else assert.equal(next(state, 'went_mad'), 'mad', state);
    }
  });
});
