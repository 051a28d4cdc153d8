// A request body on its way in: kept in memory while it is short, in a temporary file once it is not.
//
// Why complete before dispatch: no worker ever waits for a slow client, and a request that has not started can move.
// The file has no name, so whatever happens to the server, none stays behind (spool-file.ts). Workers open it through the
//   server's descriptor (worker/python/bridge_arena.py, worker/js/input.ts), so each has a position of its own.
// The disk never blocks the accept thread: writes are asynchronous, and the source is asked to pause while more than
//   QUEUE_BYTES wait.
// Whoever sends too slowly is given up: nothing for --socket-timeout (--http-timeout), or less than --min-body-rate over
//   that time. Time during which the source was paused does not count: then it was the disk that was slow.
// Decided elsewhere: how long a body may be, and where it goes (site.ts); when its file is closed (the exchange).

import { writev } from 'node:fs';
import { closeQuietly } from '../base/close-quietly.js';
import { PeerError, ServerFault } from '../base/errors.js';
import type { Limits } from './site.js';
import { release, SpoolBlocks } from './spool-blocks.js';
import { openSpoolFile } from './spool-file.js';
import type { Watch, Watched } from './watch.js';

/** What may wait for the disk before the source is paused. */
const QUEUE_BYTES = 1 << 20;
const NONE = -1;
const NOTHING = new Uint8Array(0);

/**
 * Called once: with what is wrong, or with the body, `bytes` long, as `input` or as an open descriptor (`fd` -1: none),
 * which is the receiver's from then on.
 */
export type BodyDone = (
  error: PeerError | ServerFault | undefined,
  input: Uint8Array | undefined,
  fd: number,
  bytes: number,
) => void;

/** What the body comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Called now and then while it is not too slow, for an engine that has an opinion of its own. */
  keepAlive?(): void;
}

export class RequestBody implements Watched {
  bytes = 0;
  readonly #limits: Limits;
  readonly #source: BodySource;
  /** The body while it is short enough to stay in memory: its only piece so far, or a buffer with room for more. */
  #kept: Uint8Array = NOTHING;
  /** What waits for the disk, once the body is too long for that. */
  #queue: SpoolBlocks | undefined;
  #fd = NONE;
  #writing = false;
  #paused = false;
  #isComplete = false;
  #done: BodyDone | undefined;
  readonly #watch: Watch;
  /** Bytes that had come at the last look, and when some last came. */
  #seenBytes = 0;
  #progressAtMs = 0;
  /** The rate is measured from here, where so many bytes had come. */
  #spanAtMs = 0;
  #spanBytes = 0;

  /** `done` may be called while `feed` runs. */
  constructor(limits: Limits, watch: Watch, source: BodySource, done: BodyDone) {
    this.#watch = watch;
    this.#limits = limits;
    this.#source = source;
    this.#done = done;
  }

  /** Takes the next part of the body, which is copied unless it is all there is. */
  feed(chunk: Uint8Array, isLast: boolean): void {
    if (this.#done === undefined) return; // settled already: the rest is dropped
    const { inlineBodyBytes, bodyBytes } = this.#limits;
    if (isLast && this.bytes === 0 && chunk.length <= inlineBodyBytes) {
      this.bytes = chunk.length;
      this.#settle(undefined, chunk, -1); // the usual case: copied once, from the socket's buffer into the slot
      return;
    }
    if (chunk.length > 0) {
      this.bytes += chunk.length;
      if (bodyBytes > 0 && this.bytes > bodyBytes) {
        this.#settle(new PeerError('PEER_BODY_TOO_LARGE', `more than ${bodyBytes}`, bodyBytes), undefined, -1);
        this.discard();
        return;
      }
      if (this.bytes > inlineBodyBytes) this.#enqueue(chunk);
      else this.#keep(chunk);
    }
    if (isLast && this.bytes <= inlineBodyBytes) this.#watch.delete(this);
    else if (this.#spanAtMs === 0) this.#beginWatch();
    this.#isComplete = isLast;
    if (this.bytes > inlineBodyBytes) this.#spool();
    else if (isLast) this.#settle(undefined, this.#kept.subarray(0, this.bytes), -1);
    if (!isLast && this.#queue !== undefined && this.#queue.bytes > QUEUE_BYTES && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  #beginWatch(): void {
    this.#progressAtMs = this.#spanAtMs = performance.now();
    this.#watch.add(this);
  }

  get isRequest(): boolean {
    return true;
  }

  check(nowMs: number): void {
    const { idleTimeoutMs, minBodyRate } = this.#limits;
    if (this.#paused || this.#isComplete) {
      // it is the disk that takes its time
      this.#progressAtMs = this.#spanAtMs = nowMs;
      this.#spanBytes = this.bytes;
      return;
    }
    if (this.bytes > this.#seenBytes) this.#progressAtMs = nowMs;
    this.#seenBytes = this.bytes;
    const spanMs = nowMs - this.#spanAtMs;
    if (nowMs - this.#progressAtMs >= idleTimeoutMs) {
      this.#giveUp(new PeerError('PEER_TIMEOUT', 'the rest of the request body', idleTimeoutMs));
    } else if (spanMs >= idleTimeoutMs) {
      const rate = Math.floor(((this.bytes - this.#spanBytes) / spanMs) * 1000);
      this.#spanAtMs = nowMs;
      this.#spanBytes = this.bytes;
      if (rate < minBodyRate) this.#giveUp(new PeerError('PEER_SLOW', rate, minBodyRate));
      else this.#source.keepAlive?.();
    } else {
      this.#source.keepAlive?.();
    }
  }

  #giveUp(error: PeerError): void {
    this.#settle(error, undefined, NONE);
    this.discard();
  }

  /** All of it has come; `feed` is told so later, when the requests before this one are answered. */
  hold(): void {
    this.#watch.delete(this);
  }

  /** The client went away: says so, unless the body is complete. */
  abort(): void {
    this.#giveUp(new PeerError('PEER_GONE', this.bytes));
  }

  /** The request is given up. */
  discard(): void {
    this.#watch.delete(this);
    this.#done = undefined;
    this.#kept = NOTHING;
    if (this.#queue !== undefined) release(this.#queue.take());
    if (!this.#writing) this.#closeFile();
  }

  /**
   * Keeps a copy of `chunk`, the newest of `bytes`, in memory. All pieces lie in one buffer, because clients choose their
   * size: each costs some 200 bytes as an object of its own, and there may be one for every byte.
   */
  #keep(chunk: Uint8Array): void {
    const before = this.bytes - chunk.length;
    if (before === 0) {
      this.#kept = Uint8Array.prototype.slice.call(chunk); // usually there is no other
      return;
    }
    if (this.bytes > this.#kept.length) {
      const room = Math.max(this.bytes, Math.min(2 * this.#kept.length, this.#limits.inlineBodyBytes));
      const larger = Buffer.allocUnsafeSlow(room);
      larger.set(this.#kept);
      this.#kept = larger;
    }
    this.#kept.set(chunk, before);
  }

  /** Puts `chunk`, and what came before it and is still in memory, into the queue for the disk. */
  #enqueue(chunk: Uint8Array): void {
    if (this.#queue === undefined) {
      this.#queue = new SpoolBlocks();
      this.#queue.push(this.#kept.subarray(0, this.bytes - chunk.length));
      this.#kept = NOTHING;
    }
    this.#queue.push(chunk);
  }

  #spool(): void {
    if (this.#writing) return;
    this.#writing = true;
    if (this.#fd >= 0) {
      this.#write();
      return;
    }
    openSpoolFile(this.#limits.spoolDirectory, (error, fd) => {
      this.#fd = fd;
      if (error === null) this.#write();
      else this.#fail(error);
    });
  }

  #write(): void {
    const bytes = this.#queue?.bytes ?? 0;
    if (bytes > 0) {
      const blocks = this.#queue!.take();
      this.#writeAll(blocks, bytes, blocks);
      return;
    }
    this.#writing = false;
    if (this.#done === undefined) {
      this.#closeFile();
    } else if (this.#isComplete) {
      const fd = this.#fd;
      this.#fd = NONE;
      this.#settle(undefined, undefined, fd);
    }
  }

  /** Writes `views`, `bytes` long, which lie in `blocks`. */
  #writeAll(views: readonly Buffer[], bytes: number, blocks: readonly Buffer[]): void {
    writev(this.#fd, views, null, (error, written) => {
      if (error === null && written < bytes) {
        this.#writeAll(withoutFirst(views, written), bytes - written, blocks);
        return;
      }
      release(blocks);
      if (error !== null) {
        this.#fail(error);
        return;
      }
      this.#unpause();
      this.#write();
    });
  }

  #unpause(): void {
    if (!this.#paused || this.#done === undefined) return;
    this.#paused = false;
    this.#source.resume();
  }

  #fail(error: Error): void {
    this.#writing = false;
    this.#unpause();
    this.#settle(new ServerFault('SERVER_SPOOL', this.#limits.spoolDirectory, error.message), undefined, -1);
    this.discard();
  }

  #settle(error: PeerError | ServerFault | undefined, input: Uint8Array | undefined, fd: number): void {
    const done = this.#done;
    this.#done = undefined;
    if (this.#spanAtMs > 0) this.#watch.delete(this);
    if (done !== undefined) done(error, input, fd, this.bytes);
    else closeQuietly(fd);
  }

  #closeFile(): void {
    closeQuietly(this.#fd);
    this.#fd = NONE;
  }
}

/** `views` without their first `bytes` bytes. */
function withoutFirst(views: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = [];
  let left = bytes;
  for (const view of views) {
    if (left < view.length) rest.push(view.subarray(left));
    left = Math.max(0, left - view.length);
  }
  return rest;
}
