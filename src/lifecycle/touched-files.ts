// Files whose change tells the server something: it looks at them now and then, and never waits for the disk.
//
// Why looking and not inotify: what is touched may not exist yet, may be replaced by a rename, lie behind a symbolic link
//   that is switched, or on a network; a look every second sees all of that. uWSGI does the same.
// Decided elsewhere: what is done then (triggers.ts).

import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Log } from '../base/log.js';

interface Watched {
  readonly path: string;
  readonly onTouched: (path: string) => void;
  /** What the file looked like at the last look; '' when it was not there; undefined: it was not looked at yet. */
  seen: string | undefined;
}

export class TouchedFiles {
  readonly #watched: Watched[] = [];
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  /** 0 before `start` and after `stop`. */
  #intervalMs = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Calls `onTouched` whenever `path` changes, appears or goes away. */
  add(path: string, onTouched: (path: string) => void): void {
    const watched: Watched = { path, onTouched, seen: undefined };
    this.#watched.push(watched);
    if (this.#intervalMs === 0) return;
    void appearance(path).then((now) => {
      watched.seen ??= now; // at once: a change right after this is one
    });
    if (this.#timer === undefined) this.#schedule();
  }

  /** Notes what the files look like now; from then on looks every `intervalMs`. */
  async start(intervalMs: number): Promise<void> {
    this.#intervalMs = intervalMs;
    for (const watched of this.#watched) {
      watched.seen = await appearance(watched.path);
      if (watched.seen === '') {
        this.#log.line(`unable to stat() ${watched.path}, events will be triggered as soon as the file is created`);
      }
    }
    if (this.#watched.length > 0) this.#schedule();
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      for (const watched of this.#watched) {
        const now = await appearance(watched.path);
        const before = watched.seen;
        watched.seen = now;
        if (before !== undefined && before !== now) watched.onTouched(watched.path);
      }
      if (this.#intervalMs > 0) this.#schedule();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#intervalMs = 0;
  }
}

/** What changes when a file is touched, written or replaced; '' when there is none. */
async function appearance(path: string): Promise<string> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch {
    return '';
  }
  return `${found.mtimeMs} ${found.ino}`;
}
