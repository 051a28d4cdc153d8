// Closing descriptors whose contents nobody waits for any more.
//
// Why not `fs.close(fd)`: without a callback Node throws what goes wrong where nobody can catch it, which ends the server.
//   And it can go wrong at any time: a file on NFS hands in at its close what it owes (EIO, EDQUOT).
// Linux closes the descriptor in any case (close(2)), so there is nothing left to be done about it.

import { close } from 'node:fs';

/** Closes `fd`, later, in one of libuv's threads; -1: there is none. What goes wrong is ignored. */
export function closeQuietly(fd: number): void {
  if (fd >= 0) close(fd, ignore);
}

function ignore(): void {}
