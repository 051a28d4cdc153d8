// When the accept thread looks for answers, and when it may go to sleep.
//
// Why it looks by itself: a doorbell costs two system calls and two context switches per answer. While requests are in
//   flight and answers come quickly, it looks at the answer rings between two rounds of the event loop and, briefly,
//   in a loop; only when nothing comes does it say that it sleeps, and from then on workers ring.
// Why nothing is lost: it says so first and looks once more afterwards; a worker publishes first and reads that word
//   afterwards, with a barrier in between on each side (bridge_arena.py).
// What it buys is measured in native-bench: scenario hello, NUWSGI_SPIN_US=0 against the default.
// Decided elsewhere: what an answer is (dispatcher.ts), what a bell is (doorbell.ts).

import { HEADER } from '../arena/layout.js';
import type { Dispatcher } from './dispatcher.js';

/** Longest time in µs that the accept thread looks in a loop before it sleeps. */
const SPIN_US = Number(process.env.NUWSGI_SPIN_US ?? 10);
/** How often silent workers are looked after while one of them has what it has not begun. */
const RESCUE_MS = 1;
/** Without that for so many looks, there is nothing to rescue; the rings are looked at now and then all the same. */
const LOOKS_IN_VAIN = 100;
const SLOW_RESCUE_MS = 100;

/** Something that can be heard while the accept thread sleeps, and has to be told each time (doorbell.ts). */
interface Armed {
  arm(): void;
}

export class Pump {
  readonly #dispatchers: Dispatcher[] = [];
  readonly #doorbells: Armed[] = [];
  readonly #spinMs = SPIN_US / 1000;
  #scheduled = false;
  #rescue: NodeJS.Timeout | undefined;
  #isSlow = false;
  #looksInVain = 0;

  /** Looks after `dispatcher` from now on. `doorbell`: one that has to be armed before each sleep. */
  add(dispatcher: Dispatcher, doorbell?: Armed): void {
    this.#dispatchers.push(dispatcher);
    if (doorbell !== undefined) this.#doorbells.push(doorbell);
  }

  /** Something may come. Called when requests are handed to workers, and by the doorbells. */
  readonly wake = (): void => {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#round);
  };

  #rescueEvery(ms: number): void {
    clearInterval(this.#rescue);
    this.#rescue = setInterval(this.#onRescue, ms);
    this.#isSlow = ms > RESCUE_MS;
    this.#looksInVain = 0;
  }

  readonly #round = (): void => {
    this.#scheduled = false;
    if (this.#rescue === undefined || this.#isSlow) this.#rescueEvery(RESCUE_MS);
    this.#setSleeping(0);
    for (const dispatcher of this.#dispatchers) dispatcher.ring();
    let now = performance.now();
    let events = this.#poll(now);
    if (events === 0 && this.#isActive()) {
      const until = now + this.#spinMs;
      do {
        now = performance.now();
        events = this.#poll(now);
      } while (events === 0 && now < until);
    }
    if (!this.#isActive()) return;
    if (events > 0) {
      this.wake(); // answers come quickly: let the sockets have their turn, then look again
      return;
    }
    this.#setSleeping(1);
    if (this.#poll(performance.now()) > 0) this.wake();
    else for (const doorbell of this.#doorbells) doorbell.arm();
  };

  #poll(now: number): number {
    let events = 0;
    for (const dispatcher of this.#dispatchers) {
      if (!dispatcher.active) continue;
      events += dispatcher.poll(now);
      dispatcher.ring();
    }
    return events;
  }

  #isActive(): boolean {
    for (const dispatcher of this.#dispatchers) if (dispatcher.active) return true;
    return false;
  }

  #setSleeping(value: 0 | 1): void {
    for (const { arena } of this.#dispatchers) Atomics.store(arena.words, HEADER.main_sleeps, value);
  }

  readonly #onRescue = (): void => {
    if (!this.#isActive()) {
      clearInterval(this.#rescue);
      this.#rescue = undefined;
      return;
    }
    const now = performance.now();
    this.#poll(now);
    let isNeeded = false;
    for (const dispatcher of this.#dispatchers) {
      if (!dispatcher.active) continue;
      if (dispatcher.rescue(now)) isNeeded = true;
      dispatcher.ring();
    }
    // requests that all run, and take their time, need nobody: streams to browsers, say
    this.#looksInVain = isNeeded ? 0 : this.#looksInVain + 1;
    if (this.#looksInVain >= LOOKS_IN_VAIN && !this.#isSlow) this.#rescueEvery(SLOW_RESCUE_MS);
  };
}
