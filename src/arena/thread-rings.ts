// The worker's side of the rings, for a JS thread: what bridge_arena.py is for a CPython process.
//
// A thread runs any number of requests at once, so it has one core, and it claims requests until it has as many as it
//   may run. It sleeps in one of two ways: `sleep` lets its event loop go on, `block` does not and is cheaper.
// Decided elsewhere: the accept thread's side (request-ring.ts, answer-ring.ts), the layout (layout.ts).

import { monotonicSeconds } from '../base/monotonic.js';
import { type ArenaMemory, timeAt, viewsOf } from './arena.js';
import { COMMAND_SLOT, CORE, coreWord, entryOf, HEADER, SLOT, slotWord, WORKER, workerWord } from './layout.js';
import { AtomicSemaphores } from './semaphores.js';

export class ThreadRings {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Buffer;
  readonly #times: Float64Array<SharedArrayBuffer>;
  readonly #memory: ArenaMemory;
  readonly #semaphores: AtomicSemaphores;
  readonly #workerAt: number;
  readonly #coreAt: number;
  readonly #requestsAt: number;
  readonly #answersAt: number;
  readonly #mask: number;
  #head = 0;
  #tail = 0;

  constructor(memory: ArenaMemory, place: number) {
    const { words, times, bytes } = viewsOf(memory);
    this.words = words;
    this.#times = times;
    this.bytes = bytes;
    this.#memory = memory;
    this.#semaphores = new AtomicSemaphores(words);
    this.#workerAt = workerWord(memory.geometry, place);
    this.#coreAt = coreWord(memory.geometry, place, 0);
    this.#requestsAt = this.#workerAt + WORKER.words;
    this.#answersAt = this.#coreAt + CORE.words;
    this.#mask = memory.geometry.ringMask;
  }

  /** Claims the next request; 0 when there is none. */
  claim(): number {
    if (!this.#semaphores.tryTake(this.#workerAt + WORKER.credits)) return 0;
    const entry = this.words[this.#requestsAt + (this.#head & this.#mask)]!;
    this.#head = (this.#head + 1) | 0;
    this.words[this.#coreAt + CORE.running] = entry;
    return entry;
  }

  /** Puts an entry on the answer ring; `ring` makes it noticed. */
  publish(entry: number): void {
    Atomics.store(this.words, this.#answersAt + (this.#tail & this.#mask), entry);
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Notes when the answer in the slot at word `slotAt` was complete; `beganS` 0: its thread had nothing else to do. */
  noteTimes(slotAt: number, beganS: number): void {
    this.#times[timeAt(slotAt + SLOT.ended_s)] = monotonicSeconds();
    this.#times[timeAt(slotAt + SLOT.began_s)] = beganS;
  }

  /** Wakes the accept thread if it sleeps. */
  ring(): void {
    if (Atomics.compareExchange(this.words, HEADER.main_sleeps, 1, 0) === 1) {
      Atomics.notify(this.words, HEADER.main_sleeps, 1);
    }
  }

  /** Says that what can be done about `entry`, which was to be broken off, has been done. */
  brokeOff(entry: number): void {
    Atomics.store(this.words, this.#workerAt + WORKER.broke_off, entry);
  }

  /** Sends an event that concerns no request. */
  announce(event: number): void {
    this.publish(entryOf(COMMAND_SLOT, event));
    this.ring();
  }

  /** Says how long a request took, in ns. */
  sample(ns: number): void {
    this.words[this.#coreAt + CORE.sample_ns] = Math.max(1, Math.min(ns, 0x7fffffff));
  }

  /** Waits until there may be something to claim; the event loop goes on meanwhile. */
  async sleep(): Promise<void> {
    if (this.#lieDown()) {
      const wait = Atomics.waitAsync(this.words, this.#coreAt + CORE.bell, 0);
      if (wait.async) await wait.value;
    }
    this.#getUp();
  }

  /**
   * Waits at most `timeoutMs`, with the event loop stopped: right only where nothing but a request can bring work.
   * True when there may be something to claim.
   */
  block(timeoutMs: number): boolean {
    let outcome = 'not-equal';
    if (this.#lieDown()) outcome = Atomics.wait(this.words, this.#coreAt + CORE.bell, 0, timeoutMs);
    this.#getUp();
    return outcome !== 'timed-out';
  }

  /** Says that this thread sleeps, then looks once more. False when it must not sleep. */
  #lieDown(): boolean {
    Atomics.store(this.words, this.#coreAt + CORE.sleeps, 1);
    return Atomics.load(this.words, this.#workerAt + WORKER.credits) === 0;
  }

  /** Says that this thread is awake. A bell that rang too late only makes the next sleep a short one. */
  #getUp(): void {
    this.#times[timeAt(this.#coreAt + CORE.woke_s)] = monotonicSeconds();
    Atomics.store(this.words, this.#coreAt + CORE.sleeps, 0);
    this.#semaphores.tryTake(this.#coreAt + CORE.bell);
  }

  /** Waits until the accept thread has taken the part that lies in `slot`. False: the client has gone. */
  async credit(slot: number): Promise<boolean> {
    const at = slotWord(this.#memory.geometry, slot);
    while (!this.#semaphores.tryTake(at + SLOT.credit)) {
      const wait = Atomics.waitAsync(this.words, at + SLOT.credit, 0);
      if (wait.async) await wait.value;
    }
    return Atomics.load(this.words, at + SLOT.client_gone) === 0;
  }
}
