// The settings of every source in the order in which they stand, with files put in where they are named, blocks taken
// apart, and names noted for %(name). The texts themselves stay as they are written.
//
// Of a name that is set several times, %(name) means the first: so `--set-placeholder port=9090` wins over what a
//   template says, as in uWSGI. (Of an option the last one counts; that is decided in resolve.ts.)
// Decided elsewhere: which source is read when, and what the texts become (gather.ts), what a file holds (files.ts).

import { ConfigError } from '../base/errors.js';
import { openSource, readSource, readsFile, type Source } from './files.js';
import { BLOCK_ENDS, type Block, ELSE, elseOf, openBlock, opensBlock, withItem } from './logic.js';
import { parseAssign } from './pairs.js';
import { type Definitions, expand, namesIn } from './placeholders.js';
import type { AppReading, Reading, Setting } from './setting.js';
import { findWord, namesOf } from './vocabulary.js';

/** A setting that is no longer a file, a block or a `set`. */
export interface Collected extends Setting {
  /** It only says what %(name) stands for: `set-placeholder`, or `set` with a name that is no option. */
  readonly isPlaceholder?: true;
}

/** What an entry of an `apps:` list holds, and what names mean there. */
export interface CollectedApp {
  readonly at: string;
  readonly settings: readonly Collected[];
  readonly definitions: Definitions;
}

const canonical = (name: string) => findWord(name)?.name ?? name;

export class Collector {
  readonly problems: ConfigError[] = [];
  readonly warnings: string[] = [];
  readonly apps: CollectedApp[] = [];
  /** Real paths of the files that were read, in their order. */
  readonly files: string[] = [];
  /** The names that values and conditions refer to, wherever they stand. */
  readonly referredTo = new Set<string>();
  readonly #env: NodeJS.ProcessEnv;
  readonly #version: string;
  #definitions = new Map<string, string>();
  /** In an app: what names mean outside of it. */
  #outside: Definitions = () => undefined;
  /** Files that are being read: the last one is read because the one before names it. */
  readonly #open: Source[] = [];
  #first: Source | undefined;
  /** What `inherit` named in the source that is being read: it counts behind all of that source. */
  #inherited: Setting[] = [];

  /** `version` is the server's, for the magic letter %V. */
  constructor(env: NodeJS.ProcessEnv, version: string) {
    this.#env = env;
    this.#version = version;
  }

  readonly definition: Definitions = (name) => this.#definitions.get(name) ?? this.#outside(name);

  /** The settings of one source, in their order. Never throws; what is wrong stands in `problems`. */
  collect(reading: Reading): Collected[] {
    const into: Collected[] = [];
    this.#read(reading, into);
    return into;
  }

  #read({ settings, apps, problems, warnings }: Reading, into: Collected[]): void {
    this.problems.push(...problems);
    this.warnings.push(...warnings);
    const outer = this.#inherited;
    this.#inherited = [];
    this.#run(settings, into);
    for (const app of apps) this.#app(app);
    for (const { text, at } of this.#inherited) {
      this.#file('inherit', this.#location('inherit', text!, at)!, at, into);
    }
    this.#inherited = outer;
  }

  /** What an app sets holds for its own %(name) only. */
  #app({ at, settings }: AppReading): void {
    const server = this.#definitions;
    const own = new Map<string, string>();
    this.#outside = (name) => server.get(name);
    this.#definitions = own;
    const into: Collected[] = [];
    this.#run(settings, into);
    this.#outside = () => undefined;
    this.#definitions = server;
    this.apps.push({ at, settings: into, definitions: (name) => own.get(name) ?? server.get(name) });
  }

  /** Takes blocks apart. */
  #run(settings: readonly Setting[], into: Collected[]): void {
    let block: Block | undefined;
    let nested = 0;
    for (const setting of settings) {
      const name = canonical(setting.name);
      for (const referred of namesIn(setting.text ?? '')) this.referredTo.add(referred);
      if (opensBlock(name)) {
        if (block === undefined) block = this.#block(name, setting);
        else if (nested++ === 0) this.#complain(setting.at, `${name} cannot stand in the ${block.name} of ${block.at}`);
      } else if (BLOCK_ENDS.has(name)) {
        if (nested > 0) nested--;
        else if (block === undefined) this.#complain(setting.at, `${name} without a block that it could end`);
        else block = undefined;
      } else if (name === ELSE) {
        if (nested > 0) continue;
        if (block === undefined || block.isLoop) this.#complain(setting.at, 'else without an if-... in front');
        else if (block.isElse) this.#complain(setting.at, `the ${block.name} of ${block.at} has an else already`);
        else block = elseOf(block);
      } else if (block === undefined) {
        this.#take(setting, into);
      } else if (nested === 0) {
        for (const item of block.items)
          this.#take({ ...setting, text: withItem(setting.text, item), isInBlock: true }, into);
      }
    }
    if (block !== undefined) {
      this.#complain(block.at, `${block.name} has no ${block.isLoop ? 'endfor' : 'endif'} in this source`);
    }
  }

  #block(name: string, { text, at }: Setting): Block {
    if (name.endsWith('-opt')) this.referredTo.add((text ?? '').split('=')[0]!);
    const around = { env: this.#env, definition: this.definition };
    try {
      return openBlock(name, expand(text ?? '', this.#env, this.definition), at, around);
    } catch (error) {
      this.#complain(at, `${name}: ${(error as Error).message}`);
      return { name, at, items: [], isLoop: name.startsWith('for') };
    }
  }

  #take(setting: Setting, into: Collected[]): void {
    const { text, at } = setting;
    const name = canonical(setting.name);
    if (text !== undefined) this.#define(setting.name, text);
    const location = readsFile(name) ? this.#location(name, text ?? '', at) : '';
    if (location === undefined) return;
    into.push(setting);
    if (text === undefined || text === '') return;
    if (name === 'set' || name === 'set-placeholder') {
      const assign = parseAssign(text);
      if (assign !== undefined) this.#set(name, assign.key, assign.value, at, into);
    } else if (name === 'inherit') {
      this.#inherited.push(setting);
    } else if (readsFile(name)) {
      this.#file(name, location, at, into);
    }
  }

  #set(by: string, key: string, value: string, at: string, into: Collected[]): void {
    const isOption = findWord(key) !== undefined;
    if (isOption && by === 'set-placeholder') {
      this.problems.push(
        new ConfigError('CONFIG_CONFLICT', `${at}: ${by} cannot give "${key}" a meaning: it is an option; use set`),
      );
    } else if (isOption) {
      this.#take({ name: key, text: value.trim(), at }, into);
    } else {
      this.#define(key, value);
      into.push({ name: key, text: value, at, isPlaceholder: true });
    }
  }

  /** Notes what %(name) stands for: the first text counts. An option goes by all its names. */
  #define(name: string, text: string): void {
    const word = findWord(name);
    for (const each of word === undefined ? [name] : namesOf(word)) {
      if (!this.#definitions.has(each)) this.#definitions.set(each, text);
    }
  }

  /** The file that `option` names, with its placeholders replaced; undefined, and told, when that cannot be done. */
  #location(option: string, written: string, at: string): string | undefined {
    try {
      return expand(written, this.#env, this.definition);
    } catch (error) {
      this.#complain(at, `${option}: ${(error as Error).message}`);
      return undefined;
    }
  }

  #file(option: string, text: string, at: string, into: Collected[]): void {
    const source = openSource(option, text, this.#open.at(-1));
    const isOpen = (other: Source) =>
      this.#open.some((open) => open.realPath === other.realPath && open.section === other.section);
    const problem = typeof source === 'string' ? source : isOpen(source) ? 'it includes itself' : undefined;
    if (problem !== undefined || typeof source === 'string') {
      this.#complain(at, `${option} "${text}": ${problem}`);
      return;
    }
    this.#first ??= source;
    this.files.push(source.realPath);
    this.#open.push(source);
    this.#read(readSource(source, this.#first, this.#version), into);
    this.#open.pop();
  }

  #complain(at: string, problem: string): void {
    this.problems.push(new ConfigError('CONFIG_FILE', at, problem));
  }
}
