// One app with everything it needs to be served: its arena, its workers, and who looks after them.
//
// Each app has an arena of its own, so that one app cannot read another's requests.
// Decided elsewhere: what the apps are (server.ts, from the configuration), what runs them (worker/, dispatch/pool.ts).

import { Arena } from '../arena/arena.js';
import { HEADER } from '../arena/layout.js';
import type { AppError, Code, NuwsgiError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { WordDoorbell } from '../dispatch/doorbell.js';
import type { Exchange } from '../dispatch/exchange.js';
import { mostHeld } from '../dispatch/policy.js';
import { ThreadPool } from '../dispatch/pool.js';
import type { Pump } from '../dispatch/pump.js';
import type { WorkerPort } from '../dispatch/worker-port.js';
import { PythonHost } from '../worker/python/python-host.js';
import { Supervisor } from './supervisor.js';

/** What runs the app: Python in processes, or JS in threads. */
export type Program =
  | {
      readonly kind: 'python';
      readonly python: string;
      /** Where it runs: relative paths of the app start there. */
      readonly directory: string;
      readonly target: { readonly file: string } | { readonly module: string };
      readonly pythonPath: readonly string[];
      /** Load the app in each worker, not once before they are forked. */
      readonly lazy: boolean;
    }
  | { readonly kind: 'js'; readonly file: string };

export interface AppDefinition {
  /** What it is called in messages: the target as the user wrote it. */
  readonly name: string;
  /** The only host that it is served to; undefined: all. */
  readonly host: string | undefined;
  /** '' or '/path'. */
  readonly mount: string;
  readonly program: Program;
  readonly callable: string;
  readonly workers: number;
  /** Requests that one worker runs at once. */
  readonly threads: number;
  /** The most heap in MiB that one thread of a JS app may have; undefined: V8 decides. */
  readonly heapMb: number | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Per listener: the variables that are the same for all its requests. */
  readonly listeners: readonly Readonly<Record<string, string>>[];
}

/** What all apps of a server share. */
export interface Surroundings {
  readonly log: Log;
  readonly pump: Pump;
  /** The end of the doorbell pipe that CPython workers write to; -1 where there are none. */
  readonly doorbellFd: number;
  readonly maxInFlight: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly responseBufferingBytes: number;
  readonly bufferBytes: number;
  readonly version: string;
  readonly hostname: string;
  /** `uwsgi.opt`. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>;
  onRefused(exchange: Exchange, error: NuwsgiError<Code>): void;
  onAnswered(app: number, exchange: Exchange, worker: WorkerPort): void;
}

export interface HostedApp {
  readonly definition: AppDefinition;
  readonly dispatcher: Dispatcher;
  readonly supervisor: Supervisor;
  /** Why it does not serve: it did not load. */
  failure: AppError | undefined;
}

/** Puts the parts together; nothing is started. `index`: which app of the server, `firstWorkerId`: see Supervisor. */
export function hostApp(d: AppDefinition, s: Surroundings, index: number, firstWorkerId: number): HostedApp {
  const isPython = d.program.kind === 'python';
  const dimensions = {
    slots: s.maxInFlight,
    requestBytes: s.requestBytes,
    answerBytes: s.answerBytes,
    workers: d.workers,
    cores: isPython ? d.threads : 1, // a JS thread runs all its requests in one core
    held: Math.min(s.maxInFlight, mostHeld(d.threads)),
  };
  const arena = isPython ? Arena.forProcesses(dimensions) : Arena.forThreads(dimensions);
  const supervisor = new Supervisor(d.name, d.workers, firstWorkerId, s.log);
  const dispatcher = new Dispatcher(arena, {
    name: d.name,
    threads: d.threads,
    responseBufferingBytes: s.responseBufferingBytes,
    onReady: (worker) => supervisor.onReady(worker),
    onMad: (worker, why) => supervisor.onMad(worker, why),
    onActive: s.pump.wake,
    onRefused: s.onRefused,
    onAnswered: (exchange, worker) => s.onAnswered(index, exchange, worker),
  });
  const common = { name: d.name, callable: d.callable, environment: d.environment, listeners: d.listeners };
  const { version, hostname } = s;
  if (d.program.kind === 'python') {
    const { python, directory, target, pythonPath, lazy } = d.program;
    const { bufferBytes, options } = s;
    const app = { ...common, python, directory, target, pythonPath, lazy, bufferBytes, version, hostname, options };
    supervisor.connect(dispatcher, new PythonHost(app, arena, s.doorbellFd, supervisor.events));
    s.pump.add(dispatcher);
  } else {
    const app = { ...common, file: d.program.file, concurrency: d.threads, heapMb: d.heapMb, version, hostname };
    supervisor.connect(dispatcher, new ThreadPool(app, arena.memory, supervisor.events));
    s.pump.add(dispatcher, new WordDoorbell(arena.words, HEADER.main_sleeps, s.pump.wake));
  }
  return { definition: d, dispatcher, supervisor, failure: undefined };
}
