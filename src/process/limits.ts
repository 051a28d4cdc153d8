// What the kernel is to grant the server and the processes it starts: their priority, and how many files they may open.
//
// Decided elsewhere: limits of the Python apps alone (worker/python/bridge_interpreter.py).

import { setPriority } from 'node:os';
import { ConfigError } from '../base/errors.js';
import { loadNative } from '../base/native.js';

export interface Limits {
  /** Niceness; undefined: as it is. */
  readonly niceness: number | undefined;
  /** RLIMIT_NOFILE; undefined: as it is. */
  readonly openFiles: number | undefined;
}

const RLIMIT_NOFILE = 7; // <asm-generic/resource.h>; the same on x86-64 and arm64

/** Applies the limits to this process; those it starts inherit them. Throws `ConfigError` when the kernel refuses. */
export function applyLimits({ niceness, openFiles }: Limits): void {
  if (niceness !== undefined) attempt('prio', niceness, () => setPriority(niceness));
  if (openFiles !== undefined) attempt('max-fd', openFiles, () => setOpenFiles(openFiles));
}

function attempt(option: string, value: number, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new ConfigError('CONFIG_PRIVILEGES', `${option} ${value}: ${(error as Error).message}`);
  }
}

function setOpenFiles(count: number): void {
  const { koffi, libc } = loadNative();
  const setrlimit = libc.func('int setrlimit(int resource, void *limit)');
  const limit = new BigUint64Array([BigInt(count), BigInt(count)]); // soft and hard
  if (setrlimit(RLIMIT_NOFILE, limit) === 0) return;
  const isForbidden = koffi.errno() === koffi.os.errno.EPERM;
  throw new Error(isForbidden ? 'only root may raise it over the limit that it has' : `errno ${koffi.errno()}`);
}
