// Every name a user may write, served or not, and how each is found: in full, by letter, by a prefix, by its variable.
//
// One place, so that the command line, the files and the environment agree on what a name is. Names come from users,
//   so they are looked up in Maps.
// Decided elsewhere: what the names mean (options.ts), which are known and not served (known-names.ts).

import { FAMILIES } from './known-names.js';
import { OPTIONS, type Option } from './options.js';
import { nearest } from './suggest.js';

/** Whether a name is followed by a value on the command line; `maybe`: only behind `=`. */
export type Takes = 'nothing' | 'value' | 'maybe';

/** An option that this server knows from uWSGI and does not serve. */
export interface Known {
  readonly why: string;
  /** It is an error to ask for it. */
  readonly refuses: boolean;
}

interface Named {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly short: string | undefined;
  readonly takes: Takes;
}
export interface Served extends Named {
  readonly option: Option;
}
export interface Unserved extends Named {
  readonly known: Known;
}
export type Word = Served | Unserved;

const KINDS = { flags: 'nothing', values: 'value', maybe: 'maybe' } as const;

function served(option: Option): Served {
  const takes = option.kind === 'flag' || option.bare !== undefined ? 'maybe' : 'value';
  return { name: option.name, aliases: option.aliases ?? [], short: option.short, takes, option };
}

/** `name|alias|-x`, as known-names.ts writes it. */
function unserved(spelling: string, takes: Takes, known: Known): Unserved {
  const parts = spelling.split('|');
  const names = parts.filter((part) => !part.startsWith('-'));
  const short = parts.find((part) => part.startsWith('-'))?.slice(1);
  return { name: names[0]!, aliases: names.slice(1), short, takes, known };
}

/** Served ones first: where two names are equally near to a typing error, the one that works is suggested. */
export const WORDS: readonly Word[] = [
  ...OPTIONS.map(served),
  ...FAMILIES.flatMap((family) =>
    (['flags', 'values', 'maybe'] as const).flatMap((kind) =>
      (family[kind] ?? '')
        .split(/\s+/)
        .filter((spelling) => spelling !== '')
        .map((spelling) => unserved(spelling, KINDS[kind], { why: family.why, refuses: family.refuses ?? false })),
    ),
  ),
];

export const namesOf = (word: Word): readonly string[] => [word.name, ...word.aliases];
const variableOf = (name: string) => `UWSGI_${name.toUpperCase().replaceAll('-', '_')}`;

/** First come, first served; the test of this file checks that nothing comes twice. */
function index(keysOf: (word: Word) => readonly string[]): ReadonlyMap<string, Word> {
  return new Map(WORDS.flatMap((word) => keysOf(word).map((key) => [key, word] as const)).reverse());
}

const BY_NAME = index(namesOf);
const BY_LETTER = index((word) => (word.short === undefined ? [] : [word.short]));
const BY_VARIABLE = index((word) => namesOf(word).map(variableOf));

/** The word called exactly `name`. */
export const findWord = (name: string): Word | undefined => BY_NAME.get(name);
export const findByLetter = (letter: string): Word | undefined => BY_LETTER.get(letter);
/** The word that the environment variable `UWSGI_...` is for. */
export const findByVariable = (variable: string): Word | undefined => BY_VARIABLE.get(variable);

/** The words that have a name beginning with `prefix`, each with that name. */
export function findByPrefix(prefix: string): readonly { readonly name: string; readonly word: Word }[] {
  return WORDS.flatMap((word) => {
    const name = namesOf(word).find((candidate) => candidate.startsWith(prefix));
    return name === undefined ? [] : [{ name, word }];
  });
}

/** The name that was probably meant by `name`. */
export const suggest = (name: string): string | undefined => nearest(name, WORDS.flatMap(namesOf));
