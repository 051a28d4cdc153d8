// Sees to it that an app has its workers: starts them, replaces the ones that end, stops them in order.
//
// Decided elsewhere: what a worker is (worker/, dispatch/pool.ts), what becomes of the requests of one that ended
//   (dispatch/dispatcher.ts), how long to wait before the next is started (respawn.ts).

import { AppError } from '../base/errors.js';
import { LineCutter } from '../base/lines.js';
import type { Log } from '../base/log.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { WorkerPort } from '../dispatch/worker-port.js';
import type { HostEvents, WorkerHost } from '../worker/host.js';
import { afterEnd, NEW_PLACE, type PlaceHistory } from './respawn.js';

/** A place for a worker, and what happened there. */
interface Place {
  history: PlaceHistory;
  startedAtMs: number;
  respawns: number;
  timer: NodeJS.Timeout | undefined;
  readonly output: LineCutter;
}

export class Supervisor {
  readonly name: string;
  /** Worker ids, as users see them, start behind this number: each app has numbers of its own. */
  readonly #firstId: number;
  readonly #log: Log;
  readonly #places: Place[];
  readonly #hostOutput: LineCutter;
  readonly events: HostEvents;
  #dispatcher!: Dispatcher;
  #host!: WorkerHost;
  #state: 'new' | 'starting' | 'running' | 'stopping' | 'stopped' = 'new';
  #hostHistory = NEW_PLACE;
  #hostStartedAtMs = 0;
  #onChange: (() => void) | undefined;
  #startFailure: AppError | undefined;

  constructor(name: string, workers: number, firstId: number, log: Log) {
    this.name = name;
    this.#firstId = firstId;
    this.#log = log;
    const cutter = (mark: string) => new LineCutter((line) => log.output(mark, line));
    this.#hostOutput = cutter(name);
    this.#places = Array.from({ length: workers }, (_, i) => ({
      history: NEW_PLACE,
      startedAtMs: 0,
      respawns: 0,
      timer: undefined,
      output: cutter(`worker ${firstId + i}`),
    }));
    this.events = {
      onStarted: (worker, id) => this.#onStarted(worker, id),
      onEnded: (worker, why, loadError) => this.#onEnded(worker, why, loadError),
      onGone: (why) => this.#onGone(why),
      onOutput: (worker, data) => this.#onOutput(worker, data),
    };
  }

  /** The parts that need `events` to be made. To be called before anything else. */
  connect(dispatcher: Dispatcher, host: WorkerHost): void {
    this.#dispatcher = dispatcher;
    this.#host = host;
  }

  /** Loads the app and starts its workers; resolves when all are ready. Throws `AppError` APP_LOAD. */
  async start(): Promise<void> {
    this.#state = 'starting';
    this.#hostStartedAtMs = performance.now();
    await this.#host.start();
    this.#host.spawn(0); // one first: where it loads the app itself, a failure is seen once
    await this.#until(() => this.#dispatcher.workers[0]!.state === 'serving');
    for (let i = 1; i < this.#places.length; i++) this.#host.spawn(i);
    await this.#until(() => this.#dispatcher.workers.every((worker) => worker.state === 'serving'));
    this.#state = 'running';
    this.#log.line(`${this.name} is ready: ${this.#host.description}`);
  }

  /** Resolves when `condition` holds; throws when the start has failed. */
  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.#startFailure !== undefined) throw this.#startFailure;
      if (condition()) return;
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }

  #changed(): void {
    const wake = this.#onChange;
    this.#onChange = undefined;
    wake?.();
  }

  /** Lets every worker finish what it runs, at most `graceMs`, then ends what is left. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    for (const place of this.#places) clearTimeout(place.timer);
    const { workers } = this.#dispatcher;
    for (const worker of workers) this.#dispatcher.retire(worker.index, performance.now());
    const timer = setTimeout(() => {
      for (const worker of workers) if (worker.state !== 'dead') this.#host.kill(worker.index);
      this.#changed();
    }, graceMs);
    const deadline = performance.now() + graceMs;
    await this.#until(() => workers.every((w) => w.state === 'dead') || performance.now() >= deadline);
    clearTimeout(timer);
    await this.#host.end();
    this.#state = 'stopped';
  }

  /** To be called by the dispatcher when a worker has announced itself. */
  onReady(worker: WorkerPort): void {
    const pid = this.#host.ownProcesses ? `pid: ${worker.id}` : `pid: ${process.pid}, thread: ${worker.id}`;
    const again = this.#places[worker.index]!.respawns > 0 ? 'Respawned' : 'spawned';
    const cores = this.#dispatcher.arena.geometry.cores;
    this.#log.line(`${again} uWSGI worker ${this.#firstId + worker.index} (${pid}, cores: ${cores})`);
    this.#changed();
  }

  /** To be called by the dispatcher when a worker wrote what it must not. */
  onMad(worker: WorkerPort, why: string): void {
    this.#log.line(`worker ${this.#firstId + worker.index} wrote nonsense into shared memory (${why}): it is killed`);
    this.#host.kill(worker.index);
  }

  #onStarted(worker: number, id: number): void {
    this.#places[worker]!.startedAtMs = performance.now();
    this.#dispatcher.workerStarted(worker, id);
  }

  #onEnded(index: number, why: string, loadError?: string): void {
    const nowMs = performance.now();
    const worker = this.#dispatcher.workers[index]!;
    const wasAskedTo = worker.state === 'leaving';
    this.#places[index]!.output.end();
    this.#dispatcher.workerEnded(index, why, nowMs);
    if (!wasAskedTo)
      this.#log.line(`DAMN ! worker ${this.#firstId + index} died: it ${why}${loadError ? `\n${loadError}` : ''}`);
    if (this.#state === 'starting' && this.#places[index]!.respawns === 0) {
      this.#startFailure = new AppError(
        'APP_LOAD',
        this.name,
        `worker ${index + 1} did not come up: it ${why}`,
        loadError ?? '',
        '',
      );
    } else if (this.#state === 'running') {
      this.#respawn(index, nowMs);
    }
    this.#changed();
  }

  #respawn(index: number, nowMs: number): void {
    const place = this.#places[index]!;
    const { history, delayMs } = afterEnd(place.history, nowMs - place.startedAtMs);
    place.history = history;
    place.respawns++;
    if (delayMs > 0) {
      this.#log.line(
        `worker ${this.#firstId + index} respawning too fast !!! i have to sleep a bit (${delayMs} ms)...`,
      );
    }
    place.timer = setTimeout(() => {
      if (this.#state === 'running') this.#host.spawn(index);
    }, delayMs);
  }

  /** The host has ended: its workers too, and the app has to be loaded again. */
  #onGone(why: string): void {
    const nowMs = performance.now();
    for (const worker of this.#dispatcher.workers) {
      if (worker.state !== 'dead') this.#dispatcher.workerEnded(worker.index, why, nowMs);
    }
    this.#changed();
    if (this.#state !== 'running') {
      this.#startFailure ??= new AppError('APP_LOAD', this.name, why, '', '');
      return;
    }
    this.#log.line(`${this.name}: ${why}; it is started again`);
    this.#restartHost(nowMs);
  }

  #restartHost(nowMs: number): void {
    const { history, delayMs } = afterEnd(this.#hostHistory, nowMs - this.#hostStartedAtMs);
    this.#hostHistory = history;
    setTimeout(async () => {
      if (this.#state !== 'running') return;
      this.#hostStartedAtMs = performance.now();
      try {
        await this.#host.start();
        for (const [index, place] of this.#places.entries()) {
          place.respawns++;
          this.#host.spawn(index);
        }
      } catch (error) {
        this.#log.line((error as Error).message);
        this.#restartHost(performance.now());
      }
    }, delayMs);
  }

  #onOutput(worker: number, data: string): void {
    (worker < 0 ? this.#hostOutput : this.#places[worker]!.output).add(data);
  }
}
