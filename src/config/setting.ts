// What every source of options is turned into before anybody asks what it means: a name, a text, a place.
//
// Decided elsewhere: how each source is read (argv.ts, ini.ts, yaml.ts, xml.ts), in which order they count (gather.ts).

import type { ConfigError } from '../base/errors.js';

export interface Setting {
  readonly name: string;
  /** Undefined: the name stood alone. */
  readonly text: string | undefined;
  /** `command line`, `UWSGI_PROCESSES`, `app.ini:12`. */
  readonly at: string;
  /** It stands in a block, so it may be meant to replace what stands in front. */
  readonly isInBlock?: true;
}

/** An entry of an `apps:` list: what holds for that app alone. */
export interface AppReading {
  readonly at: string;
  readonly settings: readonly Setting[];
}

/** What a source held. Reading goes on behind a problem, so that a user sees all of them at once. */
export interface Reading {
  readonly settings: Setting[];
  readonly apps: AppReading[];
  readonly problems: ConfigError[];
  readonly warnings: string[];
}

export const emptyReading = (): Reading => ({ settings: [], apps: [], problems: [], warnings: [] });

/** The sections of a file that count when none is named. */
export const SECTIONS_READ: readonly string[] = ['uwsgi', 'nuwsgi'];
