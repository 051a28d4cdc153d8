// What a running server does when it is told something: each verb of lifecycle/triggers.ts, and what follows from it.
//
// Decided elsewhere: what tells it (lifecycle/triggers.ts), how each thing is done (server.ts, lifecycle/), the exit of the
//   process (cli.ts).

import type { ReloadKind } from './lifecycle/reload-history.js';
import { TouchedFiles } from './lifecycle/touched-files.js';
import { listenForSignals, TOUCH_OPTIONS, type TouchOption, type Verb } from './lifecycle/triggers.js';
import type { ServerLog } from './observe/log/open-log.js';
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
  /** Ends the process. */
  exit(code: number): never;
  /** Something failed that must not. */
  fail(error: unknown): never;
}

export class Control {
  readonly #options: ControlOptions;
  readonly #log: ServerLog;
  readonly #touched: TouchedFiles;
  #server: Server | undefined;
  #isStopping = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#touched = new TouchedFiles(options.log);
  }

  /** Listens to signals and watches files from now on; until `serve`, only a stop is obeyed. */
  async start(): Promise<void> {
    listenForSignals((verb, reason) => this.obey(verb, reason));
    for (const [option, verb] of TOUCH_OPTIONS) {
      for (const path of this.#options.touch[option]) {
        this.#touched.add(path, () => this.obey(verb, `${option} ${path}`));
      }
    }
    await this.#touched.start(this.#options.checkIntervalMs);
  }

  /** `server` is up: it is what verbs are about. */
  serve(server: Server): void {
    this.#server = server;
  }

  obey(verb: Verb, reason: string): void {
    if (this.#isStopping && verb !== 'stop' && verb !== 'stopNow') return;
    this.#actions[verb](reason);
  }

  readonly #actions: { readonly [V in Verb]: (reason: string) => void } = {
    reload: (reason) => this.#reload('reload', reason),
    reloadBrutally: (reason) => this.#reload('reload', reason, 0),
    reloadInTurn: (reason) => this.#reload('chain', reason),
    reloadWorkers: (reason) => this.#reload('workers', reason),
    reloadWorkersBrutally: (reason) => this.#reload('workers', reason, 0),
    stop: (reason) => this.#stop(reason),
    stopNow: (reason) => this.#stopNow(reason),
  };

  #reload(kind: ReloadKind, reason: string, mercyMs?: number): void {
    if (this.#server === undefined) this.#log.line(`${reason}: not obeyed, the server is still starting`);
    else void this.#server.reload(kind, reason, mercyMs);
  }

  #stop(reason: string): void {
    if (this.#isStopping) {
      this.#stopNow(`${reason} again`);
      return;
    }
    this.#isStopping = true;
    this.#touched.stop();
    this.#log.line(`${reason} received: no new connections; the requests inside are answered. Once more ends at once.`);
    (this.#server?.stop(this.#options.graceMs) ?? Promise.resolve()).then(
      () => {
        this.#log.line('goodbye to nuwsgi.');
        void this.#log.drain(LOG_DRAIN_MS).then(() => this.#options.exit(0));
      },
      (error) => this.#options.fail(error),
    );
  }

  #stopNow(reason: string): void {
    this.#log.line(`${reason}: ending at once`);
    this.#log.flush();
    this.#options.exit(BY_SIGNAL + SIGINT);
  }
}
