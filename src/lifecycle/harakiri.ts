// Requests that run for too long: their clients are told, their workers made to stop, and killed only when nothing else
// helps.
//
// The watch lives in the accept thread, so that it works whatever a worker is doing. It looks at the running requests a few
//   times a second; so a request is late by that much at most. What then happens, in this order:
//   the client gets 504; the worker is asked to break the request off (an exception in its thread, bridge_watch.py; the
//   end of its answer, in a JS thread); a successor is started and takes over when it is ready. A worker that does not even
//   react is killed: its interpreter is stuck. One that reacts, and cannot break the request off, is killed when all that it
//   still runs is late: until then its other requests go on.
// Decided elsewhere: how a worker is replaced (supervisor.ts), what a client sees (base/errors.ts, APP_OVERDUE).

import { AppError } from '../base/errors.js';
import { type Log, printable } from '../base/log.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { Exchange } from '../dispatch/exchange.js';
import type { Crew, Worker } from './crew.js';

const LOOK_MS = 250;
/** How long a worker may take to react, and to break a request off. */
const REACTION_MS = 500;

export interface HarakiriLimits {
  /** How long a request may run; 0: as long as it likes, unless the app itself has set a limit. */
  readonly limitMs: number;
  /** How long the other requests of a worker may go on that cannot break one off; 0: as long as they are not late. */
  readonly gracefulMs: number;
  /** Only while more requests than this wait for a worker; 0: always. */
  readonly queueThreshold: number;
  /** The stacks of the worker go to the log. */
  readonly isVerbose: boolean;
}

export interface HarakiriOptions {
  readonly limits: HarakiriLimits;
  readonly dispatcher: Dispatcher;
  readonly crew: Crew;
  readonly log: Log;
  /** Replaces a worker when its successor is ready. */
  replace(worker: Worker, why: string): Promise<void>;
}

/** A request that was seen running. */
interface Seen {
  readonly entry: number;
  readonly place: number;
  readonly sinceMs: number;
}

/** A request that is late, until its worker is done with it. */
interface Late {
  readonly exchange: Exchange;
  readonly entry: number;
  readonly atMs: number;
  /** When the worker was asked to break it off; 0: not yet. */
  askedAtMs: number;
}

export class HarakiriWatch {
  readonly #options: HarakiriOptions;
  /** By slot. */
  #seen = new Map<number, Seen>();
  readonly #late = new Map<Worker, Late[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HarakiriOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(nowMs: number): void {
    const { dispatcher } = this.#options;
    if (dispatcher.inFlight === 0) {
      this.#seen.clear();
      this.#late.clear();
      return;
    }
    const seen = new Map<number, Seen>();
    for (const { exchange } of dispatcher.outstanding()) {
      if (!dispatcher.isRunning(exchange)) continue;
      const { slot, entry, place } = exchange;
      const before = this.#seen.get(slot);
      const isSame = before !== undefined && before.entry === entry && before.place === place;
      const now = isSame ? before : { entry, place, sinceMs: nowMs };
      seen.set(slot, now);
      if (this.#isLate(exchange, now.sinceMs, nowMs)) this.#onLate(exchange, now.sinceMs, nowMs);
    }
    this.#seen = seen;
    for (const [worker, late] of this.#late) this.#press(worker, late, nowMs);
  }

  #isLate(exchange: Exchange, sinceMs: number, nowMs: number): boolean {
    const { limits, dispatcher } = this.#options;
    if (exchange.overdue) return false; // it is known
    const ownMs = dispatcher.deadlineOf(exchange);
    if (ownMs > 0) return nowMs >= ownMs;
    if (limits.limitMs === 0 || nowMs - sinceMs < limits.limitMs) return false;
    return limits.queueThreshold === 0 || dispatcher.waiting > limits.queueThreshold;
  }

  #onLate(exchange: Exchange, sinceMs: number, nowMs: number): void {
    const { dispatcher, crew, log, limits, replace } = this.#options;
    const worker = crew.workerOf(dispatcher.ports[exchange.place]!);
    const { record } = exchange;
    const seconds = Math.round((nowMs - sinceMs) / 1000);
    const { seat } = worker;
    seat.harakiris++;
    log.line(`*** HARAKIRI ON ${crew.nameOf(worker).replace('worker', 'WORKER')} ***`);
    const request = `${record.peer} - ${printable(record.method)} ${printable(record.target)}`;
    log.line(`HARAKIRI [core ${coreOf(worker, exchange)}] ${request} since ${seconds} s`);
    const late = this.#late.get(worker);
    const entry = { exchange, entry: exchange.entry, atMs: nowMs, askedAtMs: 0 };
    if (late !== undefined) late.push(entry);
    else this.#late.set(worker, [entry]);
    if (exchange.gone) exchange.overdue = true;
    else dispatcher.giveUp(exchange, new AppError('APP_OVERDUE', seat.id, seconds));
    if (limits.isVerbose) worker.generation.showStacks(worker.port.place);
    if (late === undefined) void replace(worker, 'a request ran for too long (harakiri)');
  }

  /** What is to be done about a worker with late requests. */
  #press(worker: Worker, known: readonly Late[], nowMs: number): void {
    const { crew, limits } = this.#options;
    const late = known.filter(({ exchange, entry }) => exchange.entry === entry && exchange.slot >= 0);
    if (worker.end !== undefined || late.length === 0) {
      this.#late.delete(worker);
      return;
    }
    this.#late.set(worker, late);
    const { port } = worker;
    if (limits.gracefulMs > 0 && late.some(({ atMs }) => nowMs - atMs >= limits.gracefulMs)) {
      this.#kill(worker, 'its other requests have had their time');
      return;
    }
    const asked = late.filter(({ askedAtMs }) => askedAtMs > 0);
    const unheard = asked.find(({ entry }) => !port.requests.hasBrokenOff(entry));
    const last = asked.at(-1);
    if (last !== undefined && unheard === last && nowMs - last.askedAtMs >= REACTION_MS) {
      this.#kill(worker, 'it does not react');
      return;
    }
    const next = late.find(({ askedAtMs, atMs }) => askedAtMs === 0 && (!limits.isVerbose || atMs < nowMs));
    if (next !== undefined) {
      if (last !== undefined && unheard === last) return; // one at a time
      next.askedAtMs = nowMs;
      port.requests.breakOff(next.entry);
      worker.generation.breakOff(port.place, next.entry);
      return;
    }
    const isHopeless = late.every(({ askedAtMs }) => askedAtMs > 0 && nowMs - askedAtMs >= REACTION_MS);
    if (!isHopeless || port.inFlight > late.length) return;
    // All that it still runs is late. Nothing new may have come to it between this look and its end.
    if (port.state === 'leaving') this.#kill(worker, 'it cannot break off what it runs');
    else crew.retire(worker);
  }

  #kill(worker: Worker, why: string): void {
    const { crew, log } = this.#options;
    log.line(`HARAKIRI !!! ${crew.nameOf(worker)} is killed: ${why}`);
    this.#late.delete(worker);
    crew.kill(worker);
  }
}

/** The thread that runs a request. */
const coreOf = ({ port }: Worker, { entry }: Exchange): number =>
  Math.max(
    0,
    port.answers.findIndex((core) => core.lastStarted === entry),
  );
