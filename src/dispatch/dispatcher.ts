// One app's requests on their way through its workers: each gets a slot and a worker, its answer finds the way back.
//
// Owns every slot of the arena from `submit` until the last part of the answer. What it promises:
//   a request that no worker has started can always move, so it survives the end of a worker; one that was started is
//   never started again; a slot whose worker may still write is not used again before that worker is known dead.
// It is long because a slot has one owner: every way in which a request can move or end is here.
// Everything a CPython process wrote is checked before it is used (answer-part.ts): a worker that writes nonsense is ended.
// Decided elsewhere: which worker (policy.ts), when to look for answers (pump.ts), who starts and ends workers
//   (lifecycle/crew.ts), how an answer looks to the client (listeners/).

import { type Arena, timeAt } from '../arena/arena.js';
import {
  answerByte,
  COMMAND_SIGNAL,
  COMMAND_SLOT,
  ENTRY_SLOT_BITS,
  ENTRY_SLOT_MASK,
  EVENT_HANDLED,
  EVENT_READY,
  entryOf,
  REQUEST,
  requestByte,
  SLOT,
  slotWord,
} from '../arena/layout.js';
import { AppError, type Code, LoadError, type NuwsgiError, PeerError } from '../base/errors.js';
import { toLocalMs } from '../base/monotonic.js';
import { AnswerPart } from './answer-part.js';
import type { Exchange, ExchangeOwner } from './exchange.js';
import { isStalled, nextServiceMs, pickWorker, shouldSpread } from './policy.js';
import type { Receiver } from './receiver.js';
import { noteTimes } from './request-times.js';
import { WaitingLine } from './waiting-line.js';
import { WorkerPort } from './worker-port.js';

export interface DispatcherOptions {
  /** What the app is called in messages. */
  readonly name: string;
  /** How many requests one worker runs at once. */
  readonly threads: number;
  /** How many bytes of one answer are held for a slow client before the worker has to wait. */
  readonly responseBufferingBytes: number;
  /** Whether a worker runs one request per core at a time, so that its cores tell which ones it has started. */
  readonly onePerCore: boolean;
  /** A worker is ready for requests, and gets them once it is admitted. */
  onReady(worker: WorkerPort): void;
  /** A request waits and no worker serves. */
  onStarved(): void;
  /** A worker has answered its `mostAnswers`. */
  onSpent(worker: WorkerPort): void;
  /** A worker wrote what it must not: it is to be killed. `why` is for the log. */
  onMad(worker: WorkerPort, why: string): void;
  /** There is something to look for: see pump.ts. */
  onActive(): void;
  /** A request was refused for want of a slot. */
  onRefused(exchange: Exchange, error: NuwsgiError<Code>): void;
  /** A request was given up by its client before any worker had begun it. */
  onAbandoned(exchange: Exchange): void;
  /** Workers have come, gone, or been paused. */
  onWorkersChanged(): void;
  /** `worker` has handled a signal that it was given. */
  onHandled(worker: WorkerPort): void;
  /** Signals that their worker had not begun to handle were taken from it; it has, or had, this number. */
  onSignalsBack(signals: readonly number[], workerId: number): void;
  /** The last part of an answer has left the arena. */
  onAnswered(exchange: Exchange, worker: WorkerPort, nowMs: number): void;
}

/** Requests shorter than this say nothing about the app's usual time. */
const FIRST_GUESS_MS = 1;
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
  readonly #waiting = new WaitingLine();
  /** The part of an answer that is looked at. */
  readonly #part = new AnswerPart();
  readonly #requestBytes: number;
  readonly #answerBytes: number;
  /** The ports that get requests, and all that have a worker: what is gone through per request holds no empty place. */
  #serving: readonly WorkerPort[] = [];
  #live: readonly WorkerPort[] = [];
  #isPaused = false;
  #serviceMs = FIRST_GUESS_MS;
  #spread = true;
  /** Requests handed to workers and not answered. */
  #inFlight = 0;
  /** Workers that are expected to announce themselves. */
  #starting = 0;
  #requestId = 0;
  /** When `poll` was called last: near enough for what happens in it. */
  #nowMs = 0;
  /** Workers that got requests and were not woken for them yet. */
  readonly #handed: WorkerPort[] = [];

  constructor(arena: Arena, options: DispatcherOptions) {
    this.arena = arena;
    this.#options = options;
    this.#requestBytes = arena.geometry.requestBytes;
    this.#answerBytes = arena.geometry.answerBytes;
    this.ports = Array.from({ length: arena.geometry.places }, (_, place) => new WorkerPort(arena, place));
  }

  /** The places that have a worker, whatever its state. */
  get workers(): readonly WorkerPort[] {
    return this.#live;
  }

  /** To be called after every change of a worker's state. */
  #stateChanged(): void {
    this.#live = this.ports.filter((port) => port.state !== 'dead');
    const accepting = this.#isPaused ? [] : this.#live.filter((port) => port.accepting);
    this.#serving = accepting.sort((a, b) => a.workerId - b.workerId);
    this.#options.onWorkersChanged();
  }

  /** The workers that get requests, by their numbers. */
  get serving(): readonly WorkerPort[] {
    return this.#serving;
  }

  /** Lets requests wait inside from now on, or no longer. Those that workers have are answered all the same. */
  set paused(paused: boolean) {
    this.#isPaused = paused;
    this.#stateChanged();
    this.#handOut(performance.now());
    this.ring();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting.length;
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
    return this.#inFlight > 0 || this.#starting > 0;
  }

  /** What a request takes lately, in ms. */
  get serviceMs(): number {
    return this.#serviceMs;
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
    const { arena } = this;
    // with the length, because Node writes nothing where it has to work one out that is over 2 GiB
    arena.bytes.write(names + values, requestByte(arena.geometry, slot), environBytes, 'latin1');
    const flags = isHead ? REQUEST.HEAD : 0;
    this.#fill(exchange, slot, flags, names.length, values.length, listener, input, inputFd, nowMs);
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
    const { arena } = this;
    payload.copy(arena.bytes, requestByte(arena.geometry, slot));
    const flags = REQUEST.PACKET | (isHead ? REQUEST.HEAD : 0);
    this.#fill(exchange, slot, flags, 0, payload.length, listener, input, inputFd, nowMs);
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
    for (let exchange = this.#waiting.next(); exchange !== undefined; exchange = this.#waiting.next()) {
      this.counters.refused++;
      this.#options.onRefused(exchange, error);
      exchange.refuse(error);
      this.#release(exchange);
    }
  }

  /** Describes the request in `slot`, whose environ has been written, and finds it a worker. */
  #fill(
    exchange: Exchange,
    slot: number,
    flags: number,
    namesBytes: number,
    valuesBytes: number,
    listener: number,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    const { arena } = this;
    const environBytes = namesBytes + valuesBytes;
    if (input !== undefined) arena.bytes.set(input, requestByte(arena.geometry, slot) + environBytes);
    const at = slotWord(arena.geometry, slot);
    const { words } = arena;
    this.#requestId = (this.#requestId + 1) & 0x7fffffff;
    words[at + SLOT.request_id] = this.#requestId;
    words[at + SLOT.listener] = listener;
    words[at + SLOT.request_flags] = flags;
    words[at + SLOT.names_bytes] = namesBytes;
    words[at + SLOT.values_bytes] = valuesBytes;
    words[at + SLOT.input_bytes] = input === undefined ? 0 : input.length;
    words[at + SLOT.input_fd] = inputFd;
    arena.times[timeAt(at + SLOT.deadline_s)] = 0;
    exchange.record.environBytes = environBytes;
    exchange.record.completeAtMs = nowMs;
    exchange.owner = this;
    exchange.slot = slot;
    exchange.entry = entryOf(slot, arena.generationOf(slot));
    this.#exchanges[slot] = exchange;
    this.counters.accepted++;
    if (this.#waiting.length === 0) {
      const choice = pickWorker(this.#serving, nowMs, this.#serviceMs, this.#options.threads);
      if (choice >= 0) {
        this.#hand(exchange, this.#serving[choice]!, nowMs);
        return;
      }
    }
    this.#waiting.push(exchange);
    if (this.#serving.length === 0) this.#options.onStarved();
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
    this.#inFlight++;
    this.#options.onActive();
  }

  /** Hands out what waits, as far as the policy finds workers for it. */
  #handOut(nowMs: number): void {
    while (this.#waiting.length > 0) {
      const choice = pickWorker(this.#serving, nowMs, this.#serviceMs, this.#options.threads);
      if (choice < 0) return;
      this.#hand(this.#waiting.next()!, this.#serving[choice]!, nowMs);
    }
  }

  // --- answers out ------------------------------------------------------------------------------------------------

  /** Takes every event that is there. Returns how many. */
  poll(nowMs: number): number {
    let events = 0;
    this.#nowMs = nowMs;
    for (const worker of this.#live) {
      if ((worker.inFlight === 0 && worker.state !== 'starting') || worker.state === 'mad') continue;
      const taken = this.#pollWorker(worker);
      if (taken > 0) {
        events += taken;
        worker.progressAtMs = nowMs;
      }
    }
    if (events > 0 && this.#waiting.length > 0) this.#handOut(nowMs);
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
      if (sampleNs > 0) this.#learn(sampleNs / 1e6);
    }
    return events;
  }

  #learn(sampleMs: number): void {
    this.#serviceMs = nextServiceMs(this.#serviceMs, sampleMs);
    this.#spread = shouldSpread(this.#serviceMs);
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

  #onEvent(worker: WorkerPort, core: number, entry: number): void {
    const slot = entry & ENTRY_SLOT_MASK;
    if (slot === COMMAND_SLOT) {
      this.#onWorkerEvent(worker, entry >>> ENTRY_SLOT_BITS);
      return;
    }
    const exchange = this.#exchanges[slot];
    if (exchange === undefined || exchange.entry !== entry || exchange.place !== worker.place) {
      this.#onStray(worker, slot, entry);
      return;
    }
    const { words, geometry } = this.arena;
    const at = slotWord(geometry, slot);
    const part = this.#part;
    part.read(words, at);
    const fault = part.fault(this.#answerBytes, exchange.headSent);
    if (fault !== undefined) {
      this.#goMad(worker, `slot ${slot}: ${fault}`);
      return;
    }
    const { hasHead, isLast, headBytes, bodyBytes } = part;
    const { record } = exchange;
    record.bodyBytes += bodyBytes;
    if (bodyBytes > 0 && headBytes + bodyBytes < this.#answerBytes) record.parts++; // else it goes on in the next one
    if (hasHead && !exchange.overdue) {
      record.status = part.status;
      record.headBytes = part.givenHeadBytes;
      record.fields = part.fields;
      record.core = core;
    }
    // what is delivered may be edited on its way, and then noted anew
    if (!exchange.gone && !exchange.overdue && !this.#deliver(exchange, worker)) {
      record.status = record.headBytes = record.fields = record.bodyBytes = 0;
      return;
    }
    if (hasHead) exchange.headSent = true;
    if (isLast) {
      record.failed = part.hasFailed;
      noteTimes(record, worker.answers[core]!, this.arena.times, at, this.#nowMs);
      worker.inFlight--;
      worker.answered++;
      this.#inFlight--;
      this.#options.onAnswered(exchange, worker, this.#nowMs);
      // An exception in the app's thread may have come between a part and its credit: the next request starts with none.
      if (!hasHead) this.arena.semaphores.reset(at + SLOT.credit);
      this.#release(exchange);
      if (worker.answered === worker.mostAnswers) this.#options.onSpent(worker);
    } else if (exchange.gone || exchange.overdue || exchange.heldBytes < this.#options.responseBufferingBytes) {
      this.arena.semaphores.post(at + SLOT.credit);
    } else {
      exchange.creditOwed = true;
      exchange.heldSinceMs = this.#nowMs;
    }
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

  /** Passes the part that was read to the client. False: its head cannot be sent, and the worker that wrote it is mad. */
  #deliver(exchange: Exchange, worker: WorkerPort): boolean {
    const { geometry, bytes } = this.arena;
    const { status, headBytes, bodyBytes, length, hasHead, isLast, isDated, isBroken } = this.#part;
    const start = answerByte(geometry, exchange.slot);
    const middle = start + headBytes;
    const data = bytes.subarray(middle, middle + bodyBytes);
    if (hasHead) {
      const head = { status, bytes: bytes.subarray(start, middle), length, dated: isDated };
      try {
        if (isLast) exchange.answerWhole(head, data);
        else exchange.answerFirst(head, data);
      } catch (error) {
        // the bridge checks heads, and node:http does so once more: this one has not gone through the bridge
        this.#goMad(worker, `slot ${exchange.slot}: ${(error as Error).message}`);
        return false;
      }
      return true;
    }
    if (bodyBytes > 0) exchange.answerPart(data);
    if (!isLast || exchange.gone) return true;
    if (exchange.headSent) {
      exchange.answerEnd(isBroken);
    } else {
      exchange.record.status = 502;
      exchange.refuse(new AppError('APP_DIED', worker.workerId, 'gave no answer'));
    }
    return true;
  }

  #onWorkerEvent(worker: WorkerPort, event: number): void {
    if (event === EVENT_HANDLED && worker.signals > 0) {
      this.#forgetSignal(worker);
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
    this.#stateChanged();
    this.#options.onReady(worker);
  }

  #forgetSignal(worker: WorkerPort): void {
    worker.signals--;
    worker.inFlight--;
    this.#inFlight--;
  }

  #goMad(worker: WorkerPort, why: string): void {
    if (worker.state === 'starting') this.#starting--;
    worker.on('went_mad');
    this.#stateChanged();
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
      this.#dropAbandoned(exchange); // still in #waiting, where `gone` lets it be passed over
      this.#waiting.left();
      return;
    }
    const at = slotWord(this.arena.geometry, exchange.slot);
    Atomics.store(this.arena.words, at + SLOT.client_gone, 1);
    this.#payCredit(exchange, at);
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
    if (exchange.slot >= 0) this.#payCredit(exchange, slotWord(this.arena.geometry, exchange.slot));
  }

  #payCredit(exchange: Exchange, at: number): void {
    if (!exchange.creditOwed) return;
    exchange.creditOwed = false;
    exchange.record.writeMs += performance.now() - exchange.heldSinceMs;
    this.arena.semaphores.post(at + SLOT.credit);
  }

  // --- workers that are held up, come and go ----------------------------------------------------------------------

  /**
   * Looks after workers that are silent: what they have not started goes to others; where there are none, a parked
   * thread is woken. To be called every millisecond or two while `active`. Returns whether any worker has something that
   * it has not started.
   */
  rescue(nowMs: number): boolean {
    let isNeeded = false;
    for (const worker of this.#serving) {
      if (worker.inFlight < 2 || worker.requests.unclaimed === 0) continue;
      isNeeded = true;
      if (!isStalled(worker, nowMs)) continue;
      const others = this.#serving.some((other) => other !== worker && !isStalled(other, nowMs));
      if (others) {
        const signals = this.#takeBackAll(worker);
        this.#handOut(nowMs);
        if (signals.length > 0) this.#options.onSignalsBack(signals, worker.workerId);
      }
      // nobody else can, or it came back here: then a parked thread takes it
      if (!others || worker.toRing) worker.requests.wake(worker.inFlight);
    }
    return isNeeded;
  }

  /** Puts the requests that `worker` has not started back in front of the queue, in their order; returns the signals. */
  #takeBackAll(worker: WorkerPort): readonly number[] {
    const moved: Exchange[] = [];
    const signals: number[] = [];
    for (let most = this.arena.geometry.ringEntries; most > 0; most--) {
      const entry = worker.requests.takeBack();
      if (entry === 0) break;
      const exchange = this.#exchanges[entry & ENTRY_SLOT_MASK];
      if (exchange?.entry !== entry || exchange.place !== worker.place) {
        const signal = (entry >>> ENTRY_SLOT_BITS) - COMMAND_SIGNAL; // or it is a stop command
        if (signal >= 0) {
          this.#forgetSignal(worker);
          signals.push(signal);
        }
        continue;
      }
      worker.inFlight--;
      this.#inFlight--;
      exchange.place = -1;
      if (exchange.gone) this.#dropAbandoned(exchange);
      else moved.push(exchange);
    }
    this.counters.moved += moved.length;
    this.#waiting.putBack(moved.reverse());
    return signals.reverse();
  }

  /** A worker is being started in `place`; it will announce itself. */
  workerStarted(place: number, workerId: number): void {
    const worker = this.ports[place]!;
    worker.reset(); // a mad neighbour may have written there since the last one ended
    worker.on('started');
    worker.workerId = workerId;
    this.#starting++;
    this.#stateChanged();
    this.#options.onActive();
  }

  /** Lets the worker in `place`, which is ready, have requests. */
  admit(place: number, nowMs: number): void {
    this.ports[place]!.on('admitted');
    this.#stateChanged();
    this.#handOut(nowMs);
  }

  /** Asks a worker to end when it has answered what it holds; what it has not started goes to others. */
  retire(place: number, nowMs: number): void {
    const worker = this.ports[place]!;
    if (worker.state === 'dead' || worker.state === 'mad' || worker.state === 'leaving') return;
    if (worker.state === 'starting') this.#starting--;
    worker.on('told_to_leave');
    this.#stateChanged();
    const signals = this.#takeBackAll(worker);
    worker.requests.stop();
    this.#handOut(nowMs);
    if (signals.length > 0) this.#options.onSignalsBack(signals, worker.workerId);
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
    this.#stateChanged();
    if (worker.state !== 'mad') this.#pollWorker(worker);
    const { workerId, answered } = worker;
    const signals = worker.state === 'mad' ? [] : this.#takeBackAll(worker);
    while (worker.signals > 0) this.#forgetSignal(worker); // it had begun to handle them
    const moved: Exchange[] = [];
    for (const exchange of this.#exchanges) {
      if (exchange === undefined || exchange.place !== place) continue;
      this.#inFlight--;
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
    this.#waiting.putBack(moved);
    worker.on('ended');
    worker.reset();
    this.#stateChanged();
    this.#handOut(nowMs);
    if (signals.length > 0) this.#options.onSignalsBack(signals, workerId);
    return answered;
  }

  /** Whether a dead worker had started a request that it claimed. In doubt it had: no request runs twice. */
  #hasStarted(worker: WorkerPort, exchange: Exchange): boolean {
    if (worker.state === 'mad' || !this.#options.onePerCore || exchange.headSent) return true;
    return worker.answers.some((core) => core.lastStarted === exchange.entry);
  }
}
