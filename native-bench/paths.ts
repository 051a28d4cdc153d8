// Where things lie: this code runs from build/native-bench/, what it starts lies in the source tree and in dist/.

import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI = join(ROOT, 'dist', 'cli.js');
export const APPS = join(ROOT, 'native-bench', 'apps');
export const LOAD = join(ROOT, 'native-bench', 'load');
export const RESULTS = join(ROOT, 'native-bench', 'results');
export const PEERS = fileURLToPath(new URL('./peers', import.meta.url));

/** Where the servers log to in scenarios that ask for it. */
export const LOG_FILE = join(tmpdir(), `nuwsgi-bench-${process.pid}.log`);

/** Debian's interpreter, which its uWSGI and gunicorn use: whoever is compared with them uses it too. */
export const SYSTEM_PYTHON = '/usr/bin/python3';

/** The path of `program`: Debian's if there is one, else the first on PATH; undefined when it is not installed. */
export function findProgram(program: string): string | undefined {
  const directories = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `text` without anything that tells where this checkout lies. */
export const withoutPaths = (text: string) =>
  text.replaceAll(ROOT, './').replaceAll(process.execPath, 'node').replaceAll(LOG_FILE, 'bench.log');
