// `nuwsgi --reload PIDFILE` and its kin: a signal to the server whose id a file holds.
//
// Decided elsewhere: which option is which signal (config/options/general.ts), what the server does on it
//   (lifecycle/triggers.ts), who writes the file (process/pidfiles.ts).

import { readFileSync } from 'node:fs';
import { ConfigError } from '../base/errors.js';

/** Sends `signal` to the process named in `pidfile`. Throws `ConfigError` CONFIG_FILE, saying what is wrong with it. */
export function signalServer(option: string, signal: NodeJS.Signals, pidfile: string): void {
  const complain = (problem: string): never => {
    throw new ConfigError('CONFIG_FILE', option, `"${pidfile}" ${problem}`);
  };
  let text = '';
  try {
    text = readFileSync(pidfile, 'latin1');
  } catch (error) {
    complain(`cannot be read: ${(error as Error).message}`);
  }
  const pid = /^\s*(\d+)\s*$/.exec(text)?.[1];
  if (pid === undefined || Number(pid) < 2) complain('holds no process id');
  try {
    process.kill(Number(pid), signal);
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ESRCH';
    complain(isGone ? `names process ${pid}, which is not there` : `names process ${pid}: ${(error as Error).message}`);
  }
}
