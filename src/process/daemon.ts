// Programs that belong to the server (uWSGI's attach-daemon): started with it, started again when they end, stopped
// with it.
//
// One that ends at once is started again after a pause that doubles from time to time, so it cannot spin.
// Decided elsewhere: what can be asked for (config/daemon-plan.ts), how a command runs (shell.ts), when the server starts and stops (server.ts).

import { readFile } from 'node:fs/promises';
import type { Log } from '../base/log.js';
import type { DaemonPlan } from '../config/daemon-plan.js';
import { runShell, type ShellProcess } from './shell.js';

/** One that ran this long has not died of its start. */
const HEALTHY_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
/** How long it may take to end when the server stops, before it is killed. */
const DEFAULT_MERCY_MS = 5000;

/** The living process that a pidfile names; 0 when there is none. */
async function pidIn(file: string): Promise<number> {
  const text = await readFile(file, 'latin1').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (!(pid > 1)) return 0;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : 0; // another user's process is alive all the same
  }
}

export class AttachedDaemon {
  readonly plan: DaemonPlan;
  /** 0 while it does not run. */
  pid = 0;
  respawns = 0;
  readonly #mark: string;
  readonly #log: Log;
  readonly #onControlEnded: () => void;
  #child: ShellProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #isStopping = false;

  /** `onControlEnded`: called when it has ended and the server is to stop with it (`control`). */
  constructor(plan: DaemonPlan, number: number, log: Log, onControlEnded: () => void) {
    this.plan = plan;
    this.#mark = `daemon ${number}`;
    this.#log = log;
    this.#onControlEnded = onControlEnded;
  }

  /** Starts it, or adopts the one that its pidfile names. */
  async start(): Promise<void> {
    const { pidfile, command } = this.plan;
    const living = pidfile === undefined ? 0 : await pidIn(pidfile);
    if (this.#isStopping) return;
    if (living !== 0) {
      this.pid = living;
      this.#log.line(`[${this.#mark}] found running: pid ${living} of ${pidfile}`);
      this.#watch();
      return;
    }
    const startedMs = performance.now();
    const child = runShell(command, this.#mark, this.#log, this.plan.directory);
    this.#child = child;
    this.pid = child.pid;
    this.#log.line(`[${this.#mark}] started "${command}" (pid ${child.pid})`);
    if (pidfile === undefined) void child.ended.then((why) => this.#onEnded(why, performance.now() - startedMs));
    else this.#watch(); // it may go to the background: its pidfile counts, not the command that was run
  }

  #watch(): void {
    this.#timer = setTimeout(async () => {
      const living = await pidIn(this.plan.pidfile!);
      if (this.#isStopping) return;
      if (living !== 0) {
        this.pid = living;
        this.#watch();
        return;
      }
      this.pid = 0;
      this.respawns++;
      this.#log.line(`[${this.#mark}] ${this.plan.pidfile} names no living process: it is started again`);
      void this.start();
    }, this.plan.frequencyMs);
  }

  #onEnded(why: string, livedMs: number): void {
    this.#child = undefined;
    this.pid = 0;
    if (this.#isStopping) return;
    this.#log.line(`[${this.#mark}] ${why}`);
    if (this.plan.control) {
      this.#onControlEnded();
      return;
    }
    if (livedMs >= HEALTHY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.respawns++;
    this.#timer = setTimeout(() => void this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.plan.mostPauseMs);
  }

  /** At a reload: sends the signal that it has for it. */
  reload(): void {
    if (this.plan.reloadSignal !== undefined) this.#child?.kill(this.plan.reloadSignal);
  }

  /** Ends it, if it runs in the foreground; one with a pidfile outlives the server. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || this.plan.pidfile !== undefined) return;
    child.kill(this.plan.stopSignal);
    const timer = setTimeout(() => {
      this.#log.line(`[${this.#mark}] pid ${child.pid} does not end: it is killed`);
      child.kill('SIGKILL');
    }, DEFAULT_MERCY_MS);
    await child.ended;
    clearTimeout(timer);
  }
}
