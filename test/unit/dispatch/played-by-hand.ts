// A dispatcher whose workers and clients are played by the test: what they claim, answer, write that they must not, take and
// leave. The arena, the rings and the dispatcher are the real ones.

import assert from 'node:assert/strict';
import { Arena } from '../../../src/arena/arena.js';
import {
  ANSWER,
  answerByte,
  ENTRY_SLOT_MASK,
  EVENT_READY,
  requestByte,
  SLOT,
  slotWord,
} from '../../../src/arena/layout.js';
import { ThreadRings } from '../../../src/arena/thread-rings.js';
import type { Code, NuwsgiError } from '../../../src/base/errors.js';
import { Dispatcher } from '../../../src/dispatch/dispatcher.js';
import type { DispatcherOptions } from '../../../src/dispatch/dispatcher-options.js';
import { type AnswerHead, Exchange } from '../../../src/dispatch/exchange.js';
import { mostHeld } from '../../../src/dispatch/policy.js';

export const SLOTS = 6;
export const BUFFERING_BYTES = 100;
/** So short that a worker may hold many, and so long that it may hold one per thread. */
export const FAST_MS = 0.01;
export const SLOW_MS = 50;
/** A head as a worker writes it. */
export const OK = '200 OK\r\nX: y';

/** A client, and what it was given. */
export class Client extends Exchange {
  readonly got: string[] = [];
  releases = 0;
  /** Bytes that it has not taken. */
  held = 0;
  /** Called when the head of an answer comes. */
  onHead: ((head: AnswerHead) => void) | undefined;

  answerWhole(head: AnswerHead, body: Buffer): void {
    this.onHead?.(head);
    this.gone = true;
    this.got.push(`${head.bytes} ${body}`);
  }
  answerFirst(head: AnswerHead, data: Buffer): void {
    this.onHead?.(head);
    this.got.push(`${head.bytes} ${data}`);
  }
  answerPart(data: Buffer): void {
    this.got.push(String(data));
  }
  answerEnd(broken: boolean): void {
    this.gone = true;
    this.got.push(broken ? 'broken' : 'end');
  }
  refuse(error: NuwsgiError<Code>): void {
    this.gone = true;
    this.got.push(error.code);
  }
  drop(): void {
    this.gone = true;
    this.got.push('drop');
  }
  override released(): void {
    this.releases++;
  }
  get heldBytes(): number {
    return this.held;
  }
  leave(): void {
    this.gone = true;
    this.owner?.abandon(this);
  }
}

export interface Answer {
  readonly head?: string;
  readonly body?: string;
  readonly flags?: number;
  readonly status?: number;
  readonly headBytes?: number;
  readonly bodyBytes?: number;
  readonly length?: readonly [low: number, high: number];
}

/** A worker played by hand. */
export class HandWorker {
  readonly rings: ThreadRings;
  readonly #arena: Arena;

  constructor(arena: Arena, worker: number) {
    this.#arena = arena;
    this.rings = new ThreadRings(arena.memory, worker);
  }

  /** Starts the next request: its entry, or 0. */
  claim(): number {
    return this.rings.claim();
  }

  /** The environ that came with a request. */
  environ(entry: number): string {
    const { geometry, words, bytes } = this.#arena;
    const at = slotWord(geometry, entry & ENTRY_SLOT_MASK);
    const start = requestByte(geometry, entry & ENTRY_SLOT_MASK);
    return bytes.toString('latin1', start, start + words[at + SLOT.names_bytes]! + words[at + SLOT.values_bytes]!);
  }

  /** Writes an answer, or a part of one, and publishes it. */
  answer(entry: number, answer: Answer = {}): void {
    this.write(entry & ENTRY_SLOT_MASK, answer);
    this.rings.publish(entry);
  }

  write(slot: number, answer: Answer): void {
    const { geometry, words, bytes } = this.#arena;
    const { head = OK, body = '' } = answer;
    const at = slotWord(geometry, slot);
    bytes.write(head + body, answerByte(geometry, slot), 'latin1');
    words[at + SLOT.length_low] = answer.length?.[0] ?? -1;
    words[at + SLOT.length_high] = answer.length?.[1] ?? -1;
    words[at + SLOT.answer_flags] = answer.flags ?? ANSWER.HEAD | ANSWER.LAST;
    words[at + SLOT.status] = answer.status ?? 200;
    words[at + SLOT.head_bytes] = answer.headBytes ?? head.length;
    words[at + SLOT.body_bytes] = answer.bodyBytes ?? body.length;
  }

  /** Whether the part in `slot` has been taken. */
  takeCredit(slot: number): boolean {
    return this.#arena.semaphores.tryTake(slotWord(this.#arena.geometry, slot) + SLOT.credit);
  }
}

/** A dispatcher with workers that serve. */
export class Scene {
  readonly arena: Arena;
  readonly dispatcher: Dispatcher;
  readonly workers: HandWorker[] = [];
  readonly mad: string[] = [];
  readonly refused: string[] = [];
  answered = 0;
  nowMs = 1000;

  constructor(workers = 2, threads = 1, slots = SLOTS, options: Partial<DispatcherOptions> = {}) {
    const dimensions = {
      slots,
      requestBytes: 4096,
      answerBytes: 4096,
      places: workers,
      cores: 1,
      held: mostHeld(threads),
    };
    this.arena = Arena.forThreads(dimensions);
    this.dispatcher = new Dispatcher(this.arena, {
      name: 'app',
      threads,
      responseBufferingBytes: BUFFERING_BYTES,
      onePerCore: false,
      onReady: (worker) => this.dispatcher.admit(worker.place, this.nowMs),
      onStarved: () => {},
      onSpent: () => {},
      onMad: (worker, why) => this.mad.push(`${worker.place}: ${why}`),
      onRefused: (_, error) => this.refused.push(error.code),
      onAbandoned: () => {},
      onActive: () => {},
      onWorkersChanged: () => {},
      onHandled: () => {},
      onSignalsBack: () => {},
      onAnswered: () => this.answered++,
      ...options,
    });
    for (let worker = 0; worker < workers; worker++) this.start(worker);
  }

  start(worker: number): void {
    this.dispatcher.workerStarted(worker, worker + 1);
    this.workers[worker] = new HandWorker(this.arena, worker);
    this.workers[worker]!.rings.announce(EVENT_READY);
    this.poll();
  }

  submit(name = 'A'): Client {
    const client = new Client();
    this.dispatcher.submit(client, 'NAME', name, 0, false, undefined, -1, this.nowMs);
    return client;
  }

  poll(): number {
    return this.dispatcher.poll(this.nowMs);
  }

  /** Answers requests until the dispatcher believes that one takes so long. */
  learn(serviceMs: number): this {
    for (let i = 0; i < 100; i++) {
      const client = this.submit();
      const worker = this.workers[client.place]!;
      worker.rings.sample(serviceMs * 1e6);
      worker.answer(worker.claim());
      this.poll();
    }
    assert(Math.abs(this.dispatcher.serviceMs - serviceMs) < serviceMs / 10, String(this.dispatcher.serviceMs));
    this.answered = 0;
    Object.assign(this.dispatcher.counters, { accepted: 0 });
    return this;
  }

  end(worker: number): void {
    this.dispatcher.workerEnded(worker, 'was killed by SIGKILL', this.nowMs);
  }
}
