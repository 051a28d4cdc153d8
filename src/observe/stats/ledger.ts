// What has been answered so far, counted: by app, by worker, by endpoint.
//
// Filled on the accept thread once per request, so it holds numbers in typed arrays and nothing is allocated. Everything
//   that is derived (rates, percentiles, shares) is worked out when somebody looks.
// Decided elsewhere: when a request is answered and how its times are measured (dispatch/), who looks (uwsgi-stats.ts,
//   own-stats.ts, metrics.ts).

import type { LoggedRequest } from '../log/logged-request.js';
import { Endpoints } from './endpoints.js';
import { Histogram } from './histogram.js';

/** Methods that are told apart; clients may invent others. */
export const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'other'] as const;
const METHOD_INDEX = new Map<string, number>(METHODS.map((method, i) => [method, i]));
const OTHER_METHOD = METHODS.length - 1;
/** Status classes: 0 for none, 1 for 1xx, and so on. */
export const STATUS_CLASSES = 6;
const SERVER_ERROR = 500;

/** One app's requests. */
export class AppLedger {
  readonly queue = new Histogram();
  readonly app = new Histogram();
  readonly write = new Histogram();
  /** From the arrival of the head to the end of the answer. */
  readonly total = new Histogram();
  /** Undefined: nobody looks at them. */
  readonly endpoints: Endpoints | undefined;
  /** By method and status class; see `countOf`. */
  readonly #counts = new Float64Array(METHODS.length * STATUS_CLASSES);
  /** Requests whose client went away before the answer was complete. */
  aborted = 0;
  exceptions = 0;
  txBytes = 0;

  constructor(endpointPatterns: readonly string[] | undefined) {
    if (endpointPatterns !== undefined) this.endpoints = new Endpoints(endpointPatterns);
  }

  add(request: LoggedRequest): void {
    const { record, nowMs } = request;
    const method = METHOD_INDEX.get(record.method) ?? OTHER_METHOD;
    const statusClass = record.status < 600 ? (record.status / 100) | 0 : 0;
    this.#counts[method * STATUS_CLASSES + statusClass]!++;
    const totalMs = nowMs - record.arrivedAtMs;
    this.queue.add(record.queueMs);
    this.app.add(record.appMs);
    this.write.add(record.writeMs);
    this.total.add(totalMs);
    this.txBytes += record.bodyBytes + request.headBytes;
    if (request.isAborted) this.aborted++;
    if (record.failed) this.exceptions++;
    this.endpoints?.add(record.target, totalMs, record.status >= SERVER_ERROR);
  }

  /** Requests with this method and status class, by their indexes. */
  countOf(method: number, statusClass: number): number {
    return this.#counts[method * STATUS_CLASSES + statusClass]!;
  }

  /** Requests with a status of this class, whatever the method. */
  countOfClass(statusClass: number): number {
    let sum = 0;
    for (let i = statusClass; i < this.#counts.length; i += STATUS_CLASSES) sum += this.#counts[i]!;
    return sum;
  }
}

/** What the workers that had one number have answered, all together. */
export class WorkerLedger {
  requests = 0;
  exceptions = 0;
  txBytes = 0;
  /** Time spent in requests, and uWSGI's running average of one: the mean of the last one and the average before. */
  runningMs = 0;
  averageMs = 0;
  writeErrors = 0;
  readonly requestsByCore: Float64Array;
  readonly writeErrorsByCore: Float64Array;

  constructor(cores: number) {
    this.requestsByCore = new Float64Array(cores);
    this.writeErrorsByCore = new Float64Array(cores);
  }

  add(request: LoggedRequest): void {
    const { record } = request;
    this.requests++;
    this.runningMs += record.appMs;
    this.averageMs = (this.averageMs + record.appMs) / 2;
    this.txBytes += record.bodyBytes + request.headBytes;
    if (record.failed) this.exceptions++;
    if (record.core < this.requestsByCore.length) this.requestsByCore[record.core]!++;
    if (request.isAborted) {
      this.writeErrors++;
      if (record.core < this.writeErrorsByCore.length) this.writeErrorsByCore[record.core]!++;
    }
  }
}

export class Ledger {
  readonly apps: readonly AppLedger[];
  readonly #workers: WorkerLedger[] = [];
  readonly #cores: (app: number) => number;
  /** Requests that no worker answered: static files, routes, refusals. */
  readonly front = { requests: 0, txBytes: 0 };
  refused = 0;

  /**
   * `endpointPatterns` undefined: endpoints are not counted. `cores`: how many requests a worker of an app runs at once,
   * as far as they are told apart.
   */
  constructor(apps: number, endpointPatterns: readonly string[] | undefined, cores: (app: number) => number) {
    this.apps = Array.from({ length: apps }, () => new AppLedger(endpointPatterns));
    this.#cores = cores;
  }

  add(request: LoggedRequest): void {
    const { app, worker } = request;
    if (app < 0) {
      this.front.requests++;
      this.front.txBytes += request.record.bodyBytes + request.headBytes;
      return;
    }
    this.apps[app]!.add(request);
    if (worker > 0) this.worker(worker, app).add(request); // nobody had begun it yet, otherwise
  }

  /** The ledger of the worker that users know by this number, of the app with this index. */
  worker(id: number, app: number): WorkerLedger {
    let ledger = this.#workers[id];
    if (ledger === undefined) {
      ledger = new WorkerLedger(this.#cores(app));
      this.#workers[id] = ledger;
    }
    return ledger;
  }
}
