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
import { type AppMount, appsOf, type Placed } from './apps.js';
import { readArgv } from './argv.js';
import { type Gathered, type Given, gather } from './gather.js';
import { helpText, optionHelp } from './help.js';
import { type Config, OPTIONS, type Option } from './options.js';
import { parseFlag, parseValue, wantedValue } from './values.js';
import type { Served, Unserved } from './vocabulary.js';

/** What the user set, as Python's `uwsgi.opt` shows it: a list where an option came more than once. */
export type GivenTexts = Readonly<Record<string, string | boolean | readonly string[]>>;

export interface Resolved {
  readonly config: Config;
  /** Where each option that was given has its value from: `command line`, `UWSGI_PROCESSES`, `app.yaml:3`. */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  /** By canonical name; placeholders by their own. No prototype. */
  readonly given: GivenTexts;
  /** The apps of wsgi-file, module, app and mount, each on a path of its own. */
  readonly apps: readonly AppMount[];
}

export type Command =
  | { readonly kind: 'serve'; readonly resolved: Resolved }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' };

/** Options that open a socket. */
export const LISTENER_OPTIONS = ['http', 'http11-socket', 'http-socket', 'socket'] as const;

/**
 * What the arguments behind the program's name ask for. Reads the configuration files that they name.
 * Throws `ConfigError`; CONFIG_SEVERAL when more than one thing is wrong.
 */
export function readCommandLine(argv: readonly string[], env: NodeJS.ProcessEnv): Command {
  const line = readArgv(argv);
  if (line.help !== undefined) {
    return { kind: 'help', text: line.help === true ? helpText() : optionHelp(line.help) };
  }
  if (line.version) return { kind: 'version' };
  return { kind: 'serve', resolved: new Resolver(gather(line, env)).resolve() };
}

class Resolver {
  readonly #gathered: Gathered;
  readonly #problems: ConfigError[];
  readonly #warnings: string[];
  readonly #values = new Map<string, Placed[]>();

  constructor(gathered: Gathered) {
    this.#gathered = gathered;
    this.#problems = [...gathered.problems];
    this.#warnings = [...gathered.warnings];
  }

  resolve(): Resolved {
    const unserved: (Given & { readonly word: Unserved })[] = [];
    for (const given of this.#gathered.given) {
      const { word } = given;
      if ('option' in word) this.#value(word, given);
      else unserved.push({ ...given, word });
    }
    const config = this.#config();
    this.#unserved(unserved, config['strict-options']);
    const apps = appsOf((option) => this.#values.get(option) ?? [], config, this.#problems);
    this.#checkListeners(config);
    this.#checkCompleteness(config, apps);
    const [first] = this.#problems;
    if (first !== undefined) {
      throw this.#problems.length === 1 ? first : new ConfigError('CONFIG_SEVERAL', this.#problems);
    }
    return Object.freeze({
      config,
      origins: new Map(Array.from(this.#values, ([name, values]) => [name, values.at(-1)!.at])),
      warnings: Object.freeze(this.#warnings),
      given: textsOf(this.#gathered),
      apps: Object.freeze(apps),
    });
  }

  #value({ option }: Served, { text, at }: Given): void {
    if (option.kind !== 'flag' && (text === undefined || text === '')) {
      this.#problems.push(new ConfigError('CONFIG_MISSING_VALUE', option.name, at, wantedValue(option)));
      return;
    }
    const parsed = parseValue(option, text ?? '');
    if ('wanted' in parsed) {
      this.#problems.push(new ConfigError('CONFIG_BAD_VALUE', option.name, at, text ?? '', parsed.wanted));
      return;
    }
    if (parsed.warning !== undefined) this.#warnings.push(`${at}: ${parsed.warning}`);
    if (option.always !== undefined && parsed.value === false) {
      this.#warnings.push(`${at}: ${option.name} cannot be switched off: ${option.always}`);
    }
    const values = this.#values.get(option.name);
    if (values === undefined) this.#values.set(option.name, [{ value: parsed.value, at }]);
    else values.push({ value: parsed.value, at });
  }

  #config(): Config {
    const all: readonly Option[] = OPTIONS;
    const config = Object.create(null) as Record<string, unknown>;
    for (const option of all) {
      const values = this.#values.get(option.name);
      if (option.many) config[option.name] = Object.freeze((values ?? []).map((placed) => placed.value));
      else config[option.name] = values === undefined ? option.default : values.at(-1)!.value;
    }
    config.listen = this.#backlog(config.listen as number);
    if (config.chdir !== undefined) config.chdir = resolvePath(config.chdir as string);
    // The table is what `Config` is derived from, and the loop above what fills it: the compiler cannot see that.
    return Object.freeze(config) as unknown as Config;
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
  #unserved(all: readonly (Given & { readonly word: Unserved })[], isStrict: boolean): void {
    const told = new Set<string>();
    for (const { word, text, at } of all) {
      const isOff = word.takes !== 'value' && text !== undefined && parseFlag(text) === false;
      if (isOff || told.has(word.name)) continue;
      told.add(word.name);
      const { why, refuses } = word.known;
      if (refuses || isStrict) this.#problems.push(new ConfigError('CONFIG_UNSUPPORTED', word.name, at, why));
      else this.#warnings.push(`${at}: ${word.name} is known from uWSGI and not supported: ignored (${why})`);
    }
  }

  #checkListeners(config: Config): void {
    const seen = new Map<string, string>();
    for (const option of LISTENER_OPTIONS) {
      config[option].forEach((address: Address, i) => {
        const key = bindingKey(address);
        const place = `${option} (${this.#values.get(option)![i]!.at})`;
        const other = key === undefined ? undefined : seen.get(key);
        if (other !== undefined) {
          this.#problems.push(
            new ConfigError('CONFIG_CONFLICT', `${other} and ${place} want the same address, ${address.text}`),
          );
        } else if (key !== undefined) {
          seen.set(key, place);
        }
      });
    }
  }

  #checkCompleteness(config: Config, apps: readonly AppMount[]): void {
    if (this.#problems.length > 0) return;
    if (apps.length === 0) {
      if (config['need-app']) this.#problems.push(new ConfigError('CONFIG_NO_APP'));
      else this.#warnings.push('no app is given: every request is answered 404');
    }
    if (LISTENER_OPTIONS.every((option) => config[option].length === 0)) {
      this.#problems.push(new ConfigError('CONFIG_NO_LISTENER'));
    }
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
    const isFlag = 'option' in word && word.option.kind === 'flag';
    const isMany = 'option' in word ? word.option.many : word.takes === 'value';
    const before = texts[word.name];
    if (isFlag || text === undefined) texts[word.name] = parseFlag(text ?? '') ?? true;
    else if (!isMany || before === undefined || typeof before === 'boolean') texts[word.name] = text;
    else texts[word.name] = Object.freeze([...(typeof before === 'string' ? [before] : before), text]);
  }
  return Object.freeze(texts);
}
