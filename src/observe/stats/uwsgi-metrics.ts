// The metrics of uWSGI's metrics subsystem, by its names, for %(metric.NAME) in the log and for who is pushed to.
//
// Those that uWSGI registers by itself; what has no counterpart here (signals, static files of a worker) is 0, as it is
//   in a uWSGI that does not use it.
// Decided elsewhere: where the figures come from (view.ts, ledger.ts, sampler.ts), who gets them (stats-push.ts).

import type { ServerView, WorkerView } from '../view.js';
import type { Ledger } from './ledger.js';
import { memoryOf, type Samples } from './sampler.js';

/** uWSGI's numbers for its types of metrics. */
export const METRIC_TYPES = { counter: 0, gauge: 1, absolute: 2, alias: 3 } as const;

export interface UwsgiMetric {
  readonly name: string;
  readonly type: keyof typeof METRIC_TYPES;
  readonly value: number;
}

/** What the figures are taken from. */
export interface Figures {
  readonly view: ServerView;
  readonly ledger: Ledger;
  readonly samples: Samples;
}

type Rows = readonly (readonly [name: string, type: UwsgiMetric['type'], value: number])[];
const metricsOf = (prefix: string, rows: Rows): UwsgiMetric[] =>
  rows.map(([name, type, value]) => ({ name: `${prefix}${name}`, type, value }));

const micros = (ms: number) => Math.round(ms * 1000);
const NOBODY = { requests: 0, exceptions: 0, txBytes: 0, runningMs: 0, averageMs: 0 };

/** All metrics, in uWSGI's order: of the server, of each worker and its cores, of each socket. */
export function uwsgiMetrics({ view, ledger, samples }: Figures): UwsgiMetric[] {
  const counts = view.workers.map((worker) => ledger.worker(worker.id, worker.app));
  const memory = view.workers.map((worker) => memoryOf(worker, samples));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const means = counts.map(({ averageMs }) => averageMs);
  const total = {
    requests: sum(counts.map(({ requests }) => requests)) + ledger.front.requests,
    tx: sum(counts.map(({ txBytes }) => txBytes)),
    runningMs: sum(counts.map(({ runningMs }) => runningMs)),
    rss: sum(memory.map(({ rssBytes }) => rssBytes)),
    as: sum(memory.map(({ asBytes }) => asBytes)),
    averageMs: sum(means) / Math.max(1, means.length),
  };
  const busy = view.workers.filter(({ status }) => status === 'busy').length;
  const idle = view.workers.filter(({ status }) => status === 'idle').length;
  const overloaded = sum(view.apps.map(({ counters }) => counters.refused ?? 0));
  // biome-ignore format: a table
  return [
    ...metricsOf('core.', [
      ['routed_signals',     'counter', 0],
      ['unrouted_signals',   'counter', 0],
      ['busy_workers',       'gauge',   busy],
      ['idle_workers',       'gauge',   idle],
      ['overloaded',         'counter', overloaded],
    ]),
    // worker 0 stands for all of them, and in uWSGI counts nothing but requests
    ...workerMetrics(0, { ...NOBODY, requests: total.requests }, undefined, 0, 0),
    ...view.workers.flatMap((worker, i) => [
      ...workerMetrics(worker.id, counts[i]!, worker, memory[i]!.rssBytes, memory[i]!.asBytes),
      ...coreMetrics(worker, ledger),
    ]),
    ...metricsOf('core.', [
      ['total_tx',           'counter', total.tx],
      ['total_rss',          'gauge',   total.rss],
      ['total_vsz',          'gauge',   total.as],
      ['avg_response_time',  'gauge',   micros(total.averageMs)],
      ['total_running_time', 'counter', micros(total.runningMs)],
    ]),
    ...view.sockets.flatMap((socket, i) => metricsOf(`socket.${i}.`, [
      ['listen_queue',       'gauge',   samples.backlogOf(socket.port)],
    ])),
    ...metricsOf('', [
      ['rss_size',           'alias',   samples.server.rssBytes],
      ['vsz_size',           'alias',   samples.server.asBytes],
    ]),
  ];
}

function workerMetrics(
  id: number,
  counts: typeof NOBODY,
  worker: WorkerView | undefined,
  rssBytes: number,
  asBytes: number,
): UwsgiMetric[] {
  // biome-ignore format: a table
  return metricsOf(`worker.${id}.`, [
    ['requests',          'counter',  counts.requests],
    ['delta_requests',    'absolute', worker?.answered ?? 0],
    ['failed_requests',   'counter',  counts.exceptions],
    ['respawns',          'counter',  worker?.spawns ?? 0],
    ['avg_response_time', 'gauge',    micros(counts.averageMs)],
    ['total_tx',          'counter',  counts.txBytes],
    ['rss_size',          'gauge',    rssBytes],
    ['vsz_size',          'gauge',    asBytes],
    ['running_time',      'counter',  micros(counts.runningMs)],
  ]);
}

function coreMetrics(worker: WorkerView, ledger: Ledger): UwsgiMetric[] {
  const counts = ledger.worker(worker.id, worker.app);
  // biome-ignore format: a table
  return Array.from({ length: worker.cores }, (_, core) => metricsOf(`worker.${worker.id}.core.${core}.`, [
    ['requests',           'counter', counts.requestsByCore[core]!],
    ['write_errors',       'counter', counts.writeErrorsByCore[core]!],
    ['routed_requests',    'counter', 0],
    ['static_requests',    'counter', 0],
    ['offloaded_requests', 'counter', 0],
    ['exceptions',         'counter', 0],
    ['read_errors',        'counter', 0],
  ])).flat();
}
