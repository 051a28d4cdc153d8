// The requests on their way to one worker, and the right to run them.
//
//        head                  tail           A post on `credits` follows each push, so the count says how many
//         v                     v             entries nobody has claimed yet. Whoever takes a credit may remove
//   ...[ 17 | 4 | 52 | 9 | 3 ]...             one entry: the worker at the head, the accept thread at the tail.
//     worker takes   main takes back
//
// Why that is safe without a lock: the credits outstanding never exceed the entries present, so with one credit each
//   the two sides cannot meet at the same entry. `head` is known to the worker alone, `tail` to the accept thread alone.
// Why it matters: a credit is the claim token of a request. A request is started by the worker that claimed it, or
//   moved by the accept thread that did, never both; after a crash the credits left over count what had not started.
// Waking is apart from claiming: each thread of a worker sleeps on a bell of its own, so a burst of pushes costs one
//   system call (`wake`), and the accept thread decides how many threads share the work.
// Decided elsewhere: when to move and whom to wake (dispatch/), what the entry says (layout.ts).

import type { Arena } from './arena.js';
import { COMMAND_SLOT, COMMAND_STOP, CORE, coreWord, entryOf, WORKER, workerWord } from './layout.js';
import type { Semaphores } from './semaphores.js';

/** The accept thread's side. */
export class RequestRing {
  readonly #words: Int32Array;
  readonly #semaphores: Semaphores;
  readonly #at: number;
  readonly #entriesAt: number;
  readonly #mask: number;
  readonly #coresAt: readonly number[];
  /** What was pushed, out of the worker's reach: what is taken back must be what was handed over. */
  readonly #pushed: Int32Array;
  #tail = 0;

  constructor(arena: Arena, place: number) {
    this.#words = arena.words;
    this.#semaphores = arena.semaphores;
    this.#at = workerWord(arena.geometry, place);
    this.#coresAt = Array.from({ length: arena.geometry.cores }, (_, core) => coreWord(arena.geometry, place, core));
    this.#entriesAt = this.#at + WORKER.words;
    this.#mask = arena.geometry.ringMask;
    this.#pushed = new Int32Array(arena.geometry.ringEntries);
    this.reset();
  }

  /** Empties the ring for a new worker. The old one must be known dead: it shares the semaphores. */
  reset(): void {
    this.#tail = 0;
    this.#semaphores.reset(this.#at + WORKER.credits);
    this.#semaphores.reset(this.#at + WORKER.fence);
    this.#semaphores.reset(this.#at + WORKER.watch);
    this.#words[this.#at + WORKER.break_off] = 0;
    this.#words[this.#at + WORKER.broke_off] = 0;
    this.#semaphores.reset(this.#at + WORKER.asked);
    this.#semaphores.reset(this.#at + WORKER.probe_fence);
    this.#words[this.#at + WORKER.answer_fd] = 0;
    for (const at of this.#coresAt) {
      this.#words[at + CORE.sleeps] = 0;
      this.#semaphores.reset(at + CORE.bell);
    }
  }

  /** Hands `entry` over; `wake` follows. The caller keeps what a worker holds to the `held` of the arena. */
  push(entry: number): void {
    const at = this.#tail & this.#mask;
    this.#pushed[at] = entry;
    this.#words[this.#entriesAt + at] = entry;
    this.#tail = (this.#tail + 1) | 0;
    this.#semaphores.add(this.#at + WORKER.credits); // publishes the entry: the worker claims a credit first
  }

  /** Takes the youngest entry back that the worker has not claimed; 0 when it has claimed all. */
  takeBack(): number {
    if (!this.#semaphores.tryTake(this.#at + WORKER.credits)) return 0;
    this.#tail = (this.#tail - 1) | 0;
    return this.#pushed[this.#tail & this.#mask]!;
  }

  /**
   * Wakes threads until `awake` of them are, or all. A thread that is awake looks for further entries by itself before
   * it sleeps. Returns how many it had to wake.
   */
  wake(awake: number): number {
    let woken = 0;
    for (const at of this.#coresAt) {
      if (awake <= 0) break;
      if (Atomics.load(this.#words, at + CORE.sleeps) === 1) {
        Atomics.store(this.#words, at + CORE.sleeps, 0);
        this.#semaphores.post(at + CORE.bell);
        woken++;
      }
      awake--;
    }
    return woken;
  }

  /** How many entries the worker has not claimed. */
  get unclaimed(): number {
    return Math.min(this.#mask + 1, Atomics.load(this.#words, this.#at + WORKER.credits));
  }

  /** Whether the worker has claimed `entry`, which it was handed. Only where `tryTake` counts in the word (threads). */
  hasClaimed(entry: number): boolean {
    const { unclaimed } = this;
    for (let i = 1; i <= unclaimed; i++) if (this.#pushed[(this.#tail - i) & this.#mask] === entry) return false;
    return true;
  }

  /** Asks the worker to break the request `entry` off. One at a time: `hasBrokenOff` tells when the next may follow. */
  breakOff(entry: number): void {
    Atomics.store(this.#words, this.#at + WORKER.break_off, entry);
    this.#semaphores.post(this.#at + WORKER.watch);
  }

  /** Whether the worker has done what it can about `entry`. It may run on: in C code, say. */
  hasBrokenOff(entry: number): boolean {
    return Atomics.load(this.#words, this.#at + WORKER.broke_off) === entry;
  }

  /** Asks every thread of the worker to end, each once all entries before are claimed. */
  stop(): void {
    for (const _ of this.#coresAt) this.push(entryOf(COMMAND_SLOT, COMMAND_STOP));
    this.wake(this.#coresAt.length);
  }
}
