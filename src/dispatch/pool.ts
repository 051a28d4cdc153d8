// A JS app's workers: a piscina pool in which each thread runs one task that never ends by itself.
//
// piscina starts the threads, replaces one that dies, and terminates one whose task is aborted. Its way of handing out
//   tasks is not the data path: requests travel through the arena (design: 30-95 k tasks/s against 100 k requests/s).
// A thread has ended when its message port has closed: only then is it certain that it writes to the arena no more.
// Decided elsewhere: what the task does (worker/js/entry.ts), when threads are started (lifecycle/supervisor.ts).

import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ArenaMemory } from '../arena/arena.js';
import { AppError } from '../base/errors.js';
import type { HostEvents, WorkerHost } from '../worker/host.js';
import type { LoadFailure, ThreadTask } from '../worker/js/entry.js';

const ENTRY = fileURLToPath(new URL('../worker/js/entry.js', import.meta.url));

export interface JsApp {
  /** What the app is called in messages. */
  readonly name: string;
  readonly file: string;
  readonly callable: string;
  readonly environment: NodeJS.ProcessEnv;
  /** How many requests one thread may run at once. */
  readonly concurrency: number;
  /** The most heap in MiB that one thread may have; undefined: V8 decides. */
  readonly heapMb: number | undefined;
  /** Per listener: the variables that are the same for all its requests. */
  readonly listeners: readonly Readonly<Record<string, string>>[];
  readonly version: string;
  readonly hostname: string;
}

/** A running thread: how to abort it. */
interface Running {
  readonly abort: AbortController;
  why: string;
  loadError: string | undefined;
}

export class ThreadPool implements WorkerHost {
  readonly ownProcesses = false;
  readonly #app: JsApp;
  readonly #memory: ArenaMemory;
  readonly #events: HostEvents;
  readonly #running = new Map<number, Running>();
  #pool: Piscina | undefined;
  #threads = 0;
  #isEnding = false;

  constructor(app: JsApp, memory: ArenaMemory, events: HostEvents) {
    this.#app = app;
    this.#memory = memory;
    this.#events = events;
  }

  get description(): string {
    return `Node ${process.versions.node}, threads`;
  }

  async start(): Promise<void> {
    const threads = this.#memory.geometry.workers;
    this.#pool = new Piscina({
      filename: ENTRY,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled', // a thread that waits for its task must not stop its event loop
      env: this.#app.environment,
      ...(this.#app.heapMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: this.#app.heapMb } }),
    });
    this.#pool.on('error', () => {}); // the task's promise tells the same
  }

  spawn(worker: number): void {
    const pool = this.#pool;
    if (pool === undefined) throw new AppError('APP_LOAD', this.#app.name, 'the pool is not started', '', '');
    const { port1, port2 } = new MessageChannel();
    const running: Running = { abort: new AbortController(), why: 'left', loadError: undefined };
    this.#running.set(worker, running);
    const closed = this.#listen(worker, port1, running);
    this.#events.onStarted(worker, ++this.#threads);
    const { file, callable, concurrency, listeners, version, hostname } = this.#app;
    const task: ThreadTask = {
      memory: this.#memory,
      worker,
      file,
      callable,
      concurrency,
      listeners,
      version,
      hostname,
      port: port2,
    };
    const ended = pool.run(task, { signal: running.abort.signal, transferList: [port2] }).then(
      () => port1.close(), // it came to its end; the thread is free for the next task
      (error: Error) => {
        if (!running.abort.signal.aborted) running.why = describeEnd(error); // the thread dies, and closes the port so
      },
    );
    void Promise.all([ended, closed]).then(() => {
      this.#running.delete(worker);
      if (!this.#isEnding) this.#events.onEnded(worker, running.why, running.loadError);
    });
  }

  /** Hears what the thread says; resolves when the port has closed. */
  #listen(worker: number, port: MessagePort, running: Running): Promise<void> {
    port.on('message', (message: string | LoadFailure) => {
      if (typeof message === 'string') this.#events.onOutput(worker, message);
      else running.loadError = message.loadError;
    });
    return new Promise((resolve) => port.once('close', resolve));
  }

  kill(worker: number): void {
    const running = this.#running.get(worker);
    if (running === undefined) return;
    running.why = 'was terminated';
    running.abort.abort();
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#pool?.destroy();
  }
}

/** How a thread ended, from the error by which its task failed. */
function describeEnd(error: Error & { code?: string }): string {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'ran out of memory';
  const exit = /exited with code:? (\d+)/.exec(error.message);
  if (exit !== null) return `exited with code ${exit[1]}`;
  return `ended by an uncaught error\n${error.stack ?? error.message}`;
}
