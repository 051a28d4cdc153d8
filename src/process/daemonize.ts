// Going to the background (--daemonize): the command returns once the server is ready, or with its exit code when it
// does not come up.
//
// Node cannot fork, so the server is started a second time, in a session of its own and with its output in the log
//   file. uWSGI's command returns before anything has been loaded; here a script that starts it learns whether it runs.
// The two talk over a pipe: the one in the background says "ready", or it ends and its exit code tells.
// Decided elsewhere: what the log file may be and who writes to it later (observe/, base/log.ts).

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { ConfigError } from '../base/errors.js';
import { takenInput } from '../config/files.js';

/** In the environment of the one in the background: the descriptor on which it says that it is ready. */
const READY_VARIABLE = 'NUWSGI_READY_FD';
const READY_FD = 3;
/** How much of the log is shown when the server does not come up. */
const TAIL_BYTES = 4096;

/** Whether this process is the one in the background. */
export const isInBackground = (): boolean => process.env[READY_VARIABLE] !== undefined;

/** Says that the server is ready; does nothing in the foreground. */
export function sayReady(): void {
  const fd = Number(process.env[READY_VARIABLE]);
  delete process.env[READY_VARIABLE];
  if (!Number.isInteger(fd)) return;
  try {
    writeSync(fd, 'ready');
    closeSync(fd);
  } catch {
    // nobody waits for it any more
  }
}

/**
 * Starts this command again in the background, with stdout and stderr appended to `logFile`. Resolves with the exit
 * code for the foreground: 0 when the server is ready. Throws `ConfigError` CONFIG_FILE when the log cannot be opened.
 */
export async function daemonize(logFile: string): Promise<number> {
  let log: number;
  try {
    log = openSync(logFile, 'a', 0o640);
  } catch (error) {
    throw new ConfigError(
      'CONFIG_FILE',
      'daemonize',
      `the log "${logFile}" cannot be opened: ${(error as Error).message}`,
    );
  }
  const logStart = readFileSync(logFile).length;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [READY_VARIABLE]: String(READY_FD) },
    stdio: ['pipe', log, log, 'pipe'],
  });
  child.stdin!.on('error', () => {}).end(takenInput()); // it may end before it has read it
  closeSync(log);
  return new Promise((resolve) => {
    let isReady = false;
    child.stdio[READY_FD]!.once('data', () => {
      isReady = true;
      process.stdout.write(`nuwsgi runs in the background (pid ${child.pid}), its log is ${logFile}\n`);
      child.unref();
      resolve(0);
    });
    child.once('exit', (code) => {
      if (isReady) return;
      const tail = readFileSync(logFile).subarray(logStart).subarray(-TAIL_BYTES);
      process.stderr.write(`nuwsgi did not come up; its log ${logFile} says:\n${tail}`);
      resolve(code ?? 1);
    });
  });
}
