// Files and directories of which the system tells at once that something has changed (--fs-reload, uwsgi.add_file_monitor).
//
// One change is often told several times, and comes in several: what follows on it waits until it has been quiet for a
//   moment.
// Decided elsewhere: what is done then (triggers.ts, signals.ts); files that may not exist yet are looked at instead
//   (touched-files.ts).

import { type FSWatcher, watch } from 'node:fs';
import { ConfigError } from '../base/errors.js';

const QUIET_MS = 200;

export class WatchedDirectories {
  readonly #watchers: FSWatcher[] = [];
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #wantedBy: string;

  /** `wantedBy`: the option that names them. */
  constructor(wantedBy: string) {
    this.#wantedBy = wantedBy;
  }

  /** Calls `onChanged` when something in the directory `path`, or the file, has changed. Throws `ConfigError`. */
  add(path: string, onChanged: (path: string) => void): void {
    try {
      const watcher = watch(path, { persistent: false }, () => {
        clearTimeout(this.#timers.get(path));
        this.#timers.set(
          path,
          setTimeout(() => onChanged(path), QUIET_MS),
        );
      });
      watcher.on('error', () => {}); // it is gone, and with it what could be told of it
      this.#watchers.push(watcher);
    } catch (error) {
      throw new ConfigError('CONFIG_FILE', this.#wantedBy, `"${path}" cannot be watched: ${(error as Error).message}`);
    }
  }

  stop(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
