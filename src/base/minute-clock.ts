// Tells the beginning of each minute, for what is done by the clock on the wall.
//
// A step of the system's clock tells no minute twice and makes up for none.

const MINUTE_MS = 60_000;

export class MinuteClock {
  readonly #onMinute: (now: Date) => void;
  #timer: NodeJS.Timeout | undefined;
  #lastMinute = 0;

  constructor(onMinute: (now: Date) => void) {
    this.#onMinute = onMinute;
  }

  /** The minute in which it is started has begun already, and is not told. */
  start(): void {
    this.#lastMinute = Math.floor(Date.now() / MINUTE_MS);
    this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        this.tick(new Date());
        this.#wait();
      },
      MINUTE_MS - (Date.now() % MINUTE_MS),
    ).unref();
  }

  /** To be called by the timer, and by tests. */
  tick(now: Date): void {
    const minute = Math.floor(now.getTime() / MINUTE_MS);
    if (minute === this.#lastMinute) return;
    this.#lastMinute = minute;
    this.#onMinute(now);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
