// A worker thread that only claims, counts and answers, and sleeps both ways in between. For rings.test.ts.

import { workerData } from 'node:worker_threads';
import type { ArenaMemory } from '../../../src/arena/arena.js';
import { COMMAND_SLOT, ENTRY_SLOT_MASK, EVENT_READY, SLOT, slotWord } from '../../../src/arena/layout.js';
import { ThreadRings } from '../../../src/arena/thread-rings.js';

export interface RingThreadData {
  readonly memory: ArenaMemory;
  readonly worker: number;
  /** Per request id: how often it was started. */
  readonly started: Int32Array<SharedArrayBuffer>;
}

const { memory, worker, started } = workerData as RingThreadData;
const rings = new ThreadRings(memory, worker);
const alive = setInterval(() => {}, 1000); // a wait for a word does not keep the thread going
rings.announce(EVENT_READY);
for (let rounds = 0; ; rounds++) {
  let entry = rings.claim();
  for (; entry !== 0; entry = rings.claim()) {
    const slot = entry & ENTRY_SLOT_MASK;
    if (slot === COMMAND_SLOT) break;
    const id = rings.words[slotWord(memory.geometry, slot) + SLOT.request_id]!;
    Atomics.add(started, id, 1);
    for (let spin = (id * 7919) % 2000; spin > 0; spin--); // some take longer than others
    rings.publish(entry);
  }
  rings.ring();
  if (entry !== 0) break;
  if (rounds % 2 === 0) await rings.sleep();
  else rings.block(1000);
}
clearInterval(alive);
