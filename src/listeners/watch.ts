// Looks after what must make progress: heads and bodies that come in more than one piece.
//
// One timer for all of them, that runs only while there are any: a timer for each would cost every request one, and
//   nearly all are whole at once and never get here.
// Decided elsewhere: what is too slow (request-body.ts, uwsgi.ts).

/** Something on its way in. */
export interface Watched {
  /** Its head has come: it is a request on its way, and not only what may become one. */
  readonly isRequest: boolean;
  /** Called every WATCH_MS until it is deleted. `nowMs` is on the clock of performance.now(). */
  check(nowMs: number): void;
}

export const WATCH_MS = 1000;

export class Watch {
  readonly #items = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  /** How many requests are on their way. */
  get requests(): number {
    let count = 0;
    for (const { isRequest } of this.#items) if (isRequest) count++;
    return count;
  }

  add(item: Watched): void {
    this.#items.add(item);
    this.#timer ??= setInterval(() => this.#checkAll(performance.now()), WATCH_MS).unref();
  }

  delete(item: Watched): void {
    this.#items.delete(item); // the timer finds out by itself: it costs more to stop and start than to let it run
  }

  #checkAll(nowMs: number): void {
    for (const item of this.#items) item.check(nowMs);
    if (this.#items.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
