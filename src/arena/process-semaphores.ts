// Semaphores that CPython processes wait on (POSIX, process-shared), as the accept thread posts and takes them.
//
// glibc's `sem_post` reads from the semaphore how to wake its waiters, and ends the process when the kernel does not
//   understand it; or blocks, when it understands something else. So a worker that writes over the arena could end the
//   server. And most posts wake nobody, for which a call through koffi is a high price. So the accept thread counts by
//   Atomics, which the C library's own instructions on the same word cannot tell from theirs, and makes the system call
//   itself, only when somebody sleeps. Measured: native-bench/micro/semaphore.ts.
// What that relies on: the word that counts and the one that counts the sleepers (glibc 2.21 and newer, 64 bit, little
//   endian). It is looked at when the pages are made, and the self-test (arena.ts) tries it between the two processes.
//   Where it is not so, as with musl, the C library is called; its `sem_post` ignores what the kernel says.
// Decided elsewhere: when they are used (semaphores.ts), the words they live in (layout.ts).

import { type Semaphores, WordSemaphores } from './semaphores.js';

/** What is called in the C library. All take addresses as numbers. */
export interface SemaphoreCalls {
  sem_init(at: number, shared: number, value: number): number;
  sem_post(at: number): number;
  sem_trywait(at: number): number;
  syscall(number: number, at: number, operation: number, value: number): number;
}

/** Memory that both sides map: its words, and where it lies in this process. */
export interface SharedWords {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly address: number;
}

const WORD_BYTES = 4;
/** FUTEX_WAKE without FUTEX_PRIVATE_FLAG: the sleepers are in other processes. */
const FUTEX_WAKE = 1;
/** SYS_futex by machine. */
const FUTEX: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 202, arm64: 98 };
/** A value for a look at how the C library writes it. */
const PROBE_VALUE = 0x123456;

/** Counted by Atomics: see above. */
class FutexSemaphores extends WordSemaphores {
  readonly #calls: SemaphoreCalls;
  readonly #address: number;
  readonly #futex: number;

  constructor({ words, address }: SharedWords, calls: SemaphoreCalls, futex: number) {
    super(words);
    this.#calls = calls;
    this.#address = address;
    this.#futex = futex;
  }

  override reset(word: number): void {
    this.#calls.sem_init(this.#address + word * WORD_BYTES, 1, 0); // also what its waiters need to know
  }

  protected override wake(word: number): void {
    // The sleeper counts itself in the step in which it sees 0: either it saw the post, or it is seen here.
    if (Atomics.load(this.words, word + 1) === 0) return;
    this.#calls.syscall(this.#futex, this.#address + word * WORD_BYTES, FUTEX_WAKE, 1);
  }
}

/** Counted by the C library. */
export class LibrarySemaphores implements Semaphores {
  readonly #calls: SemaphoreCalls;
  readonly #address: number;

  constructor({ address }: SharedWords, calls: SemaphoreCalls) {
    this.#calls = calls;
    this.#address = address;
  }

  reset(word: number): void {
    this.#calls.sem_init(this.#address + word * WORD_BYTES, 1, 0);
  }

  post(word: number): void {
    this.#calls.sem_post(this.#address + word * WORD_BYTES);
  }

  add(word: number): void {
    this.post(word);
  }

  tryTake(word: number): boolean {
    return this.#calls.sem_trywait(this.#address + word * WORD_BYTES) === 0;
  }
}

/** The semaphores for `memory`, in the form that suits this machine and C library. `probe`: one that nobody uses yet. */
export function processSemaphores(memory: SharedWords, calls: SemaphoreCalls, isGlibc: boolean, probe: number) {
  const futex = FUTEX[process.arch];
  calls.sem_init(memory.address + probe * WORD_BYTES, 1, PROBE_VALUE);
  const countsWhereExpected = memory.words[probe] === PROBE_VALUE && memory.words[probe + 1] === 0;
  if (!isGlibc || futex === undefined || !countsWhereExpected) return new LibrarySemaphores(memory, calls);
  return new FutexSemaphores(memory, calls, futex);
}
