// The requests of an app that no worker has yet, in the order in which they are to be handed out.
//
// A client that goes away gives its slot back at once; what it leaves in the line is passed over. So that clients that come
//   and go while all workers are held up cannot let the line grow, it is cleared of them now and then.
// Decided elsewhere: when requests wait, and who gets one (dispatcher.ts, policy.ts).

import { Fifo } from '../base/fifo.js';
import type { Exchange } from './exchange.js';

/** The line is cleared when more than this many in it are gone, and more than half. */
const MOST_GONE = 64;

export class WaitingLine {
  readonly #fifo = new Fifo<Exchange>();
  #gone = 0;

  /** How many wait whose clients are there. */
  get length(): number {
    return this.#fifo.length - this.#gone;
  }

  push(exchange: Exchange): void {
    this.#fifo.push(exchange);
  }

  /** The next whose client is there, or undefined. */
  next(): Exchange | undefined {
    for (;;) {
      const exchange = this.#fifo.shift();
      if (exchange === undefined || !exchange.gone) return exchange;
      this.#gone--;
    }
  }

  /** Puts `exchanges` in front, in their order. */
  putBack(exchanges: readonly Exchange[]): void {
    if (exchanges.length > 0) this.#fifo.unshift(exchanges);
  }

  /** To be called when the client of one that waits has gone. */
  left(): void {
    this.#gone++;
    if (this.#gone <= MOST_GONE || this.#gone * 2 <= this.#fifo.length) return;
    this.#fifo.keep((exchange) => !exchange.gone);
    this.#gone = 0;
  }
}
