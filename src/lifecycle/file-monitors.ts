// Files and directories that an app watches (uwsgi.add_file_monitor): a change raises a signal.
//
// Of a directory the system tells, also of changes to the files in it; a file is looked at, because it may not exist yet,
//   and may be replaced by another of its name.
// Decided elsewhere: both ways of watching (watched-directories.ts, touched-files.ts), what a change raises (signals.ts).

import { stat } from 'node:fs/promises';
import type { Log } from '../base/log.js';
import { TouchedFiles } from './touched-files.js';
import { WatchedDirectories } from './watched-directories.js';

const LOOK_MS = 500;

export class FileMonitors {
  readonly #log: Log;
  readonly #files: TouchedFiles;
  readonly #directories = new WatchedDirectories('uwsgi.add_file_monitor');
  #isStopped = false;

  constructor(log: Log) {
    this.#log = log;
    this.#files = new TouchedFiles(log);
    void this.#files.start(LOOK_MS);
  }

  /** Calls `onChanged` whenever what is at `path` changes, from now on. */
  async add(path: string, onChanged: () => void): Promise<void> {
    const isDirectory = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (this.#isStopped) return;
    if (!isDirectory) {
      this.#files.add(path, onChanged);
      return;
    }
    try {
      this.#directories.add(path, onChanged);
    } catch (error) {
      this.#log.line((error as Error).message);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#files.stop();
    this.#directories.stop();
  }
}
