// YAML and JSON files in uWSGI's layout: a map under the top key `uwsgi` (or `nuwsgi`), scalars for values, a list
// repeats its key. JSON is checked by JSON.parse and then read as the YAML that it is, which knows its lines.
//
// Every scalar is taken as it is written (the failsafe schema): `processes: 010` and `env: A=1e3` must mean what they
//   mean on the command line, and uWSGI's own reading of booleans is applied later, by the option's kind.
// Beyond uWSGI: options of the form NAME=VALUE also take a map (`mount: {/js: hello.mjs}`), which reads better, and
//   `apps:` is a list of maps, each with the options of one app. Header fields need no quotes
//   (`add-header: {X-Frame-Options: DENY}`).
// Decided elsewhere: what the names mean (vocabulary.ts), placeholders (placeholders.ts), which files (gather.ts).

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { ConfigError } from '../base/errors.js';
import type { Kind } from './options.js';
import { emptyReading, type Reading, SECTIONS_READ, type Setting } from './setting.js';
import { findWord } from './vocabulary.js';

/** What to do about a syntax error, by the yaml package's code for it. */
const CURES: ReadonlyMap<string, string> = new Map([
  ['TAB_AS_INDENT', 'YAML is indented with spaces: replace the tab'],
  ['BLOCK_AS_IMPLICIT_KEY', 'put quotes around a value with ": " in it'],
  ['MISSING_CHAR', 'a key is followed by a colon and a space; a bracket or quote may be missing its other half'],
  ['BAD_SCALAR_START', 'put quotes around a value that starts with this character'],
  ['MULTIPLE_DOCS', 'one file holds one document: remove the "---"'],
]);

/** Reads the map under `section` of a YAML file, or under `uwsgi` and `nuwsgi`. `path` is for messages. */
export function readYaml(source: string, path: string, section: string | undefined): Reading {
  return new YamlReader(source, path).read(section === undefined ? SECTIONS_READ : [section]);
}

/** As `readYaml`, for a JSON file. */
export function readJson(source: string, path: string, section: string | undefined): Reading {
  try {
    JSON.parse(source);
  } catch (error) {
    const { message } = error as SyntaxError;
    const line = source.slice(0, faultOffset(source)).split('\n').length;
    const problem = `it is no JSON: ${message.replace(/(?:,? ".*" is not valid JSON| in JSON at position.*)$/s, '')}`;
    return { ...emptyReading(), problems: [new ConfigError('CONFIG_FILE', `${path}:${line}`, problem)] };
  }
  return new YamlReader(source, path, true).read(section === undefined ? SECTIONS_READ : [section]);
}

/** Where JSON.parse stumbles, which it does not always tell: behind the longest text that could be the start of JSON. */
function faultOffset(source: string): number {
  const isStart = (length: number) => {
    try {
      JSON.parse(source.slice(0, length));
    } catch (error) {
      const { message } = error as SyntaxError;
      const position = /at position (\d+)/.exec(message)?.[1];
      return position === undefined ? /end of JSON|Unterminated/.test(message) : Number(position) >= length;
    }
    return true;
  };
  let [good, bad] = [0, source.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isStart(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** The list of apps; no option, because it holds maps of them. */
const APPS_KEY = 'apps';

/** Kinds of options whose value is a pair, and what stands between its two halves. */
const PAIRS: ReadonlyMap<Kind, string> = new Map<Kind, string>([
  ['assign', '='],
  ['mapping', '='],
  ['header', ': '],
]);

class YamlReader {
  readonly #source: string;
  readonly #path: string;
  readonly #lines = new LineCounter();
  readonly #reading = emptyReading();
  readonly #document;
  readonly #isJson: boolean;

  constructor(source: string, path: string, isJson = false) {
    this.#isJson = isJson;
    this.#source = source;
    this.#path = path;
    this.#document = parseDocument(source, {
      schema: 'failsafe',
      uniqueKeys: false, // a key that comes again counts again
      prettyErrors: false,
      lineCounter: this.#lines,
    });
  }

  read(sections: readonly string[]): Reading {
    const [error] = this.#document.errors; // the ones behind it are its consequences
    if (error !== undefined) {
      // A tab in front of a key is reported as one of several things, and always meant as indentation.
      const code = this.#startsWithTab(error.pos[0]) ? 'TAB_AS_INDENT' : error.code;
      const cure = CURES.get(code);
      const problem = code === 'TAB_AS_INDENT' ? 'there is a tab in the indentation' : error.message;
      this.#complain(error.pos[0], cure === undefined ? problem : `${problem} (${cure})`);
      return this.#reading;
    }
    const top = this.#document.contents;
    const found = isMap(top)
      ? sections.flatMap((name) => top.items.filter((pair) => this.#textOf(pair.key) === name))
      : [];
    if (found.length === 0) this.#complainAboutTop(sections);
    for (const pair of found) this.#section(pair);
    return this.#reading;
  }

  #complainAboutTop(sections: readonly string[]): void {
    const top = this.#document.contents;
    const names = sections.map((name) => `"${name}:"`).join(' or ');
    const isFlat =
      isMap(top) &&
      top.items.some(({ key, value }) => !isMap(value) && findWord(this.#textOf(key) ?? '') !== undefined);
    const cure = isFlat ? ': put it above the options and indent them' : '';
    this.#reading.problems.push(new ConfigError('CONFIG_FILE', this.#path, `there is no top key ${names}${cure}`));
  }

  #section(pair: Pair): void {
    const map = this.#resolve(pair.value);
    if (isMap(map)) this.#options(map, this.#reading.settings, true);
    else if (map !== null && this.#textOf(map) !== '') {
      this.#complain(
        this.#offsetOf(pair.key),
        `under "${this.#textOf(pair.key)}:" come options, one a line, as name: value`,
      );
    }
  }

  /** The options in `map`; `isTop`: it may hold the list of apps. */
  #options(map: YAMLMap, into: Setting[], isTop: boolean): void {
    for (const { key, value } of map.items) {
      const name = this.#textOf(key);
      if (name === undefined || name === '') {
        this.#complain(this.#offsetOf(key), 'an option has a plain name');
        continue;
      }
      const resolved = this.#resolve(value);
      if (isTop && name === APPS_KEY) this.#apps(resolved, this.#offsetOf(key));
      else if (isSeq(resolved)) {
        for (const item of resolved.items) this.#value(name, this.#resolve(item), this.#offsetOf(item), into);
      } else {
        this.#value(name, resolved, this.#offsetOf(key), into);
      }
    }
  }

  #apps(list: unknown, offset: number): void {
    const items = isSeq(list) ? list.items.map((item) => [item, this.#resolve(item)] as const) : undefined;
    if (items?.every(([, map]) => isMap(map))) {
      for (const [item, map] of items) {
        const app = { at: this.#at(this.#offsetOf(item)), settings: [] };
        this.#options(map as YAMLMap, app.settings, false);
        this.#reading.apps.push(app);
      }
      return;
    }
    this.#complain(offset, 'apps is a list: "- mount: /path", then the other options of that app, indented like mount');
  }

  /** One value of an option: a scalar, nothing, or a map where the option takes NAME=VALUE. */
  #value(name: string, node: unknown, offset: number, into: Setting[]): void {
    const at = this.#at(offset);
    if (node === null || node === undefined || isScalar(node)) {
      const isNull = this.#isJson && isScalar(node) && node.type === 'PLAIN' && node.value === 'null';
      const text = isNull ? '0' : isScalar(node) ? String(node.value) : '';
      into.push({ name, text: text === '' ? undefined : text, at });
      return;
    }
    if (isAlias(node)) {
      this.#complain(offset, `"*${node.source}" refers to nothing (put quotes around a value that starts with "*")`);
      return;
    }
    const word = findWord(name);
    const joint = word !== undefined && 'option' in word ? PAIRS.get(word.option.kind) : undefined;
    const pairs = joint !== undefined && isMap(node) ? node.items : undefined;
    const texts = pairs?.map(({ key, value }) => [this.#textOf(key), this.#textOf(value)] as const);
    if (texts === undefined || texts.some(([key, value]) => key === undefined || value === undefined)) {
      const found = isMap(node) ? 'a map' : 'a list in a list';
      this.#complain(offset, `${name} takes a text, not ${found} (put quotes around a value with ": " in it)`);
      return;
    }
    texts.forEach(([key, value], i) => {
      into.push({ name, text: `${key}${joint}${value}`, at: this.#at(this.#offsetOf(pairs![i]!.key)) });
    });
  }

  /** Follows an alias (`*name`) to what it stands for; one that stands for nothing stays. */
  #resolve(node: unknown): unknown {
    return isAlias(node) ? (node.resolve(this.#document) ?? node) : node;
  }

  #textOf(node: unknown): string | undefined {
    const resolved = this.#resolve(node);
    if (resolved === null) return '';
    return isScalar(resolved) ? String(resolved.value) : undefined;
  }

  #offsetOf(node: unknown): number {
    return (node as Node | null)?.range?.[0] ?? 0;
  }

  #startsWithTab(offset: number): boolean {
    const lineStart = this.#source.lastIndexOf('\n', offset - 1) + 1;
    return /^ *\t/.test(this.#source.slice(lineStart));
  }

  #at(offset: number): string {
    return `${this.#path}:${this.#lines.linePos(offset).line}`;
  }

  #complain(offset: number, problem: string): void {
    this.#reading.problems.push(new ConfigError('CONFIG_FILE', this.#at(offset), problem));
  }
}
