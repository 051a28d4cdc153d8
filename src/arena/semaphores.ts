// Counting semaphores in shared memory, in the two forms the two kinds of worker can wait on.
//
// Why two: a CPython process can only sleep in a POSIX `sem_wait`, a JS thread only in `Atomics.wait` or `waitAsync`.
//   Here is the form for threads, and what both share; process-semaphores.ts has the other.
// Why they claim as well as wake: `tryTake` succeeds once per post, whoever calls it, worker or accept thread.
//   request-ring.ts builds "no request starts twice" on that.
// What a post costs without a sleeper is measured in native-bench/micro/semaphore.ts.
// Decided elsewhere: the words they live in (layout.ts), the pages a `sem_t` needs (shared-pages.ts).

/** Semaphores named by the index of their first word. */
export interface Semaphores {
  /** Sets the count to 0 and forgets who waited. Only while no other thread or process uses it. */
  reset(word: number): void;
  /** Adds one and wakes one waiter. */
  post(word: number): void;
  /** Adds one, where nobody ever waits: there is no need to look for whom to wake. */
  add(word: number): void;
  /** Takes one if there is one. Never waits. */
  tryTake(word: number): boolean;
}

/** Counted in a word by Atomics; how a waiter is woken is the subclass's matter. */
export abstract class WordSemaphores implements Semaphores {
  protected readonly words: Int32Array<SharedArrayBuffer>;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.words = words;
  }

  abstract reset(word: number): void;
  /** Wakes one waiter, if there is one. */
  protected abstract wake(word: number): void;

  post(word: number): void {
    this.add(word);
    this.wake(word);
  }

  add(word: number): void {
    Atomics.add(this.words, word, 1);
  }

  tryTake(word: number): boolean {
    for (;;) {
      const count = Atomics.load(this.words, word);
      if (count <= 0) return false;
      if (Atomics.compareExchange(this.words, word, count, count - 1) === count) return true;
    }
  }
}

/** The form for JS threads: a plain counter. */
export class AtomicSemaphores extends WordSemaphores {
  override reset(word: number): void {
    Atomics.store(this.words, word, 0);
  }

  protected override wake(word: number): void {
    Atomics.notify(this.words, word, 1);
  }
}
