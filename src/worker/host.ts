// What runs an app's workers: the same face for a pool of threads and for a CPython zygote.
//
// Decided elsewhere: when workers are started and replaced (lifecycle/supervisor.ts).

/** What a host tells. */
export interface HostEvents {
  /** A worker is on its way; it announces itself in the arena when it is ready. `id`: process or thread id. */
  onStarted(worker: number, id: number): void;
  /**
   * A worker has ended for certain: it touches the arena no more. `why` as in "was killed by SIGSEGV"; `loadError` is
   * there when it ended because the app could not be loaded in it.
   */
  onEnded(worker: number, why: string, loadError?: string): void;
  /** The host itself has ended, and all its workers with it: `start` is needed again. */
  onGone(why: string): void;
  /** A worker printed something, or the host did (-1). */
  onOutput(worker: number, data: string): void;
}

export interface WorkerHost {
  /** Gets the app as far as it can be got without a worker. Throws `AppError` APP_LOAD. */
  start(): Promise<void>;
  /** Starts a worker in place `worker`. */
  spawn(worker: number): void;
  /** Ends the worker in place `worker` at once. */
  kill(worker: number): void;
  /** Ends everything. Resolves when all of it has ended. */
  end(): Promise<void>;
  /** Whether each worker is a process of its own. */
  readonly ownProcesses: boolean;
  /** One line for the log: what runs the app. */
  readonly description: string;
}
