// What the exchanges of all listeners have in common: the body on its way in, and what is left to do when a client goes.
//
// Decided elsewhere: how an answer is written (uws-exchange.ts, node-exchange.ts, uwsgi-exchange.ts).

import { closeQuietly } from '../base/close-quietly.js';
import { Exchange } from '../dispatch/exchange.js';
import type { RequestBody } from './request-body.js';

export abstract class ClientExchange extends Exchange {
  /** What collects the body, if the request has one. */
  body: RequestBody | undefined;
  /** The file in which the body lies; -1: in none. */
  spoolFd = -1;

  /** The connection has closed. Unless the answer is complete, nobody waits for it any more. */
  connectionClosed(): void {
    if (this.gone) return;
    this.gone = true;
    this.aborted = true;
    this.body?.abort();
    this.owner?.abandon(this);
  }

  override released(): void {
    closeQuietly(this.spoolFd);
    this.spoolFd = -1;
  }
}
