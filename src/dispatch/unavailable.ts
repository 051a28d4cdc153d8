// Stands under the mount of an app that did not load: answers each of its requests 503, so that the other apps of the
// server can serve meanwhile.
//
// Decided elsewhere: when a server starts without one of its apps (server.ts, --need-app).

import { LoadError } from '../base/errors.js';
import type { Exchange } from './exchange.js';
import type { Receiver } from './receiver.js';

export class Unavailable implements Receiver {
  readonly #error: LoadError;
  readonly #onRefused: (exchange: Exchange, error: LoadError) => void;

  /** `name`: what the app is called in messages; `onRefused` is told of every request. */
  constructor(name: string, onRefused: (exchange: Exchange, error: LoadError) => void) {
    this.#error = new LoadError('LOAD_APP_FAILED', name);
    this.#onRefused = onRefused;
  }

  readonly submit = (exchange: Exchange): void => this.#refuse(exchange);
  readonly submitPacket = (exchange: Exchange): void => this.#refuse(exchange);

  #refuse(exchange: Exchange): void {
    this.#onRefused(exchange, this.#error);
    exchange.refuse(this.#error);
    exchange.released(); // it may have brought a spooled body
  }
}
