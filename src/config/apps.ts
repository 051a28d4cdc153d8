// Which apps are asked for, and where they are mounted: by wsgi-file, module, app and mount, or by the `apps:` list.
//
// Decided elsewhere: what an app's text means (app-target.ts), how a request finds its app (listeners/site.ts).

import { resolve } from 'node:path';
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
import { MOUNT_FORMS, type MountPoint, mountPoint } from './mount-point.js';
import type { Config } from './options.js';
import type { Assign } from './pairs.js';
import { asConfig, type Placed, type PlacedValues, valuesOver } from './typed.js';

/** An app to be served. */
export interface AppMount extends MountPoint {
  readonly target: AppTarget;
  /** The option that asked for it. */
  readonly option: string;
  /** Where that option was given. */
  readonly at: string;
  /** The configuration as this app sees it: the server's, with what was given for this app alone. Frozen. */
  readonly config: Config;
}

/** An entry of the `apps:` list, its values read. */
export interface ListedApp {
  readonly at: string;
  /** Of options that may be given per app, `mount` left out. */
  readonly values: PlacedValues;
  /** What was given as `mount`. */
  readonly mounts: readonly { readonly text: string; readonly at: string }[];
}

// biome-ignore format: a table
const TARGET_OPTIONS: readonly (readonly [option: string, target: (text: string) => AppTarget | undefined, forms: string])[] = [
  ['wsgi-file', fileTarget,   FILE_FORMS],
  ['module',    moduleTarget, MODULE_FORMS],
  ['app',       appTarget,    APP_FORMS],
];

const ROOT: MountPoint = { host: undefined, path: '' };

/** Collects the apps, in the order of their options; what is wrong with them goes to `problems`. */
export class AppsReader {
  readonly apps: AppMount[] = [];
  readonly #config: Config;
  readonly #problems: ConfigError[];

  /** `config`: the server's, which an app has unless it has its own. */
  constructor(config: Config, problems: ConfigError[]) {
    this.#config = config;
    this.#problems = problems;
  }

  /** The apps of the options that hold for the whole server. */
  readServer(values: PlacedValues): void {
    for (const [option, targetOf, forms] of TARGET_OPTIONS) {
      const last = values.get(option)?.at(-1);
      if (last !== undefined) this.#add(ROOT, targetOf(last.value as string), option, last, forms, this.#config);
    }
    for (const placed of values.get('mount') ?? []) {
      const { key, value } = placed.value as Assign;
      const point = mountPoint(key);
      if (typeof point === 'string') this.#complainOf('mount', placed, point);
      else this.#add(point, appTarget(value.trim()), 'mount', placed, `a mount of ${APP_FORMS}`, this.#config);
    }
  }

  /** An entry of the `apps:` list. */
  readListed({ at, values, mounts }: ListedApp): void {
    const targets = TARGET_OPTIONS.filter(([option]) => values.has(option));
    const [first, second] = targets;
    if (first === undefined) {
      this.#conflict(`${at}: an entry of apps says what it serves, with app, wsgi-file or module`);
      return;
    }
    if (second !== undefined) {
      this.#conflict(`${at}: an entry of apps has one app, not both ${first[0]} and ${second[0]}`);
      return;
    }
    if (mounts.length > 1) {
      this.#conflict(`${mounts[1]!.at}: an entry of apps has one mount; write another entry for the second`);
      return;
    }
    const [mount] = mounts;
    const point = mount === undefined ? ROOT : mountPoint(mount.text);
    if (typeof point === 'string') {
      this.#complainOf('mount', { value: mount!.text, at: mount!.at }, point.replace(MOUNT_FORMS, 'of the form /PATH'));
      return;
    }
    const [option, targetOf, forms] = first;
    const placed = values.get(option)!.at(-1)!;
    this.#add(point, targetOf(placed.value as string), option, placed, forms, this.#configOf(values));
  }

  /** The configuration of an app with values of its own. Its directory starts where the server's is. */
  #configOf(values: PlacedValues): Config {
    const own = valuesOver(this.#config as unknown as Record<string, unknown>, values);
    if (values.has('chdir')) own.chdir = resolve(this.#config.chdir ?? '.', own.chdir as string);
    return asConfig(own);
  }

  #add(
    point: MountPoint,
    target: AppTarget | undefined,
    option: string,
    placed: Placed,
    forms: string,
    config: Config,
  ): void {
    if (target === undefined) {
      this.#complainOf(option, placed, forms);
      return;
    }
    const app: AppMount = { ...point, target, option, at: placed.at, config };
    const other = this.apps.find(({ host, path }) => host === app.host && path === app.path);
    if (other === undefined) this.apps.push(app);
    else this.#conflict(twoApps(other, app));
  }

  #complainOf(option: string, { value, at }: Placed, wanted: string): void {
    const text = typeof value === 'string' ? value : (value as Assign).text;
    this.#problems.push(new ConfigError('CONFIG_BAD_VALUE', option, at, text, wanted));
  }

  #conflict(problem: string): void {
    this.#problems.push(new ConfigError('CONFIG_CONFLICT', problem));
  }
}

function twoApps(first: AppMount, second: AppMount): string {
  const [one, two] = [first, second].map((app) => `${app.target.text} (${app.option}, ${app.at})`);
  return `two apps on ${first.host ?? ''}${first.path || '/'}: ${one} and ${two}; mount one of them elsewhere`;
}
