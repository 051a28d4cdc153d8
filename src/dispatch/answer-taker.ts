// Takes what workers have put into slots, part by part or as a stream, and passes it to the clients.
//
// A worker is held up by its own client only: as long as that one has too much that it has not taken, nothing more is
//   taken for it, and the worker waits when its slot is full.
// Decided elsewhere: which request an entry is about, what becomes of a mad worker and of a finished request (dispatcher.ts),
//   what is sound (answer-part.ts, answer-stream.ts), how it looks on the wire (listeners/).

import type { Arena } from '../arena/arena.js';
import { SLOT, slotWord } from '../arena/layout.js';
import { AnswerPart } from './answer-part.js';
import { AnswerStream } from './answer-stream.js';
import { deliver } from './deliver.js';
import type { Exchange } from './exchange.js';
import type { WorkerPort } from './worker-port.js';

/** Called when an answer is complete, before its slot is given back. */
export type OnComplete = (worker: WorkerPort, core: number, exchange: Exchange, hasFailed: boolean) => void;

export class AnswerTaker {
  readonly #arena: Arena;
  readonly #mostHeldBytes: number;
  readonly #onComplete: OnComplete;
  /** The part that is looked at. */
  readonly #part = new AnswerPart();
  #nowMs = 0;

  /** `mostHeldBytes`: what a client may have before nothing more is taken for it (response-buffering). */
  constructor(arena: Arena, mostHeldBytes: number, onComplete: OnComplete) {
    this.#arena = arena;
    this.#mostHeldBytes = mostHeldBytes;
    this.#onComplete = onComplete;
  }

  /** Thread `core` of `worker` has published an entry about `exchange`. Returns what is impossible about what is there. */
  take(worker: WorkerPort, core: number, exchange: Exchange, nowMs: number): string | undefined {
    this.#nowMs = nowMs;
    return exchange.headSent ? this.#onMore(worker, core, exchange) : this.#onPart(worker, core, exchange);
  }

  /** What follows a head has come: a stream, or a part. */
  #onMore(worker: WorkerPort, core: number, exchange: Exchange): string | undefined {
    if (exchange.stream === undefined) {
      const stream = AnswerStream.of(this.#arena, exchange.slot);
      if (stream === undefined) return this.#onPart(worker, core, exchange);
      if (typeof stream === 'string') return stream;
      exchange.stream = stream;
    }
    return this.#onStream(worker, core, exchange, exchange.stream);
  }

  #onPart(worker: WorkerPort, core: number, exchange: Exchange): string | undefined {
    const part = this.#part;
    part.read(this.#arena.words, slotWord(this.#arena.geometry, exchange.slot));
    const fault = part.fault(this.#arena.geometry.answerBytes, exchange.headSent);
    if (fault !== undefined) return fault;
    const { hasHead, isLast, headBytes, bodyBytes } = part;
    const { record } = exchange;
    record.bodyBytes += bodyBytes;
    if (bodyBytes > 0 && headBytes + bodyBytes < this.#arena.geometry.answerBytes) record.parts++; // else it goes on in the next one
    if (hasHead && !exchange.overdue) {
      record.status = part.status;
      record.headBytes = part.givenHeadBytes;
      record.fields = part.fields;
      record.core = core;
    }
    // what is delivered may be edited on its way, and then noted anew
    if (!exchange.gone && !exchange.overdue) {
      const problem = deliver(part, exchange, this.#arena, worker.workerId);
      if (problem !== undefined) {
        record.status = record.headBytes = record.fields = record.bodyBytes = 0;
        return problem;
      }
    }
    if (hasHead) exchange.headSent = true;
    if (isLast) this.#onComplete(worker, core, exchange, part.hasFailed);
    else if (part.beginsStream) return this.#onMore(worker, core, exchange);
    else this.#onPartTaken(exchange);
    return undefined;
  }

  #onStream(worker: WorkerPort, core: number, exchange: Exchange, stream: AnswerStream): string | undefined {
    const { record } = exchange;
    stream.see(exchange.entries);
    // what is left when all is written does not hold the worker up, and its slot is wanted
    const isComplete = stream.isComplete(exchange.entries);
    const taken = stream.take(exchange, isComplete ? Number.POSITIVE_INFINITY : this.#mostHeldBytes);
    if (typeof taken === 'string') return taken;
    record.bodyBytes += taken;
    if (!isComplete) {
      this.#hold(exchange);
      return undefined;
    }
    record.parts += stream.parts;
    if (!exchange.gone) exchange.answerEnd(stream.isBroken);
    this.#onComplete(worker, core, exchange, stream.hasFailed);
    return undefined;
  }

  /** Whether nothing more is taken of an answer for now: its client has not taken what was. */
  #hold(exchange: Exchange): boolean {
    if (exchange.gone || exchange.overdue || exchange.heldBytes < this.#mostHeldBytes) return false;
    if (!exchange.isHeld) exchange.heldSinceMs = this.#nowMs;
    exchange.isHeld = true;
    return true;
  }

  /** A part that its worker waits for has been taken. */
  #onPartTaken(exchange: Exchange): void {
    const at = slotWord(this.#arena.geometry, exchange.slot);
    this.#arena.words[at + SLOT.seen] = exchange.entries; // in case a stream follows; the credit comes behind it
    if (!this.#hold(exchange)) this.#arena.semaphores.post(at + SLOT.credit);
  }

  #creditOf(exchange: Exchange): number {
    return slotWord(this.#arena.geometry, exchange.slot) + SLOT.credit;
  }

  /** The client has taken what held its answer up. Returns as `take`. */
  drained(exchange: Exchange): string | undefined {
    if (!exchange.isHeld) return undefined;
    this.letGo(exchange);
    const { stream } = exchange;
    if (stream === undefined) return undefined;
    this.#nowMs = performance.now();
    const taken = stream.take(exchange, this.#mostHeldBytes);
    if (typeof taken === 'string') return taken;
    exchange.record.bodyBytes += taken;
    this.#hold(exchange);
    return undefined;
  }

  /** Lets the worker of an answer go on, if that is held: it is to find out that its client is gone, or has room. */
  letGo(exchange: Exchange): void {
    const { stream, isHeld } = exchange;
    const isWaitedFor = stream?.isWaitedFor ?? true;
    stream?.wake();
    if (!isHeld) return;
    exchange.isHeld = false;
    if (isWaitedFor) exchange.record.writeMs += performance.now() - exchange.heldSinceMs;
    if (stream === undefined) this.#arena.semaphores.post(this.#creditOf(exchange));
  }
}
