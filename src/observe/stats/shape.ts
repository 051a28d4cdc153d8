// What the statistics hold under the key `nuwsgi`, and what the dashboard asks for: the types that server and page share.
//
// Keys are snake_case with the unit at the end, like uWSGI's beside which they stand. Nothing but types here and in what is
//   imported: the page is built without the server.
// Decided elsewhere: who fills it in (own-stats.ts, history.ts), who draws it (../dashboard/).

import type { Stacks } from '../../worker/probe.js';

/** One second. What is a percentile is that of the requests that were answered in it. */
export interface Sample {
  /** When it was taken, on the clock of Date.now(). */
  readonly at: number;
  readonly requests_per_second: number;
  /** Answers of 500 and above, and refusals, per second. */
  readonly errors_per_second: number;
  readonly p50_us: number;
  readonly p95_us: number;
  readonly p99_us: number;
  readonly queue_p99_us: number;
  readonly in_flight: number;
  readonly waiting: number;
  readonly busy_workers: number;
  /** Of the server and its workers; what these share with each other counts for each. */
  readonly rss_bytes: number;
  readonly loop_delay_ms: number;
  /** Share of the accept thread's time in which it had something to do. */
  readonly accept_thread_busy: number;
}

export interface Times {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface ReloadStats {
  readonly kind: string;
  readonly reason: string;
  /** Seconds since 1970. */
  readonly started_at: number;
  readonly duration_ms: number;
  readonly result: string;
  readonly detail: string;
}

export interface EndpointStats {
  readonly endpoint: string;
  readonly requests: number;
  readonly errors: number;
  /** Of the time that all requests of the app took: 0 to 1. */
  readonly share: number;
  readonly p50_us: number;
  readonly p95_us: number;
  readonly p99_us: number;
}

export interface AppStats {
  readonly id: number;
  readonly name: string;
  readonly mountpoint: string;
  /** The only host that it is served to; '': all. */
  readonly host: string;
  readonly loaded: boolean;
  readonly load_error: string;
  readonly language: string;
  readonly threads: number;
  readonly requests: number;
  /** By class: `{"2xx": 17, "4xx": 1}`. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly exceptions: number;
  readonly aborted: number;
  readonly tx_bytes: number;
  readonly in_flight: number;
  readonly waiting: number;
  readonly slots: number;
  readonly slots_in_use: number;
  readonly arena_bytes: number;
  readonly service_us: number;
  readonly times_us: { readonly queue: Times; readonly app: Times; readonly write: Times; readonly total: Times };
  readonly counters: Readonly<Record<string, number>>;
  /** Ends of workers, by why. */
  readonly worker_ends: Readonly<Record<string, number>>;
  readonly reloads: readonly ReloadStats[];
  /** Those that took most time together come first. */
  readonly endpoints: readonly EndpointStats[];
}

export interface RunningStats {
  readonly worker: number;
  readonly core: number;
  /** A worker has begun it; otherwise it waits inside the worker. */
  readonly started: boolean;
  readonly method: string;
  readonly uri: string;
  readonly addr: string;
  readonly runs_ms: number;
  readonly age_ms: number;
}

export interface OwnWorkerStats {
  readonly id: number;
  /** Index of its app. */
  readonly app: number;
  /** Its thread, for JS apps; 0 otherwise. */
  readonly thread: number;
  readonly status: 'idle' | 'busy' | 'pause' | 'starting' | 'leaving' | 'cheap' | 'dead';
  readonly in_flight: number;
}

export interface OwnStats {
  readonly version: string;
  readonly node: string;
  readonly started_at: number;
  readonly uptime_seconds: number;
  readonly draining: boolean;
  readonly now: Sample | null;
  readonly accept_thread: {
    readonly rss_bytes: number;
    readonly loop_delay_ms: { readonly mean: number; readonly p99: number; readonly max: number };
  };
  readonly sockets: readonly { readonly name: string; readonly engine: string }[];
  readonly without_app: { readonly requests: number; readonly tx_bytes: number; readonly refused: number };
  readonly log_lines_lost: number;
  readonly apps: readonly AppStats[];
  readonly workers: readonly OwnWorkerStats[];
  readonly running: readonly RunningStats[];
}

/** What the dashboard reads each second. */
export interface Live {
  readonly pid: number;
  readonly sockets: readonly { readonly name: string; readonly queue: number; readonly max_queue: number }[];
  /** uWSGI's figures of each worker; some of them. */
  readonly workers: readonly {
    readonly id: number;
    readonly pid: number;
    readonly requests: number;
    readonly exceptions: number;
    readonly harakiri_count: number;
    readonly rss: number;
    readonly respawn_count: number;
    readonly avg_rt: number;
  }[];
  readonly nuwsgi: OwnStats;
  /** The samples that were asked for, the youngest last. */
  readonly history: readonly Sample[];
}

/** A worker with what it is doing. */
export interface WorkerStacks {
  readonly worker: number;
  readonly app: string;
  readonly pid: number;
  readonly status: string;
  /** The requests it runs, as "GET /path" and for how long. */
  readonly requests: readonly { readonly core: number; readonly request: string; readonly runsMs: number }[];
  readonly threads: Stacks['threads'];
  /** What was found out where the worker did not answer, or why nothing was. */
  readonly note: string;
}
