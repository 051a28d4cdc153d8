// What only this server can tell, under the key `nuwsgi` of the statistics: where the time goes, what waits, what ended.
//
// Decided elsewhere: what the keys are called (shape.ts), uWSGI's own keys (uwsgi-stats.ts), the last minutes (history.ts).

import type { AppView, RunningRequest, ServerView } from '../view.js';
import type { Histogram } from './histogram.js';
import type { History } from './history.js';
import { type AppLedger, type Ledger, STATUS_CLASSES } from './ledger.js';
import type { Samples } from './sampler.js';
import type { AppStats, EndpointStats, OwnStats, RunningStats, Times } from './shape.js';

/** Endpoints that are listed; the others are in none of them. */
const MOST_ENDPOINTS = 20;
const micros = (ms: number) => Math.round(ms * 1000);

export function ownStats(view: ServerView, ledger: Ledger, samples: Samples, history: History): OwnStats {
  const { loopDelay, server } = samples;
  return {
    version: view.version,
    node: process.versions.node,
    started_at: Math.floor(view.startedAtMs / 1000),
    uptime_seconds: Math.floor((Date.now() - view.startedAtMs) / 1000),
    draining: view.isDraining,
    now: history.last ?? null,
    accept_thread: {
      rss_bytes: server.rssBytes,
      loop_delay_ms: { mean: loopDelay.meanMs, p99: loopDelay.p99Ms, max: loopDelay.maxMs },
    },
    sockets: view.sockets.map(({ name, engine }) => ({ name, engine })),
    without_app: { requests: ledger.front.requests, tx_bytes: ledger.front.txBytes, refused: ledger.refused },
    log_lines_lost: view.logLinesLost,
    apps: view.apps.map((app) => appStats(app, ledger.apps[app.index]!)),
    workers: view.workers.map(({ id, app, thread, status, inFlight }) => ({
      id,
      app,
      thread,
      status,
      in_flight: inFlight,
    })),
    running: view.running.map(runningStats),
  };
}

function appStats(app: AppView, ledger: AppLedger): AppStats {
  return {
    id: app.index,
    name: app.name,
    mountpoint: app.mount,
    host: app.host ?? '',
    loaded: app.failure === undefined,
    load_error: app.failure ?? '',
    language: app.language,
    threads: app.threads,
    requests: ledger.total.count,
    statuses: statusCounts(ledger),
    exceptions: ledger.exceptions,
    aborted: ledger.aborted,
    tx_bytes: ledger.txBytes,
    in_flight: app.inFlight,
    waiting: app.waiting,
    slots: app.slots,
    slots_in_use: app.slotsInUse,
    arena_bytes: app.arenaBytes,
    service_us: micros(app.serviceMs),
    times_us: {
      queue: times(ledger.queue),
      app: times(ledger.app),
      write: times(ledger.write),
      total: times(ledger.total),
    },
    counters: app.counters,
    worker_ends: app.ends,
    reloads: app.reloads.map(({ kind, reason, startedAtMs, durationMs, result, detail }) => ({
      kind,
      reason,
      started_at: Math.floor(startedAtMs / 1000),
      duration_ms: durationMs,
      result,
      detail,
    })),
    endpoints: endpointStats(ledger),
  };
}

/** `{"2xx": 17, "4xx": 1}`: the classes that came up. */
function statusCounts(ledger: AppLedger): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let statusClass = 0; statusClass < STATUS_CLASSES; statusClass++) {
    const count = ledger.countOfClass(statusClass);
    if (count > 0) counts[statusClass === 0 ? 'none' : `${statusClass}xx`] = count;
  }
  return counts;
}

function times(histogram: Histogram): Times {
  return {
    mean: histogram.count === 0 ? 0 : Math.round(histogram.sumUs / histogram.count),
    p50: histogram.percentileUs(0.5),
    p90: histogram.percentileUs(0.9),
    p95: histogram.percentileUs(0.95),
    p99: histogram.percentileUs(0.99),
    max: histogram.percentileUs(1),
  };
}

function endpointStats(ledger: AppLedger): EndpointStats[] {
  const all = ledger.total.sumUs;
  const slowest = ledger.endpoints?.slowest ?? [];
  return slowest.slice(0, MOST_ENDPOINTS).map(({ label, times: of, errors }) => ({
    endpoint: label,
    requests: of.count,
    errors,
    share: all === 0 ? 0 : Math.round((of.sumUs / all) * 1000) / 1000,
    p50_us: of.percentileUs(0.5),
    p95_us: of.percentileUs(0.95),
    p99_us: of.percentileUs(0.99),
  }));
}

function runningStats(request: RunningRequest): RunningStats {
  return {
    worker: request.worker,
    core: request.core,
    started: request.isStarted,
    method: request.method,
    uri: request.target,
    addr: request.peer,
    runs_ms: Math.round(request.runsMs),
    age_ms: Math.round(request.ageMs),
  };
}
