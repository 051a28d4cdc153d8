// The file of a UNIX socket: making room for it, its permissions and owner, and its end.
//
// A file that a server left behind (nobody answers there) is replaced; one behind which a server listens, or that is no
//   socket at all, is an error: uWSGI and uWebSockets.js would delete either without a word.
// The permissions are never wider than asked for: the umask is narrowed while the file is made, and chmod follows.
// At the end the file goes, unless another server has put its own there meanwhile, or a successor listens on the socket.
// Decided elsewhere: which permissions (config/), messages (bind.ts), who binds (bind.ts, http-uws.ts).

import { chmodSync, chownSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

export interface FileRights {
  /** Permission bits; undefined: what the umask leaves. */
  readonly mode: number | undefined;
  /** -1: stays as it is. */
  readonly uid: number;
  readonly gid: number;
}

/** What lies at the path of a socket that is to be. */
export type Occupant = 'nothing' | 'a stale socket' | 'a live socket' | 'a file that is no socket';

/** Looks what is at `path`; a socket is tried. Rejects with the error of a socket that cannot be tried. */
export async function occupantOf(path: string): Promise<Occupant> {
  const stats = statOf(path);
  if (stats === undefined) return 'nothing';
  if (!stats.isSocket()) return 'a file that is no socket';
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('a live socket');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve('a stale socket');
      else if (error.code === 'ENOENT') resolve('nothing');
      // its queue is full, or it is no stream: somebody has it open
      else if (error.code === 'EAGAIN' || error.code === 'EPROTOTYPE') resolve('a live socket');
      else reject(error);
    });
  });
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

export class SocketFile {
  readonly #path: string;
  readonly #rights: FileRights;
  /** What identifies the file that was made; undefined before, and after the end. */
  #made: { readonly dev: number; readonly ino: number } | undefined;

  constructor(path: string, rights: FileRights) {
    this.#path = path;
    this.#rights = rights;
  }

  /** Calls `bind`, which makes the file without returning to the event loop, under a umask that leaves no more than asked. */
  create<T>(bind: () => T): T {
    const { mode } = this.#rights;
    const before = process.umask();
    if (mode !== undefined) process.umask(before | (0o777 & ~mode));
    try {
      return bind();
    } finally {
      process.umask(before);
    }
  }

  /**
   * To be called when the file is there. Throws the errors of chmod and chown, which are not asked for what is so
   * already: a successor may have fewer rights than who made the file.
   */
  settle(): void {
    const { mode = 0o777 & ~process.umask(), uid, gid } = this.#rights;
    const is = lstatSync(this.#path);
    if ((uid >= 0 && uid !== is.uid) || (gid >= 0 && gid !== is.gid)) chownSync(this.#path, uid, gid);
    if ((is.mode & 0o777) !== mode) chmodSync(this.#path, mode); // uWebSockets.js makes it 700
    this.#made = { dev: is.dev, ino: is.ino };
  }

  /** Whether the file is there, and still the one that was made. */
  get isOurs(): boolean {
    const stats = statOf(this.#path);
    return this.#made !== undefined && stats?.ino === this.#made.ino && stats.dev === this.#made.dev;
  }

  /** Deletes the file, unless it is another server's by now. To be called when the socket has been closed. */
  remove(): void {
    const isOurs = this.isOurs;
    this.#made = undefined;
    if (isOurs) quietly(() => unlinkSync(this.#path));
  }
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // it has gone already, or the directory is no longer ours: a stale file harms nobody
  }
}
