// Waiting and running, worked out from what a worker wrote: also when it wrote what cannot be.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AnswerRing } from '../../../src/arena/answer-ring.js';
import { timeAt } from '../../../src/arena/arena.js';
import { SLOT } from '../../../src/arena/layout.js';
import { toLocalMs } from '../../../src/base/monotonic.js';
import { ExchangeRecord } from '../../../src/dispatch/exchange.js';
import { noteTimes } from '../../../src/dispatch/request-times.js';

/** The shared clock in s at a local time in ms. */
const sharedS = (localMs: number) => (localMs - toLocalMs(0)) / 1000;
const COMPLETE_MS = 1000;
const NOW_MS = 1100;

/** Queue and run time in ms, rounded. Times of the worker in local ms; 0: it did not write one. */
function timesOf(times: { began?: number; ended: number; lastEnd?: number; woke?: number; writeMs?: number }) {
  const shared = new Float64Array(timeAt(SLOT.words));
  const orNone = (ms: number | undefined) => (ms === undefined ? 0 : sharedS(ms));
  shared[timeAt(SLOT.began_s)] = orNone(times.began);
  shared[timeAt(SLOT.ended_s)] = sharedS(times.ended);
  const thread = { lastEndS: orNone(times.lastEnd), wokeS: orNone(times.woke) } as unknown as AnswerRing;
  const record = new ExchangeRecord();
  record.completeAtMs = COMPLETE_MS;
  record.writeMs = times.writeMs ?? 0;
  noteTimes(record, thread, shared, 0, NOW_MS);
  return [Math.round(record.queueMs * 10) / 10, Math.round(record.appMs * 10) / 10];
}

describe('the times of a request', () => {
  // biome-ignore format: a table
  const TABLE = [
    // what the worker wrote                                         queue   app
    [{ began: 1010, ended: 1030 },                                   10,     20,  'it says when it began'],
    [{ ended: 1030, lastEnd: 1010 },                                 10,     20,  'it began when the one before was done'],
    [{ ended: 1030, lastEnd: 900, woke: 1005 },                      5,      25,  'or when its thread was woken'],
    [{ ended: 1030, lastEnd: 900, woke: 1050 },                      0,      30,  'a wake-up behind the end is for the next one'],
    [{ ended: 1030, lastEnd: 900 },                                  0,      30,  'nothing waits before it is there'],
    [{ began: 1010, ended: 1060, writeMs: 40 },                      10,     10,  'waiting for a slow client is not running'],
    [{ began: 1010, ended: 9999 },                                   10,     90,  'an end in the future is now'],
    [{ began: 9999, ended: 9999 },                                   100,    0,   'a beginning in the future is now'],
    [{ began: 10, ended: 20 },                                       0,      0,   'an end before it came is when it came'],
    [{ began: 1050, ended: 1020 },                                   20,     0,   'it does not end before it began'],
    [{ began: Number.NaN, ended: Number.NaN },                       0,      0,   'what is no number is when it came'],
    [{ began: 1010, ended: Number.POSITIVE_INFINITY },               10,     90,  'nor is there an end that never comes'],
    [{ began: Number.NEGATIVE_INFINITY, ended: 1010 },               0,      10,  'or a beginning before all times'],
  ] as const;
  for (const [times, queueMs, appMs, why] of TABLE) {
    test(`${JSON.stringify(times)}: ${why}`, () => assert.deepEqual(timesOf(times), [queueMs, appMs]));
  }
});
