// uWSGI's logic in configuration: `for = a b c` ... `endfor`, `if-env = X` ... `else` ... `endif`.
//
// As in uWSGI a block works on one option at a time: each option in it is repeated for every item before the next one
//   is looked at; `%(_)` is the item, or what the condition found. Blocks cannot stand in blocks.
// Decided elsewhere: where blocks are looked for (collect.ts).

import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { globSync } from 'tinyglobby';
import { isBuiltIn } from './plugins.js';

/** What conditions are about. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The text of an option or placeholder that was set before. */
  definition(name: string): string | undefined;
}

/** In the environment: how often the configuration has been read again, and an upgraded server been started, as in uWSGI. */
export const RELOADS_VARIABLE = 'UWSGI_RELOADS';

/** `environment` for a process that reads the configuration once more. */
export const afterReload = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...environment,
  [RELOADS_VARIABLE]: String(reloadsIn(environment) + 1),
});

const reloadsIn = (environment: NodeJS.ProcessEnv) => Number(environment[RELOADS_VARIABLE] ?? 0) || 0;

/** The names that end a block; each may end both kinds, as in uWSGI. */
export const BLOCK_ENDS: ReadonlySet<string> = new Set(['endfor', 'endif']);
export const ELSE = 'else';

/** What stands for `%(_)`, or undefined when the condition does not hold. */
type Condition = (argument: string, around: Surroundings) => string | undefined;

function kindOf(path: string): 'file' | 'directory' | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? 'directory' : stats === undefined ? undefined : 'file';
}

/** `NAME` holds when it is set, `NAME=VALUE` when it is set to that. */
function isSet(argument: string, textOf: (name: string) => string | undefined): string | undefined {
  const equals = argument.indexOf('=');
  const value = textOf(equals < 0 ? argument : argument.slice(0, equals));
  return equals < 0 || value === argument.slice(equals + 1) ? value : undefined;
}

const when = (holds: boolean, item: string) => (holds ? item : undefined);

// biome-ignore format: a table
const CONDITIONS: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ['env',            (argument, { env }) => isSet(argument, (name) => env[name])],
  ['opt',            (argument, { definition }) => isSet(argument, definition)],
  ['exists',         (argument) => when(kindOf(argument) !== undefined, argument)],
  ['file',           (argument) => when(kindOf(argument) === 'file', argument)],
  ['dir',            (argument) => when(kindOf(argument) === 'directory', argument)],
  ['hostname',       (argument) => when(hostname() === argument, argument)],
  ['hostname-match', (argument) => when(new RegExp(argument).test(hostname()), argument)],
  ['plugin',         (argument) => when(isBuiltIn(argument), argument)],
  ['reload',         (_, { env }) => when(reloadsIn(env) > 0, '')],
]);

// biome-ignore format: a table
const LOOPS: ReadonlyMap<string, (argument: string) => readonly string[]> = new Map<string, (argument: string) => readonly string[]>([
  ['for',          (argument) => argument.split(' ').filter((item) => item !== '')],
  ['for-times',    (argument) => Array.from({ length: timesOf(argument) }, (_, i) => String(i + 1))],
  ['for-glob',     filesLike],
  ['for-readline', (argument) => readFileSync(argument, 'utf8').replace(/\r?\n$/, '').split(/\r?\n/)],
]);
/** More is a slip of typing. */
const MOST_TIMES = 65536;

function timesOf(argument: string): number {
  if (/^\d+$/.test(argument) && Number(argument) <= MOST_TIMES) return Number(argument);
  throw new Error(`"${argument}" is no number of times, from 0 to ${MOST_TIMES}`);
}

/** The files and directories that a pattern fits, sorted, directories with a slash behind; the pattern where none does. */
function filesLike(pattern: string): readonly string[] {
  const found = globSync(pattern, { onlyFiles: false, expandDirectories: false, absolute: pattern.startsWith('/') });
  return found.length === 0 ? [pattern] : found.sort();
}

/** What a block is: a loop over items, or a condition. */
export interface Block {
  /** The option that opened it, and where. */
  readonly name: string;
  readonly at: string;
  /** What `%(_)` is, once per repetition; empty when the condition does not hold. */
  readonly items: readonly string[];
  readonly isLoop: boolean;
  /** Its `else` has been. */
  readonly isElse?: true;
}

/** Whether the option called `name` opens a block. */
export const opensBlock = (name: string): boolean => LOOPS.has(name) || name.startsWith('if-');

/** Opens the block that `name = argument` begins. Throws an `Error` when the argument cannot be used. */
export function openBlock(name: string, argument: string, at: string, around: Surroundings): Block {
  const loop = LOOPS.get(name);
  if (loop !== undefined) return { name, at, items: loop(argument), isLoop: true };
  const isNegative = name.startsWith('if-not-');
  const condition = CONDITIONS.get(name.slice(isNegative ? 'if-not-'.length : 'if-'.length))!;
  const found = condition(argument, around);
  const holds = (found !== undefined) !== isNegative;
  return { name, at, items: holds ? [found ?? argument] : [], isLoop: false };
}

/** The block behind `else`: it counts when the condition did not hold. */
export const elseOf = (block: Block): Block => ({
  ...block,
  items: block.items.length === 0 ? ['%(_)'] : [],
  isElse: true,
});

/** `text` with the item of its block put in. */
export const withItem = (text: string | undefined, item: string) => text?.replaceAll('%(_)', () => item);
