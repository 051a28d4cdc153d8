// Lines on their way to a descriptor: collected, written in batches, one write at a time, whole lines only.
//
// What it promises: nobody who logs ever waits. What the disk or the reader does not take is kept up to
//   MOST_WAITING_BYTES, then lines are dropped and counted; when writing works again, it goes on where it stopped, and
//   one line says what was lost. A new file is begun between two lines, never inside one.
// Why not a library's stream (sonic-boom was tried): behind a failed write it begins a new file with the second half of
//   a line, waits without end for a full pipe when flushed, and measures its whole buffer anew with every line.
// Decided elsewhere: which files there are and when they are changed (log-file.ts), what a line says.

import { write, writeSync } from 'node:fs';
import { closeQuietly } from '../../base/close-quietly.js';
import { LineBuffer } from './line-buffer.js';

/** A batch is written when it has so many bytes, or so long after the one before; after a pause, at once. */
const BATCH_BYTES = 64 << 10;
const BATCH_MS = 20;
/** What is kept for a target that takes nothing. */
const MOST_WAITING_BYTES = 8 << 20;
/** When a write is tried again: to a full pipe, and after any other failure. */
const FULL_RETRY_MS = 50;
const FAILURE_RETRY_MS = 1000;
/** How long `flushSync` waits for a pipe that is full. */
const FLUSH_MS = 500;
const FLUSH_STEP_MS = 10;
const NEWLINE = 0x0a;

/** What a writer tells about itself. */
export interface WriterEvents {
  /** Writing fails from now on; `problem` is the system's word for it. Said once, until it works again. */
  onFailing(problem: string): void;
  /** Writing works again. `lost` lines were dropped meanwhile. To be answered with a line, if one is wanted. */
  onRecovered(lost: number, problem: string): string | undefined;
  /** So many bytes have been written, all of them whole lines: a chance to call `replace`. */
  onWritten?(bytes: number): void;
}

export class LineWriter {
  /** Lines dropped in all. */
  lost = 0;
  #fd: number;
  readonly #events: WriterEvents;
  /** What the next batch is made of; `begin` gives it out. */
  #filling = new LineBuffer(BATCH_BYTES);
  #spare: LineBuffer | undefined = new LineBuffer(BATCH_BYTES);
  /** The batch that is being written, and how far it has got. */
  #batch: LineBuffer | undefined;
  #batchAt = 0;
  #isInFlight = false;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #writtenAtMs = 0;
  #problem: string | undefined;
  #lostBefore = 0;
  #replacement: (() => Promise<number>) | undefined;
  #isBroken = false;
  #onIdle: (() => void) | undefined;

  constructor(fd: number, events: WriterEvents) {
    this.#fd = fd;
    this.#events = events;
  }

  get fd(): number {
    return this.#fd;
  }

  /** No more lines are kept. */
  get #isFull(): boolean {
    return this.#filling.length > MOST_WAITING_BYTES;
  }

  // --- lines in ---------------------------------------------------------------------------------------------------

  /** A buffer with room for a line of up to `mostBytes`, to be followed by `commit`; or undefined: the line is lost. */
  begin(mostBytes: number): LineBuffer | undefined {
    const buffer = this.#filling;
    if (buffer.length + mostBytes > buffer.bytes.length) {
      if (this.#isBroken || this.#isFull) {
        this.lost++;
        return undefined;
      }
      buffer.grow(mostBytes);
    }
    return buffer;
  }

  /** A line has been put into the buffer that `begin` gave. */
  commit(): void {
    if (this.#timer === undefined) this.#schedule();
    else if (this.#filling.length >= BATCH_BYTES && this.#isFree) this.#write();
  }

  line(text: string): void {
    const buffer = this.begin(text.length * 3 + 1); // a character is at most three bytes of UTF-8
    if (buffer === undefined) return;
    buffer.text(text);
    buffer.end();
    this.commit();
  }

  // --- batches out ------------------------------------------------------------------------------------------------

  get #isFree(): boolean {
    return !this.#isInFlight && this.#batch === undefined;
  }

  #schedule(): void {
    if (!this.#isFree) return; // what is in flight comes back and sees the rest
    const restMs = this.#writtenAtMs + BATCH_MS - performance.now();
    this.#timer = restMs <= 0 ? setImmediate(this.#write) : setTimeout(this.#write, restMs);
  }

  readonly #write = (): void => {
    this.#unschedule();
    if (this.#batch === undefined) {
      if (this.#filling.length === 0) {
        this.#settle();
        return;
      }
      this.#batch = this.#filling;
      this.#batchAt = 0;
      this.#filling = this.#spare ?? new LineBuffer(BATCH_BYTES);
      this.#spare = undefined;
    }
    this.#isInFlight = true;
    this.#writtenAtMs = performance.now();
    write(this.#fd, this.#batch.bytes, this.#batchAt, this.#batch.length - this.#batchAt, null, this.#onWritten);
  };

  #unschedule(): void {
    clearTimeout(this.#timer as NodeJS.Timeout);
    clearImmediate(this.#timer as NodeJS.Immediate);
    this.#timer = undefined;
  }

  readonly #onWritten = (error: NodeJS.ErrnoException | null, bytes: number): void => {
    this.#isInFlight = false;
    if (this.#isBroken) return;
    if (error !== null) {
      this.#onFailure(error);
      return;
    }
    this.#batchAt += bytes;
    if (this.#batchAt < this.#batch!.length) {
      this.#write(); // to a disk that is filling up, or a pipe
      return;
    }
    const written = this.#batch!.length;
    this.#retire();
    if (this.#problem !== undefined && !this.#isFull) this.#recover(); // while it is full, lines are still lost
    this.#events.onWritten?.(written);
    this.#settle();
  };

  /** The batch is done with: its buffer is used again, unless it had to be made large. */
  #retire(): void {
    const batch = this.#batch!;
    this.#batch = undefined;
    batch.clear();
    if (batch.bytes.length <= 4 * BATCH_BYTES) this.#spare = batch;
  }

  /** Nothing is being written: a new file can be begun, then the next batch. */
  #settle(): void {
    if (this.#isInFlight) return;
    if (this.#replacement !== undefined) {
      void this.#replace(this.#replacement);
    } else if (this.#filling.length > 0) {
      if (this.#timer === undefined) this.#schedule();
    } else {
      this.#onIdle?.();
    }
  }

  // --- failures ---------------------------------------------------------------------------------------------------

  #onFailure(error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN') {
      this.#timer = setTimeout(this.#write, FULL_RETRY_MS);
      return;
    }
    if (this.#problem === undefined) {
      this.#problem = error.message;
      this.#lostBefore = this.lost;
      this.#events.onFailing(error.message);
      if (this.#isBroken) return;
    }
    if (this.#replacement !== undefined) {
      this.#dropHalfLine();
      this.#settle();
    } else {
      this.#timer = setTimeout(this.#write, FAILURE_RETRY_MS).unref();
    }
  }

  #recover(): void {
    const line = this.#events.onRecovered(this.lost - this.#lostBefore, this.#problem!);
    this.#problem = undefined;
    if (line !== undefined) this.line(line);
  }

  /** The reader has gone and cannot come back: everything is dropped from now on. */
  giveUp(): void {
    this.#isBroken = true;
    this.#unschedule();
    this.lost += this.#filling.lines + (this.#batch?.lines ?? 0);
    this.#batch = undefined;
    this.#spare = undefined;
    this.#filling = new LineBuffer(0);
    this.#onIdle?.();
  }

  /** What is left of the batch goes to another file: without the rest of a line that was begun in this one. */
  #dropHalfLine(): void {
    const batch = this.#batch;
    if (batch === undefined || this.#batchAt === 0 || batch.bytes[this.#batchAt - 1] === NEWLINE) return;
    this.#batchAt = batch.bytes.indexOf(NEWLINE, this.#batchAt) + 1;
    this.lost++;
    if (this.#batchAt >= batch.length) this.#retire();
  }

  // --- another file -----------------------------------------------------------------------------------------------

  /**
   * Writes to another descriptor as soon as what is being written is done: `open` gives it; the old one is closed.
   * When `open` fails, everything stays as it is, and it is for `open` to say so.
   */
  replace(open: () => Promise<number>): void {
    this.#replacement = open;
    if (this.#isInFlight) return;
    if (this.#batch !== undefined) {
      this.#unschedule(); // between two tries
      this.#dropHalfLine();
    }
    void this.#replace(open);
  }

  async #replace(open: () => Promise<number>): Promise<void> {
    this.#isInFlight = true; // nothing is to be written meanwhile
    this.#unschedule();
    try {
      const before = this.#fd;
      this.#fd = await open();
      closeQuietly(before);
    } catch {
      // it goes on with the old one
    }
    this.#isInFlight = false;
    if (this.#replacement === open) this.#replacement = undefined;
    if (this.#batch !== undefined) this.#write();
    else this.#settle();
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Resolves when everything has been written, or after `mostMs`. */
  drain(mostMs: number): Promise<void> {
    if (this.#isBroken || (this.#isFree && this.#filling.length === 0)) return Promise.resolve();
    if (this.#isFree) this.#write();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, mostMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Writes what waits without returning to the event loop. For the end of the process. */
  flushSync(): void {
    const deadline = performance.now() + FLUSH_MS;
    if (this.#batch !== undefined && !this.#isInFlight) this.#putSync(this.#batch, this.#batchAt, deadline);
    this.#putSync(this.#filling, 0, deadline);
  }

  #putSync(buffer: LineBuffer, from: number, deadline: number): void {
    let at = from;
    while (at < buffer.length) {
      try {
        at += writeSync(this.#fd, buffer.bytes, at, buffer.length - at);
      } catch (error) {
        const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
        if (!isFull || performance.now() > deadline) break; // there is nobody left to tell
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_STEP_MS);
      }
    }
    buffer.clear();
  }
}
