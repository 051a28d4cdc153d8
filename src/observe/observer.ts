// Told of every request that was answered: writes its line, counts it.
//
// On the accept thread, once per request: it does what the options ask for and nothing else.
// Decided elsewhere: the lines (log/), the counts (stats/ledger.ts).

import type { Exchange, ExchangeRecord } from '../dispatch/exchange.js';
import type { RequestVariables } from '../dispatch/request-variables.js';
import type { MemoryFigures } from '../worker/process-memory.js';
import { AnsweredRequest } from './answered-request.js';
import type { LogRequest } from './log/request-log.js';
import type { Ledger } from './stats/ledger.js';

/** Who answered a request, and as which of its requests. */
interface Answerer {
  /** Index of the app; -1: none. */
  readonly app: number;
  /** The worker's number, and its process; 0 and the server's where no worker answered. */
  readonly worker: number;
  readonly pid: number;
  /** Requests that this worker has answered, this one included; -1: no worker. */
  readonly ofWorker: number;
  readonly ofServer: number;
}

/** nginx's name for a request whose client went away before there was an answer. */
const CLIENT_CLOSED_REQUEST = 499;

export class Observer {
  readonly #logRequest: LogRequest | undefined;
  readonly #ledger: Ledger | undefined;
  readonly #memoryOf: ((pid: number) => MemoryFigures) | undefined;
  readonly #request = new AnsweredRequest();
  /** Who answered requests in whose place a file is being sent. */
  readonly #answerers = new WeakMap<ExchangeRecord, Answerer>();
  #answered = 0;

  /** Undefined: nobody wants lines, looks at the counts, or wants memory in the lines. */
  constructor(
    logRequest: LogRequest | undefined,
    ledger: Ledger | undefined,
    memoryOf: ((pid: number) => MemoryFigures) | undefined,
  ) {
    this.#memoryOf = memoryOf;
    this.#logRequest = logRequest;
    this.#ledger = ledger;
  }

  /**
   * A worker answered. `answered`: how many requests it has, this one included; `variables`: those of its app. To be
   * called while the request is still in its slot.
   */
  onAnswered(
    exchange: Exchange,
    app: number,
    worker: number,
    pid: number,
    answered: number,
    variables: RequestVariables,
    nowMs: number,
  ): void {
    this.#answered++;
    if (this.#logRequest === undefined && this.#ledger === undefined) return;
    const { record } = exchange;
    if (record.status === 0 && exchange.aborted) record.status = CLIENT_CLOSED_REQUEST; // its worker passed it over
    if (record.superseded) {
      this.#answerers.set(record, { app, worker, pid, ofWorker: answered, ofServer: this.#answered });
      return;
    }
    const request = this.#request;
    request.take(exchange, variables);
    request.app = app;
    request.worker = worker;
    request.pid = pid;
    request.ofWorker = answered;
    request.ofServer = this.#answered;
    request.nowMs = nowMs;
    this.#note(record);
  }

  /** A request was given up by its client while it waited for a worker. */
  onAbandoned(exchange: Exchange, app: number, variables: RequestVariables): void {
    const nowMs = performance.now();
    const { record } = exchange;
    record.queueMs = nowMs - record.completeAtMs;
    this.onAnswered(exchange, app, 0, process.pid, 0, variables, nowMs);
  }

  /**
   * A request was answered in front of the apps, or after an app had its say, which `record` is of: with a file that it
   * named. `variable` gives the request's variables.
   */
  onServed(exchange: Exchange, record: ExchangeRecord, variable: (name: string) => string | undefined): void {
    if (!record.superseded) this.#answered++;
    if (this.#logRequest === undefined && this.#ledger === undefined) return;
    const nobody = { app: -1, worker: 0, pid: process.pid, ofWorker: -1, ofServer: this.#answered };
    const request = Object.assign(this.#request, this.#answerers.get(record) ?? nobody);
    request.takeServed(exchange, variable);
    request.nowMs = performance.now();
    this.#note(record);
  }

  #note(record: ExchangeRecord): void {
    if (this.#memoryOf !== undefined) this.#request.setMemory(this.#memoryOf(this.#request.pid));
    this.#ledger?.add(this.#request);
    if (!record.muted) this.#logRequest?.(this.#request);
  }

  onRefused(): void {
    if (this.#ledger !== undefined) this.#ledger.refused++;
  }
}
