// Given settings become values by the name of their option, and values become a `Config`.
//
// Decided elsewhere: how one text becomes a value (values.ts), what must fit together (resolve.ts).

import { ConfigError } from '../base/errors.js';
import type { Given } from './gather.js';
import { type Config, OPTIONS, type Option } from './options.js';
import { parseFlag, parseValue, wantedValue } from './values.js';
import type { Unserved } from './vocabulary.js';

/** A value with the place it was given at. */
export interface Placed {
  readonly value: unknown;
  readonly at: string;
}
/** The values of each option that was given, in the order in which they count. */
export type PlacedValues = ReadonlyMap<string, readonly Placed[]>;

/** Where problems and warnings are noted. */
export interface Report {
  readonly problems: ConfigError[];
  readonly warnings: string[];
}

/** An option that is known and not served. */
export type GivenUnserved = Given & { readonly word: Unserved };

/** Reads the texts. What cannot be read goes to `report`. */
export function typedValues(
  given: readonly Given[],
  report: Report,
): { readonly values: PlacedValues; readonly unserved: readonly GivenUnserved[] } {
  const values = new Map<string, Placed[]>();
  const unserved: GivenUnserved[] = [];
  for (const each of given) {
    const { word } = each;
    if (!('option' in word)) {
      unserved.push({ ...each, word });
      continue;
    }
    const { option } = word;
    if (option.bare !== undefined && option.off === undefined && each.text === 'false') {
      values.delete(word.name); // YAML's `name: false`: as if it had not been given
      continue;
    }
    const placed = typedValue(option, each, report);
    if (placed === undefined) continue;
    const before = values.get(word.name);
    if (before === undefined) values.set(word.name, [placed]);
    else {
      if (!word.option.many && !each.isInBlock) tellTwice(word.name, before.at(-1)!.at, each.at, report);
      before.push(placed);
    }
  }
  return { values, unserved };
}

/** Twice in one file is a slip more often than a purpose; in two files it is how templates work. */
function tellTwice(name: string, first: string, second: string, report: Report): void {
  const [, file, line] = /^(.*):(\d+)$/.exec(first) ?? [];
  if (file === undefined || first === second || !second.startsWith(`${file}:`)) return;
  if (!/^\d+$/.test(second.slice(file.length + 1))) return;
  report.warnings.push(`${second}: ${name} is given in line ${line} too; the last one counts`);
}

/** A text, or what it stands for: an option with `bare` may stand alone or be true, one with `off` may be false. */
function textOf({ bare, off }: Option, text: string | undefined): string | undefined {
  if (bare !== undefined && (text === undefined || text === '' || text === 'true')) return bare;
  const flag = off === undefined || text === undefined ? undefined : parseFlag(text);
  return flag === undefined ? text : flag ? bare : off;
}

function typedValue(option: Option, given: Given, report: Report): Placed | undefined {
  const { at } = given;
  const text = textOf(option, given.text);
  if (option.kind !== 'flag' && (text === undefined || text === '')) {
    report.problems.push(new ConfigError('CONFIG_MISSING_VALUE', option.name, at, wantedValue(option)));
    return undefined;
  }
  const parsed = parseValue(option, text ?? '');
  if ('wanted' in parsed) {
    report.problems.push(new ConfigError('CONFIG_BAD_VALUE', option.name, at, text ?? '', parsed.wanted));
    return undefined;
  }
  if (parsed.warning !== undefined) report.warnings.push(`${at}: ${parsed.warning}`);
  if (option.always !== undefined && parsed.value === false) {
    report.warnings.push(`${at}: ${option.name} cannot be switched off: ${option.always}`);
  }
  return { value: parsed.value, at };
}

/**
 * The value of every option: what was given, else what `base` has. Lists of `base` grow, in front of all other values
 * the last one given counts.
 */
export function valuesOver(base: Readonly<Record<string, unknown>>, values: PlacedValues): Record<string, unknown> {
  const result = Object.assign(Object.create(null) as Record<string, unknown>, base);
  for (const [name, placed] of values) {
    const given = placed.map(({ value }) => value);
    const before = result[name];
    result[name] = Array.isArray(before) ? Object.freeze([...before, ...given]) : given.at(-1);
  }
  return result;
}

/** What every option is when nobody gives it. */
export const DEFAULTS: Readonly<Record<string, unknown>> = Object.freeze(
  Object.fromEntries((OPTIONS as readonly Option[]).map((o) => [o.name, o.many ? Object.freeze([]) : o.default])),
);

/** The table is what `Config` is derived from, and `DEFAULTS` what fills it: the compiler cannot see that. */
export const asConfig = (values: Record<string, unknown>): Config => Object.freeze(values) as unknown as Config;
