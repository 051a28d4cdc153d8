// Files that hold the server's process id, for scripts and service managers: written at start, removed at the end.
//
// Removed only while they still hold this process's id: a second server may have taken the name over. A successor writes
//   all of them when it takes over: until then they name the one that serves.
// Decided elsewhere: when each is written (cli.ts, server.ts), what is sent to the process that one names
//   (client/signals.ts).

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.js';

export class Pidfiles {
  readonly #written = new Set<string>();
  /** Until `writeDeferred`: what is to be written then. */
  #deferred: (readonly [option: string, path: string])[] | undefined;

  constructor(isDeferred: boolean) {
    this.#deferred = isDeferred ? [] : undefined;
  }

  /** Writes the id of this process into `paths`. Throws `ConfigError` CONFIG_FILE. */
  write(option: string, ...paths: readonly (string | undefined)[]): void {
    for (const given of paths) {
      if (given === undefined) continue;
      const path = resolve(given);
      if (this.#deferred !== undefined) {
        this.#deferred.push([option, path]);
        continue;
      }
      try {
        writeFileSync(path, `${process.pid}\n`);
        this.#written.add(path);
      } catch (error) {
        throw new ConfigError('CONFIG_FILE', option, `"${path}" cannot be written: ${(error as Error).message}`);
      }
    }
  }

  /** Writes what was to be written until now. Throws `ConfigError` CONFIG_FILE. */
  writeDeferred(): void {
    const deferred = this.#deferred ?? [];
    this.#deferred = undefined;
    for (const [option, path] of deferred) this.write(option, path);
  }

  /** Writes all of them anew: for those that somebody has removed. */
  rewrite(): void {
    this.write('pidfile', ...this.#written);
  }

  /** Removes them; says which of them cannot be, and why. To be called when the process ends. */
  remove(): string[] {
    return [...this.#written].flatMap((path) => {
      try {
        if (Number(readFileSync(path, 'latin1')) === process.pid) rmSync(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EACCES' || code === 'EPERM') {
          return [`the pidfile ${path} stays: its directory may not be written to since root was given up`];
        }
      }
      return [];
    });
  }
}
