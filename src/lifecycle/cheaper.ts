// Starts and ends workers as the load of an app asks for it; none at all while nobody asks (uWSGI: cheaper, cheap, idle).
//
// Decided elsewhere: how many there should be (scaling.ts), how a worker starts and leaves (supervisor.ts): one that leaves
//   finishes what it runs, so no request notices.

import type { Log } from '../base/log.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import { memoryOf } from '../worker/process-memory.js';
import type { Crew } from './crew.js';
import { type ScalingRules, type ScalingState, scale, UNSCALED } from './scaling.js';

/** How often it is noted who is busy, and how often that is judged. */
const SAMPLE_MS = 100;
const SAMPLES_PER_LOOK = 10;

export interface CheaperPlan {
  /** Undefined: the number of workers is fixed. */
  readonly rules: ScalingRules | undefined;
  /** Workers at the start. */
  readonly initial: number;
  /** No workers before the first request. */
  readonly isCheap: boolean;
  /** Without requests for so long, all workers are ended; 0: never. */
  readonly idleMs: number;
  /** Then the server ends too. */
  readonly diesOnIdle: boolean;
  /** Each look goes to the log. */
  readonly isVerbose: boolean;
}

export interface CheaperOptions {
  readonly plan: CheaperPlan;
  readonly dispatcher: Dispatcher;
  readonly crew: Crew;
  readonly log: Log;
  /** Requests that one worker runs at once: with so many it is busy. */
  readonly threads: number;
  /** Of the arena; undefined where workers are threads. */
  readonly arenaBytes: number | undefined;
  /** Wants so many workers from now on. */
  resize(workers: number, why: string): void;
  step(change: 1 | -1, why: string): void;
  /** Nothing has been asked for too long. */
  onIdle(): void;
}

export class Cheaper {
  readonly #options: CheaperOptions;
  #timer: NodeJS.Timeout | undefined;
  #state: ScalingState = UNSCALED;
  #samples = 0;
  #busy = 0;
  #allBusy = 0;
  #waiting = 0;
  #accepted = 0;
  #lastRequestMs = performance.now();
  #isIdle = false;
  #isStarted = false;

  constructor(options: CheaperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isStarted = true;
    const { rules, isCheap, idleMs } = this.#options.plan;
    if (rules === undefined && !isCheap && idleMs === 0) return;
    this.#lastRequestMs = performance.now();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  /** To be called when the rules have changed. */
  restart(): void {
    this.stop();
    this.#state = UNSCALED;
    this.start();
  }

  /** Whether nothing has been asked since it was last found idle. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  stop(): void {
    this.#isStarted = false;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** To be called when a request waits and there is no worker. */
  readonly onStarved = (): void => {
    const { plan, crew, resize } = this.#options;
    if (this.#isStarted && crew.wanted.length === 0) resize(Math.max(1, plan.initial), 'there is a request');
  };

  #sample(): void {
    const { dispatcher, threads, crew, plan } = this.#options;
    const serving = dispatcher.workers.filter((worker) => worker.state === 'serving');
    const busy = serving.filter((worker) => worker.inFlight >= threads).length;
    this.#samples++;
    this.#busy += busy;
    if (serving.length > 0 && busy === serving.length) this.#allBusy++;
    this.#waiting = Math.max(this.#waiting, dispatcher.waiting);
    const { accepted } = dispatcher.counters;
    const isActive = accepted !== this.#accepted || dispatcher.inFlight > 0 || dispatcher.waiting > 0;
    this.#accepted = accepted;
    const nowMs = performance.now();
    if (isActive) {
      this.#lastRequestMs = nowMs;
      this.#isIdle = false;
    } else if (plan.idleMs > 0 && nowMs - this.#lastRequestMs >= plan.idleMs && crew.wanted.length > 0) {
      this.#goIdle();
    }
    if (this.#samples >= SAMPLES_PER_LOOK) void this.#look();
  }

  #goIdle(): void {
    const { plan, log, onIdle } = this.#options;
    this.#lastRequestMs = performance.now();
    this.#isIdle = true;
    log.line(`workers have been inactive for more than ${plan.idleMs / 1000} seconds`);
    if (plan.diesOnIdle) onIdle();
    else this.goCheap();
  }

  /** Ends all workers; the next request starts them. */
  goCheap(): void {
    this.#options.resize(0, 'cheap mode');
    this.#options.log.line('cheap mode enabled: waiting for socket connection...');
  }

  /** One worker more, or fewer. */
  step(change: 1 | -1): void {
    this.#options.step(change, 'it was asked for');
  }

  async #look(): Promise<void> {
    const { plan, crew, resize, log } = this.#options;
    const { rules } = plan;
    const facts = {
      workers: crew.wanted.length,
      busy: this.#busy / this.#samples,
      allBusy: this.#allBusy / this.#samples,
      waiting: this.#waiting,
    };
    this.#samples = this.#busy = this.#allBusy = this.#waiting = 0;
    if (rules === undefined || facts.workers === 0) return;
    const rssBytes = rules.rssSoftBytes + rules.rssHardBytes > 0 ? await this.#rssBytes() : 0;
    if (this.#timer === undefined || crew.wanted.length !== facts.workers) return; // it has changed meanwhile
    const { change, why, state } = scale(rules, { ...facts, rssBytes }, this.#state);
    this.#state = state;
    if (plan.isVerbose) {
      const percent = Math.round((100 * facts.busy) / facts.workers);
      log.line(`[busyness] ${percent}% busy, ${facts.workers} workers, ${facts.waiting} requests waited`);
    }
    if (change !== 0) resize(facts.workers + change, why);
  }

  async #rssBytes(): Promise<number> {
    const { crew, arenaBytes } = this.#options;
    const all = await Promise.all(
      crew.workers.map(async ({ port, memory }) => {
        return arenaBytes === undefined ? memory : ((await memoryOf(port.taskId, arenaBytes)) ?? memory);
      }),
    );
    return all.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  }
}
