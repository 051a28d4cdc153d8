// Who may pass a rule's basicauth: names and passwords, told apart without telling how far a guess was right.
//
// A file of users (htpasswd) holds what crypt(3) makes of passwords, as uWSGI has it: bcrypt, SHA-512, yescrypt and
//   whatever else the C library knows; or {SHA}. crypt takes its time on purpose, so it runs in libuv's threads, only
//   some at once, and a password that was right is remembered, by its keyed hash, until the file changes.
// The file is read at start, and again when it has changed.
// Decided elsewhere: what a client is told (basic-auth.ts).

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { ConfigError } from '../../base/errors.js';
import { cryptPassword, loadCrypt } from './crypt.js';

/** Whether a password is right; 'busy': too many are being looked at. */
export type Judgement = boolean | 'busy';

export interface Users {
  check(name: string, password: string): Judgement | Promise<Judgement>;
}

const digest = (text: string) => createHash('sha256').update(text, 'latin1').digest();
/** Compares in a time that does not depend on where the two differ. */
const isEqual = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));

export const NOBODY: Users = { check: () => false };

/** One user. Both as the bytes of their UTF-8. */
export function oneUser(name: string, password: string): Users {
  return {
    check(givenName, givenPassword) {
      const isName = isEqual(name, givenName);
      const isPassword = isEqual(password, givenPassword);
      return isName && isPassword;
    },
  };
}

/** How often at most the file is looked at. */
const LOOK_EVERY_MS = 1000;
/** Passwords that were right and are remembered. */
const KEPT = 1024;
/** Passwords that may be looked at or wait for it. */
const MOST_WAITING = 64;

export class UserFile implements Users {
  readonly #path: string;
  readonly #at: string;
  readonly #warn: (text: string) => void;
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  #hashes: ReadonlyMap<string, string>;
  #changedMs: number | undefined;
  #lookedAtMs = 0;
  #waiting = 0;

  /** Throws `ConfigError` when the file cannot be read, or has a line that cannot be used. */
  constructor(path: string, at: string, warn: (text: string) => void) {
    this.#path = path;
    this.#at = at;
    this.#warn = warn;
    let source: string;
    try {
      source = readFileSync(path, 'latin1');
    } catch (error) {
      throw new ConfigError('CONFIG_FILE', at, `basicauth: ${(error as Error).message}`);
    }
    const { hashes, problems } = readUsers(source, path);
    if (problems.length > 0) throw new ConfigError('CONFIG_FILE', at, `basicauth: ${problems[0]}`);
    if ([...hashes.values()].some((hash) => !hash.startsWith('{SHA}'))) loadCrypt(at);
    this.#hashes = hashes;
  }

  async check(name: string, password: string): Promise<Judgement> {
    await this.#refresh();
    const hash = this.#hashes.get(name);
    const memory = createHmac('sha256', this.#key).update(`${name}\0${password}\0${hash}`, 'latin1').digest('base64');
    if (hash !== undefined && this.#right.has(memory)) return true;
    if (this.#waiting >= MOST_WAITING) return 'busy';
    this.#waiting++;
    // for an unknown name too, so that the time does not tell which names there are
    const found = hash ?? this.#hashes.values().next().value ?? '{SHA}';
    const isRight = await matches(password, found).finally(() => this.#waiting--);
    if (!isRight || hash === undefined) return false;
    if (this.#right.size >= KEPT) this.#right.clear();
    this.#right.add(memory);
    return true;
  }

  /** Reads the file again when it has changed. What cannot be read or used leaves everything as it is. */
  async #refresh(): Promise<void> {
    const now = performance.now();
    if (now - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = now;
    try {
      const { mtimeMs } = await stat(this.#path);
      if (mtimeMs === this.#changedMs) return;
      const { hashes, problems } = readUsers(await readFile(this.#path, 'latin1'), this.#path);
      for (const problem of problems) this.#warn(`WARNING: ${this.#at}: basicauth: ${problem}`);
      if ([...hashes.values()].some((hash) => !hash.startsWith('{SHA}'))) loadCrypt(this.#at);
      this.#hashes = hashes;
      this.#changedMs = mtimeMs;
      this.#right.clear();
    } catch (error) {
      this.#warn(`WARNING: ${this.#at}: basicauth: ${(error as Error).message}; what was read before still holds`);
    }
  }
}

/** `NAME:HASH` lines. Nothing of a hash gets into a problem. */
export function readUsers(source: string, path: string): { hashes: Map<string, string>; problems: string[] } {
  const hashes = new Map<string, string>();
  const problems: string[] = [];
  for (const [index, raw] of source.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [name = '', hash = ''] = line.split(':');
    const problem = name === '' ? 'a line is NAME:HASH' : problemOf(hash);
    if (problem === undefined) hashes.set(name, hash);
    else problems.push(`${path}:${index + 1}: ${problem}`);
  }
  return { hashes, problems };
}

function problemOf(hash: string): string | undefined {
  if (hash.startsWith('$apr1$')) return 'this is the MD5 of Apache alone; make the line with htpasswd -B';
  if (/^\{SHA\}[A-Za-z0-9+/=]{28}$/.test(hash) || /^\$[0-9a-z]+\$./.test(hash)) return undefined;
  if (/^[./0-9A-Za-z]{13}$/.test(hash)) return undefined; // DES
  return 'this is no hash that crypt(3) knows; make the line with htpasswd -B';
}

async function matches(password: string, hash: string): Promise<boolean> {
  if (hash.startsWith('{SHA}')) {
    return isEqual(hash, `{SHA}${createHash('sha1').update(password, 'latin1').digest('base64')}`);
  }
  const result = await cryptPassword(password, hash);
  return result !== undefined && isEqual(result, hash);
}
