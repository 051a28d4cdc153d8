// Prometheus metrics: a table of what is exposed, read off the server's own counters when somebody scrapes.
//
// Nothing is counted for Prometheus: a request costs what it cost (measured: native-bench, scenario with and without
//   --metrics). prom-client writes the text; it gets finished values, not increments.
// Names follow Prometheus' rules: base units, `_total` behind counters. docs/observability.md lists them, from this table.
// Decided elsewhere: the figures (stats/), who may scrape (control-plane.ts).

import { type Metric, Registry } from 'prom-client';
import type { Histogram } from './stats/histogram.js';
import { type AppLedger, type Ledger, METHODS, STATUS_CLASSES } from './stats/ledger.js';
import { memoryOf, type Samples } from './stats/sampler.js';
import type { AppView, ServerView } from './view.js';

/** Everything that a scrape reads. */
export interface Sources {
  readonly view: ServerView;
  readonly ledger: Ledger;
  readonly samples: Samples;
  /** By worker: how long it took until it listened, in ms. */
  readonly reactions: ReadonlyMap<number, number>;
}

type Labels = Readonly<Record<string, string | number>>;
interface Value {
  readonly value: number;
  readonly labels: Labels;
  /** Behind the name of the metric, for the parts of a histogram. */
  readonly metricName?: string;
}
interface Row {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly read: (sources: Sources, name: string) => readonly Value[];
}

/** Upper bounds of the buckets, in seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const WORKER_STATES = ['idle', 'busy', 'starting', 'leaving', 'cheap', 'dead'] as const;

const one = (value: number, labels: Labels = {}): readonly Value[] => [{ value, labels }];
const ofApp = ({ index, name }: AppView): Labels => ({ app: index, name });
/** A value per app. */
const perApp = (read: (app: AppView, ledger: AppLedger) => number): Row['read'] => {
  return ({ view, ledger }) =>
    view.apps.map((app) => ({ value: read(app, ledger.apps[app.index]!), labels: ofApp(app) }));
};
/** A histogram per app. */
const timesPerApp = (of: (ledger: AppLedger) => Histogram): Row['read'] => {
  return ({ view, ledger }, name) =>
    view.apps.flatMap((app) => {
      const labels = ofApp(app);
      const histogram = of(ledger.apps[app.index]!);
      return [
        ...BOUNDS.map((le) => ({
          metricName: `${name}_bucket`,
          labels: { ...labels, le },
          value: histogram.countUpTo(le * 1e6),
        })),
        { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: histogram.count },
        { metricName: `${name}_sum`, labels, value: histogram.sumUs / 1e6 },
        { metricName: `${name}_count`, labels, value: histogram.count },
      ];
    });
};

// biome-ignore format: a table
export const METRICS: readonly Row[] = [
  // requests
  { name: 'nuwsgi_requests_total', type: 'counter', help: 'Requests that workers have answered, by method and status class.',
    read: ({ view, ledger }) => view.apps.flatMap((app) => requestCounts(app, ledger.apps[app.index]!)) },
  { name: 'nuwsgi_request_queue_seconds', type: 'histogram', help: 'Time from a complete request to its start in a worker.',
    read: timesPerApp((ledger) => ledger.queue) },
  { name: 'nuwsgi_request_app_seconds', type: 'histogram', help: 'Time that the app took.',
    read: timesPerApp((ledger) => ledger.app) },
  { name: 'nuwsgi_request_write_seconds', type: 'histogram', help: 'Time that workers were held up by clients that took their answers slowly.',
    read: timesPerApp((ledger) => ledger.write) },
  { name: 'nuwsgi_request_seconds', type: 'histogram', help: 'Time from the head of a request to the end of its answer.',
    read: timesPerApp((ledger) => ledger.total) },
  { name: 'nuwsgi_response_bytes_total', type: 'counter', help: 'Bytes of answers, heads included.',
    read: perApp((_, ledger) => ledger.txBytes) },
  { name: 'nuwsgi_exceptions_total', type: 'counter', help: 'Requests in which the app failed with an exception.',
    read: perApp((_, ledger) => ledger.exceptions) },
  { name: 'nuwsgi_aborted_total', type: 'counter', help: 'Requests whose client went away before the answer was complete.',
    read: perApp((_, ledger) => ledger.aborted) },
  { name: 'nuwsgi_requests_without_app_total', type: 'counter', help: 'Requests that were answered in front of the apps: files, routes.',
    read: ({ ledger }) => one(ledger.front.requests) },
  { name: 'nuwsgi_refused_total', type: 'counter', help: 'Requests that were refused before an app saw them.',
    read: ({ ledger }) => one(ledger.refused) },
  // queues
  { name: 'nuwsgi_requests_in_flight', type: 'gauge', help: 'Requests that workers have and have not answered.',
    read: perApp((app) => app.inFlight) },
  { name: 'nuwsgi_requests_waiting', type: 'gauge', help: 'Requests that wait for a worker.',
    read: perApp((app) => app.waiting) },
  { name: 'nuwsgi_slots', type: 'gauge', help: 'Requests that may be inside the app at once (max-inflight).',
    read: perApp((app) => app.slots) },
  { name: 'nuwsgi_slots_in_use', type: 'gauge', help: 'Requests that are inside the app.',
    read: perApp((app) => app.slotsInUse) },
  { name: 'nuwsgi_dispatch_total', type: 'counter', help: 'What the dispatcher counted: requests accepted, refused and moved, late answers, mad workers.',
    read: ({ view }) => view.apps.flatMap((app) =>
      Object.entries(app.counters).map(([what, value]) => ({ value, labels: { ...ofApp(app), what } }))) },
  { name: 'nuwsgi_listen_queue', type: 'gauge', help: 'Connections that wait in the kernel to be accepted.',
    read: ({ view, samples }) => view.sockets.map(({ name, port }) => ({ value: samples.backlogOf(port), labels: { socket: name } })) },
  // workers
  { name: 'nuwsgi_workers', type: 'gauge', help: 'Workers by what they do.',
    read: ({ view }) => view.apps.flatMap((app) => WORKER_STATES.map((state) => ({
      value: view.workers.filter((worker) => worker.app === app.index && worker.status === state).length,
      labels: { ...ofApp(app), state } }))) },
  { name: 'nuwsgi_worker_ends_total', type: 'counter', help: 'Workers that have ended, by why.',
    read: ({ view }) => view.apps.flatMap((app) =>
      Object.entries(app.ends).map(([reason, value]) => ({ value, labels: { ...ofApp(app), reason } }))) },
  { name: 'nuwsgi_worker_spawns_total', type: 'counter', help: 'Workers that were started, by their number.',
    read: ({ view }) => view.workers.map(({ id, app, spawns }) => ({ value: spawns, labels: { app, worker: id } })) },
  { name: 'nuwsgi_worker_memory_bytes', type: 'gauge', help: 'Resident memory of a worker; the heap of one that is a thread.',
    read: ({ view, samples }) => view.workers.map((worker) => ({
      value: memoryOf(worker, samples).rssBytes, labels: { app: worker.app, worker: worker.id } })) },
  { name: 'nuwsgi_worker_gil_wait_seconds', type: 'gauge', help: 'How long a thread of a Python worker waited for the GIL at this scrape; 0.25 and above: it did not get it.',
    read: ({ view, reactions }) => view.workers.filter(({ id }) => reactions.has(id)).map(({ id, app }) => ({
      value: reactions.get(id)! / 1000, labels: { app, worker: id } })) },
  { name: 'nuwsgi_reloads_total', type: 'counter', help: 'Reloads, by how they ended.',
    read: ({ view }) => view.apps.flatMap((app) =>
      Object.entries(app.reloadCounts).map(([result, value]) => ({ value, labels: { ...ofApp(app), result } }))) },
  // the server itself
  { name: 'nuwsgi_accept_thread_delay_seconds', type: 'gauge', help: 'How late the event loop of the accept thread ran in the last second.',
    read: ({ samples: { loopDelay } }) => [
      { value: loopDelay.meanMs / 1000, labels: { quantile: 'mean' } },
      { value: loopDelay.p99Ms / 1000, labels: { quantile: '0.99' } },
      { value: loopDelay.maxMs / 1000, labels: { quantile: 'max' } }] },
  { name: 'nuwsgi_log_lines_lost_total', type: 'counter', help: 'Log lines that no target took.',
    read: ({ view }) => one(view.logLinesLost) },
  { name: 'nuwsgi_info', type: 'gauge', help: 'Always 1; the labels say what runs.',
    read: ({ view }) => one(1, { version: view.version, node: process.versions.node }) },
  { name: 'process_start_time_seconds', type: 'gauge', help: 'When the server was started.',
    read: ({ view }) => one(view.startedAtMs / 1000) },
  { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory of the server, without its workers.',
    read: ({ samples }) => one(samples.server.rssBytes) },
  { name: 'process_cpu_seconds_total', type: 'counter', help: 'Processor time of the server, without its workers.',
    read: () => { const { user, system } = process.cpuUsage(); return one((user + system) / 1e6); } },
];

function requestCounts(app: AppView, ledger: AppLedger): Value[] {
  const values: Value[] = [];
  for (const [i, method] of METHODS.entries()) {
    for (let statusClass = 0; statusClass < STATUS_CLASSES; statusClass++) {
      const value = ledger.countOf(i, statusClass);
      const status = statusClass === 0 ? 'none' : `${statusClass}xx`;
      if (value > 0) values.push({ value, labels: { ...ofApp(app), method, status } });
    }
  }
  return values;
}

/** What `/metrics` answers: type and text. `sources` is asked once per scrape. */
export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #sources: () => Promise<Sources>;
  #current: Sources | undefined;

  constructor(sources: () => Promise<Sources>) {
    this.#sources = sources;
    this.contentType = this.#registry.contentType;
    for (const { name, type, help, read } of METRICS) {
      const get = () => ({ name, type, help, aggregator: 'sum', values: read(this.#current!, name) });
      // a finished metric, where prom-client's own classes would want to be told of each request
      this.#registry.registerMetric({ name, help, type, get } as unknown as Metric);
    }
  }

  async text(): Promise<string> {
    this.#current = await this.#sources();
    return this.#registry.metrics();
  }
}
