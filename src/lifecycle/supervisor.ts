// Sees to it that an app has its workers: starts them, replaces the ones that die, reloads the app, stops it in order.
//
// Decided elsewhere: how workers change over (crew.ts, reload.ts), how long to wait before the next is started
//   (respawn.ts), what asks for a reload (triggers.ts).

import type { AppError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Generation, WorkerHost } from '../worker/host.js';
import { type Crew, Seat, type Worker } from './crew.js';
import { didNotComeUp, replaceInTurn, replaceOne, replaceTogether } from './reload.js';
import { ReloadHistory, type ReloadKind } from './reload-history.js';
import { afterEnd, NEW_SEAT } from './respawn.js';
import { Turns } from './turns.js';

export class Supervisor {
  readonly name: string;
  readonly crew: Crew;
  /** The last reloads, and what became of them. */
  readonly reloads = new ReloadHistory();
  readonly #log: Log;
  readonly #host: WorkerHost;
  readonly #longestPauseMs: number;
  readonly #onGeneration: (generation: Generation) => void;
  readonly #turns = new Turns();
  /** Reloads that wait for their turn. */
  readonly #waitingReloads = new Map<ReloadKind, Promise<boolean>>();
  #state: 'new' | 'starting' | 'running' | 'stopping' | 'stopped' = 'new';
  /** The version that new workers get; undefined while there is none. */
  #generation: Generation | undefined;
  #loadHistory = NEW_SEAT;
  #loadedAtMs = 0;

  /**
   * `longestPauseMs`: between two starts of a worker that ends at once. `onGeneration` is told which version counts from
   * now on.
   */
  constructor(
    name: string,
    crew: Crew,
    host: WorkerHost,
    longestPauseMs: number,
    log: Log,
    onGeneration: (generation: Generation) => void,
  ) {
    this.name = name;
    this.#longestPauseMs = longestPauseMs;
    this.crew = crew;
    this.#host = host;
    this.#log = log;
    this.#onGeneration = onGeneration;
  }

  /**
   * Loads the app and starts its workers; resolves when all are ready. Throws `AppError` APP_LOAD; then it may be tried
   * again.
   */
  async start(): Promise<void> {
    this.#state = 'starting';
    this.#loadedAtMs = performance.now();
    const generation = await this.#host.load();
    this.#generation = generation;
    const [first, ...others] = this.crew.wanted;
    try {
      if (first !== undefined) await this.#firstStart([first], generation); // alone: a failure is seen once
      await this.#firstStart(others, generation);
    } catch (error) {
      for (const worker of this.crew.workers) this.crew.kill(worker);
      await Promise.all(this.crew.workers.map((worker) => worker.ended));
      await generation.end();
      throw error;
    }
    this.#state = 'running';
    this.#onGeneration(generation);
    this.#log.line(`${this.name} is ready: ${generation.description}`);
  }

  async #firstStart(seats: readonly Seat[], generation: Generation): Promise<void> {
    const workers = seats.map((seat) => this.crew.fill(seat, generation));
    for (const worker of workers) if (!(await worker.ready)) throw didNotComeUp(this.name, worker);
  }

  /** Lets every worker finish what it runs, at most `graceMs`, then ends what is left. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    await this.crew.close(graceMs);
    await this.#generation?.end();
    this.#state = 'stopped';
  }

  // --- reloads ----------------------------------------------------------------------------------------------------

  /**
   * Replaces the workers; resolves when that is done, with whether it was. Where the new version does not load, the old
   * one goes on serving. `reason` as in "SIGHUP". `mercyMs`: how long the old workers may take to leave. Asked for again
   * before it has begun, it is done once.
   */
  reload(kind: ReloadKind, reason: string, mercyMs = this.crew.mercyMs): Promise<boolean> {
    const waiting = this.#waitingReloads.get(kind);
    if (waiting !== undefined) return waiting;
    const reload = this.#reloadInTurn(kind, reason, mercyMs);
    this.#waitingReloads.set(kind, reload);
    return reload;
  }

  #reloadInTurn(kind: ReloadKind, reason: string, mercyMs: number): Promise<boolean> {
    return this.#turns.run(async () => {
      this.#waitingReloads.delete(kind);
      if (this.#state !== 'running') return false;
      const entry = this.reloads.begin(kind, reason);
      this.#log.line(`${this.name}: ${REPLACING[kind]} (${reason})`);
      try {
        if (kind === 'workers') await this.#renew(mercyMs);
        else await this.#loadAnew(kind, mercyMs);
        this.reloads.end(entry, 'done', '');
        this.#log.line(`${this.name}: reloaded in ${entry.durationMs} ms (${reason})`);
        return true;
      } catch (error) {
        const { message } = error as AppError;
        this.reloads.end(entry, 'failed', message);
        if (this.#state !== 'running') return false;
        this.#log.line(`${this.name}: NOT reloaded (${reason}), the old version goes on serving. ${message}`);
        return false;
      }
    });
  }

  /** New workers of the version there is. */
  async #renew(mercyMs: number): Promise<void> {
    if (this.#generation !== undefined) await replaceTogether(this.crew, this.#generation, this.name, mercyMs);
  }

  async #loadAnew(kind: 'reload' | 'chain', mercyMs: number): Promise<void> {
    const old = this.#generation;
    const generation = await this.#host.load();
    try {
      if (kind === 'chain') {
        await replaceInTurn(this.crew, generation, this.name, ({ id }) => {
          this.#log.line(`chain next victim is worker ${id}`);
        });
      } else {
        await replaceTogether(this.crew, generation, this.name, mercyMs);
      }
    } catch (error) {
      // In a chain some seats may have the new version already: then it has proven that it loads, and is the one to keep.
      const isInUse = this.crew.seats.some((seat) => seat.current?.generation === generation);
      if (isInUse) this.#become(generation, old);
      else void generation.end();
      throw error;
    }
    this.#become(generation, old);
    this.#log.line(`${this.name} is ready: ${generation.description}`);
  }

  /** `generation` is the one from now on; the old one ends with its last worker. */
  #become(generation: Generation, old: Generation | undefined): void {
    this.#generation = generation;
    this.#loadedAtMs = performance.now();
    this.#onGeneration(generation);
    if (old === undefined) return;
    const leaving = this.crew.workers.filter((worker) => worker.generation === old);
    void Promise.all(leaving.map((worker) => worker.ended)).then(() => old.end());
  }

  get #isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Replaces one worker by a new one of the same version, when its successor is ready. `why` is for the log. */
  recycle(worker: Worker, why: string): Promise<void> {
    return this.#turns.run(async () => {
      const generation = this.#generation;
      if (this.#state !== 'running' || worker.end !== undefined || worker.seat.current !== worker) return;
      if (generation === undefined) return;
      this.#log.line(`worker ${worker.seat.id} is replaced: ${why}`);
      try {
        await replaceOne(this.crew, worker.seat, generation, this.name);
      } catch (error) {
        if (!this.#isRunning) return; // its successor was ended by the stop
        this.#log.line(`worker ${worker.seat.id} stays: ${(error as AppError).message}`);
      }
    });
  }

  /**
   * Wants so many workers from now on: starts some, or lets some leave when they have finished what they run. `why` is
   * for the log.
   */
  resize(workers: number, why: string): Promise<void> {
    return this.#turns.run(async () => this.#resize(workers, why));
  }

  /** The same, for one worker more (1) or fewer (-1) than are wanted when it comes to it; nothing where that cannot be. */
  step(change: 1 | -1, why: string): Promise<void> {
    return this.#turns.run(async () => {
      const workers = this.crew.wanted.length + change;
      if (workers >= 0 && workers <= this.crew.seats.length) this.#resize(workers, why);
    });
  }

  #resize(workers: number, why: string): void {
    const before = this.crew.wanted.length;
    if (this.#state !== 'running' || workers === before) return;
    this.#log.line(`${this.name}: ${workers} workers instead of ${before}, because ${why}`);
    for (const [index, seat] of this.crew.seats.entries()) {
      seat.isWanted = index < workers;
      if (seat.isWanted) {
        if (seat.current === undefined) this.#respawn(seat);
        continue;
      }
      clearTimeout(seat.respawn);
      if (seat.current !== undefined) this.crew.dismiss(seat.current);
    }
  }

  /**
   * Has so many seats from now on, of which `least` at least want a worker; undefined: all of them. New seats get their
   * numbers from `nextId`; workers of seats that are no more leave.
   */
  setSeats(seats: number, least: number | undefined, nextId: () => number): Promise<void> {
    return this.#turns.run(async () => this.#setSeats(seats, least, nextId));
  }

  #setSeats(seats: number, least: number | undefined, nextId: () => number): void {
    const { crew } = this;
    const isEmpty = crew.wanted.length === 0 && crew.seats.length > 0; // nobody asks: that may go on
    while (crew.seats.length < seats) crew.seats.push(new Seat(nextId()));
    const wanted = least === undefined ? seats : Math.min(seats, Math.max(least, crew.wanted.length));
    for (const [index, seat] of crew.seats.entries()) seat.isWanted = !isEmpty && index < wanted;
    for (const seat of crew.seats.splice(seats)) {
      clearTimeout(seat.respawn);
      if (seat.current !== undefined) crew.dismiss(seat.current);
    }
    for (const seat of crew.seats) {
      if (!seat.isWanted && seat.current !== undefined) crew.dismiss(seat.current);
      else if (seat.isWanted && seat.current === undefined) this.#respawn(seat);
    }
  }

  // --- workers that die -------------------------------------------------------------------------------------------

  /** To be called by the crew when a worker that had a seat has died. */
  readonly onLost = (worker: Worker, name: string): void => {
    if (this.#state !== 'running') return;
    const { seat, end } = worker;
    this.#log.line(`DAMN ! ${name} died: it ${end!.why}${end!.loadError === '' ? '' : `\n${end!.loadError}`}`);
    const { history, delayMs } = afterEnd(seat.history, performance.now() - worker.startedAtMs, this.#longestPauseMs);
    seat.history = history;
    if (delayMs === 0) {
      this.#respawn(seat);
      return;
    }
    this.#log.line(`worker ${seat.id} respawning too fast !!! i have to sleep a bit (${delayMs} ms)...`);
    seat.respawn = setTimeout(() => this.#respawn(seat), delayMs);
  };

  #respawn(seat: Seat): void {
    if (this.#state !== 'running' || this.#generation === undefined) return;
    if (seat.current !== undefined || !seat.isWanted) return;
    if (this.crew.freePlaces > 0) this.crew.fill(seat, this.#generation);
    else void this.crew.placeFree().then(() => this.#respawn(seat));
  }

  /** To be called by the crew when a generation has ended by itself: its workers too, and the app has to be loaded again. */
  readonly onGenerationGone = (generation: Generation, why: string): void => {
    if (generation !== this.#generation) return;
    this.#generation = undefined;
    if (this.#state !== 'running') return;
    this.#log.line(`${this.name}: ${why}; it is started again`);
    this.#revive();
  };

  #revive(): void {
    const { history, delayMs } = afterEnd(
      this.#loadHistory,
      performance.now() - this.#loadedAtMs,
      this.#longestPauseMs,
    );
    this.#loadHistory = history;
    setTimeout(() => {
      void this.#turns.run(async () => {
        if (this.#state !== 'running' || this.#generation !== undefined) return;
        this.#loadedAtMs = performance.now();
        try {
          this.#generation = await this.#host.load();
          this.#onGeneration(this.#generation);
          for (const seat of this.crew.wanted) this.#respawn(seat);
        } catch (error) {
          this.#log.line((error as AppError).message);
          this.#revive();
        }
      });
    }, delayMs);
  }
}

const REPLACING: { readonly [K in ReloadKind]: string } = {
  reload: '...gracefully killing workers...',
  chain: 'chain reload starting...',
  workers: 'workers reload',
};
