// How this server was started, so that it can be started once more in the same way: by SIGUSR2, years later.
//
// The directory is the one that the shell called it by: where that is a symbolic link to the current release, as with
//   most tools that deploy, the successor starts in the release that it leads to by then. The same holds for the path of
//   the program, which Node leaves as it was given.
// Decided elsewhere: what else a successor gets (successor.ts).

import { type Stats, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';

export interface StartCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** To be called before anything changes the directory or the environment. */
export function startCommand(): StartCommand {
  return {
    program: process.execPath,
    args: [...process.execArgv, ...process.argv.slice(1)],
    directory: directoryAsCalled(process.env.PWD, process.cwd()),
    environment: { ...process.env },
  };
}

/** `called`, where it is the directory `actual` by another name; else `actual`. */
export function directoryAsCalled(called: string | undefined, actual: string): string {
  if (called === undefined || !isAbsolute(called)) return actual;
  const [a, b] = [statOf(called), statOf(actual)];
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino ? called : actual;
}

/** Undefined where it is not there, or lies where root could look and the user of --uid cannot. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
