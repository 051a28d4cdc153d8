// The command line in uWSGI's dialect, which is that of getopt_long: `--name value`, `--name=value`, any prefix that
// fits one option only, letters (`-p 4`, `-p4`, `-Mp4`), options and other arguments in any order, `--` ends options.
//
// Why not util.parseArgs: it knows neither prefixes nor which of 900 names take a value.
// Stricter than getopt in one point: a value that begins with `--` has to be written `--name=--value`, because
//   `--chdir --master` is a forgotten value far more often than a directory.
// Decided elsewhere: what an app looks like (app-target.ts), that configuration files are read first (gather.ts).

import { ConfigError } from '../base/errors.js';
import { isAppArgument } from './app-target.js';
import { optionForFile } from './files.js';
import { emptyReading, type Reading, type Setting } from './setting.js';
import { parseFlag, wantedValue } from './values.js';
import { findByLetter, findByPrefix, findWord, suggest, type Word } from './vocabulary.js';

export interface CommandLine extends Reading {
  /** Configuration files given as bare arguments, as settings of `ini`, `yaml`, `json` and `xml`. */
  readonly files: Setting[];
  /** `--help`: true, or the option to be explained. */
  help: string | true | undefined;
  version: boolean;
}

const AT = 'command line';
/** Candidates of an ambiguous prefix that are worth reading. */
const SHOWN_CANDIDATES = 8;

/** Reads the arguments behind the program's name. Never throws; what is wrong stands in `problems`. */
export function readArgv(argv: readonly string[]): CommandLine {
  return new ArgvReader(argv).read();
}

class ArgvReader {
  readonly #argv: readonly string[];
  readonly #line: CommandLine = { ...emptyReading(), files: [], help: undefined, version: false };
  /** The next argument to be read. */
  #next = 0;
  /** What stands in front of the argument, where that takes a value behind `=` only: `--master false`, `--chmod-socket 660`. */
  #before: Word | undefined;

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  read(): CommandLine {
    while (this.#next < this.#argv.length) {
      const argument = this.#argv[this.#next++]!;
      const before = this.#before;
      this.#before = undefined;
      if (argument === '--') {
        for (const bare of this.#argv.slice(this.#next)) this.#bare(bare, undefined);
        break;
      }
      if (argument.startsWith('--')) this.#long(argument.slice(2));
      else if (argument.startsWith('-') && argument !== '-') this.#letters(argument.slice(1));
      else this.#bare(argument, before);
    }
    return this.#line;
  }

  /** `name` or `name=value`. */
  #long(text: string): void {
    const equals = text.indexOf('=');
    const written = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const exact = findWord(written);
    const candidates = exact === undefined && written !== '' ? findByPrefix(written) : [];
    const found = exact === undefined ? candidates : [{ name: written, word: exact }];
    if (found.length === 1) {
      this.#take(found[0]!.name, found[0]!.word, value);
      return;
    }
    const names = found.map((candidate) => candidate.name);
    this.#line.problems.push(
      found.length === 0
        ? new ConfigError('CONFIG_UNKNOWN_OPTION', written, AT, suggest(written))
        : new ConfigError('CONFIG_AMBIGUOUS_OPTION', written, AT, names.slice(0, SHOWN_CANDIDATES), names.length),
    );
    if (value === undefined) this.#skipStrayValue();
  }

  /** Behind a name that is not known: what follows is probably its value, and not worth a second complaint. */
  #skipStrayValue(): void {
    const following = this.#argv[this.#next];
    if (following === undefined || following.startsWith('-')) return;
    if (optionForFile(following) === undefined && !isAppArgument(following)) this.#next++;
  }

  /** `M`, `Mp4`, or `p` with the value in the next argument. */
  #letters(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const word = findByLetter(text[i]!);
      if (word === undefined) {
        this.#line.problems.push(new ConfigError('CONFIG_UNKNOWN_OPTION', `-${text[i]}`, AT, suggest(text)));
        return;
      }
      const rest = text.slice(i + 1);
      if (word.takes === 'value' || (word.name === 'help' && rest !== '')) {
        this.#take(word.name, word, rest === '' ? undefined : rest);
        return;
      }
      // an optional value is attached, as in -C664; letters behind a flag are flags
      const isValue = 'option' in word && word.option.bare !== undefined && /^\d/.test(rest);
      this.#take(word.name, word, isValue ? rest : undefined);
      if (isValue) return;
    }
  }

  /** `value` is what was attached to the name. */
  #take(name: string, word: Word, value: string | undefined): void {
    let text = value;
    if (word.name === 'help') {
      const topic = this.#argv[this.#next];
      if (text === undefined && topic !== undefined && !topic.startsWith('-')) {
        text = topic;
        this.#next++;
      }
      this.#line.help = text?.replace(/^-+/, '') || true;
      return;
    }
    if (word.name === 'version') {
      this.#line.version = true;
      return;
    }
    if (word.takes !== 'value') {
      this.#before = word;
    } else if (text === undefined) {
      const following = this.#argv[this.#next];
      if (following === undefined || following.startsWith('--')) {
        const wanted = 'option' in word ? wantedValue(word.option) : 'it takes one in uWSGI';
        this.#line.problems.push(new ConfigError('CONFIG_MISSING_VALUE', name, AT, wanted));
        return;
      }
      text = following;
      this.#next++;
    }
    this.#line.settings.push({ name, text, at: AT });
  }

  /** An argument that is no option: a configuration file or an app. */
  #bare(text: string, before: Word | undefined): void {
    const option = optionForFile(text);
    if (option !== undefined) this.#line.files.push({ name: option, text, at: AT });
    else if (isAppArgument(text)) this.#line.settings.push({ name: 'app', text, at: AT });
    else {
      const takesIt =
        before !== undefined &&
        (parseFlag(text) !== undefined || ('option' in before && before.option.kind !== 'flag'));
      const cure = takesIt ? `--${before.name}=${text}` : undefined;
      this.#line.problems.push(new ConfigError('CONFIG_ARGUMENT', text, AT, cure));
    }
  }
}
