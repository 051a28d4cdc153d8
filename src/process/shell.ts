// Commands of the configuration, run by the shell beside the server: their output goes to the log line by line, with a
// mark that says whose it is.
//
// Each gets a process group of its own: a signal for it reaches what it started, and a Ctrl-C meant for the server does
//   not reach it.
// Decided elsewhere: which commands there are and when they run (cron-table.ts, daemon.ts, hooks.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { LineCutter } from '../base/lines.js';
import type { Log } from '../base/log.js';

export interface ShellProcess {
  /** 0 when it could not be started. */
  readonly pid: number;
  /** Resolves with "exited with code 1" or "was killed by SIGTERM" when it has ended; what it started may go on. */
  readonly ended: Promise<string>;
  /** Resolves with the exit code; 128 and the signal's number where a signal ended it, 127 where it did not start. */
  readonly code: Promise<number>;
  /** Sends `signal` to its process group. */
  kill(signal: NodeJS.Signals): void;
}

const NOT_STARTED = 127;
const BY_SIGNAL = 128;

/** Runs `command` with `/bin/sh -c`. Its lines come to `log` behind `[mark]`. */
export function runShell(command: string, mark: string, log: Log, directory?: string): ShellProcess {
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(directory !== undefined && { cwd: directory }),
  });
  for (const stream of [child.stdout, child.stderr]) {
    const cutter = new LineCutter((line) => log.line(`[${mark}] ${line}`));
    stream.setEncoding('utf8');
    stream.on('data', (data: string) => cutter.add(data));
    stream.on('close', () => cutter.end());
  }
  const end = new Promise<{ why: string; code: number }>((resolve) => {
    child.once('error', (error) => resolve({ why: `could not be started: ${error.message}`, code: NOT_STARTED }));
    child.once('exit', (code, signal) => {
      if (signal === null) resolve({ why: `exited with code ${code}`, code: code ?? 0 });
      else resolve({ why: `was killed by ${signal}`, code: BY_SIGNAL + numberOf(signal) });
    });
  });
  return {
    pid: child.pid ?? 0,
    ended: end.then(({ why }) => why),
    code: end.then(({ code }) => code),
    kill: (signal) => killGroup(child, signal),
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // it has just ended
  }
}

function numberOf(signal: NodeJS.Signals): number {
  return constants.signals[signal] ?? 0;
}
