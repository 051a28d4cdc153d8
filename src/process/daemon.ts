// Programs that belong to the server (uWSGI's attach-daemon): started with it, started again when they end, stopped
// with it.
//
//   attach-daemon         runs in the foreground; ends with the server
//   smart-attach-daemon   writes a pidfile; one that is alive already is adopted, and it outlives the server
//   attach-daemon2        keys and values: cmd=..., pidfile=..., freq=3, stopsignal=15, chdir=...
//
// One that ends at once is started again after a pause that doubles from time to time, so it cannot spin.
// Decided elsewhere: how a command runs (shell.ts), when the server starts and stops (server.ts).

import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Log } from '../base/log.js';
import { runShell, type ShellProcess } from './shell.js';

/** One that ran this long has not died of its start. */
const HEALTHY_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const DEFAULT_MOST_PAUSE_MS = 180_000;
const DEFAULT_FREQUENCY_MS = 10_000;
/** How long it may take to end when the server stops, before it is killed. */
const DEFAULT_MERCY_MS = 5000;

export interface DaemonPlan {
  readonly command: string;
  /** Undefined: it runs in the foreground. */
  readonly pidfile: string | undefined;
  /** How often the process that a pidfile names is looked for. */
  readonly frequencyMs: number;
  readonly stopSignal: NodeJS.Signals;
  /** Sent at a reload instead of a stop and a start; undefined: it is not concerned. */
  readonly reloadSignal: NodeJS.Signals | undefined;
  /** Undefined: the server's. */
  readonly directory: string | undefined;
  /** The server stops when it ends. */
  readonly control: boolean;
  readonly mostPauseMs: number;
}

export const DAEMON2_FORM =
  'cmd=COMMAND[,pidfile=FILE][,freq=SECONDS][,stopsignal=N][,reloadsignal=N][,chdir=DIR][,control=1][,max_throttle=SECONDS]';
export const SMART_DAEMON_FORM = 'PIDFILE COMMAND';

const DEFAULTS: Omit<DaemonPlan, 'command'> = {
  pidfile: undefined,
  frequencyMs: DEFAULT_FREQUENCY_MS,
  stopSignal: 'SIGTERM',
  reloadSignal: undefined,
  directory: undefined,
  control: false,
  mostPauseMs: DEFAULT_MOST_PAUSE_MS,
};

/** `--attach-daemon` and, with `control`, `--attach-control-daemon`. */
export const plainDaemon = (command: string, control: boolean): DaemonPlan => ({ ...DEFAULTS, command, control });

/** `--smart-attach-daemon`. Undefined: the text has not the form SMART_DAEMON_FORM. */
export function parseSmartDaemon(text: string): DaemonPlan | undefined {
  const match = /^\s*(\S+)\s+(\S.*)$/s.exec(text);
  return match === null ? undefined : { ...DEFAULTS, pidfile: match[1]!, command: match[2]! };
}

/** A signal by its number, as uWSGI's keys have it. */
function signalOf(number: string): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, value]) => String(value) === number);
  return found?.[0] as NodeJS.Signals | undefined;
}

/** `--attach-daemon2`. Undefined: the text has not the form DAEMON2_FORM. */
export function parseDaemon2(text: string): DaemonPlan | undefined {
  const plan: Record<string, unknown> = { ...DEFAULTS };
  // a comma belongs to a value unless a key follows it
  for (const pair of text.split(/,(?=[a-z_]+[0-9]*=)/)) {
    const equals = pair.indexOf('=');
    const value = pair.slice(equals + 1);
    switch (pair.slice(0, Math.max(0, equals)).trim()) {
      case 'cmd':
      case 'command':
      case 'exec':
        plan.command = value;
        break;
      case 'pidfile':
        plan.pidfile = value;
        break;
      case 'freq':
        plan.frequencyMs = Number(value) * 1000;
        break;
      case 'stopsignal':
      case 'stop_signal':
        plan.stopSignal = signalOf(value);
        break;
      case 'reloadsignal':
      case 'reload_signal':
        plan.reloadSignal = signalOf(value);
        if (plan.reloadSignal === undefined) return undefined;
        break;
      case 'chdir':
        plan.directory = value;
        break;
      case 'control':
        plan.control = value !== '0';
        break;
      case 'max_throttle':
        plan.mostPauseMs = Number(value) * 1000;
        break;
      default:
        return undefined;
    }
  }
  const numbers = [plan.frequencyMs, plan.mostPauseMs] as number[];
  const isWhole = plan.command !== undefined && plan.stopSignal !== undefined && numbers.every((ms) => ms > 0);
  return isWhole ? (plan as unknown as DaemonPlan) : undefined;
}

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
