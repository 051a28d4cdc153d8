// Opens the file that a long request body is kept in: one that has no name, so that it is gone when nobody has it open.
//
// Linux makes such files (O_TMPFILE), on most file systems. On the others (NFS, some overlays) the file gets a name, which is
//   removed at once: there a server that is killed between the two leaves an empty file behind.
// Decided elsewhere: which body, and in which directory (request-body.ts); who closes the file (client-exchange.ts).

import { randomBytes } from 'node:crypto';
import { constants, open, unlink } from 'node:fs';
import { join } from 'node:path';
import { closeQuietly } from '../base/close-quietly.js';

/**
 * open(2): O_TMPFILE contains O_DIRECTORY, which differs between x86-64 and arm64; the rest does not. node:fs has no
 * name for it. O_EXCL: nobody can give the file a name later.
 */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY | constants.O_EXCL | constants.O_RDWR;
/** For its owner alone. */
const MODE = 0o600;

export type SpoolFileDone = (error: Error | null, fd: number) => void;

/** Opens an empty file in `directory` for reading and writing. `done` gets its descriptor, which is the receiver's to close. */
export function openSpoolFile(directory: string, done: SpoolFileDone): void {
  open(directory, NAMELESS, MODE, (error, fd) => {
    if (error === null) done(null, fd);
    else openNamed(directory, done); // which fails too, and says why, unless it was this kind of file
  });
}

function openNamed(directory: string, done: SpoolFileDone): void {
  const path = join(directory, `nuwsgi-body-${randomBytes(12).toString('hex')}`);
  open(path, 'wx+', MODE, (error, fd) => {
    if (error !== null) {
      done(error, -1);
      return;
    }
    unlink(path, (error) => {
      if (error !== null) closeQuietly(fd);
      done(error, error === null ? fd : -1);
    });
  });
}
