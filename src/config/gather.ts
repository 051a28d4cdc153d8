// All sources in the order in which they count: environment, configuration files given as bare arguments, then the
// command line from left to right, with files expanded where they are named. A later scalar wins, lists grow.
//
// One deliberate difference to uWSGI: a configuration file given as a bare argument counts before the command line and
//   not after it, so that `nuwsgi app.yaml --processes 1` does what it says instead of what the file says.
// A name nobody knows is an error, unless a value refers to it as %(name): then it is a placeholder, as in uWSGI.
// Decided elsewhere: what a source holds (collect.ts), what the texts mean (values.ts), what wins in the end and what
//   must fit together (resolve.ts).

import { ConfigError } from '../base/errors.js';
import type { CommandLine } from './argv.js';
import { type Collected, Collector } from './collect.js';
import { RELOADS_VARIABLE } from './logic.js';
import { OPTIONS, type Option } from './options.js';
import { type Definitions, expand } from './placeholders.js';
import { emptyReading, type Reading } from './setting.js';
import { findByVariable, findWord, suggest, type Word } from './vocabulary.js';

/** A setting whose name is known and whose placeholders are replaced. */
export interface Given {
  readonly word: Word;
  readonly text: string | undefined;
  readonly at: string;
  readonly isInBlock?: true;
}

/** An entry of an `apps:` list. */
export interface GivenApp {
  readonly at: string;
  readonly given: readonly Given[];
}

export interface Gathered {
  readonly given: readonly Given[];
  readonly apps: readonly GivenApp[];
  /** What `%(name)` stands for, where it is no option. */
  readonly placeholders: ReadonlyMap<string, string>;
  /** Real paths of the files that were read. */
  readonly files: readonly string[];
  readonly problems: ConfigError[];
  readonly warnings: string[];
}

/** They end the program, so they count only where somebody types them; Docker images like to set UWSGI_VERSION. */
const COMMANDS: ReadonlySet<string> = new Set([
  'help',
  'version',
  ...(OPTIONS as readonly Option[]).filter(({ sends }) => sends !== undefined).map(({ name }) => name),
]);

/** Reads everything there is. `version` is the server's. Never throws; what is wrong stands in `problems`. */
export function gather(line: CommandLine, env: NodeJS.ProcessEnv, version: string): Gathered {
  const collector = new Collector(env, version);
  const ofEnvironment = collector.collect(readEnvironment(env));
  const ofLine = collector.collect(line); // before the files, so that they see the placeholders it sets
  const ofFiles = collector.collect({ ...emptyReading(), settings: line.files });
  const all = [...ofEnvironment, ...ofFiles, ...ofLine];
  const reader = new Reader(env, collector.referredTo, collector.problems, collector.warnings);
  return {
    given: reader.read(all, collector.definition),
    apps: collector.apps.map(({ at, settings, definitions }) => ({ at, given: reader.read(settings, definitions) })),
    placeholders: reader.placeholders,
    files: collector.files,
    problems: collector.problems,
    warnings: collector.warnings,
  };
}

/** The settings in `UWSGI_...` variables. */
function readEnvironment(env: NodeJS.ProcessEnv): Reading {
  const reading = emptyReading();
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('UWSGI_') || text === undefined || text === '') continue;
    if (variable === RELOADS_VARIABLE) continue;
    const word = findByVariable(variable);
    if (word !== undefined) {
      if (!COMMANDS.has(word.name)) reading.settings.push({ name: word.name, text, at: variable });
      continue;
    }
    // Others use this prefix as well (container images, uWSGI itself), so only what looks like a typing error is told.
    const near = suggest(variable.slice('UWSGI_'.length).toLowerCase().replaceAll('_', '-'));
    if (near !== undefined)
      reading.warnings.push(`${variable}: ignored, no option is called so; did you mean "${near}"?`);
  }
  return reading;
}

/** Looks up names, and replaces placeholders in texts. */
class Reader {
  readonly placeholders = new Map<string, string>();
  readonly #env: NodeJS.ProcessEnv;
  readonly #referredTo: ReadonlySet<string>;
  readonly #problems: ConfigError[];
  readonly #warnings: string[];

  /** `referredTo`: the names that values refer to, wherever they stand. */
  constructor(env: NodeJS.ProcessEnv, referredTo: ReadonlySet<string>, problems: ConfigError[], warnings: string[]) {
    this.#env = env;
    this.#referredTo = referredTo;
    this.#problems = problems;
    this.#warnings = warnings;
  }

  read(settings: readonly Collected[], definitions: Definitions): Given[] {
    const given: Given[] = [];
    for (const { name, text: written, at, isPlaceholder, isInBlock } of settings) {
      const word = isPlaceholder ? undefined : findWord(name);
      if (word === undefined && !isPlaceholder && !this.#referredTo.has(name)) {
        this.#problems.push(new ConfigError('CONFIG_UNKNOWN_OPTION', name, at, suggest(name)));
        continue;
      }
      if (word !== undefined && COMMANDS.has(word.name)) {
        this.#problems.push(new ConfigError('CONFIG_CONFLICT', `${at}: ${word.name} is for the command line only`));
        continue;
      }
      const text = this.#expand(name, written, at, definitions);
      if (word !== undefined && 'option' in word && word.option.discouraged?.[0] === name)
        this.#warnings.push(`${at}: ${name} is ${word.option.discouraged[1]}`);
      if (word !== undefined) given.push({ word, text, at, ...(isInBlock && { isInBlock }) });
      else if (!this.placeholders.has(name)) this.placeholders.set(name, text ?? '');
    }
    return given;
  }

  #expand(name: string, text: string | undefined, at: string, definitions: Definitions): string | undefined {
    if (text === undefined) return undefined;
    try {
      return expand(text, this.#env, definitions);
    } catch (error) {
      this.#problems.push(new ConfigError('CONFIG_FILE', at, `${name}: ${(error as Error).message}`));
      return text;
    }
  }
}
