// Gives memory that malloc holds for later back to the kernel.
//
// Why: glibc keeps a heap per thread and gives back only what lies free at its end. A thread that has ended leaves its heap
//   behind, often some 30 MiB of buffers of the app's, all free, for a thread that may come: every worker that is
//   replaced could make the server larger by that, up to eight such heaps per processor.
// What it costs: malloc_trim holds the lock of one heap after the other while it hands out their pages. It runs in a
//   thread of libuv's pool, so the accept thread waits only if it wants memory of its own heap at that moment
//   (native-bench/micro/free-memory.ts).
// Decided elsewhere: when it is worth that (dispatch/pool.ts).

import { loadNative } from './native.js';

/** Threads that end together, as in a reload, are seen to at once. */
const REST_MS = 1000;

type Trim = { async(padBytes: number, done: () => void): void };

/** undefined: not looked for yet; null: this C library does not know it (musl), and keeps no heaps of threads. */
let trim: Trim | null | undefined;
let isDue = false;

/** To be called before the first need: koffi takes some milliseconds to load. */
export function prepareToGiveBack(): void {
  if (trim !== undefined) return;
  try {
    trim = loadNative().libc.func('int malloc_trim(size_t padBytes)') as Trim;
  } catch {
    trim = null;
  }
}

/** Gives back what malloc has free, in all its heaps. Calls `done` afterwards; at once, if that cannot be had here. */
export function giveMemoryBackNow(done: () => void): void {
  prepareToGiveBack();
  if (trim) trim.async(0, done);
  else done();
}

/** The same, in a moment. */
export function giveMemoryBack(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    giveMemoryBackNow(() => {});
  }, REST_MS).unref();
}
