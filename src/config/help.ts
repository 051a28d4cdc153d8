// `nuwsgi --help`, `nuwsgi --help SECTION` and `nuwsgi --help OPTION`, all written from the tables.
//
// Decided elsewhere: what there is to say (options.ts, known-names.ts).

import { ConfigError } from '../base/errors.js';
import { type Option, SECTIONS, sectionOf } from './options.js';
import { KIND_NAMES } from './values.js';
import { findByLetter, findWord, namesOf, suggest, type Word } from './vocabulary.js';

const WIDTH = 100;
/** Where the explanations start. */
const COLUMN = 34;
const LABEL = 16;

const USAGE = `Usage: nuwsgi [OPTION...] [CONFIGURATION FILE...] [APP]

Serves Python WSGI and JavaScript apps with uWSGI's options.

  nuwsgi --http :9090 --wsgi-file foobar.py --processes 4 --threads 2
  nuwsgi configs/quickstart.yaml --http-socket 127.0.0.1:8080
`;
const FOOTER = `nuwsgi --help OPTION explains one option, also those of uWSGI that are not in this list;
nuwsgi --help SECTION, by the first letters of its title (--help Sock), shows that part of the list.
Every option can stand in a YAML or INI file under "uwsgi", and in the environment as UWSGI_OPTION.
`;

/** Words into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** What `--help` calls the value; '' for a flag. */
export const valueName = (option: Option) => option.value ?? option.choices?.join('|') ?? KIND_NAMES[option.kind][0];

/** `  -p, --processes N` */
function synopsis(option: Option): string {
  const letter = option.short === undefined ? '   ' : `-${option.short},`;
  const value = valueName(option);
  const shown = option.kind === 'flag' ? ` [${value}]` : option.bare !== undefined ? `[=${value}]` : ` ${value}`;
  return `  ${letter} --${option.name}${value === '' ? '' : shown}`;
}

/** What the option is when nobody gives it, in words. */
export function defaultOf(option: Option): string | undefined {
  if (option.defaultText !== undefined) return option.defaultText;
  if (option.kind === 'flag') return option.default === true ? 'on' : 'off';
  return option.default === undefined ? undefined : String(option.default);
}

function listed(option: Option): string {
  const isWorthTelling = option.default !== undefined && option.default !== false && option.default !== '';
  const shown = isWorthTelling || option.defaultText !== undefined ? ` [${defaultOf(option)}]` : '';
  const [first, ...others] = wrap(`${option.help}${shown}`, WIDTH - COLUMN);
  const left = synopsis(option);
  const indent = ' '.repeat(COLUMN);
  const start = left.length + 1 < COLUMN ? left.padEnd(COLUMN) + first : `${left}\n${indent}${first}`;
  return [start, ...others.map((line) => indent + line)].join('\n');
}

function section(title: string, rows: readonly Option[]): string {
  const always = rows.filter((option) => option.always !== undefined).map((option) => option.name);
  const lines = rows.filter((option) => option.always === undefined).map(listed);
  if (always.length > 0) {
    lines.push(...wrap(`Accepted, and always so: ${always.join(', ')}.`, WIDTH - 6).map((line) => `      ${line}`));
  }
  return `${title}\n${lines.join('\n')}\n`;
}

/** Every option that does something, by section. */
export function helpText(): string {
  const sections = SECTIONS.map(({ title, options }) => section(title, options));
  return [USAGE, ...sections, FOOTER].join('\n');
}

/** The options of the section whose title begins with `start`; undefined when there is none, or it is the name of an option. */
function sectionHelp(start: string): string | undefined {
  const lower = start.toLowerCase();
  const found = start.length < 3 ? undefined : SECTIONS.find(({ title }) => title.toLowerCase().startsWith(lower));
  return found === undefined ? undefined : section(found.title, found.options);
}

/** Everything about one option, by name, alias or letter, or about a section. Throws `ConfigError` when nobody knows it. */
export function optionHelp(name: string): string {
  const word = findWord(name) ?? (name.length === 1 ? findByLetter(name) : undefined);
  const part = word === undefined ? sectionHelp(name) : undefined;
  if (part !== undefined) return part;
  if (word === undefined) throw new ConfigError('CONFIG_UNKNOWN_OPTION', name, 'help', suggest(name));
  const rows = 'option' in word ? rowsOf(word.option) : rowsOfUnserved(word);
  const text = rows.flatMap(([label, what]) =>
    wrap(what, WIDTH - LABEL - 2).map((line, i) => `  ${(i === 0 ? label : '').padEnd(LABEL)}${line}`.trimEnd()),
  );
  const names = `--${namesOf(word).join(', --')}${word.short === undefined ? '' : `, -${word.short}`}`;
  return `${wrap(names, WIDTH).join('\n')}\n\n${text.join('\n')}\n`;
}

type Rows = readonly (readonly [label: string, text: string])[];

function rowsOf(option: Option): Rows {
  const [, meaning] = KIND_NAMES[option.kind];
  const range = option.range === undefined ? '' : `, from ${option.range[0]} to ${option.range[1]}`;
  const choices = option.choices === undefined ? meaning : option.choices.join(' or ');
  const form = option.value === undefined || option.kind === 'flag' ? '' : ` (${option.value})`;
  const rows: [string, string][] = [
    ['what it does', `${option.help}.`],
    ['value', `${choices}${form}${range}${option.clamps ? '; more is cut down' : ''}`],
    [
      'default',
      option.always === undefined || option.kind !== 'flag'
        ? (defaultOf(option) ?? 'none')
        : 'on, and cannot be switched off',
    ],
    ['section', sectionOf(option)],
  ];
  if (option.bare !== undefined) rows.push(['alone', `the same as ${option.name}=${option.bare}`]);
  if (option.many) rows.push(['repeated', 'every one counts']);
  if (option.always !== undefined) rows.push(['here', `${option.always}. Accepted, and changes nothing.`]);
  if (option.differs !== undefined) rows.push(['unlike uWSGI', option.differs]);
  rows.push(['in a file', exampleOf(option)]);
  return rows;
}

function exampleOf(option: Option): string {
  return option.kind === 'flag' ? `${option.name}: true` : `${option.name}: ${valueName(option)}`;
}

function rowsOfUnserved(word: Extract<Word, { known: unknown }>): Rows {
  const takes = { nothing: 'none', value: 'one', maybe: 'one, behind "="; it may be left out' }[word.takes];
  const consequence = word.known.refuses ? 'The server does not start with it.' : 'It is ignored with a warning.';
  return [
    ['here', `known from uWSGI and not supported: ${word.known.why}. ${consequence}`],
    ['value', takes],
  ];
}
