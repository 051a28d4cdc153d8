// Which apps are asked for, and where they are mounted.
//
// Decided elsewhere: what an app's text means (app-target.ts), how a request finds its app (listeners/site.ts).

import { ConfigError } from '../base/errors.js';
import {
  APP_FORMS,
  type AppTarget,
  appTarget,
  FILE_FORMS,
  fileTarget,
  MODULE_FORMS,
  moduleTarget,
} from './app-target.js';
import type { Config } from './options.js';
import type { Assign } from './values.js';

/** An app to be served. */
export interface AppMount {
  /** '' for the root, or '/path' without a slash at the end. */
  readonly path: string;
  readonly target: AppTarget;
  /** The option that asked for it. */
  readonly option: string;
  /** Where that option was given. */
  readonly at: string;
  /** The configuration as this app sees it: the server's, with what was given for this app alone. Frozen. */
  readonly config: Config;
}

/** A value with its place, as resolve.ts keeps it. */
export interface Placed {
  readonly value: unknown;
  readonly at: string;
}

// biome-ignore format: a table
const ROOT_OPTIONS: readonly (readonly [option: string, target: (text: string) => AppTarget | undefined, forms: string])[] = [
  ['wsgi-file', fileTarget,   FILE_FORMS],
  ['module',    moduleTarget, MODULE_FORMS],
  ['app',       appTarget,    APP_FORMS],
];

/** The apps, in the order of their options; what is wrong with them goes to `problems`. */
export function appsOf(
  valuesOf: (option: string) => readonly Placed[],
  config: Config,
  problems: ConfigError[],
): readonly AppMount[] {
  const apps: AppMount[] = [];
  const add = (
    path: string,
    target: AppTarget | undefined,
    option: string,
    text: string,
    at: string,
    forms: string,
  ) => {
    const other = apps.find((app) => app.path === path);
    if (target === undefined) problems.push(new ConfigError('CONFIG_BAD_VALUE', option, at, text, forms));
    else if (other === undefined) apps.push({ path, target, option, at, config });
    else problems.push(new ConfigError('CONFIG_CONFLICT', twoApps(other, option, target, at)));
  };
  for (const [option, targetOf, forms] of ROOT_OPTIONS) {
    const last = valuesOf(option).at(-1);
    if (last !== undefined) add('', targetOf(last.value as string), option, last.value as string, last.at, forms);
  }
  for (const { value, at } of valuesOf('mount')) {
    const { key, value: text, text: whole } = value as Assign;
    if (!key.startsWith('/') || /[?#]/.test(key)) {
      const wanted = 'of the form /PATH=APP: the path starts with a slash and has no "?" and no "#"';
      problems.push(new ConfigError('CONFIG_BAD_VALUE', 'mount', at, whole, wanted));
    } else {
      add(key.replace(/\/+$/, ''), appTarget(text.trim()), 'mount', whole, at, `a mount of ${APP_FORMS}`);
    }
  }
  return apps;
}

function twoApps(first: AppMount, option: string, target: AppTarget, at: string): string {
  const name = (app: string, its: string, place: string) => `${app} (${its}, ${place})`;
  const names = `${name(first.target.text, first.option, first.at)} and ${name(target.text, option, at)}`;
  return `two apps on ${first.path || '/'}: ${names}; mount one of them elsewhere`;
}
