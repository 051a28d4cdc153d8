// Which worker gets a request, as tables: workers drawn as text, and the index that must come out.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  hotDepth,
  isStalled,
  type Load,
  mostHeld,
  nextServiceMs,
  pickWorker,
  shouldSpread,
  TUNING,
} from '../../../src/dispatch/policy.js';

const NOW_MS = 10_000;
const LONG_AGO_MS = NOW_MS - TUNING.stalledMs - 1;

/**
 * "0 3 3! -" are four workers: idle, with three requests in hand, with three and silent for too long, and one that
 * takes no requests.
 */
function workersOf(drawing: string): Load[] {
  return drawing.split(' ').map((sign) => ({
    accepting: sign !== '-',
    inFlight: sign === '-' ? 0 : Number.parseInt(sign, 10),
    progressAtMs: sign.endsWith('!') ? LONG_AGO_MS : NOW_MS,
  }));
}

const FAST_MS = 0.01; // 15 of them fit into TUNING.backlogMs
const SLOW_MS = 10;

describe('which worker gets a request', () => {
  // biome-ignore format: a table
  const TABLE = [
    // workers        serviceMs  threads  choice  why
    ['0 0 0',         FAST_MS,   1,        0,     'the first of the idle ones'],
    ['1 0 0',         FAST_MS,   1,        0,     'one that keeps up takes the next too: it need not be woken'],
    ['14 0 0',        FAST_MS,   1,        0,     'up to the depth at which nobody waits too long'],
    ['15 0 0',        FAST_MS,   1,        1,     'beyond it the next one joins in'],
    ['15 15 0',       FAST_MS,   1,        2,     'and the one after that'],
    ['15 3 0',        FAST_MS,   1,        1,     'the first that is hot and keeps up, even if another is idle'],
    ['5! 0 0',        FAST_MS,   1,        1,     'a stalled one is not hot'],
    ['5! 2 0',        FAST_MS,   1,        1,     'a hot one behind a stalled one'],
    ['1 0',           SLOW_MS,   1,        1,     'long requests: an idle one first'],
    ['1 1',           SLOW_MS,   1,       -1,     'long requests, all threads taken: it waits for the first to be free'],
    ['1 1',           SLOW_MS,   2,        0,     'a thread is free: the least loaded'],
    ['2 1',           SLOW_MS,   2,        1,     'a thread is free: the least loaded'],
    ['2 2',           SLOW_MS,   2,       -1,     'no thread is free'],
    ['3 1 2',         SLOW_MS,   4,        1,     'the least loaded of those with a free thread'],
    ['1! 1',          SLOW_MS,   2,        1,     'among equals the one that is not stalled'],
    ['1! 2',          SLOW_MS,   3,        0,     'but a stalled one with a free thread before a fuller one'],
    ['1! 1!',         SLOW_MS,   1,       -1,     'all stalled, no thread free'],
    ['1! 1!',         SLOW_MS,   2,        0,     'all stalled, a thread is free: a last resort'],
    ['1! 1!',         FAST_MS,   1,       -1,     'fast so far, but nobody answers now: it waits here and not behind them'],
    ['- 0',           FAST_MS,   1,        1,     'one that takes no requests is passed over'],
    ['- -',           FAST_MS,   1,       -1,     'nobody takes requests'],
    ['15 15',         FAST_MS,   1,       -1,     'all as deep as nobody should wait: it waits here'],
    ['15 15',         FAST_MS,   16,       0,     'unless they have more threads than that'],
  ] as const;
  for (const [drawing, serviceMs, threads, choice, why] of TABLE) {
    test(`${drawing} with ${threads} threads, ${serviceMs} ms each: ${choice}, ${why}`, () => {
      assert.equal(pickWorker(workersOf(drawing), NOW_MS, serviceMs, threads), choice);
    });
  }

  test('seven stalled workers of eight do not get a request while the eighth keeps up', () => {
    const workers = workersOf('1! 1! 1! 1! 1! 1! 1! 0');
    for (const serviceMs of [FAST_MS, SLOW_MS]) {
      assert.equal(pickWorker(workers, NOW_MS, serviceMs, 1), 7);
    }
  });

  test('nobody ever holds more than mostHeld, whatever the load', () => {
    for (const threads of [1, 2, 16, 100]) {
      for (const serviceMs of [0, 1e-6, FAST_MS, 1, SLOW_MS]) {
        const workers = [0, 1, 2].map(() => ({ accepting: true, inFlight: 0, progressAtMs: NOW_MS }));
        for (;;) {
          const choice = pickWorker(workers, NOW_MS, serviceMs, threads);
          if (choice < 0) break;
          workers[choice]!.inFlight++;
          assert(workers[choice]!.inFlight <= mostHeld(threads), `${threads} threads, ${serviceMs} ms`);
        }
        for (const worker of workers) assert(worker.inFlight >= threads, 'and every thread can be kept busy');
      }
    }
  });
});

describe('a worker is stalled', () => {
  // biome-ignore format: a table
  const TABLE = [
    // inFlight  silent for ms          stalled
    [0,          1e6,                   false],
    [1,          0,                     false],
    [1,          TUNING.stalledMs,      false],
    [1,          TUNING.stalledMs + .1, true],
    [9,          TUNING.stalledMs + .1, true],
  ] as const;
  for (const [inFlight, silentMs, expected] of TABLE) {
    test(`with ${inFlight} requests and ${silentMs} ms of silence: ${expected}`, () => {
      const worker = { accepting: true, inFlight, progressAtMs: NOW_MS - silentMs };
      assert.equal(isStalled(worker, NOW_MS), expected);
    });
  }
});

describe('how deep a hot worker goes', () => {
  // biome-ignore format: a table
  const TABLE = [
    // serviceMs                depth
    [0,                         TUNING.deepest],
    [0.001,                     TUNING.deepest],
    [0.01,                      15],
    [0.04,                      3],
    [TUNING.backlogMs,          1],
    [TUNING.backlogMs + 0.001,  0],
    [1000,                      0],
  ] as const;
  for (const [serviceMs, depth] of TABLE) {
    test(`${serviceMs} ms each: ${depth}`, () => assert.equal(hotDepth(serviceMs), depth));
  }
});

describe('threads of a worker', () => {
  test('all wait for requests when these are long, and one does when they are short', () => {
    assert.equal(shouldSpread(TUNING.shortMs), true);
    assert.equal(shouldSpread(TUNING.shortMs - 0.001), false);
  });
});

describe('the average of service times', () => {
  test('comes to where the samples are', () => {
    for (const target of [0.01, 1, 50]) {
      let average = 1;
      for (let i = 0; i < 200; i++) average = nextServiceMs(average, target);
      assert(Math.abs(average - target) < target * 0.01, `${average} for ${target}`);
    }
  });
  test('notices a slow spell with one sample, and needs more of them to believe in a fast one', () => {
    assert.equal(hotDepth(nextServiceMs(0.01, 100)), 0);
    assert.equal(hotDepth(nextServiceMs(100, 0.01)), 0);
  });
});
