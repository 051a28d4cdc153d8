// A JS app's workers: a piscina pool in which each thread runs one task, until the thread ends.
//
// piscina starts the threads and terminates one whose task is aborted. Its way of handing out tasks is not the data path:
//   requests travel through the arena (design: 30-95 k tasks/s against 100 k requests/s).
// A thread never runs a second task: it ends with its worker, so that the next worker loads the app's modules afresh.
// A thread has ended when its message port has closed: only then is it certain that it writes to the arena no more.
// Decided elsewhere: what the task does (worker/js/entry.ts), when threads are started (lifecycle/).

import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ArenaMemory } from '../arena/arena.js';
import { giveMemoryBack, prepareToGiveBack } from '../base/free-memory.js';
import type { Generation, HostEvents, WorkerHost } from '../worker/host.js';
import type { LoadFailure, SourceFile, ThreadStarted, ThreadTask } from '../worker/js/entry.js';
import type { MemoryReport } from '../worker/js/memory-report.js';
import { ThreadProbe } from './thread-probe.js';

const ENTRY = fileURLToPath(new URL('../worker/js/entry.js', import.meta.url));

export interface JsApp {
  /** What the app is called in messages. */
  readonly name: string;
  readonly file: string;
  readonly callable: string;
  readonly environment: NodeJS.ProcessEnv;
  /** How many workers the app has. */
  readonly workers: number;
  /** How many requests one thread may run at once. */
  readonly concurrency: number;
  /** The most heap in MiB that one thread may have; undefined: V8 decides. */
  readonly heapMb: number | undefined;
  /** Whether its threads can be asked to break requests off. */
  readonly watches: boolean;
  /** Whether its threads are to say how much memory they have. */
  readonly reportsMemory: boolean;
  /** Per listener: the variables that are the same for all its requests. */
  readonly listeners: readonly Readonly<Record<string, string>>[];
  readonly version: string;
  readonly hostname: string;
  /** To be told which files the app is made of; undefined: nobody wants to know. */
  readonly onSourceFile: ((file: string) => void) | undefined;
}

/** A running thread: how to abort it. */
interface Running {
  readonly abort: AbortController;
  /** This end of the channel. */
  readonly ours: MessagePort;
  /** The thread's end, until it is handed over with the task. */
  readonly theirs: MessagePort;
  /** As `worker_threads` counts; 0: it has not said yet. */
  threadId: number;
  why: string;
  loadError: string | undefined;
}

export class ThreadHost implements WorkerHost {
  readonly ownProcesses = false;
  /** What the next `load` loads. */
  app: JsApp;
  readonly #memory: ArenaMemory;
  readonly #events: HostEvents;
  /** Threads started so far, which gives each a number. */
  readonly #count = { threads: 0 };

  constructor(app: JsApp, memory: ArenaMemory, events: HostEvents) {
    this.app = app;
    this.#memory = memory;
    this.#events = events;
    prepareToGiveBack();
  }

  /** Nothing of the app is loaded yet: each thread does that for itself. */
  async load(): Promise<Generation> {
    return new ThreadPool(this.app, this.#memory, this.#events, this.#count);
  }
}

/** The threads of one generation. */
class ThreadPool implements Generation {
  readonly #app: JsApp;
  readonly #memory: ArenaMemory;
  readonly #events: HostEvents;
  readonly #running = new Map<number, Running>();
  readonly #pool: Piscina;
  readonly signals = undefined;
  readonly #count: { threads: number };

  constructor(app: JsApp, memory: ArenaMemory, events: HostEvents, count: { threads: number }) {
    this.#app = app;
    this.#memory = memory;
    this.#events = events;
    this.#count = count;
    this.#pool = new Piscina({
      filename: ENTRY,
      minThreads: 0,
      maxThreads: memory.geometry.places,
      idleTimeout: Number.POSITIVE_INFINITY, // a thread is never idle, but for the moment before its task comes
      atomics: 'disabled', // a thread that waits for its task must not stop its event loop
      recordTiming: false, // two histograms for every reload, which the collector does not know the size of
      env: app.environment,
      ...(app.heapMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: app.heapMb } }),
    });
    // A thread failed outside of a task: the tasks that waited for it will not be run. (Otherwise the promise of the task
    // tells the same.)
    this.#pool.on('error', () => {
      for (const place of this.#running.keys()) this.#giveUp(place);
    });
  }

  get description(): string {
    return `Node ${process.versions.node}, threads`;
  }

  spawn(place: number, workerId: number): void {
    const { port1, port2 } = new MessageChannel();
    const running: Running = {
      abort: new AbortController(),
      ours: port1,
      theirs: port2,
      threadId: 0,
      why: 'left',
      loadError: undefined,
    };
    this.#running.set(place, running);
    const closed = this.#listen(place, port1, running);
    this.#events.onStarted(place, ++this.#count.threads);
    const { file, callable, workers, concurrency, watches, reportsMemory, listeners, version, hostname } = this.#app;
    const task: ThreadTask = {
      memory: this.#memory,
      place,
      workerId,
      file,
      callable,
      workers,
      concurrency,
      watches,
      reportsMemory,
      listeners,
      version,
      hostname,
      port: port2,
      reportsFiles: this.#app.onSourceFile !== undefined,
    };
    const ended = this.#pool
      .run(task, { signal: running.abort.signal, transferList: [port2] })
      .catch((error: Error) => {
        if (!running.abort.signal.aborted) running.why = describeEnd(error);
      });
    void Promise.all([ended, closed]).then(() => {
      this.#running.delete(place);
      giveMemoryBack(); // its heap stays, and what lies free in it
      this.#events.onEnded(place, running.why, running.loadError);
    });
  }

  /** Hears what the thread says; resolves when the port has closed. */
  #listen(place: number, port: MessagePort, running: Running): Promise<void> {
    port.on('message', (message: string | LoadFailure | MemoryReport | SourceFile | ThreadStarted) => {
      if (typeof message === 'string') this.#events.onOutput(place, message);
      else if ('loadError' in message) running.loadError = message.loadError;
      else if ('sourceFile' in message) this.#app.onSourceFile?.(message.sourceFile);
      else if ('threadId' in message) running.threadId = message.threadId;
      else this.#events.onMemory(place, { rssBytes: message.memoryBytes, asBytes: 0 });
    });
    return new Promise((resolve) => port.once('close', resolve));
  }

  kill(place: number): void {
    const running = this.#running.get(place);
    if (running === undefined) return;
    running.why = 'was terminated';
    running.abort.abort();
    this.#giveUp(place);
  }

  probe(place: number): ThreadProbe | undefined {
    const threadId = this.#running.get(place)?.threadId ?? 0;
    return threadId === 0 ? undefined : new ThreadProbe(threadId);
  }

  /** If the task still waits for its thread, ends it; once it was handed over, the port closes with the thread only. */
  #giveUp(place: number): void {
    this.#running.get(place)?.theirs.close();
  }

  breakOff(place: number, entry: number): void {
    this.#running.get(place)?.ours.postMessage({ breakOff: entry });
  }

  showStacks(place: number): void {
    this.probe(place)
      ?.stacks()
      .then(({ threads }) => {
        const frames = threads.flatMap((thread) => thread.frames);
        const lines = frames.map((frame) => `    at ${frame.function} (${frame.file}:${frame.line})\n`);
        this.#events.onOutput(
          place,
          `What it is doing (most recent call first):\n${lines.join('') || '    it waits\n'}`,
        );
      })
      .catch((error: Error) => this.#events.onOutput(place, `What it is doing cannot be told: ${error.message}\n`));
  }

  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** How a thread ended, from the error by which its task failed. */
function describeEnd(error: Error & { code?: string }): string {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'ran out of memory';
  const exit = /exited with code:? (\d+)/.exec(error.message);
  if (exit !== null) return `exited with code ${exit[1]}`;
  return `ended by an uncaught error\n${error.stack ?? error.message}`;
}
