// One answered request as the request log sees it: the figures of its exchange, and who answered it.
//
// One object serves all requests of a server, filled anew for each, so that a line allocates nothing.
// Decided elsewhere: what is made of it (request-line.ts, log-format.ts).

import type { ExchangeRecord } from '../../dispatch/exchange.js';

export interface LoggedRequest {
  readonly record: ExchangeRecord;
  /** Who asked: the peer, or whom a trusted proxy names. */
  address: string;
  /** Process id of the worker, or of the server where no worker answered. */
  readonly pid: number;
  /** The worker's number, from 1; 0: none. */
  readonly worker: number;
  /** Index of the app; -1: no app answered. */
  readonly app: number;
  /** Requests of this worker, and of the whole server, this one included. */
  readonly ofWorker: number;
  readonly ofServer: number;
  /** When the answer was complete, on the clock of performance.now(). */
  readonly nowMs: number;
  /** Bytes of the head as it left, with status line and empty line. */
  readonly headBytes: number;
  /** The client went away before its answer was complete. */
  readonly isAborted: boolean;
  /** Memory of the worker when it was last measured; 0 where it is not. */
  readonly rssBytes: number;
  readonly addressSpaceBytes: number;
  /** A variable of the request's environ; undefined when it had none of that name. */
  variable(name: string): string | undefined;
  /** What the app set by `uwsgi.set_logvar`. */
  logVariable(name: string): string | undefined;
}
