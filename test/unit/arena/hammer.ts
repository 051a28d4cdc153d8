// The accept thread's half of a contest about a few slots: bursts handed to workers at random, taken back and moved, while
// the workers claim, answer and fall asleep as they like. What must come out: each request answered once.

import assert from 'node:assert/strict';
import { AnswerRing } from '../../../src/arena/answer-ring.js';
import type { Arena } from '../../../src/arena/arena.js';
import {
  COMMAND_SLOT,
  ENTRY_SLOT_BITS,
  ENTRY_SLOT_MASK,
  EVENT_READY,
  entryOf,
  HEADER,
  SLOT,
  slotWord,
} from '../../../src/arena/layout.js';
import { RequestRing } from '../../../src/arena/request-ring.js';

/** What wakes this side when it has said that it sleeps. */
export interface Bell {
  /** To be called after it has said so. */
  arm(): void;
  /** Resolves at the next ring. */
  readonly rung: Promise<void>;
}

export interface Outcome {
  /** How often a request was taken back before a worker had claimed it. */
  moved: number;
  /** How often this side slept until a worker rang. */
  slept: number;
}

export class Hammer {
  readonly #arena: Arena;
  readonly #requests: readonly RequestRing[];
  readonly #answers: readonly (readonly AnswerRing[])[];
  readonly #held: number[];
  readonly #random: () => number;
  readonly #bell: Bell;
  /** Entries that are not answered, and who holds them. */
  readonly #open = new Map<number, { readonly id: number; worker: number }>();
  readonly #answered = new Uint8Array(1 << 17);
  #ready = 0;

  constructor(arena: Arena, workers: number, random: () => number, bell: Bell) {
    const { cores } = arena.geometry;
    this.#arena = arena;
    this.#requests = Array.from({ length: workers }, (_, worker) => new RequestRing(arena, worker));
    this.#answers = Array.from({ length: workers }, (_, worker) =>
      Array.from({ length: cores }, (_, core) => new AnswerRing(arena, worker, core)),
    );
    this.#held = Array(workers).fill(0);
    this.#random = random;
    this.#bell = bell;
  }

  /** Gets requests 1 to `count` answered. `fill` writes what the worker needs besides the request id into a slot. */
  async run(count: number, fill: (slot: number, id: number) => void): Promise<Outcome> {
    const outcome: Outcome = { moved: 0, slept: 0 };
    let next = 1;
    for (let answered = 0; answered < count; ) {
      for (let burst = this.#below(24); burst > 0 && next <= count; burst--) {
        if (!this.#send(next, fill)) break;
        next++;
      }
      if (this.#below(3) === 0) outcome.moved += this.#move();
      for (const ring of this.#requests) ring.wake(1 + this.#below(this.#arena.geometry.cores));
      const events = this.#poll();
      answered += events;
      if (events === 0 && this.#open.size > 0 && (next > count || this.#below(4) === 0)) {
        answered += await this.#sleep(outcome);
      }
    }
    return outcome;
  }

  /** Tells all workers to end, once they have answered. */
  stop(): void {
    for (const ring of this.#requests) ring.stop();
  }

  /** Waits until all workers have said that they are ready. */
  async ready(): Promise<void> {
    while (this.#ready < this.#requests.length) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#poll();
    }
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  /** A worker with room for one more, or -1. */
  #worker(): number {
    const first = this.#below(this.#held.length);
    for (let i = 0; i < this.#held.length; i++) {
      const worker = (first + i) % this.#held.length;
      if (this.#held[worker]! < this.#arena.geometry.held) return worker;
    }
    return -1;
  }

  #send(id: number, fill: (slot: number, id: number) => void): boolean {
    const worker = this.#worker();
    if (worker < 0) return false;
    const slot = this.#arena.take();
    if (slot < 0) return false;
    this.#arena.words[slotWord(this.#arena.geometry, slot) + SLOT.request_id] = id;
    fill(slot, id);
    const entry = entryOf(slot, this.#arena.generationOf(slot));
    this.#open.set(entry, { id, worker });
    this.#held[worker]!++;
    this.#requests[worker]!.push(entry);
    return true;
  }

  /** Takes some back from one worker and gives them to whoever has room. Returns how many. */
  #move(): number {
    const from = this.#below(this.#requests.length);
    let moved = 0;
    for (let most = 1 + this.#below(8); most > 0; most--) {
      const entry = this.#requests[from]!.takeBack();
      if (entry === 0) break;
      const request = this.#open.get(entry);
      assert(request !== undefined && request.worker === from, `${entry} was taken back from a worker without it`);
      this.#held[from]!--;
      request.worker = this.#worker();
      this.#held[request.worker]!++;
      this.#requests[request.worker]!.push(entry);
      moved++;
    }
    return moved;
  }

  #poll(): number {
    let answers = 0;
    for (const [worker, cores] of this.#answers.entries()) {
      for (const ring of cores) {
        for (let entry = ring.take(); entry !== 0; entry = ring.take()) {
          const slot = entry & ENTRY_SLOT_MASK;
          if (slot === COMMAND_SLOT) {
            assert.equal(entry >>> ENTRY_SLOT_BITS, EVENT_READY);
            this.#ready++;
            continue;
          }
          const request = this.#open.get(entry);
          assert(request !== undefined, `an answer to nothing: ${entry}`);
          assert.equal(request.worker, worker, 'answered by another worker than the one that has it');
          assert.equal(++this.#answered[request.id]!, 1, `request ${request.id} is answered again`);
          this.#open.delete(entry);
          this.#held[worker]!--;
          this.#arena.free(slot);
          answers++;
        }
      }
    }
    return answers;
  }

  /** Sleeps until a worker rings, as pump.ts does. Returns the answers found at the last look. */
  async #sleep(outcome: Outcome): Promise<number> {
    const { words } = this.#arena;
    Atomics.store(words, HEADER.main_sleeps, 1);
    const found = this.#poll();
    if (found === 0) {
      const { rung } = this.#bell;
      this.#bell.arm();
      outcome.slept++;
      const alive = setInterval(() => {}, 1000); // a wait for a word does not keep the process going
      await rung;
      clearInterval(alive);
    }
    Atomics.store(words, HEADER.main_sleeps, 0);
    return found;
  }
}

/** A bell for `Hammer`, rung by calling `ring`. */
export class TestBell implements Bell {
  readonly #arm: () => void;
  #ring!: () => void;
  rung!: Promise<void>;

  constructor(arm: () => void = () => {}) {
    this.#arm = arm;
    this.#renew();
  }

  readonly ring = (): void => {
    this.#ring();
    this.#renew();
  };

  arm(): void {
    this.#arm();
  }

  #renew(): void {
    this.rung = new Promise((resolve) => {
      this.#ring = resolve;
    });
  }
}
