// What runs an app's workers: the same face for pools of threads and for CPython zygotes.
//
// Each `load` makes a generation: the app as it was at that moment, and the workers that have it. Two generations live side
//   by side during a reload. A place in the arena holds one worker at a time, whichever generation it is of, so what
//   happens to workers is told by place.
// Decided elsewhere: when workers are started and replaced (lifecycle/).

import type { AppSignals } from './app-signals.js';
import type { WorkerProbe } from './probe.js';

/** What a host tells. */
export interface HostEvents {
  /** The worker in `place` exists; it announces itself in the arena when it is ready. `id`: process or thread id. */
  onStarted(place: number, id: number): void;
  /**
   * A worker has ended for certain: it touches the arena no more. `why` as in "was killed by SIGSEGV"; `loadError` is
   * there when it ended because the app could not be loaded in it.
   */
  onEnded(place: number, why: string, loadError?: string): void;
  /** A generation has ended by itself, and all its workers with it. */
  onGone(generation: Generation, why: string): void;
  /** A thread says how much memory it has. (Of a process, /proc tells.) */
  onMemory(place: number, figures: { readonly rssBytes: number; readonly asBytes: number }): void;
  /** An app asks the server something by `import uwsgi` (python/bridge_server.py); the answer goes to it as JSON. */
  onAsked(about: string): unknown;
  /** A worker printed something, or a generation did (-1). */
  onOutput(place: number, data: string): void;
}

/** One loaded version of an app. */
export interface Generation {
  /** One line for the log: what runs the app. */
  readonly description: string;
  /** What the app has registered; undefined: it has no way to. */
  readonly signals: AppSignals | undefined;
  /** Starts a worker in `place`, which users know by the number `workerId`. */
  spawn(place: number, workerId: number): void;
  /** Ends the worker in `place` at once. */
  kill(place: number): void;
  /** Asks the worker in `place` to break off the request `entry`; of a process, the word in the arena has done so. */
  breakOff(place: number, entry: number): void;
  /** Lets the worker in `place` write to the log what its threads are doing, if it can. */
  showStacks(place: number): void;
  /** A look into the worker in `place`; undefined: it is not there, or too young to be asked. */
  probe(place: number): WorkerProbe | undefined;
  /** Ends everything. Resolves when all of it has ended. */
  end(): Promise<void>;
}

export interface WorkerHost {
  /** Loads the app anew, as far as that can be done without a worker. Throws `AppError` APP_LOAD. */
  load(): Promise<Generation>;
  /** Whether each worker is a process of its own. */
  readonly ownProcesses: boolean;
}
