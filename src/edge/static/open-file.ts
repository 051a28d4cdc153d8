// Opens a file for sending, if it is one, and if it lies where it may.
//
// No check is made on a name and used on another look at that name: the object is opened first, with O_PATH, which
//   neither reads it nor wakes a device nor waits for a FIFO's other end; then the kernel is asked, through
//   /proc/self/fd, what was opened and where it really lies; only then is it opened again, through the same
//   descriptor, for reading. Whatever somebody does to links and directories meanwhile cannot change what is sent.
// Nothing blocks: all of it runs in libuv's threads.
// Decided elsewhere: which path (paths.ts), what is answered then (static-files.ts).

import { constants, fstat, open, readlink, type Stats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { closeQuietly } from '../../base/close-quietly.js';
import { isBelow } from './paths.js';

const openAsync = promisify(open);
const fstatAsync = promisify(fstat);
const readlinkAsync = promisify(readlink);

/** O_PATH of Linux, which node:fs has no name for: the same number on x86-64 and arm64. */
const O_PATH = 0o10000000;

/** A directory from which files may be sent, and where it really lies. */
export class Tree {
  /** As configured: absolute, one character per byte, without a slash at its end; so '' is the root of all. */
  readonly path: string;
  #real: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Whether `real`, a path without symbolic links, lies in it. The tree's own path may have links that change, as
   * deployments do ("current" points to the newest release), so it is resolved again before the answer is no.
   */
  async holds(real: string): Promise<boolean> {
    if (this.#real !== undefined && isBelow(real, this.#real)) return true;
    try {
      this.#real = await realpath(Buffer.from(this.path || '/', 'latin1'), 'latin1');
    } catch {
      return false; // it is not there
    }
    return isBelow(real, this.#real);
  }
}

export type Opened =
  /** A regular file, open for reading; `fd` is the caller's to close. `real`: where it lies, without links. */
  | { readonly kind: 'file'; readonly fd: number; readonly stats: Stats; readonly real: string }
  | { readonly kind: 'directory' }
  /** Nothing that can be sent: nothing at all, a FIFO, a device. */
  | { readonly kind: 'missing' }
  /** It lies in none of the trees. */
  | { readonly kind: 'outside'; readonly real: string }
  /** It cannot be opened or looked at: no permission, no descriptors left, a disk that fails. */
  | { readonly kind: 'failed'; readonly error: NodeJS.ErrnoException };

const MISSING: Opened = { kind: 'missing' };
const DIRECTORY: Opened = { kind: 'directory' };
/** What a path means that leads nowhere. EACCES: a directory on the way may not be searched. */
const NOWHERE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES']);

/** Opens `path` if it lies in one of `trees`. Never rejects. */
export async function openFile(path: string, trees: readonly Tree[]): Promise<Opened> {
  let handle: number;
  try {
    handle = await openAsync(Buffer.from(path, 'latin1'), O_PATH);
  } catch (error) {
    return NOWHERE.has((error as NodeJS.ErrnoException).code) ? MISSING : failed(error);
  }
  try {
    const own = `/proc/self/fd/${handle}`;
    const [stats, real] = await Promise.all([fstatAsync(handle), readlinkAsync(own, 'latin1')]);
    if (!stats.isFile() && !stats.isDirectory()) return MISSING;
    if (!(await isInside(real, trees))) return { kind: 'outside', real };
    if (stats.isDirectory()) return DIRECTORY;
    const fd = await openAsync(own, constants.O_RDONLY);
    return { kind: 'file', fd, stats, real };
  } catch (error) {
    return failed(error);
  } finally {
    closeQuietly(handle);
  }
}

const failed = (error: unknown): Opened => ({ kind: 'failed', error: error as NodeJS.ErrnoException });

async function isInside(real: string, trees: readonly Tree[]): Promise<boolean> {
  for (const tree of trees) if (await tree.holds(real)) return true;
  return false;
}
