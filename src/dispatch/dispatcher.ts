// One app's requests from their slots to the ends of their answers.
//
// Owns every slot of the arena from `submit` until the last part of the answer. What it promises:
//   a request that no worker has started can always move, so it survives the end of a worker; one that was started is
//   never started again; a slot whose worker may still write is not used again before that worker is known dead.
// A slot has one owner: every way in which a request can end is here.
// Everything a CPython process wrote is checked before it is used (answer-taker.ts): a worker that writes nonsense is ended.
// Decided elsewhere: which worker gets a request, and when (hand-over.ts, policy.ts), when to look for answers (pump.ts), who
//   starts and ends workers (lifecycle/crew.ts), how an answer looks to the client (listeners/).

import { type Arena, timeAt } from '../arena/arena.js';
import {
  COMMAND_SLOT,
  ENTRY_SLOT_BITS,
  ENTRY_SLOT_MASK,
  EVENT_HANDLED,
  EVENT_READY,
  entryOf,
  SLOT,
  slotWord,
} from '../arena/layout.js';
import { AppError, type Code, LoadError, type NuwsgiError, PeerError } from '../base/errors.js';
import { toLocalMs } from '../base/monotonic.js';
import { AnswerTaker } from './answer-taker.js';
import type { DispatcherOptions } from './dispatcher-options.js';
import type { Exchange, ExchangeOwner } from './exchange.js';
import { HandOver } from './hand-over.js';
import type { Receiver } from './receiver.js';
import { noteTimes } from './request-times.js';
import { RequestWriter } from './request-writer.js';
import { WorkerPort } from './worker-port.js';

/**
 * A late answer can come of an exception in the app's thread, between a part and its credit: at most one per request.
 * So many more from one worker are no accident.
 */
const MOST_LATE = 64;

export class Dispatcher implements ExchangeOwner, Receiver {
  readonly arena: Arena;
  /** By place. */
  readonly ports: readonly WorkerPort[];
  readonly counters = { accepted: 0, refused: 0, late: 0, moved: 0, mad: 0 };
  readonly #options: DispatcherOptions;
  /** By slot, as far as slots have been reached: the arena hands them out in their order. */
  readonly #exchanges: (Exchange | undefined)[] = [];
  readonly #writer: RequestWriter;
  readonly #handOver: HandOver;
  readonly #taker: AnswerTaker;
  readonly #requestBytes: number;
  /** Workers that are expected to announce themselves. */
  #starting = 0;
  /** When `poll` was called last: near enough for what happens in it. */
  #nowMs = 0;

  constructor(arena: Arena, options: DispatcherOptions) {
    this.arena = arena;
    this.#options = options;
    this.#requestBytes = arena.geometry.requestBytes;
    this.ports = Array.from({ length: arena.geometry.places }, (_, place) => new WorkerPort(arena, place));
    this.#writer = new RequestWriter(arena);
    this.#taker = new AnswerTaker(arena, options.responseBufferingBytes, (worker, core, exchange, hasFailed) =>
      this.#finish(worker, core, exchange, hasFailed),
    );
    this.#handOver = new HandOver({
      ports: this.ports,
      ringEntries: arena.geometry.ringEntries,
      threads: options.threads,
      counters: this.counters,
      requestOf: (worker, entry) => this.#requestOf(worker, entry),
      dropAbandoned: (exchange) => this.#dropAbandoned(exchange),
      onStarved: () => options.onStarved(),
      onActive: options.onActive,
      onWorkersChanged: () => options.onWorkersChanged(),
      onSignalsBack: (signals, workerId) => options.onSignalsBack(signals, workerId),
    });
  }

  /** The places that have a worker, whatever its state. */
  get workers(): readonly WorkerPort[] {
    return this.#handOver.live;
  }

  /** The workers that get requests, by their numbers. */
  get serving(): readonly WorkerPort[] {
    return this.#handOver.serving;
  }

  /** Whether requests are let wait inside. Those that workers have are answered all the same. */
  get paused(): boolean {
    return this.#handOver.paused;
  }

  set paused(paused: boolean) {
    this.#handOver.paused = paused;
  }

  get inFlight(): number {
    return this.#handOver.inFlight;
  }

  get waiting(): number {
    return this.#handOver.waiting;
  }

  /** The requests that workers have, each with whether its worker has begun it. */
  outstanding(): { readonly exchange: Exchange; readonly worker: WorkerPort; readonly core: number }[] {
    const found = [];
    for (const exchange of this.#exchanges) {
      if (exchange === undefined || exchange.place < 0) continue;
      const worker = this.ports[exchange.place]!;
      const core = worker.answers.findIndex((ring) => ring.lastStarted === exchange.entry);
      found.push({ exchange, worker, core });
    }
    return found;
  }

  /** Whether an event may come from some worker. */
  get active(): boolean {
    return this.#handOver.inFlight > 0 || this.#starting > 0;
  }

  /** What a request takes lately, in ms. */
  get serviceMs(): number {
    return this.#handOver.serviceMs;
  }

  // --- requests in ------------------------------------------------------------------------------------------------

  /** See `Receiver`. Answers 503 itself when all slots are in use, and 431 when the variables do not fit. */
  submit(
    exchange: Exchange,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    const environBytes = names.length + values.length;
    const slot = this.#take(exchange, environBytes, input);
    if (slot < 0) return;
    this.#writer.write(slot, names, values, listener, isHead, input, inputFd);
    this.#enter(exchange, slot, environBytes, nowMs);
  }

  submitPacket(
    exchange: Exchange,
    payload: Buffer,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    const slot = this.#take(exchange, payload.length, input);
    if (slot < 0) return;
    this.#writer.writePacket(slot, payload, listener, isHead, input, inputFd);
    this.#enter(exchange, slot, payload.length, nowMs);
  }

  /** A slot for a request of that size; or -1, and the exchange is refused. */
  #take(exchange: Exchange, environBytes: number, input: Uint8Array | undefined): number {
    const bytes = environBytes + (input === undefined ? 0 : input.length);
    if (bytes > this.#requestBytes) {
      this.#refuse(
        exchange,
        new PeerError('PEER_HEAD_TOO_LARGE', 'the request head', 'buffer-size', this.#requestBytes),
      );
      return -1;
    }
    const slot = this.arena.take();
    if (slot < 0) this.#refuse(exchange, new LoadError('LOAD_QUEUE_FULL', this.arena.slots));
    return slot;
  }

  #refuse(exchange: Exchange, error: NuwsgiError<Code>): void {
    this.counters.refused++;
    this.#options.onRefused(exchange, error);
    exchange.refuse(error);
    exchange.released(); // it may have brought a spooled body
  }

  /** Refuses what waits: there will be no worker for it. */
  refuseWaiting(error: NuwsgiError<Code>): void {
    for (;;) {
      const exchange = this.#handOver.takeWaiting();
      if (exchange === undefined) return;
      this.counters.refused++;
      this.#options.onRefused(exchange, error);
      exchange.refuse(error);
      this.#release(exchange);
    }
  }

  /** Finds the request in `slot`, which has been written, a worker. */
  #enter(exchange: Exchange, slot: number, environBytes: number, nowMs: number): void {
    exchange.record.environBytes = environBytes;
    exchange.record.completeAtMs = nowMs;
    exchange.owner = this;
    exchange.slot = slot;
    exchange.entries = 0;
    exchange.entry = entryOf(slot, this.arena.generationOf(slot));
    this.#exchanges[slot] = exchange;
    this.counters.accepted++;
    this.#handOver.add(exchange, nowMs);
  }

  /** Has a thread of `worker` handle the app's signal `signal`, outside of any request. Only where it `takesSignal`. */
  giveSignal(worker: WorkerPort, signal: number, nowMs: number): void {
    this.#handOver.giveSignal(worker, signal, nowMs);
  }

  /** Wakes the workers that were handed something since the last call. */
  ring(): void {
    this.#handOver.ring();
  }

  /** Looks after workers that are silent; see `HandOver`. To be called every millisecond or two while `active`. */
  rescue(nowMs: number): boolean {
    return this.#handOver.rescue(nowMs);
  }

  // --- answers out ------------------------------------------------------------------------------------------------

  /** Takes every event that is there. Returns how many. */
  poll(nowMs: number): number {
    let events = 0;
    this.#nowMs = nowMs;
    for (const worker of this.#handOver.live) {
      if ((worker.inFlight === 0 && worker.state !== 'starting') || worker.state === 'mad') continue;
      const taken = this.#pollWorker(worker);
      if (taken > 0) {
        events += taken;
        worker.progressAtMs = nowMs;
      }
    }
    if (events > 0) this.#handOver.handOut(nowMs);
    return events;
  }

  #pollWorker(worker: WorkerPort): number {
    const { ringEntries } = this.arena.geometry;
    let events = 0;
    for (let core = 0; core < worker.answers.length; core++) {
      const ring = worker.answers[core]!;
      let entry = ring.take();
      if (entry === 0) continue;
      let left = ringEntries; // a worker that wrote without end must not hold this thread
      do {
        events++;
        this.#onEvent(worker, core, entry);
        if (worker.state === 'mad') return events;
        entry = --left > 0 ? ring.take() : 0;
      } while (entry !== 0);
      const sampleNs = ring.serviceSampleNs;
      if (sampleNs > 0) this.#handOver.learn(sampleNs / 1e6);
    }
    return events;
  }

  #onEvent(worker: WorkerPort, core: number, entry: number): void {
    const slot = entry & ENTRY_SLOT_MASK;
    if (slot === COMMAND_SLOT) {
      this.#onWorkerEvent(worker, entry >>> ENTRY_SLOT_BITS);
      return;
    }
    const exchange = this.#requestOf(worker, entry);
    if (exchange === undefined) {
      this.#onStray(worker, slot, entry);
      return;
    }
    exchange.entries++;
    const fault = this.#taker.take(worker, core, exchange, this.#nowMs);
    if (fault !== undefined) this.#goMad(worker, `slot ${slot}: ${fault}`);
  }

  /** The answer is complete. */
  #finish(worker: WorkerPort, core: number, exchange: Exchange, hasFailed: boolean): void {
    const { record } = exchange;
    record.failed = hasFailed;
    const at = slotWord(this.arena.geometry, exchange.slot);
    noteTimes(record, worker.answers[core]!, this.arena.times, at, this.#nowMs);
    worker.answered++;
    this.#handOver.done(worker);
    this.#options.onAnswered(exchange, worker, this.#nowMs);
    // An exception in the app's thread may have come between a part and its credit: the next request starts with none.
    if (exchange.entries > 1) this.arena.semaphores.reset(at + SLOT.credit);
    this.#release(exchange);
    if (worker.answered === worker.mostAnswers) this.#options.onSpent(worker);
  }

  /** The request that `worker` has as `entry`; undefined when it is none. */
  #requestOf(worker: WorkerPort, entry: number): Exchange | undefined {
    const exchange = this.#exchanges[entry & ENTRY_SLOT_MASK];
    return exchange?.entry === entry && exchange.place === worker.place ? exchange : undefined;
  }

  /** An answer to nothing that `worker` was asked: a late one is dropped, one that is made up ends the worker. */
  #onStray(worker: WorkerPort, slot: number, entry: number): void {
    const exchange = this.#exchanges[slot];
    if (slot >= this.#exchanges.length || exchange?.entry === entry) {
      this.#goMad(worker, `it answers for slot ${slot}, which it was not given`);
      return;
    }
    this.counters.late++;
    if (++worker.late - worker.answered > MOST_LATE) {
      this.#goMad(worker, `${worker.late} answers that nobody waits for`);
    }
  }

  #onWorkerEvent(worker: WorkerPort, event: number): void {
    if (event === EVENT_HANDLED && worker.signals > 0) {
      this.#handOver.signalDone(worker);
      this.#options.onHandled(worker);
      return;
    }
    if (event !== EVENT_READY || (worker.state !== 'starting' && worker.state !== 'leaving')) {
      this.#goMad(worker, `event ${event} while ${worker.state}`);
      return;
    }
    const isWanted = worker.state === 'starting';
    worker.on('ready');
    if (!isWanted) return; // it was told to leave before it was ready
    this.#starting--;
    this.#handOver.workersChanged();
    this.#options.onReady(worker);
  }

  #goMad(worker: WorkerPort, why: string): void {
    if (worker.state === 'starting') this.#starting--;
    worker.on('went_mad');
    this.#handOver.workersChanged();
    this.counters.mad++;
    this.#options.onMad(worker, why);
  }

  #dropAbandoned(exchange: Exchange): void {
    this.#options.onAbandoned(exchange);
    this.#release(exchange);
  }

  #release(exchange: Exchange): void {
    this.#exchanges[exchange.slot] = undefined;
    this.arena.free(exchange.slot);
    exchange.slot = -1;
    exchange.place = -1;
    exchange.owner = undefined;
    exchange.released();
  }

  abandon(exchange: Exchange): void {
    if (exchange.slot < 0) return;
    if (exchange.place < 0) {
      this.#dropAbandoned(exchange); // still in line, where `gone` lets it be passed over
      this.#handOver.waitingLeft();
      return;
    }
    const at = slotWord(this.arena.geometry, exchange.slot);
    Atomics.store(this.arena.words, at + SLOT.client_gone, 1);
    this.#taker.letGo(exchange);
  }

  /** Gives up a request that runs for too long: tells its client, and its worker at the next write. */
  giveUp(exchange: Exchange, error: AppError): void {
    if (exchange.slot < 0 || exchange.gone) return;
    exchange.overdue = true;
    exchange.record.status = error.status;
    if (exchange.headSent) exchange.answerEnd(true);
    else exchange.refuse(error);
    this.abandon(exchange);
  }

  /** Whether the worker of `exchange` runs it, and does not only hold it. */
  isRunning(exchange: Exchange): boolean {
    if (exchange.place < 0) return false;
    const worker = this.ports[exchange.place]!;
    if (!this.#options.onePerCore) return worker.requests.hasClaimed(exchange.entry);
    return worker.answers.some((core) => core.lastStarted === exchange.entry);
  }

  /** When the app wants `exchange` ended at the latest, on the clock of performance.now(); 0: it has not said. */
  deadlineOf(exchange: Exchange): number {
    const seconds = this.arena.times[timeAt(slotWord(this.arena.geometry, exchange.slot) + SLOT.deadline_s)]!;
    return seconds > 0 ? toLocalMs(seconds) : 0;
  }

  drained(exchange: Exchange): void {
    if (exchange.slot < 0) return;
    const fault = this.#taker.drained(exchange);
    if (fault !== undefined) this.#goMad(this.ports[exchange.place]!, `slot ${exchange.slot}: ${fault}`);
  }

  // --- workers that come and go ------------------------------------------------------------------------------------

  /** A worker is being started in `place`; it will announce itself. */
  workerStarted(place: number, workerId: number): void {
    const worker = this.ports[place]!;
    worker.reset(); // a mad neighbour may have written there since the last one ended
    worker.on('started');
    worker.workerId = workerId;
    this.#starting++;
    this.#handOver.workersChanged();
    this.#options.onActive();
  }

  /** Lets the worker in `place`, which is ready, have requests. */
  admit(place: number, nowMs: number): void {
    this.ports[place]!.on('admitted');
    this.#handOver.workersChanged();
    this.#handOver.handOut(nowMs);
  }

  /** Asks a worker to end when it has answered what it holds; what it has not started goes to others. */
  retire(place: number, nowMs: number): void {
    const worker = this.ports[place]!;
    if (worker.state === 'dead' || worker.state === 'mad' || worker.state === 'leaving') return;
    if (worker.state === 'starting') this.#starting--;
    worker.on('told_to_leave');
    this.#handOver.workersChanged();
    const signals = this.#handOver.takeBackAll(worker);
    worker.requests.stop();
    this.#handOver.handOut(nowMs);
    this.#handOver.signalsBack(signals, worker.workerId);
  }

  /**
   * The worker in `place` is dead for certain; `why` says how ("was killed by SIGSEGV"). What it had answered is
   * delivered, what it had started is answered 502 or cut off, the rest goes to others. Of a mad worker nobody can tell
   * what it had started: all of it is answered 502. Returns how many requests it had answered in its life.
   */
  workerEnded(place: number, why: string, nowMs: number): number {
    const worker = this.ports[place]!;
    if (worker.state === 'starting') this.#starting--;
    worker.on('told_to_leave'); // that it became ready is no news any more
    this.#handOver.workersChanged();
    if (worker.state !== 'mad') this.#pollWorker(worker);
    const { workerId, answered } = worker;
    const signals = worker.state === 'mad' ? [] : this.#handOver.takeBackAll(worker);
    while (worker.signals > 0) this.#handOver.signalDone(worker); // it had begun to handle them
    const moved: Exchange[] = [];
    for (const exchange of this.#exchanges) {
      if (exchange === undefined || exchange.place !== place) continue;
      this.#handOver.done(worker);
      this.arena.semaphores.reset(slotWord(this.arena.geometry, exchange.slot) + SLOT.credit);
      if (!this.#hasStarted(worker, exchange)) {
        exchange.place = -1;
        if (exchange.gone) this.#dropAbandoned(exchange);
        else moved.push(exchange);
        continue;
      }
      if (!exchange.gone) {
        if (exchange.headSent) exchange.answerEnd(true);
        else {
          exchange.record.status = 502;
          exchange.refuse(new AppError('APP_DIED', worker.workerId, why));
        }
      }
      exchange.record.appMs = nowMs - exchange.record.completeAtMs; // from when is not known
      this.#options.onAnswered(exchange, worker, nowMs);
      this.#release(exchange);
    }
    this.#handOver.putBack(moved);
    worker.on('ended');
    worker.reset();
    this.#handOver.workersChanged();
    this.#handOver.handOut(nowMs);
    this.#handOver.signalsBack(signals, workerId);
    return answered;
  }

  /** Whether a dead worker had started a request that it claimed. In doubt it had: no request runs twice. */
  #hasStarted(worker: WorkerPort, exchange: Exchange): boolean {
    if (worker.state === 'mad' || !this.#options.onePerCore || exchange.headSent) return true;
    return worker.answers.some((core) => core.lastStarted === exchange.entry);
  }
}
