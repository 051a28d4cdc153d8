// The server as the statistics see it: plain figures, asked for when somebody looks.
//
// An interface, so that this layer knows nothing of supervisors and listeners; the composition root fills it in.
// Decided elsewhere: who answers (server-view.ts), what is shown of it (stats/, metrics.ts, dashboard).

/** A request that a worker has and has not answered. */
export interface RunningRequest {
  readonly worker: number;
  readonly core: number;
  /** A worker has begun it; otherwise it waits inside the worker. */
  readonly isStarted: boolean;
  readonly method: string;
  readonly target: string;
  readonly peer: string;
  readonly protocol: string;
  readonly user: string;
  readonly host: string;
  readonly contentLength: string;
  readonly userAgent: string;
  /** For how long: since it was begun, and since its head came. */
  readonly runsMs: number;
  readonly ageMs: number;
}

export type WorkerStatus = 'idle' | 'busy' | 'pause' | 'starting' | 'leaving' | 'cheap' | 'dead';

export interface WorkerView {
  /** The number users know it by, from 1. */
  readonly id: number;
  /** Index of its app. */
  readonly app: number;
  /** Its process, or the server's for a thread; 0 when there is none. */
  readonly pid: number;
  /** Its thread, for JS apps; 0 otherwise. */
  readonly thread: number;
  readonly status: WorkerStatus;
  readonly accepting: boolean;
  readonly cores: number;
  /** Requests it holds: begun, and waiting inside it. */
  readonly inFlight: number;
  /** Answered since it was started. */
  readonly answered: number;
  /** Workers that were started with this number. */
  readonly spawns: number;
  /** On the clock of Date.now(). */
  readonly lastSpawnAtMs: number;
  readonly harakiri: number;
  /** What a thread says of its heap; 0 for a process. */
  readonly heapBytes: number;
  /** Signals of the app (`import uwsgi`) that it has handled. */
  readonly signals: number;
}

export interface ReloadView {
  readonly kind: string;
  readonly reason: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly result: string;
  readonly detail: string;
}

export interface AppView {
  readonly index: number;
  readonly name: string;
  readonly mount: string;
  /** The only host that it is served to; undefined: all. */
  readonly host: string | undefined;
  /** Why it does not serve; undefined: it has loaded. */
  readonly failure: string | undefined;
  readonly language: 'python' | 'js';
  readonly threads: number;
  readonly directory: string;
  readonly startupSeconds: number;
  /** Requests that workers have, and that wait for one. */
  readonly inFlight: number;
  readonly waiting: number;
  readonly slots: number;
  readonly slotsInUse: number;
  readonly arenaBytes: number;
  /** What a request takes lately. */
  readonly serviceMs: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly reloads: readonly ReloadView[];
  /** Reloads since the start, by how they ended. */
  readonly reloadCounts: Readonly<Record<string, number>>;
  /** Ends of workers, by why. */
  readonly ends: Readonly<Record<string, number>>;
}

export interface SocketView {
  readonly name: string;
  readonly proto: 'http' | 'uwsgi';
  readonly engine: string;
  /** 0 for a UNIX socket. */
  readonly port: number;
  readonly maxQueue: number;
}

/** A program that runs beside the server (--attach-daemon and its kin). */
export interface DaemonView {
  readonly command: string;
  /** 0 while it does not run. */
  readonly pid: number;
  readonly respawns: number;
}

/** A cron job of the configuration: when it is due, in uWSGI's numbers, and the run of it that goes on. */
export interface CronView {
  readonly rule: Readonly<Record<'minute' | 'hour' | 'day' | 'month' | 'week', number>>;
  readonly command: string;
  readonly unique: boolean;
  /** 0: none runs. */
  readonly pid: number;
  /** In seconds since 1970; 0: it has not run yet. */
  readonly startedAtS: number;
}

export interface ServerView {
  readonly version: string;
  readonly startedAtMs: number;
  readonly isDraining: boolean;
  readonly apps: readonly AppView[];
  readonly workers: readonly WorkerView[];
  readonly sockets: readonly SocketView[];
  readonly daemons: readonly DaemonView[];
  readonly crons: readonly CronView[];
  readonly running: readonly RunningRequest[];
  readonly logLinesLost: number;
}
