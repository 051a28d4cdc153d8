// Replaces workers that have reached a limit: looks at them now and then, and when one has answered its last request.
//
// Decided elsewhere: what the limits are (limits.ts), how a worker is replaced without a gap (supervisor.ts), how much
//   memory it has (worker/process-memory.ts).

import type { Log } from '../base/log.js';
import type { WorkerPort } from '../dispatch/worker-port.js';
import { type MemoryFigures, memoryOf } from '../worker/process-memory.js';
import type { Crew, Worker } from './crew.js';
import { answersUntilJudged, judge, nextLookMs, type WorkerLimits, wantsLooks, wantsMemory } from './limits.js';

/** How often workers are looked at, at least. */
const LOOK_MS = 1000;

export interface RecyclingOptions {
  readonly limits: WorkerLimits;
  /** How often memory is looked at that is only there to be killed for. */
  readonly evilLookMs: number;
  readonly crew: Crew;
  readonly log: Log;
  /** Of the arena; undefined where workers are threads, which tell by themselves. */
  readonly arenaBytes: number | undefined;
  /** Replaces a worker when its successor is ready. */
  replace(worker: Worker, why: string): Promise<void>;
}

export class Recycling {
  readonly #options: RecyclingOptions;
  /** Workers whose turn has been asked for. */
  readonly #asked = new WeakSet<Worker>();
  /** What workers had when they were looked at last. */
  readonly #before = new WeakMap<Worker, { readonly memory: MemoryFigures; readonly atMs: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RecyclingOptions) {
    this.#options = options;
  }

  /** Looks at the workers from now on. */
  start(): void {
    const { limits, evilLookMs } = this.#options;
    if (!wantsLooks(limits)) return;
    const { requests, ageMs, rssBytes, asBytes } = limits;
    const isOnlyEvil = requests === 0 && ageMs === 0 && rssBytes === 0 && asBytes === 0;
    const mostMs = isOnlyEvil ? evilLookMs : LOOK_MS;
    this.#schedule(mostMs, mostMs);
  }

  /** To be called when the limits have changed. */
  restart(): void {
    this.stop();
    this.start();
    for (const worker of this.#options.crew.workers) if (worker.end === undefined) this.onStarted(worker);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(inMs: number, mostMs: number): void {
    const timer = setTimeout(async () => {
      const nextMs = await this.#look(mostMs);
      if (this.#timer === timer) this.#schedule(nextMs, mostMs);
    }, inMs);
    this.#timer = timer.unref();
  }

  /** To be called when a worker has started: from then on it is told of when it has answered enough. */
  onStarted(worker: Worker): void {
    worker.port.mostAnswers = answersUntilJudged(this.#options.limits, this.#indexOf(worker));
  }

  /** To be called when a worker has answered as many requests as it should. */
  onSpent(port: WorkerPort): void {
    this.#judge(this.#options.crew.workerOf(port));
  }

  /** Returns in how many ms to look again. */
  async #look(mostMs: number): Promise<number> {
    const { crew, limits, arenaBytes } = this.#options;
    const workers = crew.workers.filter((worker) => worker.port.state === 'serving');
    const hasMemory = wantsMemory(limits);
    if (hasMemory && arenaBytes !== undefined) {
      await Promise.all(
        workers.map(async (worker) => {
          const figures = await memoryOf(worker.port.taskId, arenaBytes);
          if (figures !== undefined && worker.end === undefined) worker.memory = figures;
        }),
      );
    }
    for (const worker of workers) this.#judge(worker);
    if (!hasMemory) return mostMs;
    const nowMs = performance.now();
    const growths = workers.flatMap((worker) => {
      const { memory: now } = worker;
      const before = this.#before.get(worker);
      this.#before.set(worker, { memory: now, atMs: nowMs });
      return before === undefined ? [] : [{ before: before.memory, now, elapsedMs: nowMs - before.atMs }];
    });
    return nextLookMs(limits, growths, mostMs);
  }

  #judge(worker: Worker): void {
    const { limits, crew, log, replace } = this.#options;
    if (worker.end !== undefined || worker.seat.current !== worker || this.#asked.has(worker)) return;
    const verdict = judge(limits, {
      index: this.#indexOf(worker),
      answered: worker.port.answered,
      ageMs: performance.now() - worker.startedAtMs,
      ...worker.memory,
    });
    if (verdict.fate === 'stays') return;
    if (verdict.fate === 'kill') {
      log.line(`*** EVIL RELOAD ON WORKER ${worker.seat.id} ${verdict.why} (pid: ${worker.port.taskId}) ***`);
      crew.kill(worker);
      return;
    }
    this.#asked.add(worker);
    void replace(worker, verdict.why).finally(() => this.#asked.delete(worker)); // it is still here if that failed
  }

  /** Which worker of its app it is, from 0. */
  #indexOf({ seat }: Worker): number {
    return this.#options.crew.seats.indexOf(seat);
  }
}
