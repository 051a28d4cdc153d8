// The C library of this process, through koffi (prebuilt FFI): for what Node has no call for.
//
// Loaded when something needs it and not before; a machine for which koffi has no binary does without what it is for, where
//   there is another way.
// Decided elsewhere: which functions are called, and what a failure of theirs means (arena/, listeners/).

import { createRequire } from 'node:module';

type Koffi = typeof import('koffi').default;

export interface Native {
  readonly koffi: Koffi;
  readonly libc: ReturnType<Koffi['load']>;
}

let native: Native | undefined;

/** Throws the error of `require` when koffi has no binary for this machine. */
export function loadNative(): Native {
  if (native === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    native = { koffi, libc: koffi.load(null) };
  }
  return native;
}

/**
 * Ends this process, as `_exit(2)` does. `process.exit` waits for the threads that read and write files: one of them may be
 * held in a system call for ever by what an app does (open a FIFO that nobody writes to, read from a dead NFS server).
 * Returns only when koffi has no binary for this machine.
 */
export function exitWithoutThreads(code: number): void {
  try {
    loadNative().libc.func('void _exit(int status)')(code);
  } catch {
    // then it takes the time it takes
  }
}
