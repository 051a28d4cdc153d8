// The body of an answer as a stream: bytes that a worker puts into a ring in its slot while its app goes on, and that the
// accept thread takes when it looks.
//
// Why: with parts that are handed over one by one, each waits until the one before is taken. It costs both sides a wake-up
//   per part, and makes the app wait. Here the accept thread takes as one what has come since it looked last, and the app
//   waits only when the ring is full.
// Who tells whom, so that nothing is left lying: the worker first counts what it has written, then looks whether all of its
//   entries are taken (`seen`); if so it publishes another. The accept thread first counts the entry as taken, then looks
//   at what is written. With a barrier between the two steps on either side, one of them sees the other. When the
//   ring is full it is the same with `wants_room` and `taken`, and the credit.
// All a worker says is checked: it may have gone mad.
// Decided elsewhere: when there is something to look at, what becomes of a mad worker (dispatcher.ts), the words (arena/layout.ts).

import type { Arena } from '../arena/arena.js';
import { ANSWER, answerByte, SLOT, STREAM_COUNT_MASK, slotWord } from '../arena/layout.js';
import type { Exchange } from './exchange.js';

export class AnswerStream {
  readonly #arena: Arena;
  /** First word of the slot. */
  readonly #at: number;
  /** The ring: its first byte in the arena, and its length. */
  readonly #start: number;
  readonly #size: number;
  /** Where the next byte lies in the ring. */
  #index = 0;
  #taken = 0;

  private constructor(arena: Arena, at: number, start: number, size: number) {
    this.#arena = arena;
    this.#at = at;
    this.#start = start;
    this.#size = size;
  }

  /** The stream in `slot`; undefined: the worker has not begun one. A text says why there cannot be one. */
  static of(arena: Arena, slot: number): AnswerStream | string | undefined {
    const { words, geometry } = arena;
    const at = slotWord(geometry, slot);
    const size = words[at + SLOT.stream_bytes]!;
    if (size === 0) return undefined;
    const start = words[at + SLOT.stream_at]!;
    if (start < 0 || size < 0 || start + size > geometry.answerBytes)
      return `a stream of ${size} bytes at byte ${start}`;
    return new AnswerStream(arena, at, answerByte(geometry, slot) + start, size);
  }

  /** Whether the worker has said that all is written, and `entries` of its entries about it are all there are. */
  isComplete(entries: number): boolean {
    const { words } = this.#arena;
    return Atomics.load(words, this.#at + SLOT.stream_flags) !== 0 && words[this.#at + SLOT.entries] === entries;
  }

  /** ANSWER bits; 0 while more may come. */
  get flags(): number {
    return this.#arena.words[this.#at + SLOT.stream_flags]!;
  }

  /** In how many parts the app gave it. */
  get parts(): number {
    return this.#arena.words[this.#at + SLOT.parts]!;
  }

  /** Whether the worker waits for room. */
  get isWaitedFor(): boolean {
    return this.#arena.words[this.#at + SLOT.wants_room] !== 0;
  }

  /** To be called with each entry, before `take`: how many there were. */
  see(entries: number): void {
    Atomics.store(this.#arena.words, this.#at + SLOT.seen, entries);
  }

  /**
   * Passes what is there to the client, unless that one is gone, until it holds `mostHeldBytes`. Returns the bytes taken,
   * or a text: what is impossible about them.
   */
  take(exchange: Exchange, mostHeldBytes: number): number | string {
    const { words, bytes } = this.#arena;
    const written = Atomics.load(words, this.#at + SLOT.written);
    const there = (written - this.#taken) & STREAM_COUNT_MASK;
    if (written < 0 || there > this.#size) return `${there} bytes in a stream of ${this.#size}`;
    let left = there;
    while (left > 0 && (exchange.gone || exchange.heldBytes < mostHeldBytes)) {
      const count = Math.min(left, this.#size - this.#index);
      const from = this.#start + this.#index;
      if (!exchange.gone) exchange.answerPart(bytes.subarray(from, from + count));
      this.#index = (this.#index + count) % this.#size;
      left -= count;
    }
    if (left === there) return 0;
    this.#taken = (this.#taken + there - left) & STREAM_COUNT_MASK;
    Atomics.store(words, this.#at + SLOT.taken, this.#taken);
    this.wake();
    return there - left;
  }

  /** Wakes the worker if it waits for room: there is some, or the client is gone. */
  wake(): void {
    const word = this.#at + SLOT.wants_room;
    if (Atomics.exchange(this.#arena.words, word, 0) !== 0) this.#arena.semaphores.post(this.#at + SLOT.credit);
  }

  /** Whether the client must not take the answer for complete. */
  get isBroken(): boolean {
    return (this.flags & ANSWER.BROKEN) !== 0;
  }

  get hasFailed(): boolean {
    return (this.flags & ANSWER.FAILED) !== 0;
  }
}
