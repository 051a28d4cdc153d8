// Command line, files and environment become one frozen, typed configuration, or a list of everything that is wrong.
//
// Problems are collected, not thrown one by one: whoever fixes a configuration wants to run the server once, not once
//   per mistake. What follows from an earlier problem (no listener, because its option is misspelt) is left out.
// Decided elsewhere: which source is read when (gather.ts), what the options are (options.ts), what the server makes
//   of them (server.ts).

import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { ConfigError } from '../base/errors.js';
import { type Address, bindingKey } from './address.js';
import { type AppMount, AppsReader } from './apps.js';
import type { CommandLine } from './argv.js';
import { type Gathered, type Given, type GivenApp, gather } from './gather.js';
import { type InheritedSocket, inheritedSockets } from './inherited.js';
import { type ListenerSetting, listenersOf } from './listeners.js';
import type { Config } from './options.js';
import { isRouteOption, type RouteLine, type Routes, routesOf } from './routes.js';
import { asConfig, DEFAULTS, type GivenUnserved, type PlacedValues, typedValues, valuesOver } from './typed.js';
import { parseFlag } from './values.js';
import { findWord } from './vocabulary.js';

/** What the user set, as Python's `uwsgi.opt` shows it: a list where an option came more than once. */
export type GivenTexts = Readonly<Record<string, string | boolean | readonly string[]>>;

export interface Resolved {
  readonly config: Config;
  /** Where each option that was given has its value from: `command line`, `UWSGI_PROCESSES`, `app.yaml:3`. */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  /** By canonical name; placeholders by their own. No prototype, and no secrets. */
  readonly given: GivenTexts;
  /** The apps of wsgi-file, module, app, mount and the apps list, each on a path of its own. */
  readonly apps: readonly AppMount[];
  /** The rules of route and its kin. */
  readonly routes: Routes;
  /** The sockets to be opened. */
  readonly listeners: readonly ListenerSetting[];
  /** The open sockets that systemd has handed over. */
  readonly inherited: readonly InheritedSocket[];
  /** Which apps must load for the server to start: `some` is what holds when need-app is not given. */
  readonly needApp: 'all' | 'some' | 'none';
  /** Real paths of the configuration files that were read. */
  readonly files: readonly string[];
  /** Every setting that was given, in the order in which they count, and those of the apps list. */
  readonly settings: readonly Given[];
  readonly listed: readonly GivenApp[];
}

/** The configuration that a command line stands for. Throws as `readCommandLine` does. */
export function resolveLine(line: CommandLine, env: NodeJS.ProcessEnv, version: string): Resolved {
  return new Resolver(gather(line, env, version)).resolve(inheritedSockets(env, process.pid));
}

class Resolver {
  readonly #gathered: Gathered;
  readonly #problems: ConfigError[];
  readonly #warnings: string[];
  readonly #values: PlacedValues;
  readonly #unserved: GivenUnserved[];

  constructor(gathered: Gathered) {
    this.#gathered = gathered;
    this.#problems = [...gathered.problems];
    this.#warnings = [...gathered.warnings];
    const { values, unserved } = typedValues(gathered.given, this.#report);
    this.#values = values;
    this.#unserved = [...unserved];
  }

  resolve(inherited: readonly InheritedSocket[]): Resolved {
    const config = this.#config();
    const reader = new AppsReader(config, this.#problems);
    reader.readServer(this.#values);
    for (const app of this.#gathered.apps) this.#listed(app, reader);
    const { apps } = reader;
    const routes = routesOf(this.#routeLines(), this.#problems);
    this.#tellUnserved(config['strict-options']);
    const listeners = listenersOf(this.#values, inherited, (name) => findWord(name)?.name, this.#problems);
    this.#checkHttpTo(listeners);
    this.#checkCompleteness(config, apps, listeners);
    const [first] = this.#problems;
    if (first !== undefined) {
      throw this.#problems.length === 1 ? first : new ConfigError('CONFIG_SEVERAL', this.#problems);
    }
    const needApp = this.#values.has('need-app') ? (config['need-app'] ? 'all' : 'none') : 'some';
    return Object.freeze({
      config,
      origins: new Map(Array.from(this.#values, ([name, values]) => [name, values.at(-1)!.at])),
      warnings: Object.freeze(this.#warnings),
      given: textsOf(this.#gathered),
      apps: Object.freeze(apps),
      listeners: Object.freeze(listeners),
      inherited: Object.freeze(inherited),
      needApp,
      routes,
      files: Object.freeze(this.#gathered.files),
      settings: this.#gathered.given,
      listed: this.#gathered.apps,
    });
  }

  /** The rules as they were given, whatever their options: their order counts. */
  #routeLines(): RouteLine[] {
    return this.#gathered.given.flatMap(({ word, text, at }) =>
      isRouteOption(word.name) && text !== undefined ? [{ option: word.name, text, at }] : [],
    );
  }

  get #report() {
    return { problems: this.#problems, warnings: this.#warnings };
  }

  #config(): Config {
    const config = valuesOver(DEFAULTS, this.#values);
    config.listen = this.#backlog(config.listen as number);
    if (config.chdir !== undefined) config.chdir = resolvePath(config.chdir as string);
    return asConfig(config);
  }

  /** An entry of the `apps:` list: only some options may differ from app to app. */
  #listed({ at, given }: GivenApp, reader: AppsReader): void {
    const own = given.filter(({ word, at: place }) => {
      const isOfServer = 'option' in word && !word.option.perApp;
      if (isOfServer) {
        const problem = `${place}: ${word.name} is for the whole server: put it beside apps, not into it`;
        this.#problems.push(new ConfigError('CONFIG_CONFLICT', problem));
      }
      return !isOfServer && word.name !== 'mount';
    });
    const { values, unserved } = typedValues(own, this.#report);
    this.#unserved.push(...unserved);
    const mounts = given
      .filter(({ word }) => word.name === 'mount')
      .map(({ text, at: place }) => ({ text: text ?? '', at: place }));
    reader.readListed({ at, values, mounts });
  }

  /** The kernel cuts a longer queue down without a word. */
  #backlog(wanted: number): number {
    const most = mostPending();
    if (wanted <= most) return wanted;
    const at = this.#values.get('listen')?.at(-1)?.at;
    if (at !== undefined) this.#warnings.push(`${at}: listen is cut down to ${most}, which is net.core.somaxconn`);
    return most;
  }

  /** Says once per option that it is not supported, or refuses. */
  #tellUnserved(isStrict: boolean): void {
    const told = new Set<string>();
    for (const { word, text, at } of this.#unserved) {
      const isOff = word.takes !== 'value' && text !== undefined && parseFlag(text) === false;
      if (isOff || told.has(word.name)) continue;
      told.add(word.name);
      const { why, refuses } = word.known;
      if (refuses || isStrict) this.#problems.push(new ConfigError('CONFIG_UNSUPPORTED', word.name, at, why));
      else this.#warnings.push(`${at}: ${word.name} is known from uWSGI and not supported: ignored (${why})`);
    }
  }

  /** uWSGI's router may pass requests on to any server; here they are served by this one. */
  #checkHttpTo(listeners: readonly ListenerSetting[]): void {
    const own = new Set(listeners.map(({ address }) => bindingKey(address)));
    for (const { value, at } of this.#values.get('http-to') ?? []) {
      const address = value as Address;
      if (own.has(bindingKey(address))) continue;
      const problem = `${at}: http-to ${address.text}: requests are served here and not passed on to another server; let nginx do that`;
      this.#problems.push(new ConfigError('CONFIG_CONFLICT', problem));
    }
  }

  #checkCompleteness(config: Config, apps: readonly AppMount[], listeners: readonly ListenerSetting[]): void {
    if (this.#problems.length > 0 || config['show-config']) return;
    if (config.emperor.length > 0) {
      const [served] = [...apps, ...listeners];
      if (served === undefined) return;
      const problem = `an emperor serves nothing itself: put ${served.option} (${served.at}) into a vassal's file`;
      this.#problems.push(new ConfigError('CONFIG_CONFLICT', problem));
      return;
    }
    if (apps.length === 0) {
      if (config['need-app']) this.#problems.push(new ConfigError('CONFIG_NO_APP'));
      else this.#warnings.push('no app is given: every request is answered 404');
    }
    if (listeners.length === 0) this.#problems.push(new ConfigError('CONFIG_NO_LISTENER'));
  }
}

/** net.core.somaxconn; without a limit where it cannot be read. */
function mostPending(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1')) || Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function textsOf({ given, placeholders }: Gathered): GivenTexts {
  const texts = Object.create(null) as Record<string, string | boolean | readonly string[]>;
  for (const [name, text] of placeholders) texts[name] = text;
  for (const { word, text } of given) {
    if ('option' in word && word.option.isSecret) continue; // apps show their options on debug pages
    const isFlag = 'option' in word && word.option.kind === 'flag';
    const isMany = 'option' in word ? word.option.many : word.takes === 'value';
    const before = texts[word.name];
    if (isFlag || text === undefined) texts[word.name] = parseFlag(text ?? '') ?? true;
    else if (!isMany || before === undefined || typeof before === 'boolean') texts[word.name] = text;
    else texts[word.name] = Object.freeze([...(typeof before === 'string' ? [before] : before), text]);
  }
  return Object.freeze(texts);
}
