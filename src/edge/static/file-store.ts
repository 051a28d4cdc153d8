// The files that were asked for: opened when they are large, kept in memory when they are small.
//
// A file in memory is looked at once, by one stat, before it is sent again: when it is still the same inode with the
//   same size and times, what was found out about it holds, and so do its bytes. That is one trip to the disk's threads
//   in place of six. What it buys: native-bench/micro/static-file.ts.
// A file that changed a moment ago is not kept: its times are as coarse as the kernel's clock tick, and a second change
//   within the tick would not show.
// With static-cache-paths nothing is looked at for so long, neither what was found nor what was not.
// Memory is bounded: by bytes, and by the number of names, which clients choose.

import { read, type Stats, stat } from 'node:fs';
import { promisify } from 'node:util';
import createEtag from 'etag';
import { closeQuietly } from '../../base/close-quietly.js';
import { type Opened, openFile, type Tree } from './open-file.js';

const readAsync = promisify(read);
const statAsync = promisify(stat);

/** The longest file that is kept, and all of them together. */
const SMALL_BYTES = 256 << 10;
const KEPT_BYTES = 32 << 20;
/** Names that are remembered: with their files, or as missing. */
const KEPT_NAMES = 4096;
/** For so long after a change a file is not kept. */
const SETTLED_MS = 100;

/** A regular file. */
export interface StoredFile {
  readonly size: number;
  readonly mtimeMs: number;
  readonly etag: string;
  readonly lastModified: string;
  /** Where it really lies. */
  readonly real: string;
  /** All of it; undefined: it is read through `fd`. */
  readonly content: Buffer | undefined;
  /** Open for reading, the receiver's to close; -1 where there is `content`. */
  readonly fd: number;
}

export type Stored = { readonly kind: 'file'; readonly file: StoredFile } | Exclude<Opened, { kind: 'file' }>;

interface Entry {
  readonly stored: Stored;
  readonly stats: Stats | undefined;
  checkedAtMs: number;
}

const MISSING: Stored = { kind: 'missing' };

export class FileStore {
  readonly #trustMs: number;
  /** The one used longest ago comes first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** `trustMs`: for how long what was found is not looked at again (static-cache-paths). */
  constructor(trustMs: number) {
    this.#trustMs = trustMs;
  }

  /**
   * The file at `path`, which must lie in `root` or one of the `safe` trees: at once when it need not be looked at.
   * Never rejects.
   */
  get(path: string, root: Tree, safe: readonly Tree[]): Stored | Promise<Stored> {
    const key = keyOf(path, root);
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#open(key, path, root, safe);
    if (performance.now() - entry.checkedAtMs < this.#trustMs) return entry.stored;
    return this.#check(entry, key, path, root, safe);
  }

  /** Looks whether what is known still holds. */
  async #check(entry: Entry, key: string, path: string, root: Tree, safe: readonly Tree[]): Promise<Stored> {
    const now = performance.now();
    const holds = entry.stats !== undefined && (await isUnchanged(path, entry.stats));
    if (this.#entries.get(key) === entry) {
      this.#forget(key);
      if (holds) {
        entry.checkedAtMs = now;
        this.#keep(key, entry); // at the end: it was used last
      }
    }
    return holds ? entry.stored : this.#open(key, path, root, safe);
  }

  async #open(key: string, path: string, root: Tree, safe: readonly Tree[]): Promise<Stored> {
    const now = performance.now();
    const opened = await openFile(path, [root, ...safe]);
    if (opened.kind !== 'file') {
      if (opened.kind !== 'failed' && this.#trustMs > 0)
        this.#keep(key, { stored: opened, stats: undefined, checkedAtMs: now });
      return opened;
    }
    const { fd, stats, real } = opened;
    const { size, mtimeMs } = stats;
    const facts = {
      size,
      mtimeMs,
      etag: createEtag(stats, { weak: false }),
      lastModified: stats.mtime.toUTCString(),
      real,
    };
    if (size > SMALL_BYTES) return { kind: 'file', file: { ...facts, content: undefined, fd } };
    const content = await readWhole(fd, size);
    closeQuietly(fd);
    if (content === undefined) return MISSING; // it is being truncated
    const stored: Stored = { kind: 'file', file: { ...facts, content, fd: -1 } };
    if (Date.now() - stats.ctimeMs > SETTLED_MS) this.#keep(key, { stored, stats, checkedAtMs: now });
    return stored;
  }

  #keep(key: string, entry: Entry): void {
    this.#forget(key);
    this.#entries.set(key, entry);
    this.#bytes += bytesOf(entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= KEPT_BYTES && this.#entries.size <= KEPT_NAMES) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= bytesOf(entry);
  }
}

/** The same path below another root may be outside of it. */
const keyOf = (path: string, root: Tree) => `${root.path}\0${path}`;

function bytesOf({ stored }: Entry): number {
  return stored.kind === 'file' ? stored.file.size : 0;
}

async function isUnchanged(path: string, before: Stats): Promise<boolean> {
  try {
    const now = await statAsync(Buffer.from(path, 'latin1'));
    return (
      now.ino === before.ino &&
      now.dev === before.dev &&
      now.size === before.size &&
      now.mtimeMs === before.mtimeMs &&
      now.ctimeMs === before.ctimeMs
    );
  } catch {
    return false;
  }
}

/** The first `size` bytes; undefined when there are fewer, or they cannot be read. */
async function readWhole(fd: number, size: number): Promise<Buffer | undefined> {
  const content = Buffer.allocUnsafeSlow(size);
  try {
    for (let at = 0; at < size; ) {
      const { bytesRead } = await readAsync(fd, content, at, size - at, at);
      if (bytesRead === 0) return undefined;
      at += bytesRead;
    }
    return content;
  } catch {
    return undefined;
  }
}
