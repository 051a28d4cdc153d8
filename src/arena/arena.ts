// One app's shared memory as the accept thread sees it: the slots, who holds them, and their bytes.
//
// A slot is one request inside the server, from the moment it is complete until its last answer byte has left the
//   slot. It has one owner at any time: the accept thread, or the worker it was handed to.
// Why last-in-first-out: the slot freed last is warm in the caches, and slots never reached cost no memory at all.
// Decided elsewhere: what the words mean (layout.ts), when a slot may be freed (dispatch/dispatcher.ts).

import { constants } from 'node:buffer';
import { ServerFault } from '../base/errors.js';
import {
  type Dimensions,
  type Geometry,
  geometry,
  HEADER,
  MAGIC,
  MAX_GENERATION,
  SLOT,
  slotWord,
  WORD_BYTES,
} from './layout.js';
import { AtomicSemaphores, type Semaphores } from './semaphores.js';
import { createSharedPages, type SemaphoreForm } from './shared-pages.js';

/** The memory of an arena, in the form that can be posted to a worker thread. */
export interface ArenaMemory {
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly geometry: Geometry;
}

const TIME_BYTES = 8;
/** A time takes two words: where it is in `times`. */
export const timeAt = (word: number): number => word >> 1;

/** Int32 words, times and bytes of `memory`, all counted from the start of the arena. */
export function viewsOf(memory: ArenaMemory) {
  const { buffer, start, geometry: g } = memory;
  return {
    words: new Int32Array(buffer, start, Math.floor(g.totalBytes / WORD_BYTES)),
    times: new Float64Array(buffer, start, Math.floor(g.totalBytes / TIME_BYTES)),
    bytes: Buffer.from(buffer, start, g.totalBytes),
  };
}

/** `g`, if this Node can address all of it. */
function addressable(g: Geometry): Geometry {
  const { totalBytes, slots } = g;
  if (totalBytes > constants.MAX_LENGTH) {
    const problem = `${slots} requests take up to ${totalBytes} bytes, this Node can address ${constants.MAX_LENGTH}; lower max-inflight, buffer-size or post-buffering`;
    throw new ServerFault('SERVER_SHARED_MEMORY', 'reserve', problem);
  }
  return g;
}

export class Arena {
  readonly memory: ArenaMemory;
  readonly geometry: Geometry;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** What the layout names with `_s`; see `timeAt`. */
  readonly times: Float64Array<SharedArrayBuffer>;
  readonly bytes: Buffer;
  readonly semaphores: Semaphores;
  /** The memfd behind the pages; -1 when only JS threads use this arena. */
  readonly fd: number;
  readonly #free: Uint16Array;
  readonly #generations: Int16Array;
  #freeCount: number;

  private constructor(memory: ArenaMemory, fd: number, semaphores: Semaphores | undefined) {
    this.memory = memory;
    this.geometry = memory.geometry;
    this.fd = fd;
    const views = viewsOf(memory);
    this.words = views.words;
    this.times = views.times;
    this.bytes = views.bytes;
    this.semaphores = semaphores ?? new AtomicSemaphores(this.words);
    const { slots } = memory.geometry;
    this.#free = Uint16Array.from({ length: slots }, (_, i) => slots - 1 - i); // slot 0 lies on top
    this.#freeCount = slots;
    this.#generations = new Int16Array(slots);
    this.words[HEADER.magic] = MAGIC;
  }

  /** An arena for JS threads: plain shared memory. Throws `ServerFault` SERVER_SHARED_MEMORY. */
  static forThreads(dimensions: Dimensions): Arena {
    const g = addressable(geometry(dimensions));
    return new Arena({ buffer: new SharedArrayBuffer(g.totalBytes), start: 0, geometry: g }, -1, undefined);
  }

  /** An arena for CPython processes: pages of a memfd. Throws `ServerFault` SERVER_SHARED_MEMORY. */
  static forProcesses(dimensions: Dimensions, form?: SemaphoreForm): Arena {
    const g = addressable(geometry(dimensions));
    const pages = createSharedPages(g.totalBytes, form);
    return new Arena({ buffer: pages.buffer, start: pages.start, geometry: g }, pages.fd, pages.semaphores);
  }

  /** Prepares the self-test that a bridge answers when it has mapped the arena (bridge_memory.py). */
  beginSelfTest(): void {
    this.words[HEADER.magic_echo] = 0;
    this.semaphores.reset(HEADER.probe);
    this.semaphores.post(HEADER.probe);
  }

  /**
   * To be called when the bridge says that it has passed. Throws `ServerFault` SERVER_SHARED_MEMORY when this process
   * cannot see what the bridge wrote, or cannot take what it posted: then nothing else would arrive either.
   */
  endSelfTest(): void {
    const echo = Atomics.load(this.words, HEADER.magic_echo);
    if (echo !== MAGIC) {
      const problem = `what the other process wrote does not arrive here (${echo} where ${MAGIC} should be)`;
      throw new ServerFault('SERVER_SHARED_MEMORY', 'the self-test', problem);
    }
    if (!this.semaphores.tryTake(HEADER.probe)) {
      const problem =
        'a semaphore that the other process posted cannot be taken here: do the two use the same C library?';
      throw new ServerFault('SERVER_SHARED_MEMORY', 'the self-test', problem);
    }
  }

  get slots(): number {
    return this.geometry.slots;
  }

  get slotsInUse(): number {
    return this.geometry.slots - this.#freeCount;
  }

  /** A free slot at a new generation, or -1 when all are in use. */
  take(): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[--this.#freeCount]!;
    const at = slotWord(this.geometry, slot);
    if (this.#generations[slot] === 0) this.semaphores.reset(at + SLOT.credit); // reached for the first time
    this.#generations[slot] = (this.#generations[slot]! % MAX_GENERATION) + 1;
    this.words[at + SLOT.client_gone] = 0;
    return slot;
  }

  /** Gives a slot back. Its worker must be done with it, or be known dead. */
  free(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }

  /** The generation the slot got when it was taken last. */
  generationOf(slot: number): number {
    return this.#generations[slot]!;
  }
}
