// The workers of one app: whose seat each of them fills, and in which place it runs, from its start until it is certain
// that it has ended.
//
// A seat is what users call "worker 3": it has a number and a history, and stays when the worker in it is replaced. A place
//   is an index in the arena. There are more places than seats, so that a successor can be loaded and ready in a place of
//   its own before its predecessor leaves.
// Decided elsewhere: when workers are started, replaced and ended (supervisor.ts, reload.ts, recycling.ts), what becomes of
//   the requests of one that ended (dispatch/dispatcher.ts), what a worker is (worker/, dispatch/pool.ts).

import { type Deferred, deferred } from '../base/deferred.js';
import { AppError } from '../base/errors.js';
import { LineCutter } from '../base/lines.js';
import type { Log } from '../base/log.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { WorkerPort } from '../dispatch/worker-port.js';
import type { Generation, HostEvents } from '../worker/host.js';
import type { MemoryFigures } from '../worker/process-memory.js';
import { NEW_SEAT, type SeatHistory } from './respawn.js';

/** How a worker ended. */
export interface WorkerEnd {
  /** To be read behind "it": "was killed by SIGSEGV". */
  readonly why: string;
  /** Why the app could not be loaded in it, if that was the reason. */
  readonly loadError: string;
}

/** One process or thread that runs an app, from its start to its end. */
export class Worker {
  readonly seat: Seat;
  readonly generation: Generation;
  readonly port: WorkerPort;
  /** On the clock of performance.now(). */
  readonly startedAtMs = performance.now();
  readonly #ready: Deferred<boolean> = deferred();
  readonly #ended: Deferred<WorkerEnd> = deferred();
  end: WorkerEnd | undefined;
  /** What it was found to have when it was looked at last; zeros while nobody has. */
  memory: MemoryFigures = { rssBytes: 0, asBytes: 0 };
  /** When it was told to leave; 0: it was not. */
  askedAtMs = 0;
  /** Ends it when it takes too long to leave. */
  mercy: NodeJS.Timeout | undefined;

  constructor(seat: Seat, generation: Generation, port: WorkerPort) {
    this.seat = seat;
    this.generation = generation;
    this.port = port;
  }

  /** Resolves true when it is ready for requests, false when it ended before. */
  get ready(): Promise<boolean> {
    return this.#ready.promise;
  }

  /** Resolves when it has ended for certain. */
  get ended(): Promise<WorkerEnd> {
    return this.#ended.promise;
  }

  becameReady(): void {
    this.#ready.resolve(true);
  }

  /** Tells those who wait; `end` is there already. */
  hasEnded(end: WorkerEnd): void {
    clearTimeout(this.mercy);
    this.#ready.resolve(false);
    this.#ended.resolve(end);
  }
}

/** What users call worker N. */
export class Seat {
  readonly id: number;
  /** The worker that has the seat: it serves, or will as soon as it is ready. */
  current: Worker | undefined;
  /** The one that will take over from it. */
  successor: Worker | undefined;
  /** Whether a worker is wanted here; the adaptive count leaves seats empty. */
  isWanted = true;
  /** Workers that were started for this seat. */
  spawns = 0;
  /** When the last of them was started, on the clock of Date.now(). */
  lastSpawnAtMs = 0;
  history: SeatHistory = NEW_SEAT;
  /** Runs until the next one is started, when one after the other has died at once. */
  respawn: NodeJS.Timeout | undefined;
  /** Requests that ran for too long. */
  harakiris = 0;
  /** Requests answered by workers that have ended. */
  answeredBefore = 0;

  constructor(id: number) {
    this.id = id;
  }
}

export interface CrewOptions {
  readonly log: Log;
  /** Marks what the app prints before there is a worker. */
  readonly name: string;
  /** Whether each worker is a process of its own. */
  readonly ownProcesses: boolean;
  /** How long a worker that was told to leave may take. */
  readonly mercyMs: number;
  /** A worker was started. */
  onStarted(worker: Worker): void;
  /** A worker that had a seat has ended, and nobody had asked it to. */
  onLost(worker: Worker, name: string): void;
  onAsked(about: string): unknown;
  /** A generation has ended by itself, and all its workers with it. */
  onGenerationGone(generation: Generation, why: string): void;
}

/** Ways in which workers end that are counted apart. */
const MOST_ENDS = 20;

export class Crew {
  readonly seats: Seat[] = [];
  /** To be given to the host. */
  readonly events: HostEvents;
  readonly #options: CrewOptions;
  readonly #log: Log;
  readonly #outputs: LineCutter[] = [];
  /** The number of the last worker in each place: it may have written what is read after its end. */
  readonly #lastIds: number[] = [];
  readonly #hostOutput: LineCutter;
  #dispatcher!: Dispatcher;
  readonly #workers: (Worker | undefined)[] = [];
  /** The place that was free longest comes first, so that late output of its last worker has come. */
  readonly #free: number[] = [];
  readonly #waiting: (() => void)[] = [];
  mercyMs: number;
  /** Workers that have ended, by how: "exited with code 1", "was killed by SIGSEGV", "left". */
  readonly ends: Record<string, number> = {};
  #isClosed = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#log = options.log;
    this.mercyMs = options.mercyMs;
    this.#hostOutput = new LineCutter((line) => this.#log.output(options.name, line));
    this.events = {
      onStarted: (place, id) => this.#onStarted(this.#workers[place]!, id),
      onMemory: (place, figures) => {
        this.#workers[place]!.memory = figures;
      },
      onEnded: (place, why, loadError) => this.#onEnded(this.#workers[place]!, { why, loadError: loadError ?? '' }),
      onAsked: (about) => options.onAsked(about),
      onGone: (generation, why) => this.#onGone(generation, why),
      onOutput: (place, data) => (place < 0 ? this.#hostOutput : this.#outputs[place]!).add(data),
    };
  }

  /** To be called once, before anything else. */
  connect(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher;
    for (const { place } of dispatcher.ports) {
      this.#free.push(place);
      this.#lastIds.push(0);
      this.#outputs.push(new LineCutter((line) => this.#log.output(`worker ${this.#lastIds[place]}`, line)));
    }
  }

  /** The workers that live, whatever they are doing. */
  get workers(): readonly Worker[] {
    return this.#workers.filter((worker) => worker !== undefined);
  }

  /** The seats that are to have a worker. */
  get wanted(): readonly Seat[] {
    return this.seats.filter((seat) => seat.isWanted);
  }

  get freePlaces(): number {
    return this.#free.length;
  }

  /** Resolves when a place is free. */
  async placeFree(): Promise<void> {
    while (this.#free.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  workerOf(port: WorkerPort): Worker {
    return this.#workers[port.place]!;
  }

  /** Requests that the workers of a seat have answered, all that ever had it. */
  answeredBy(seat: Seat): number {
    return this.workers.reduce((sum, w) => (w.seat === seat ? sum + w.port.answered : sum), seat.answeredBefore);
  }

  /** Starts a worker for an empty seat; it gets requests as soon as it is ready. Needs a free place. */
  fill(seat: Seat, generation: Generation): Worker {
    const worker = this.#start(seat, generation);
    seat.current = worker;
    return worker;
  }

  /** Starts a worker that will take over `seat` when it is told to. Needs a free place. */
  prepare(seat: Seat, generation: Generation): Worker {
    const worker = this.#start(seat, generation);
    seat.successor = worker;
    return worker;
  }

  #start(seat: Seat, generation: Generation): Worker {
    if (this.#isClosed) throw new AppError('APP_STOPPING', this.#options.name);
    const place = this.#free.shift();
    if (place === undefined) throw new Error('a worker was to be started and no place is free');
    clearTimeout(seat.respawn);
    seat.spawns++;
    seat.lastSpawnAtMs = Date.now();
    const worker = new Worker(seat, generation, this.#dispatcher.ports[place]!);
    this.#workers[place] = worker;
    this.#lastIds[place] = seat.id;
    this.#dispatcher.workerStarted(place, seat.id);
    this.#options.onStarted(worker);
    generation.spawn(place, seat.id);
    return worker;
  }

  /**
   * Lets successors that are ready take over, all at the same moment: no request is started by a predecessor after
   * one of them has started one. Returns the predecessors, which are on their way out, and have `mercyMs` for it.
   */
  takeOver(successors: readonly Worker[], mercyMs = this.mercyMs): readonly Worker[] {
    const nowMs = performance.now();
    const predecessors: Worker[] = [];
    for (const worker of successors) {
      if (worker.end !== undefined) continue; // its end has been told; the seat stays with whoever has it
      const { seat } = worker;
      if (seat.current !== undefined) predecessors.push(seat.current);
      clearTimeout(seat.respawn);
      seat.current = worker;
      seat.successor = undefined;
    }
    for (const worker of predecessors) this.retire(worker, mercyMs);
    for (const worker of successors) if (worker.end === undefined) this.#dispatcher.admit(worker.port.place, nowMs);
    return predecessors;
  }

  /** Asks a worker to leave its seat to nobody. */
  dismiss(worker: Worker): void {
    worker.seat.current = undefined;
    this.retire(worker);
  }

  /** No worker is started any more. Asks all to leave, and resolves when they have. */
  async close(mercyMs: number): Promise<void> {
    this.#isClosed = true;
    const { workers } = this;
    for (const worker of workers) {
      clearTimeout(worker.seat.respawn);
      if (worker.port.state === 'starting')
        this.kill(worker); // it may be at it for long, and nobody waits for it
      else this.retire(worker, mercyMs);
    }
    await Promise.all(workers.map((worker) => worker.ended));
  }

  /** Asks a worker to finish what it has started and to end; ends it when it has not within `mercyMs`. */
  retire(worker: Worker, mercyMs = this.mercyMs): void {
    if (worker.end !== undefined || worker.port.state === 'leaving') return;
    worker.askedAtMs = performance.now();
    this.#dispatcher.retire(worker.port.place, worker.askedAtMs);
    worker.mercy = setTimeout(() => {
      this.#log.line(`${this.nameOf(worker)} is taking too much time to die...NO MERCY !!!`);
      this.kill(worker);
    }, mercyMs);
  }

  /** Ends a worker at once. */
  kill(worker: Worker): void {
    if (worker.end === undefined) worker.generation.kill(worker.port.place);
  }

  /** `worker 3 (pid: 4711)` */
  nameOf({ seat, port }: Worker): string {
    return `worker ${seat.id} (${this.#options.ownProcesses ? 'pid' : 'thread'}: ${port.taskId})`;
  }

  #onStarted(worker: Worker, id: number): void {
    const { port } = worker;
    port.taskId = id;
    if (port.state === 'standby') this.#becameReady(worker); // it was quicker to announce itself
  }

  /** To be called by the dispatcher when a worker has announced itself. */
  onReady(port: WorkerPort): void {
    if (port.taskId !== 0) this.#becameReady(this.#workers[port.place]!);
  }

  #becameReady(worker: Worker): void {
    const { seat, port } = worker;
    const task = this.#options.ownProcesses ? `pid: ${port.taskId}` : `pid: ${process.pid}, thread: ${port.taskId}`;
    const line =
      seat.spawns > 1 ? `Respawned uWSGI worker ${seat.id} (new ${task}` : `spawned uWSGI worker ${seat.id} (${task}`;
    this.#log.line(`${line}, cores: ${port.answers.length})`);
    if (seat.current === worker && port.state === 'standby') this.#dispatcher.admit(port.place, performance.now());
    worker.becameReady();
  }

  /** To be called by the dispatcher when a worker wrote what it must not. */
  onMad(port: WorkerPort, why: string): void {
    const worker = this.#workers[port.place]!;
    this.#log.line(`${this.nameOf(worker)} wrote nonsense into shared memory (${why}): it is killed`);
    this.kill(worker);
  }

  #onEnded(worker: Worker, end: WorkerEnd): void {
    const { seat, port } = worker;
    const name = this.nameOf(worker);
    this.#outputs[port.place]!.end();
    this.#count(worker.askedAtMs > 0 ? 'left' : end.why);
    worker.end = end; // so that nobody replaces or kills it for what its last words say
    seat.answeredBefore += this.#dispatcher.workerEnded(port.place, end.why, performance.now());
    this.#workers[port.place] = undefined;
    this.#free.push(port.place);
    if (worker.askedAtMs > 0) {
      const seconds = Math.round((performance.now() - worker.askedAtMs) / 1000);
      this.#log.line(`${name} buried after ${seconds} seconds`);
    }
    if (seat.successor === worker) seat.successor = undefined;
    const hadSeat = seat.current === worker;
    if (hadSeat) seat.current = undefined;
    worker.hasEnded(end);
    if (hadSeat) this.#options.onLost(worker, name);
    this.#waiting.shift()?.();
  }

  /** Apps can exit with any code: no more than MOST_ENDS ways are told apart. */
  #count(how: string): void {
    const [line] = how.split('\n') as [string];
    const key = line in this.ends || Object.keys(this.ends).length < MOST_ENDS ? line : 'otherwise';
    this.ends[key] = (this.ends[key] ?? 0) + 1;
  }

  #onGone(generation: Generation, why: string): void {
    const lost = this.workers.filter((worker) => worker.generation === generation);
    this.#options.onGenerationGone(generation, why);
    for (const worker of lost) this.#onEnded(worker, { why: `ended with its zygote`, loadError: '' });
  }
}
