// What a running server does when it is told something: each verb of lifecycle/triggers.ts, and what follows from it.
//
// Decided elsewhere: what tells it (lifecycle/triggers.ts), how each thing is done (server.ts, lifecycle/), the exit of the
//   process (cli.ts).

import { MasterFifo } from './lifecycle/master-fifo.js';
import type { ReloadKind } from './lifecycle/reload-history.js';
import { TouchedFiles } from './lifecycle/touched-files.js';
import {
  listenForSignals,
  SIGNAL_ECHO_MS,
  TOUCH_OPTIONS,
  type TouchOption,
  type Verb,
  verbOfLetter,
} from './lifecycle/triggers.js';
import { Turns } from './lifecycle/turns.js';
import { WatchedDirectories } from './lifecycle/watched-directories.js';
import type { ServerLog } from './observe/log/open-log.js';
import type { Pidfiles } from './process/pidfiles.js';
import type { ServiceManager } from './process/service-manager.js';
import type { StartCommand } from './process/start-command.js';
import { Successor } from './process/successor.js';
import type { Server } from './server.js';

/** A process that a signal ended exits with this and the signal's number. */
const BY_SIGNAL = 128;
const SIGINT = 2;
/** How long the log may take to be written at the end. */
const LOG_DRAIN_MS = 1000;

export interface ControlOptions {
  readonly log: ServerLog;
  /** How long a stop may take for the requests inside. */
  readonly graceMs: number;
  /** Files to be watched, by option. */
  readonly touch: Readonly<Record<TouchOption, readonly string[]>>;
  readonly checkIntervalMs: number;
  /** Directories and files whose change, as the system tells it, means a reload. */
  readonly fsReload: readonly string[];
  /** How often the files of JS apps are looked at; 0: never. */
  readonly sourceIntervalMs: number;
  /** Named pipes for commands. */
  readonly fifos: readonly string[];
  /** Signals that stop the server in order, whatever they mean otherwise. */
  readonly stopsBy: readonly NodeJS.Signals[];
  /** A reload is a stop. */
  readonly exitsOnReload: boolean;
  readonly pidfiles: Pidfiles;
  /** Reads the configuration again and applies what can be; rejects with what is wrong with it. */
  reread(): Promise<void>;
  readonly serviceManager: ServiceManager;
  /** Starts a successor. */
  readonly command: StartCommand;
  /** Why there can be no successor; undefined: there can. */
  readonly noUpgrade: string | undefined;
  /** Ends the process. */
  exit(code: number): never;
  /** Something failed that must not. */
  fail(error: unknown): never;
}

export class Control {
  readonly #options: ControlOptions;
  readonly #log: ServerLog;
  readonly #touched: TouchedFiles;
  readonly #sources: TouchedFiles;
  readonly #sourcePaths = new Set<string>();
  readonly #directories = new WatchedDirectories('fs-reload');
  readonly #fifo: MasterFifo;
  /** Tells a server that retires to wait for nobody who asks for nothing. */
  readonly #hurry = new AbortController();
  #isPaused = false;
  #server: Server | undefined;
  /** The configuration is read by one process at a time. */
  readonly #rereads = new Turns();
  #isReloadWaiting = false;
  #successor: Successor | undefined;
  #toldToStopMs = 0;
  /** 'retiring': a successor has taken over. 'over': all is done, only the log is still being written. */
  #state: 'serving' | 'retiring' | 'stopping' | 'over' = 'serving';

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#touched = new TouchedFiles(options.log);
    this.#sources = new TouchedFiles(options.log);
    this.#fifo = new MasterFifo(options.fifos, (letter, path) => {
      const verb = verbOfLetter(letter);
      if (verb === undefined)
        this.#log.line(`master-fifo ${path}: no command has the letter ${JSON.stringify(letter)}`);
      else this.obey(verb, `master-fifo ${path}`);
    });
  }

  /** Listens to signals and watches files from now on; until `serve`, only a stop is obeyed. */
  async start(): Promise<void> {
    listenForSignals(this.#options.stopsBy, (verb, reason) => this.obey(verb, reason));
    for (const [option, verb] of TOUCH_OPTIONS) {
      for (const path of this.#options.touch[option]) {
        this.#touched.add(path, () => this.obey(verb, `${option} ${path}`));
      }
    }
    await this.#touched.start(this.#options.checkIntervalMs);
    await this.#sources.start(this.#options.sourceIntervalMs);
    for (const path of this.#options.fsReload) {
      this.#directories.add(path, () => this.obey('reload', `fs-reload ${path}`));
    }
    this.#fifo.open();
  }

  /** Reloads when `path`, of which a JS app is made, changes. */
  readonly watchSource = (path: string): void => {
    if (this.#sourcePaths.has(path)) return;
    this.#sourcePaths.add(path);
    this.#sources.add(path, () => this.obey('reload', `${path} has been modified`));
  };

  /** Removes the named pipes; to be called when the process ends. */
  close(): void {
    this.#fifo.close();
  }

  /** `server` is up: it is what verbs are about. */
  serve(server: Server): void {
    this.#server = server;
    this.#fifo.listen();
    this.#options.serviceManager.ready();
  }

  obey(verb: Verb, reason: string): void {
    if (this.#state === 'over') return;
    if (this.#state !== 'serving' && verb !== 'stop' && verb !== 'stopNow') return;
    this.#actions[verb](reason);
  }

  readonly #actions: { readonly [V in Verb]: (reason: string) => void } = {
    reload: (reason) => this.#reload('reload', reason),
    reloadBrutally: (reason) => this.#reload('reload', reason, 0),
    reloadInTurn: (reason) => this.#reload('chain', reason),
    reloadWorkers: (reason) => this.#reload('workers', reason),
    reloadWorkersBrutally: (reason) => this.#reload('workers', reason, 0),
    upgrade: (reason) => this.#upgrade(reason),
    stop: (reason) => this.#stop(reason),
    stopNow: (reason) => this.#stopNow(reason),
    addWorker: () => this.#server?.changeWorkers(1),
    removeWorker: () => this.#server?.changeWorkers(-1),
    goCheap: () => this.#server?.goCheap(),
    pause: (reason) => this.#pause(reason),
    logStatus: () => {
      for (const line of this.#server?.statusLines ?? ['the server is still starting']) this.#log.line(line);
    },
    reopenLogs: () => this.#log.reopen(),
    rotateLogs: () => this.#log.rotate(),
    writePidfiles: () => this.#options.pidfiles.rewrite(),
  };

  #reload(kind: ReloadKind, reason: string, mercyMs?: number): void {
    if (this.#options.exitsOnReload) this.#stop(`${reason} (exit-on-reload)`);
    else if (this.#server === undefined) this.#log.line(`${reason}: not obeyed, the server is still starting`);
    else if (kind === 'reload') this.#rereadAndReload(this.#server, reason, mercyMs);
    else void this.#reloadApps(this.#server, kind, reason, mercyMs);
  }

  /** Resolves when it is done; the service manager is told from when to when. */
  async #reloadApps(server: Server, kind: ReloadKind, reason: string, mercyMs?: number): Promise<void> {
    const { serviceManager } = this.#options;
    serviceManager.reloading();
    await server.reload(kind, reason, mercyMs);
    if (this.#state === 'serving') serviceManager.ready();
  }

  #upgrade(reason: string): void {
    const { noUpgrade, command } = this.#options;
    const server = this.#server;
    const inTheWay =
      this.#successor === undefined ? noUpgrade : `pid ${this.#successor.pid} is on its way to take over`;
    if (server === undefined || inTheWay !== undefined) {
      this.#log.line(`${reason}: not obeyed, ${inTheWay ?? 'the server is still starting'}`);
      return;
    }
    const startedMs = performance.now();
    const failed = server.beginUpgrade(reason);
    const giveUp = (why: string) => {
      this.#successor = undefined;
      if (this.#state !== 'serving') return;
      this.#options.pidfiles.rewrite(); // it may have begun to write them
      failed(why);
      this.#log.line(`NOT upgraded (${reason}), this process goes on serving: ${why}`);
    };
    try {
      this.#successor = new Successor(command, server.sockets, reason);
    } catch (error) {
      giveUp(`the listening sockets cannot be handed over: ${(error as Error).message}`);
      return;
    }
    const successor = this.#successor;
    this.#log.line(
      `...upgrading (${reason}): pid ${successor.pid} is started beside this one (pid: ${process.pid})...`,
    );
    void successor.ready.then((why) => {
      if (why !== undefined) giveUp(why);
      else if (this.#state === 'serving') this.#retire(server, successor, performance.now() - startedMs);
    });
  }

  /** `successor` answers requests: this process answers what it has, and ends. */
  #retire(server: Server, successor: Successor, tookMs: number): void {
    const { serviceManager, graceMs } = this.#options;
    this.#state = 'retiring';
    this.#stopWatching();
    this.#fifo.release();
    serviceManager.isNow(successor.pid);
    const retired = server.retire(graceMs, this.#hurry.signal);
    successor.tell('yours');
    this.#log.line(
      `upgraded in ${Math.round(tookMs)} ms: pid ${successor.pid} has taken over; this process (pid: ${process.pid}) answers what it has, and ends`,
    );
    void server.stopCompanions().then(() => successor.tell('companions'));
    void successor.gone.then(() => this.#hurry.abort()); // a stop of the server is meant for all of it
    this.#endAfter(retired, `pid ${process.pid} has answered everything: goodbye, pid ${successor.pid} serves.`);
  }

  #stopWatching(): void {
    this.#touched.stop();
    this.#sources.stop();
    this.#directories.stop();
  }

  #endAfter(stopped: Promise<void>, lastWords: string): void {
    stopped.then(
      () => {
        this.#state = 'over';
        this.#log.line(lastWords);
        void this.#log.drain(LOG_DRAIN_MS).then(() => this.#options.exit(0));
      },
      (error) => this.#options.fail(error),
    );
  }

  /** Reads the configuration again first. Asked for again before that has begun, it is done once. */
  #rereadAndReload(server: Server, reason: string, mercyMs?: number): void {
    if (this.#isReloadWaiting) return;
    this.#isReloadWaiting = true;
    void this.#rereads.run(async () => {
      this.#isReloadWaiting = false;
      try {
        await this.#options.reread();
      } catch (error) {
        this.#log.line(`NOT reloaded (${reason}), because of the configuration: ${(error as Error).message}`);
        return;
      }
      if (this.#state !== 'serving') return;
      void this.#reloadApps(server, 'reload', reason, mercyMs);
    });
  }

  #pause(reason: string): void {
    if (this.#server === undefined) return;
    this.#isPaused = !this.#isPaused;
    this.#server.paused = this.#isPaused;
    this.#log.line(this.#isPaused ? `*** PAUSE (${reason}; once more goes on) ***` : `*** resumed (${reason}) ***`);
  }

  #stop(reason: string): void {
    const nowMs = performance.now();
    if (this.#state === 'stopping') {
      if (nowMs - this.#toldToStopMs >= SIGNAL_ECHO_MS) this.#stopNow(`${reason} again`);
      return;
    }
    this.#toldToStopMs = nowMs;
    const isRetiring = this.#state === 'retiring';
    this.#state = 'stopping';
    if (isRetiring) {
      this.#hurry.abort();
      return;
    }
    this.#stopWatching();
    this.#successor?.kill('SIGTERM');
    this.#options.serviceManager.stopping();
    this.#log.line(`${reason} received: no new connections; the requests inside are answered. Once more ends at once.`);
    this.#endAfter(this.#server?.stop(this.#options.graceMs) ?? Promise.resolve(), 'goodbye to nuwsgi.');
  }

  #stopNow(reason: string): void {
    this.#log.line(`${reason}: ending at once`);
    this.#log.flush();
    this.#options.exit(BY_SIGNAL + SIGINT);
  }
}
