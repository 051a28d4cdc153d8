// What it takes to give free memory back to the kernel, and what it gives.
//
// src/base/free-memory.ts relies on it: the heap of a thread that has ended is given back while the accept thread goes on.
// How: the heap of this thread is filled with buffers, most of which go again. While a thread of the pool gives their pages
//   back, this one asks for memory all the time; the longest that it waited for some, with and without.
// Run: npx tsc -p test && node --expose-gc build/native-bench/micro/free-memory.js

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { giveMemoryBackNow, prepareToGiveBack } from '../../src/base/free-memory.js';
import { table } from '../report.js';
import { median } from '../statistics.js';

const ROUNDS = 9;
const BUFFERS = 4000;
const MOST_BUFFER_BYTES = 30_000;
/** One buffer of so many stays, so that none of the heap lies free at its end. */
const KEPT_OF = 50;
const LOOK_MS = 50;
const ASK_BYTES = 4096;

const residentMib = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) / 1024;

/** Free memory in many places. Returns what keeps them apart. */
async function fill(): Promise<Buffer[]> {
  const buffers = Array.from({ length: BUFFERS }, () =>
    Buffer.allocUnsafeSlow(1000 + Math.floor(Math.random() * MOST_BUFFER_BYTES)).fill(1),
  );
  const kept = buffers.filter((_, i) => i % KEPT_OF === 0);
  buffers.length = 0;
  for (let i = 0; i < 2; i++) {
    globalThis.gc!();
    await pause(200); // V8 frees buffers in a thread of its own
  }
  return kept;
}

/** Asks for memory for a while. Resolves to the longest that it took, in ms. */
function longestWait(): Promise<number> {
  return new Promise((resolve) => {
    const end = performance.now() + LOOK_MS;
    let longest = 0;
    const ask = () => {
      for (let i = 0; i < 100; i++) {
        const before = performance.now();
        Buffer.allocUnsafeSlow(ASK_BYTES);
        longest = Math.max(longest, performance.now() - before);
      }
      if (performance.now() < end) setImmediate(ask);
      else resolve(longest);
    };
    ask();
  });
}

const given: number[] = [];
const waits = { without: [] as number[], with: [] as number[] };
prepareToGiveBack();
for (let round = 0; round < ROUNDS; round++) {
  const kept = await fill();
  waits.without.push(await longestWait());
  const before = residentMib();
  const gone = new Promise<void>((resolve) => giveMemoryBackNow(resolve));
  waits.with.push(await longestWait());
  await gone;
  given.push(before - residentMib());
  kept.length = 0;
}
const ms = (values: readonly number[]) => `${median(values)!.toFixed(2)} ms`;
const row = [`${median(given)!.toFixed(0)} MiB`, ms(waits.with), ms(waits.without)];
console.log(table(['given back', 'longest wait for memory meanwhile', 'without'], [row]).join('\n'));
