// uWSGI's magic letters: `%n`, `%d` and their kin in a configuration file stand for parts of the file's own name, and
// for a few facts about the machine. They are replaced in the whole text of a file, before it is read.
//
// Of a letter for the file, the lower case means the file it stands in, the upper case the first file that was read.
// Unlike uWSGI, a `%` that is no magic stays.
// Decided elsewhere: `%(name)` (placeholders.ts), which files are read (files.ts).

import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { availableParallelism, hostname, userInfo } from 'node:os';
import { basename, dirname, extname, resolve } from 'node:path';

/** A configuration file, as the letters need it. */
export interface MagicFile {
  /** As the user wrote it. */
  readonly path: string;
  /** The section that the user asked for. */
  readonly section: string | undefined;
}

const MAGIC = /%([a-zA-Z0-9%[])/g;
const STARTED_AT_MS = Date.now();

/** As uWSGI does it, links in the path are followed, but not when the file itself is one: its name is the link's. */
function absolute(path: string): string {
  try {
    return lstatSync(path).isSymbolicLink() ? resolve(path) : realpathSync(path);
  } catch {
    return resolve(path);
  }
}

const directoryOf = (path: string) => dirname(absolute(path));

/** djb33x of the text, as uWSGI writes it: its four bytes from the lowest to the highest, in hexadecimal. */
function hashOf(text: string): string {
  let hash = 5381;
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 33) ^ byte) >>> 0;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(hash);
  return bytes.toString('hex').toUpperCase();
}

/** The name of the process's group; its number where the system does not tell. */
function groupName(): string {
  const id = String(process.getgid?.());
  try {
    const lines = readFileSync('/etc/group', 'utf8').split('\n');
    return lines.map((line) => line.split(':')).find((fields) => fields[2] === id)?.[0] ?? id;
  } catch {
    return id;
  }
}

function inodeOf(path: string): string {
  try {
    return String(statSync(path).ino);
  } catch {
    return '';
  }
}

// biome-ignore format: a table
const OF_FILE = new Map<string, (file: MagicFile) => string>([
  ['o', ({ path }) => path],
  ['p', ({ path }) => absolute(path)],
  ['s', ({ path }) => basename(path)],
  ['d', ({ path }) => `${directoryOf(path)}/`.replace('//', '/')],
  ['e', ({ path }) => extname(path).slice(1)],
  ['n', ({ path }) => basename(path, extname(path))],
  ['c', ({ path }) => basename(directoryOf(path))],
  ['x', ({ section }) => section ?? ''],
  ['i', ({ path }) => inodeOf(path)],
  ['j', ({ path }) => hashOf(absolute(path))],
]);
// biome-ignore format: a table
const OF_MACHINE = new Map<string, () => string>([
  ['v', () => process.cwd()],
  ['h', () => hostname()],
  ['k', () => String(availableParallelism())],
  ['u', () => String(process.getuid?.())],
  ['U', () => userInfo().username],
  ['g', () => String(process.getgid?.())],
  ['G', groupName],
  ['b', () => process.argv[1] ?? ''],
  ['t', () => String(Math.floor(STARTED_AT_MS / 1000))],
  ['T', () => String(STARTED_AT_MS * 1000)],
  ['[', () => '\x1b'],
  ['%', () => '%'],
]);

/** Replaces the letters in the text of `file`; `first` is the first file that was read. `version` is the server's. */
export function expandMagic(source: string, file: MagicFile, first: MagicFile, version: string): string {
  return source.replace(MAGIC, (whole, letter: string) => {
    const ofMachine = OF_MACHINE.get(letter);
    if (ofMachine !== undefined) return ofMachine();
    if (letter === 'V') return version;
    if (/\d/.test(letter)) return directoryOf(file.path).split('/').filter(Boolean)[Number(letter)] ?? '';
    const ofFile = OF_FILE.get(letter.toLowerCase());
    if (ofFile === undefined) return whole;
    return ofFile(letter === letter.toLowerCase() ? file : first);
  });
}
