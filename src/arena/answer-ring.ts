// The events that one thread of a worker sends back: "this slot holds an answer, or the next part of one".
//
// Why one ring per thread and not per worker: CPython has no atomic add that two threads could share an index with, and
//   a thread that loses the GIL in the middle of a push would hold up its neighbours' answers.
// Why it cannot overflow: a thread sends at most one event per request it holds before the accept thread has read it,
//   and a worker holds fewer requests than the ring has entries.
// How an entry is published: the worker writes the slot, then the entry (not 0); the reader takes it and writes 0. On
//   x86-64 stores become visible in order; elsewhere the bridge puts a barrier in between (bridge_memory.py).
// Decided elsewhere: the doorbell that follows (doorbell.ts), what an entry says (layout.ts).

import { toLocalMs } from '../base/monotonic.js';
import { type Arena, timeAt } from './arena.js';
import { CORE, coreWord } from './layout.js';

/** The accept thread's side. */
export class AnswerRing {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #entriesAt: number;
  readonly #mask: number;
  readonly #times: Float64Array;
  #head = 0;
  /** When the last request of this thread ended, in s of the shared clock. */
  lastEndS = 0;

  constructor(arena: Arena, place: number, core: number) {
    this.#words = arena.words;
    this.#times = arena.times;
    this.#at = coreWord(arena.geometry, place, core); // fresh memory is zero: nothing to reset
    this.#entriesAt = this.#at + CORE.words;
    this.#mask = arena.geometry.ringMask;
  }

  /** Empties the ring for a new worker; the old one must be known dead. */
  reset(): void {
    this.#head = 0;
    this.#words.fill(0, this.#entriesAt, this.#entriesAt + this.#mask + 1);
    this.#words[this.#at + CORE.running] = 0;
    this.#words[this.#at + CORE.sample_ns] = 0;
    this.#times[timeAt(this.#at + CORE.woke_s)] = 0;
    this.lastEndS = 0;
  }

  /** The next entry, or 0. */
  take(): number {
    const at = this.#entriesAt + (this.#head & this.#mask);
    const entry = Atomics.load(this.#words, at);
    if (entry === 0) return 0;
    this.#words[at] = 0;
    this.#head = (this.#head + 1) | 0;
    return entry;
  }

  /** The entry of the request that this thread started last, answered or not; 0 before the first. */
  get lastStarted(): number {
    return Atomics.load(this.#words, this.#at + CORE.running);
  }

  /** When this thread last began anew, in s of the shared clock. */
  get wokeS(): number {
    return this.#times[timeAt(this.#at + CORE.woke_s)]!;
  }

  /** Since when it has been free for a request, or has had the one it is at, on the clock of performance.now(). */
  get freeSinceMs(): number {
    return toLocalMs(Math.max(this.lastEndS, this.wokeS));
  }

  /** How long one of its requests took lately, in ns; 0 when there is no new sample. */
  get serviceSampleNs(): number {
    const sample = this.#words[this.#at + CORE.sample_ns]!;
    if (sample !== 0) this.#words[this.#at + CORE.sample_ns] = 0;
    return sample;
  }
}
