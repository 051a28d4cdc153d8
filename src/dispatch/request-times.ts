// How long an answered request waited for a thread, and ran.
//
// Each request costs its worker one look at the clock, at its end: it ran from when its thread was done with the one before,
//   or had begun anew. What a worker wrote is believed only as far as it lies between the request's hand-over and now.
// Decided elsewhere: what is made of the times (observe/).

import type { AnswerRing } from '../arena/answer-ring.js';
import { timeAt } from '../arena/arena.js';
import { SLOT } from '../arena/layout.js';
import { toLocalMs } from '../base/monotonic.js';
import type { ExchangeRecord } from './exchange.js';

/** Also for a value that is no number: then `least`. */
const within = (least: number, value: number, most: number) => (value > least ? Math.min(value, most) : least);

/** Notes the times of a request that `thread` answered, and whose slot begins at word `at`. */
export function noteTimes(record: ExchangeRecord, thread: AnswerRing, times: Float64Array, at: number, nowMs: number) {
  const endS = times[timeAt(at + SLOT.ended_s)]!;
  let beganS = times[timeAt(at + SLOT.began_s)]!;
  if (beganS === 0) {
    const { wokeS } = thread;
    beganS = wokeS <= endS ? Math.max(thread.lastEndS, wokeS) : thread.lastEndS;
  }
  thread.lastEndS = endS;
  const { completeAtMs } = record;
  const endMs = within(completeAtMs, toLocalMs(endS), nowMs);
  const beganMs = within(completeAtMs, toLocalMs(beganS), endMs);
  record.queueMs = beganMs - completeAtMs;
  record.appMs = Math.max(0, endMs - beganMs - record.writeMs);
}
