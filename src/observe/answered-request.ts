// The one object by which answered requests are handed to whoever logs or counts them.
//
// Decided elsewhere: when a request is answered (dispatch/dispatcher.ts), what is made of it (observe/).

import { type Exchange, ExchangeRecord } from '../dispatch/exchange.js';
import type { RequestVariables } from '../dispatch/request-variables.js';
import type { MemoryFigures } from '../worker/process-memory.js';
import type { LoggedRequest } from './log/logged-request.js';

/** "HTTP/1.1 " in front of an app's head, and the CRLF CRLF behind it. */
const STATUS_LINE_BYTES = 13;

export class AnsweredRequest implements LoggedRequest {
  record = new ExchangeRecord();
  address = '';
  pid = 0;
  worker = 0;
  app = -1;
  ofWorker = 0;
  ofServer = 0;
  nowMs = 0;
  rssBytes = 0;
  addressSpaceBytes = 0;
  isAborted = false;
  #slot = -1;
  #entry = 0;
  #variables: RequestVariables | undefined;
  #served: ((name: string) => string | undefined) | undefined;

  /** Takes what the exchange says. The rest is the caller's to fill in. `variables` are those of its app. */
  take(exchange: Exchange, variables: RequestVariables | undefined): void {
    this.record = exchange.record;
    this.address = exchange.record.peer;
    this.isAborted = exchange.aborted;
    this.#slot = exchange.slot;
    this.#entry = exchange.entry;
    this.#variables = variables;
    this.#served = undefined;
    if (exchange.slot >= 0) variables?.measure(exchange.slot, exchange.record);
  }

  /** As `take`, for a request that was answered in front of the apps. `variable` gives its variables. */
  takeServed(exchange: Exchange, variable: (name: string) => string | undefined): void {
    this.take(exchange, undefined);
    this.#served = variable;
  }

  setMemory({ rssBytes, asBytes }: MemoryFigures): void {
    this.rssBytes = rssBytes;
    this.addressSpaceBytes = asBytes;
  }

  get headBytes(): number {
    return this.record.headBytes === 0 ? 0 : this.record.headBytes + STATUS_LINE_BYTES;
  }

  variable(name: string): string | undefined {
    if (this.#served !== undefined) return this.#served(name);
    return this.#variables?.get(this.#slot, this.#entry, name);
  }

  logVariable(name: string): string | undefined {
    return this.#variables?.logged(this.#slot, this.#entry, name);
  }
}
