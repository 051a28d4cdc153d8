// All sources in the order in which they count: environment, configuration files given as bare arguments, then the
// command line from left to right, with files expanded where they are named. A later scalar wins, lists grow.
//
// One deliberate difference to uWSGI: a configuration file given as a bare argument is read first and not last, so that
//   `nuwsgi app.yaml --processes 1` does what it says instead of what the file says.
// A name nobody knows is an error, unless a value refers to it as %(name): then it is a placeholder, as in uWSGI.
// Decided elsewhere: what the texts mean (values.ts), what wins in the end and what must fit together (resolve.ts).

import { readFileSync, realpathSync } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError } from '../base/errors.js';
import type { CommandLine } from './argv.js';
import { readIni } from './ini.js';
import { expand, expandMagic, namesIn } from './placeholders.js';
import { emptyReading, type Reading, type Setting } from './setting.js';
import { parseAssign } from './values.js';
import { findByVariable, findWord, suggest, type Word } from './vocabulary.js';
import { readYaml } from './yaml.js';

/** A setting whose name is known and whose placeholders are replaced. */
export interface Given {
  readonly word: Word;
  readonly text: string | undefined;
  readonly at: string;
}
export interface Gathered {
  readonly given: readonly Given[];
  /** What `%(name)` stands for, where it is no option. */
  readonly placeholders: ReadonlyMap<string, string>;
  readonly problems: ConfigError[];
  readonly warnings: string[];
}

type Format = (source: string, path: string, section: string | undefined) => Reading;
const FORMAT_OF_EXTENSION: ReadonlyMap<string, Format> = new Map([
  ['.ini', readIni],
  ['.yaml', readYaml],
  ['.yml', readYaml],
]);
/** Options whose value is a file to be read in place; undefined: the extension tells the format. */
const FORMAT_OF_OPTION: ReadonlyMap<string, Format | undefined> = new Map<string, Format | undefined>([
  ['ini', readIni],
  ['yaml', readYaml],
  ['config', undefined],
  ['include', undefined],
]);
/** `file.ini:section`, `:section`. */
const FILE_AND_SECTION = /^(.*?)(?::([^:/.]+))?$/s;
/** They end the program, so they count only where somebody types them; Docker images like to set UWSGI_VERSION. */
const COMMANDS: ReadonlySet<string> = new Set(['help', 'version']);

/** Reads everything there is. Never throws; what is wrong stands in `problems`. */
export function gather(line: CommandLine, env: NodeJS.ProcessEnv): Gathered {
  const gatherer = new Gatherer(env);
  gatherer.take(readEnvironment(env));
  gatherer.take({ ...emptyReading(), settings: line.files });
  gatherer.take(line);
  return gatherer.finish();
}

/** The settings in `UWSGI_...` variables. */
function readEnvironment(env: NodeJS.ProcessEnv): Reading {
  const reading = emptyReading();
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('UWSGI_') || text === undefined || text === '') continue;
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

/** A configuration file, or one section of it. */
interface Source {
  /** As the user wrote it: messages use it. */
  readonly path: string;
  readonly realPath: string;
  readonly section: string | undefined;
  readonly format: Format;
  readonly text: string;
}

class Gatherer {
  readonly #env: NodeJS.ProcessEnv;
  readonly #given: Given[] = [];
  readonly #problems: ConfigError[] = [];
  readonly #warnings: string[] = [];
  /** The last text of every name, for %(name). */
  readonly #texts = new Map<string, string>();
  readonly #placeholders = new Map<string, string>();
  readonly #unknown: Setting[] = [];
  /** The names that values refer to, wherever they stand: a placeholder may be referred to in a later file. */
  readonly #referredTo = new Set<string>();
  /** Files that are being read: the last one is read because the one before names it. */
  readonly #open: Source[] = [];
  #firstPath: string | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  take({ settings, problems, warnings }: Reading): void {
    this.#problems.push(...problems);
    this.#warnings.push(...warnings);
    for (const setting of settings) this.#setting(setting);
  }

  finish(): Gathered {
    for (const { name, text, at } of this.#unknown) {
      if (this.#referredTo.has(name)) this.#placeholders.set(name, text ?? '');
      else this.#problems.push(new ConfigError('CONFIG_UNKNOWN_OPTION', name, at, suggest(name)));
    }
    return {
      given: this.#given,
      placeholders: this.#placeholders,
      problems: this.#problems,
      warnings: this.#warnings,
    };
  }

  #setting({ name, text: written, at }: Setting): void {
    for (const referred of namesIn(written ?? '')) this.#referredTo.add(referred);
    const text = written === undefined ? undefined : expand(written, this.#env, this.#texts);
    const word = findWord(name);
    if (word === undefined) {
      if (text !== undefined) this.#texts.set(name, text);
      this.#unknown.push({ name, text, at });
      return;
    }
    if (COMMANDS.has(word.name)) {
      this.#problems.push(new ConfigError('CONFIG_CONFLICT', `${at}: ${name} is for the command line only`));
      return;
    }
    if (text !== undefined) this.#texts.set(name, text).set(word.name, text);
    this.#given.push({ word, text, at });
    if (text !== undefined) this.#follow(word.name, text, at);
  }

  /** What some options do beyond having a value: they bring further settings. */
  #follow(name: string, text: string, at: string): void {
    const assign = name === 'set' || name === 'set-placeholder' ? parseAssign(text) : undefined;
    if (assign !== undefined) {
      const isOption = name === 'set' && findWord(assign.key) !== undefined;
      if (isOption) this.#setting({ name: assign.key, text: assign.value.trim(), at });
      else this.#define(assign.key, assign.value);
    } else if (FORMAT_OF_OPTION.has(name) && text !== '') {
      this.#readFile(name, text, at);
    }
  }

  #define(name: string, text: string): void {
    this.#texts.set(name, text);
    this.#placeholders.set(name, text);
  }

  #readFile(option: string, text: string, at: string): void {
    const source = openSource(option, text, this.#open.at(-1)?.path);
    const isOpen = (other: Source) =>
      this.#open.some((open) => open.realPath === other.realPath && open.section === other.section);
    const problem = typeof source === 'string' ? source : isOpen(source) ? 'it includes itself' : undefined;
    if (problem !== undefined || typeof source === 'string') {
      this.#problems.push(new ConfigError('CONFIG_FILE', at, `${option} "${text}": ${problem}`));
      return;
    }
    this.#firstPath ??= source.path;
    this.#open.push(source);
    this.take(source.format(expandMagic(source.text, source.path, this.#firstPath), source.path, source.section));
    this.#open.pop();
  }
}

/** The file that `option` names, or why it cannot be read. `including`: the file in which the option stands. */
function openSource(option: string, location: string, including: string | undefined): Source | string {
  if (/^\w+:\/\//.test(location)) return 'only files are read, no URLs';
  const [, file = '', section] = FILE_AND_SECTION.exec(location)!;
  const path = file === '' ? including : file; // `:section` means the file in which it stands
  if (path === undefined) return 'there is no file name in front of the section';
  const format = FORMAT_OF_OPTION.get(option) ?? FORMAT_OF_EXTENSION.get(extname(path).toLowerCase());
  if (format === undefined) return 'the extension tells no format that is read: .ini, .yaml or .yml';
  try {
    const realPath = realpathSync(path);
    return { path, realPath, section, format, text: readFileSync(realPath, 'utf8').replace(/^\ufeff/, '') };
  } catch (error) {
    return explain(error as NodeJS.ErrnoException);
  }
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return `there is no such file (looked for in ${process.cwd()})`;
    case 'EISDIR':
      return 'it is a directory, not a file';
    case 'EACCES':
      return 'the file may not be read: check its permissions and those of its directories';
    default:
      return `the file cannot be read: ${error.message}`;
  }
}
