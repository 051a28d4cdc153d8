// What stands for something else: `$(HOME)` for a variable of the environment, `%(name)` for an option or placeholder
// set before, and in files `%d`, `%n` and their kin for parts of the file's own name.
//
// As in uWSGI, `%(name)` that stands for nothing stays as it is (a log format is full of them), and the letters are
//   replaced in the whole text of a file before it is read. A `%` that is no magic stays here; uWSGI removes it.
// Not there yet: `@(file)`, arithmetic in `%(a + 1)`, for and if blocks, and uWSGI's rarer letters.
// Decided elsewhere: when a name counts as a placeholder (gather.ts).

import { availableParallelism, hostname } from 'node:os';
import { basename, dirname, extname, resolve } from 'node:path';

const ENVIRONMENT = /\$\(([^)]+)\)/g;
const NAMED = /%\(([^)]+)\)/g;
const MAGIC = /%([a-zA-Z%])/g;

/** The names that `text` refers to. */
export function namesIn(text: string): string[] {
  return Array.from(text.matchAll(NAMED), (match) => match[1]!);
}

/** Replaces what the environment and `named` know, and leaves the rest. */
export function expand(text: string, env: NodeJS.ProcessEnv, named: ReadonlyMap<string, string>): string {
  return text
    .replace(ENVIRONMENT, (whole, name: string) => env[name] ?? whole)
    .replace(NAMED, (whole, name: string) => named.get(name) ?? whole);
}

// biome-ignore format: a table
const OF_FILE = new Map<string, (path: string) => string>([
  ['o', (path) => path],
  ['p', (path) => resolve(path)],
  ['s', (path) => basename(path)],
  ['d', (path) => `${dirname(resolve(path))}/`.replace('//', '/')],
  ['e', (path) => extname(path).slice(1)],
  ['n', (path) => basename(path, extname(path))],
  ['c', (path) => basename(dirname(resolve(path)))],
]);
// biome-ignore format: a table
const OF_MACHINE = new Map<string, () => string>([
  ['v', () => process.cwd()],
  ['h', () => hostname()],
  ['k', () => String(availableParallelism())],
  ['u', () => String(process.getuid?.())],
  ['g', () => String(process.getgid?.())],
  ['%', () => '%'],
]);

/** Replaces magic letters in the text of a file: lower case for `path`, upper case for the first file that was read. */
export function expandMagic(source: string, path: string, firstPath: string): string {
  return source.replace(MAGIC, (whole, letter: string) => {
    const ofFile = OF_FILE.get(letter.toLowerCase());
    if (ofFile !== undefined) return ofFile(letter === letter.toLowerCase() ? path : firstPath);
    return OF_MACHINE.get(letter)?.() ?? whole;
  });
}
