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
import { type JsApp, ThreadHost } from '../dispatch/pool.js';
import type { Pump } from '../dispatch/pump.js';
import type { WorkerPort } from '../dispatch/worker-port.js';
import { PythonHost } from '../worker/python/python-host.js';
import type { PythonApp, PythonSettings } from '../worker/python/zygote.js';
import type { Care } from './care.js';
import { Cheaper } from './cheaper.js';
import { Crew, Seat } from './crew.js';
import { HarakiriWatch } from './harakiri.js';
import { wantsMemory } from './limits.js';
import { Recycling } from './recycling.js';
import { Signals } from './signals.js';
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
      readonly settings: PythonSettings;
      /** Load the app in each worker, not once before they are forked. */
      readonly lazy: boolean;
    }
  | { readonly kind: 'js'; readonly file: string };

export interface AppDefinition extends Care {
  /** What it is called in messages: the target as the user wrote it. */
  readonly name: string;
  /** The only host that it is served to; undefined: all. */
  readonly host: string | undefined;
  /** '' or '/path'. */
  readonly mount: string;
  readonly program: Program;
  readonly callable: string;
  readonly workers: number;
  /** How long a worker may take to finish its requests when it is to leave. */
  readonly mercyMs: number;
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
  /** Whether workers can be asked what they do (worker/probe.ts). */
  readonly probed: boolean;
  readonly version: string;
  readonly hostname: string;
  /** `uwsgi.opt`. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>;
  /** A worker of `app` asks something of the server; see worker/host.ts. */
  onAsked(app: number, about: string): unknown;
  /** No app has been asked for as long as --idle says, and --die-on-idle is set. */
  onIdle(): void;
  onRefused(exchange: Exchange, error: NuwsgiError<Code>): void;
  onAbandoned(app: number, exchange: Exchange): void;
  /** To be told which files JS apps are made of; undefined: nobody wants to know. */
  readonly onSourceFile: ((file: string) => void) | undefined;
  onAnswered(app: number, exchange: Exchange, worker: WorkerPort, nowMs: number): void;
}

/** How many threads of a worker are told apart: those of a process. A JS thread runs all its requests in one. */
export const coresOf = ({ program, threads }: AppDefinition): number => (program.kind === 'python' ? threads : 1);

export interface HostedApp {
  /** As it is now. */
  readonly definition: AppDefinition;
  readonly dispatcher: Dispatcher;
  readonly supervisor: Supervisor;
  readonly cheaper: Cheaper;
  readonly signals: Signals;
  /** Why it does not serve: it did not load. */
  failure: AppError | undefined;
  /** How long it took to load. */
  startupMs: number;
  /** Has other settings from now on; what workers are made with, those of the next reload have. */
  reconfigure(definition: AppDefinition): void;
  /** Loads the app, starts its workers and looks after them. Throws `AppError` APP_LOAD. */
  start(): Promise<void>;
  /** Lets every worker finish what it runs, at most `graceMs`, then ends what is left. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Places for workers: for a successor beside every worker, so that a reload needs one step, and two more, so that one
 * that is slow to leave does not hold up the next reload. A worker's block in the arena is small, and costs nothing
 * before it is used.
 */
const placesFor = (workers: number) => 2 * workers + 2;

/**
 * Puts the parts together; nothing is started. `index`: which app of the server; `nextWorkerId` gives each worker its
 * number: each app has numbers of its own.
 */
export function hostApp(d: AppDefinition, s: Surroundings, index: number, nextWorkerId: () => number): HostedApp {
  let current = d;
  const isPython = d.program.kind === 'python';
  const dimensions = {
    slots: s.maxInFlight,
    requestBytes: s.requestBytes,
    answerBytes: s.answerBytes,
    places: placesFor(d.workers),
    cores: coresOf(d),
    held: Math.min(s.maxInFlight, mostHeld(d.threads)),
  };
  const arena = isPython ? Arena.forProcesses(dimensions) : Arena.forThreads(dimensions);
  const crew = new Crew({
    log: s.log,
    name: d.name,
    ownProcesses: isPython,
    mercyMs: d.mercyMs,
    onStarted: (worker) => recycling.onStarted(worker),
    onLost: (worker, name) => supervisor.onLost(worker, name),
    onAsked: (about) => s.onAsked(index, about),
    onGenerationGone: (generation, why) => supervisor.onGenerationGone(generation, why),
  });
  for (let i = 0; i < d.workers; i++) {
    const seat = new Seat(nextWorkerId());
    seat.isWanted = i < (d.cheaper.isCheap ? 0 : d.cheaper.initial);
    crew.seats.push(seat);
  }
  const dispatcher = new Dispatcher(arena, {
    name: d.name,
    threads: d.threads,
    responseBufferingBytes: s.responseBufferingBytes,
    onePerCore: isPython,
    onReady: (port) => crew.onReady(port),
    onStarved: () => cheaper.onStarved(),
    onSpent: (port) => recycling.onSpent(port),
    onMad: (port, why) => crew.onMad(port, why),
    onActive: s.pump.wake,
    onWorkersChanged: () => signals.handOut(),
    onHandled: (port) => signals.onHandled(port),
    onSignalsBack: (given, workerId) => signals.onBack(given, workerId),
    onRefused: s.onRefused,
    onAbandoned: (exchange) => s.onAbandoned(index, exchange),
    onAnswered: (exchange, worker, nowMs) => s.onAnswered(index, exchange, worker, nowMs),
  });
  const signals = new Signals({
    name: d.name,
    dispatcher,
    log: s.log,
    workerIds: () => crew.wanted.map(({ id }) => id),
    hasWorker: (id) => crew.seats.some((seat) => seat.id === id),
  });
  crew.connect(dispatcher);
  const host = isPython
    ? new PythonHost(pythonAppOf(d, s), arena, s.doorbellFd, crew.events)
    : new ThreadHost(jsAppOf(d, s), arena.memory, crew.events);
  s.pump.add(dispatcher, isPython ? undefined : new WordDoorbell(arena.words, HEADER.main_sleeps, s.pump.wake));
  const supervisor = new Supervisor(d.name, crew, host, d.longestPauseMs, s.log, (generation) =>
    signals.use(generation.signals),
  );
  const recycling = new Recycling({
    get limits() {
      return current.limits;
    },
    get evilLookMs() {
      return current.evilLookMs;
    },
    crew,
    log: s.log,
    arenaBytes: isPython ? arena.geometry.totalBytes : undefined,
    replace: (worker, why) => supervisor.recycle(worker, why),
  });
  const cheaper = new Cheaper({
    get plan() {
      return current.cheaper;
    },
    dispatcher,
    crew,
    log: s.log,
    threads: isPython ? d.threads : 1,
    arenaBytes: isPython ? arena.geometry.totalBytes : undefined,
    resize: (workers, why) => void supervisor.resize(workers, why),
    step: (change, why) => void supervisor.step(change, why),
    onIdle: s.onIdle,
  });
  const harakiri = new HarakiriWatch({
    get limits() {
      return current.harakiri;
    },
    dispatcher,
    crew,
    log: s.log,
    replace: (worker, why) => supervisor.recycle(worker, why),
  });
  return {
    get definition() {
      return current;
    },
    reconfigure: (next) => {
      current = next;
      crew.mercyMs = next.mercyMs;
      if (host instanceof PythonHost) host.app = pythonAppOf(next, s);
      else host.app = jsAppOf(next, s);
      const most = arena.geometry.places - 1;
      if (next.workers > most) s.log.line(`WARNING: ${next.name}: ${most} workers are the most without a restart`);
      void supervisor.setSeats(Math.min(next.workers, most), next.cheaper.rules?.least, nextWorkerId);
      recycling.restart();
      cheaper.restart();
    },
    dispatcher,
    supervisor,
    cheaper,
    signals,
    failure: undefined,
    startupMs: 0,
    start: async () => {
      await supervisor.start();
      recycling.start();
      harakiri.start();
      cheaper.start();
    },
    stop: (graceMs) => {
      recycling.stop();
      cheaper.stop();
      signals.stop();
      return supervisor.stop(graceMs).finally(() => harakiri.stop());
    },
  };
}

/** What both kinds of app are told. */
function commonOf(d: AppDefinition, { version, hostname }: Surroundings) {
  const { name, callable, environment, listeners, workers } = d;
  return { watches: d.harakiri.limitMs > 0, name, callable, environment, listeners, workers, version, hostname };
}

function pythonAppOf(d: AppDefinition, s: Surroundings): PythonApp {
  const { bufferBytes, options, probed } = s;
  const { kind, ...program } = d.program as Extract<Program, { kind: 'python' }>;
  return { ...commonOf(d, s), ...program, bufferBytes, options, probed };
}

function jsAppOf(d: AppDefinition, s: Surroundings): JsApp {
  const { file } = d.program as Extract<Program, { kind: 'js' }>;
  const { threads: concurrency, heapMb, limits } = d;
  return {
    ...commonOf(d, s),
    file,
    concurrency,
    heapMb,
    reportsMemory: wantsMemory(limits) || s.probed,
    onSourceFile: s.onSourceFile,
  };
}
