// Memory that JS threads and CPython processes see at once: a SharedArrayBuffer whose pages are those of a memfd.
//
// Why this way: V8 makes the SharedArrayBuffer, then the page-aligned inside of it is mapped anew, shared, onto a memfd
//   that child processes inherit and map too. JS goes on using an ordinary buffer; nothing is copied between the two.
// Rules that keep it safe: only whole pages inside the buffer are replaced; the buffer stays referenced for the life of
//   the process; every return value is checked.
// The price: one native library (koffi, prebuilt), loaded here and only when a Python app is served.
// Decided elsewhere: what lies in the pages (layout.ts).

import { ServerFault } from '../base/errors.js';
import { loadNative, type Native } from '../base/native.js';
import { SEMAPHORE_WORDS } from './layout.js';
import { LibrarySemaphores, processSemaphores, type SemaphoreCalls } from './process-semaphores.js';
import type { Semaphores } from './semaphores.js';

const PAGE_BYTES = 4096;
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED_FIXED = 0x01 | 0x10;
const MFD_CLOEXEC = 1;
const O_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const PR_SET_DUMPABLE = 4;

interface Libc extends SemaphoreCalls {
  readonly isGlibc: boolean;
  address(view: Uint8Array): number;
  memfd_create(name: string, flags: number): number;
  ftruncate(fd: number, bytes: number): number;
  mmap(at: number, bytes: number, prot: number, flags: number, fd: number, offset: number): number;
  pipe2(fds: Int32Array, flags: number): number;
  prctl(option: number, value: number): number;
  errno(): number;
}

let libc: Libc | undefined;

/** The C library of this process, through koffi. Throws `ServerFault` SERVER_SHARED_MEMORY when koffi cannot be loaded. */
function loadLibc(): Libc {
  if (libc) return libc;
  let native: Native;
  try {
    native = loadNative();
  } catch (cause) {
    throw new ServerFault('SERVER_SHARED_MEMORY', 'load koffi', `${(cause as Error).message} (Python apps need it)`);
  }
  const { koffi, libc: self } = native;
  libc = {
    address: (view) => Number(koffi.address(view)),
    memfd_create: self.func('int memfd_create(const char *name, unsigned int flags)'),
    ftruncate: self.func('int ftruncate(int fd, int64_t bytes)'),
    mmap: self.func('intptr_t mmap(uintptr_t at, size_t bytes, int prot, int flags, int fd, int64_t offset)'),
    pipe2: self.func('int pipe2(_Out_ int *fds, int flags)'),
    prctl: self.func('int prctl(int option, unsigned long value)'),
    sem_init: self.func('int sem_init(uintptr_t at, int shared, unsigned int value)'),
    sem_post: self.func('int sem_post(uintptr_t at)'),
    sem_trywait: self.func('int sem_trywait(uintptr_t at)'),
    syscall: self.func('long syscall(long number, uintptr_t at, long operation, long value)'),
    isGlibc: has(() => self.func('const char *gnu_get_libc_version()')),
    errno: () => koffi.errno(),
  };
  return libc;
}

function has(find: () => unknown): boolean {
  try {
    find();
    return true;
  } catch {
    return false;
  }
}

function must(c: Libc, step: string, result: number): number {
  if (result === -1) throw new ServerFault('SERVER_SHARED_MEMORY', step, `errno ${c.errno()}`);
  return result;
}

export interface SharedPages {
  readonly buffer: SharedArrayBuffer;
  /** Where the shared part starts in `buffer`, in bytes. */
  readonly start: number;
  /** The memfd, to be passed to child processes; page 0 of it is byte `start` of `buffer`. */
  readonly fd: number;
  readonly semaphores: Semaphores;
}

/** 'library': the C library counts, even where it need not. */
export type SemaphoreForm = 'best' | 'library';

/**
 * Makes `bytes` of zeroed shared memory. Untouched pages cost nothing, so `bytes` may be generous.
 * Throws `ServerFault` SERVER_SHARED_MEMORY, naming the step that failed.
 */
export function createSharedPages(bytes: number, form: SemaphoreForm = 'best'): SharedPages {
  const c = loadLibc();
  const length = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  let buffer: SharedArrayBuffer;
  try {
    buffer = new SharedArrayBuffer(length + PAGE_BYTES);
  } catch (cause) {
    throw new ServerFault('SERVER_SHARED_MEMORY', `reserve ${length} bytes`, (cause as Error).message);
  }
  const address = c.address(new Uint8Array(buffer));
  const start = (PAGE_BYTES - (address % PAGE_BYTES)) % PAGE_BYTES;
  const fd = must(c, 'memfd_create', c.memfd_create('nuwsgi-arena', MFD_CLOEXEC));
  must(c, 'ftruncate', c.ftruncate(fd, length));
  const mapped = must(c, 'mmap', c.mmap(address + start, length, PROT_READ_WRITE, MAP_SHARED_FIXED, fd, 0));
  if (mapped !== address + start)
    throw new ServerFault('SERVER_SHARED_MEMORY', 'mmap', 'the pages came to lie elsewhere');
  const words = new Int32Array(buffer, start, length / Int32Array.BYTES_PER_ELEMENT);
  const memory = { words, address: address + start };
  const semaphores = form === 'library' ? new LibrarySemaphores(memory, c) : processSemaphores(memory, c, c.isGlibc, 0);
  words.fill(0, 0, SEMAPHORE_WORDS); // where the form of the semaphores was tried
  return { buffer, start, fd, semaphores };
}

/** A pipe that neither side blocks on: bytes that child processes write wake the accept thread. */
export function createDoorbellPipe(): { readonly readFd: number; readonly writeFd: number } {
  const c = loadLibc();
  const fds = new Int32Array(2);
  must(c, 'pipe2', c.pipe2(fds, O_NONBLOCK_CLOEXEC));
  return { readFd: fds[0]!, writeFd: fds[1]! };
}

/** Lets workers with the same user open this process's descriptors under /proc, which a change of user switches off. */
export function allowProcAccess(): void {
  const c = loadLibc();
  must(c, 'prctl', c.prctl(PR_SET_DUMPABLE, 1));
}
