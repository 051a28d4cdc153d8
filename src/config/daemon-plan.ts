// What is to be known of a program that belongs to the server, from the text of uWSGI's options. Pure.
//
//   attach-daemon         COMMAND: runs in the foreground, ends with the server
//   smart-attach-daemon   PIDFILE COMMAND: one that is alive already is adopted, and it outlives the server
//   attach-daemon2        keys and values: cmd=..., pidfile=..., freq=3, stopsignal=15, chdir=...
//
// Decided elsewhere: what is done with it (process/daemon.ts).

import { constants } from 'node:os';

const DEFAULT_MOST_PAUSE_MS = 180_000;
const DEFAULT_FREQUENCY_MS = 10_000;

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
  'cmd=COMMAND, and behind commas any of pidfile=FILE freq=SECONDS stopsignal=N reloadsignal=N chdir=DIR control=1 max_throttle=SECONDS';
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
