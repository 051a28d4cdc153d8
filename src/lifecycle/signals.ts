// The signals of an app (`import uwsgi`): when they are raised by a timer, a clock or a file, and who handles them.
//
// They have nothing to do with the system's signals. A worker gets one as it gets a request, through its ring, and one
//   of its threads runs the app's handler between two requests. So a signal costs the accept thread what a request
//   costs, a worker that is busy for long does not hold one up that any worker may handle, and the end of a worker
//   loses only what it had begun.
// A signal that waits for its worker already is not raised again by a timer: a handler that takes longer than its period
//   runs without pause, and nothing piles up.
// Decided elsewhere: what the app has registered (worker/app-signals.ts), how a signal travels (dispatch/dispatcher.ts).

import type { Log } from '../base/log.js';
import { MinuteClock } from '../base/minute-clock.js';
import { isDue } from '../config/cron.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { WorkerPort } from '../dispatch/worker-port.js';
import type { AppSignals, SignalSource } from '../worker/app-signals.js';
import { FileMonitors } from './file-monitors.js';

/** Signals that may wait for workers. What is beyond them is dropped, and told. */
const MOST_WAITING = 1024;
/** The longest time that a timer of Node can wait. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** A signal on its way to a worker; 0: to the first that is free. */
interface Raised {
  readonly signal: number;
  readonly workerId: number;
}

export interface SignalsOptions {
  readonly name: string;
  readonly dispatcher: Dispatcher;
  readonly log: Log;
  /** The numbers of the workers that the app is to have now, and of all that it may have. */
  workerIds(): readonly number[];
  hasWorker(id: number): boolean;
}

export class Signals {
  readonly #options: SignalsOptions;
  #table: AppSignals | undefined;
  #waiting: Raised[] = [];
  readonly #timers = new Map<SignalSource, NodeJS.Timeout>();
  readonly #clock = new MinuteClock((now) => this.#onMinute(now));
  #monitors: FileMonitors | undefined;
  readonly #handled = new Map<number, number>();
  #isHandingOut = false;
  #dropped = 0;

  constructor(options: SignalsOptions) {
    this.#options = options;
  }

  /** Signals that the worker with this number has handled, all that ever had it. */
  handledBy(workerId: number): number {
    return this.#handled.get(workerId) ?? 0;
  }

  /** How many wait for a worker. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** From now on the signals of `table` count, and those of the version before no more. */
  use(table: AppSignals | undefined): void {
    this.#stopSources();
    const before = this.#table;
    // workers of the version before may still raise signals while they finish their requests
    if (before !== undefined) before.listener = { onSource: () => {}, onRaised: (signal) => this.#raise(signal) };
    this.#table = table;
    if (table === undefined) return;
    this.#monitors = new FileMonitors(this.#options.log);
    this.#clock.start();
    for (const source of table.sources) this.#begin(source);
    table.listener = { onSource: (source) => this.#begin(source), onRaised: (signal) => this.#raise(signal) };
  }

  /** Raises nothing by itself any more, and forgets what waits. */
  stop(): void {
    this.#stopSources();
    this.#waiting = [];
  }

  #stopSources(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#clock.stop();
    this.#monitors?.stop();
    this.#monitors = undefined;
  }

  // --- what raises signals ----------------------------------------------------------------------------------------

  #begin(source: SignalSource): void {
    if (source.kind === 'timer') this.#wind(source, performance.now(), 1);
    else if (source.kind === 'monitor') {
      const { signal, path } = source;
      void this.#monitors!.add(path, () => this.#raiseAnew(signal));
    }
  }

  /** Waits for the `round`th time that the timer is due, counted from `startMs`, so that periods do not drift. */
  #wind(source: Extract<SignalSource, { kind: 'timer' }>, startMs: number, round: number): void {
    const waitMs = startMs + round * source.seconds * 1000 - performance.now();
    const onTime = () => {
      if (waitMs > LONGEST_WAIT_MS) {
        this.#wind(source, startMs, round);
        return;
      }
      this.#raiseAnew(source.signal);
      if (round === source.iterations) {
        this.#timers.delete(source);
        this.#table?.sources.delete(source);
      } else this.#wind(source, startMs, round + 1);
    };
    const timer = setTimeout(onTime, Math.min(Math.max(0, waitMs), LONGEST_WAIT_MS));
    this.#timers.set(source, timer.unref());
  }

  /** Raises what is due in the minute of `now`; for tests. */
  tick(now: Date): void {
    this.#clock.tick(now);
  }

  #onMinute(now: Date): void {
    for (const source of this.#table?.sources ?? []) {
      if (source.kind === 'cron' && isDue(source.rule, now)) this.#raiseAnew(source.signal);
    }
  }

  // --- who handles them -------------------------------------------------------------------------------------------

  #receiversOf(signal: number): readonly number[] {
    const target = this.#table?.targetOf(signal) ?? 'any';
    const { workerIds, hasWorker, log, name } = this.#options;
    if (target === 'any') return [0];
    if (target === 'each') return workerIds();
    if (hasWorker(target)) return [target];
    log.line(`${name}: signal ${signal} is for worker ${target}, which it does not have`);
    return [];
  }

  /** For what comes again: not where the last one has not been handed out yet. */
  #raiseAnew(signal: number): void {
    const isWaiting = (id: number) => this.#waiting.some((r) => r.signal === signal && r.workerId === id);
    for (const workerId of this.#receiversOf(signal))
      if (!isWaiting(workerId)) this.#waiting.push({ signal, workerId });
    this.handOut();
  }

  #raise(signal: number): void {
    const receivers = this.#receiversOf(signal);
    if (this.#waiting.length + receivers.length > MOST_WAITING) {
      if (this.#dropped++ % MOST_WAITING === 0) {
        const { name, log } = this.#options;
        log.line(`${name}: ${MOST_WAITING} signals wait for workers: signal ${signal} is dropped`);
      }
      return;
    }
    for (const workerId of receivers) this.#waiting.push({ signal, workerId });
    this.handOut();
  }

  /** Gives what waits to the workers that can take it; to be called when that may have changed. */
  readonly handOut = (): void => {
    if (this.#waiting.length === 0 || this.#isHandingOut) return;
    this.#isHandingOut = true;
    const { dispatcher } = this.#options;
    const nowMs = performance.now();
    this.#waiting = this.#waiting.filter(({ signal, workerId }) => {
      const worker = workerId === 0 ? this.#freest() : dispatcher.serving.find((port) => port.workerId === workerId);
      if (worker === undefined || !worker.takesSignal) return true;
      dispatcher.giveSignal(worker, signal, nowMs);
      return false;
    });
    this.#isHandingOut = false;
  };

  /** The worker with the fewest requests and signals in hand that can take one more. */
  #freest(): WorkerPort | undefined {
    let best: WorkerPort | undefined;
    for (const port of this.#options.dispatcher.serving) {
      if (port.takesSignal && (best === undefined || port.inFlight < best.inFlight)) best = port;
    }
    return best;
  }

  readonly onHandled = ({ workerId }: WorkerPort): void => {
    this.#handled.set(workerId, this.handledBy(workerId) + 1);
    this.handOut();
  };

  /** These were taken from the worker with this number, which had not begun with them. */
  readonly onBack = (signals: readonly number[], workerId: number): void => {
    const isForAny = (signal: number) => this.#table?.targetOf(signal) === 'any';
    this.#waiting.unshift(...signals.map((signal) => ({ signal, workerId: isForAny(signal) ? 0 : workerId })));
    this.handOut();
  };
}
