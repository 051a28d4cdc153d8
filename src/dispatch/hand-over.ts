// One app's requests on their way to its workers: which of them wait, which worker gets the next one, and what is taken back
// from a worker that is held up, or is to leave.
//
// Requests wait here, and not in the workers, as soon as nobody can say which worker will be free first (policy.ts). What a
//   worker has been handed and has not started can always be taken back, and goes to the front of those that wait.
// Decided elsewhere: what a request is, from its slot to its answer (dispatcher.ts), how it is claimed (arena/request-ring.ts).

import { COMMAND_SIGNAL, COMMAND_SLOT, ENTRY_SLOT_BITS, entryOf } from '../arena/layout.js';
import type { Exchange } from './exchange.js';
import { isStalled, nextServiceMs, pickWorker, shouldSpread } from './policy.js';
import { WaitingLine } from './waiting-line.js';
import type { WorkerPort } from './worker-port.js';

export interface HandOverParts {
  /** By place. */
  readonly ports: readonly WorkerPort[];
  /** Entries of a worker's ring. */
  readonly ringEntries: number;
  /** How many requests one worker runs at once. */
  readonly threads: number;
  /** Requests that were taken back are counted there. */
  readonly counters: { moved: number };
  /** The request that `worker` has as `entry`; undefined when it is none. */
  requestOf(worker: WorkerPort, entry: number): Exchange | undefined;
  /** A request whose client has gone was taken back. */
  dropAbandoned(exchange: Exchange): void;
  /** See `DispatcherOptions`. */
  onStarved(): void;
  onActive(): void;
  onWorkersChanged(): void;
  onSignalsBack(signals: readonly number[], workerId: number): void;
}

/** Requests shorter than this say nothing about the app's usual time. */
const FIRST_GUESS_MS = 1;

export class HandOver {
  /** Requests handed to workers and not answered, and signals. */
  inFlight = 0;
  /** What a request takes lately, in ms. */
  serviceMs = FIRST_GUESS_MS;
  /** The ports that get requests, and all that have a worker: what is gone through per request holds no empty place. */
  serving: readonly WorkerPort[] = [];
  live: readonly WorkerPort[] = [];
  readonly #parts: HandOverParts;
  readonly #threads: number;
  readonly #waiting = new WaitingLine();
  /** Workers that got requests and were not woken for them yet. */
  readonly #handed: WorkerPort[] = [];
  #isPaused = false;
  #spread = true;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
    this.#threads = parts.threads;
  }

  /** To be called after every change of a worker's state. */
  workersChanged(): void {
    this.live = this.#parts.ports.filter((port) => port.state !== 'dead');
    const accepting = this.#isPaused ? [] : this.live.filter((port) => port.accepting);
    this.serving = accepting.sort((a, b) => a.workerId - b.workerId);
    this.#parts.onWorkersChanged();
  }

  /** Whether requests are let wait, whatever workers there are. */
  get paused(): boolean {
    return this.#isPaused;
  }

  set paused(paused: boolean) {
    this.#isPaused = paused;
    this.workersChanged();
    this.handOut(performance.now());
    this.ring();
  }

  // --- requests that come -----------------------------------------------------------------------------------------

  /** Hands a request to a worker, or lets it wait. */
  add(exchange: Exchange, nowMs: number): void {
    if (this.#waiting.length === 0) {
      const choice = pickWorker(this.serving, nowMs, this.serviceMs, this.#threads);
      if (choice >= 0) {
        this.#hand(exchange, this.serving[choice]!, nowMs);
        return;
      }
    }
    this.#waiting.push(exchange);
    if (this.serving.length === 0) this.#parts.onStarved();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes the first of those that wait out of the line; undefined: there is none. */
  takeWaiting(): Exchange | undefined {
    return this.#waiting.next();
  }

  /** To be called when the client of one that waits has gone. */
  waitingLeft(): void {
    this.#waiting.left();
  }

  /** Puts `exchanges`, which no worker has any more, in front of those that wait. */
  putBack(exchanges: readonly Exchange[]): void {
    this.#waiting.putBack(exchanges);
  }

  /** Hands out what waits, as far as the policy finds workers for it. */
  handOut(nowMs: number): void {
    while (this.#waiting.length > 0) {
      const choice = pickWorker(this.serving, nowMs, this.serviceMs, this.#threads);
      if (choice < 0) return;
      this.#hand(this.#waiting.next()!, this.serving[choice]!, nowMs);
    }
  }

  #hand(exchange: Exchange, worker: WorkerPort, nowMs: number): void {
    exchange.place = worker.place;
    this.#push(worker, exchange.entry, nowMs);
  }

  /** Has a thread of `worker` handle the app's signal `signal`, outside of any request. Only where it `takesSignal`. */
  giveSignal(worker: WorkerPort, signal: number, nowMs: number): void {
    worker.signals++;
    this.#push(worker, entryOf(COMMAND_SLOT, COMMAND_SIGNAL + signal), nowMs);
  }

  #push(worker: WorkerPort, entry: number, nowMs: number): void {
    if (worker.inFlight++ === 0) worker.progressAtMs = nowMs;
    worker.requests.push(entry);
    if (!worker.toRing) {
      worker.toRing = true;
      this.#handed.push(worker);
    }
    this.inFlight++;
    this.#parts.onActive();
  }

  /**
   * Wakes the workers that were handed something since the last call: one thread of each, or where requests take long
   * enough to overlap, as many threads as there are requests.
   */
  ring(): void {
    if (this.#handed.length === 0) return;
    for (const worker of this.#handed) {
      worker.toRing = false;
      worker.requests.wake(this.#spread ? worker.inFlight : 1);
    }
    this.#handed.length = 0;
  }

  // --- requests that are done, and those that are taken back ------------------------------------------------------

  /** Takes note of how long a request took. */
  learn(sampleMs: number): void {
    this.serviceMs = nextServiceMs(this.serviceMs, sampleMs);
    this.#spread = shouldSpread(this.serviceMs);
  }

  /** `worker` has one request less. */
  done(worker: WorkerPort): void {
    worker.inFlight--;
    this.inFlight--;
  }

  /** `worker` has one signal less. */
  signalDone(worker: WorkerPort): void {
    worker.signals--;
    this.done(worker);
  }

  /**
   * Looks after workers that are silent: what they have not started goes to others; where there are none, a parked
   * thread is woken. Returns whether any worker has something that it has not started.
   */
  rescue(nowMs: number): boolean {
    let isNeeded = false;
    for (const worker of this.serving) {
      if (worker.inFlight < 2 || worker.requests.unclaimed === 0) continue;
      isNeeded = true;
      if (!isStalled(worker, nowMs)) continue;
      const others = this.serving.some((other) => other !== worker && !isStalled(other, nowMs));
      if (others) {
        const signals = this.takeBackAll(worker);
        this.handOut(nowMs);
        this.signalsBack(signals, worker.workerId);
      }
      // nobody else can, or it came back here: then a parked thread takes it
      if (!others || worker.toRing) worker.requests.wake(worker.inFlight);
    }
    return isNeeded;
  }

  /** Puts the requests that `worker` has not started back in front of the line, in their order; returns the signals. */
  takeBackAll(worker: WorkerPort): readonly number[] {
    const { ringEntries, counters, requestOf, dropAbandoned } = this.#parts;
    const moved: Exchange[] = [];
    const signals: number[] = [];
    for (let most = ringEntries; most > 0; most--) {
      const entry = worker.requests.takeBack();
      if (entry === 0) break;
      const exchange = requestOf(worker, entry);
      if (exchange === undefined) {
        const signal = (entry >>> ENTRY_SLOT_BITS) - COMMAND_SIGNAL; // or it is a stop command
        if (signal >= 0) {
          this.signalDone(worker);
          signals.push(signal);
        }
        continue;
      }
      this.done(worker);
      exchange.place = -1;
      if (exchange.gone) dropAbandoned(exchange);
      else moved.push(exchange);
    }
    counters.moved += moved.length;
    this.#waiting.putBack(moved.reverse());
    return signals.reverse();
  }

  /** Tells of `signals` that were taken back from a worker with this number. */
  signalsBack(signals: readonly number[], workerId: number): void {
    if (signals.length > 0) this.#parts.onSignalsBack(signals, workerId);
  }
}
