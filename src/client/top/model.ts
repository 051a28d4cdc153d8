// The statistics of a server as `nuwsgi top` shows them: from a nuwsgi's JSON, or from a real uWSGI's, which tells less.
//
// What is counted from the start becomes a rate by comparing two readings. Nothing of the JSON is believed: it may be
//   anybody's, so a number that is none counts as 0, and text is made fit for a terminal.
// Decided elsewhere: how it looks (screen.ts), where it comes from (stats-client.ts).

import { printable } from '../../base/log.js';

export interface WorkerRow {
  readonly id: number;
  readonly pid: number;
  readonly status: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly averageMs: number;
  readonly rssBytes: number;
  readonly exceptions: number;
  readonly spawns: number;
  /** What it runs, the longest first: "GET /path", and for how long. */
  readonly running: readonly { readonly request: string; readonly ms: number }[];
}

export interface EndpointRow {
  readonly endpoint: string;
  readonly requests: number;
  readonly share: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

/** What only a nuwsgi tells. */
export interface Insight {
  readonly uptimeSeconds: number;
  readonly isDraining: boolean;
  readonly errorsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly queueP99Ms: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly acceptThreadBusy: number;
  readonly loopDelayMs: number;
  readonly refused: number;
  readonly logLinesLost: number;
  readonly endpoints: readonly EndpointRow[];
}

export interface Model {
  readonly server: 'nuwsgi' | 'uWSGI';
  readonly version: string;
  readonly pid: number;
  readonly listenQueue: number;
  readonly requests: number;
  readonly perSecond: number;
  readonly exceptions: number;
  readonly rssBytes: number;
  readonly workers: readonly WorkerRow[];
  readonly insight: Insight | undefined;
  /** When it was read, on the clock of performance.now(). */
  readonly atMs: number;
}

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : []);
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const text = (value: unknown): string => printable(typeof value === 'string' ? value : '');
const ms = (micros: unknown): number => number(micros) / 1000;

/** Reads the statistics; `before` is what was read last. Throws an error when they are no statistics. */
export function readModel(json: string, before: Model | undefined, atMs: number): Model {
  const stats = parse(json);
  const own = stats.nuwsgi === undefined ? undefined : object(stats.nuwsgi);
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000;
  const rate = (now: number, then: number | undefined) =>
    seconds > 0 && then !== undefined ? Math.max(0, (now - then) / seconds) : 0;
  const runningByWorker = own === undefined ? undefined : ownRunning(own);
  const workers = list(stats.workers).map((worker): WorkerRow => {
    const id = number(worker.id);
    const requests = number(worker.requests);
    return {
      id,
      pid: number(worker.pid),
      status: text(worker.status),
      requests,
      perSecond: rate(requests, before?.workers.find((row) => row.id === id)?.requests),
      averageMs: ms(worker.avg_rt),
      rssBytes: number(worker.rss),
      exceptions: number(worker.exceptions),
      spawns: number(worker.respawn_count),
      running: runningByWorker?.get(id) ?? uwsgiRunning(worker),
    };
  });
  const requests = workers.reduce((sum, worker) => sum + worker.requests, 0);
  return {
    server: own === undefined ? 'uWSGI' : 'nuwsgi',
    version: text(stats.version),
    pid: number(stats.pid),
    listenQueue: number(stats.listen_queue),
    requests,
    perSecond: rate(requests, before?.requests),
    exceptions: workers.reduce((sum, worker) => sum + worker.exceptions, 0),
    rssBytes: workers.reduce((sum, worker) => sum + worker.rssBytes, 0),
    workers,
    insight: own === undefined ? undefined : insightOf(own),
    atMs,
  };
}

function parse(json: string): Json {
  let stats: Json;
  try {
    stats = object(JSON.parse(json));
  } catch (error) {
    throw new Error(`what it answers is no JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(stats.workers)) throw new Error('what it answers are no statistics: there are no workers in it');
  return stats;
}

function ownRunning(own: Json): Map<number, { request: string; ms: number }[]> {
  const byWorker = new Map<number, { request: string; ms: number }[]>();
  for (const request of list(own.running)) {
    if (request.started !== true) continue;
    const worker = number(request.worker);
    const row = { request: `${text(request.method)} ${text(request.uri)}`, ms: number(request.runs_ms) };
    byWorker.set(worker, [...(byWorker.get(worker) ?? []), row]);
  }
  for (const rows of byWorker.values()) rows.sort((a, b) => b.ms - a.ms);
  return byWorker;
}

/** uWSGI tells it by the variables of the request, and since which second. */
function uwsgiRunning(worker: Json): { request: string; ms: number }[] {
  return list(worker.cores)
    .filter((core) => core.in_request === 1)
    .map((core) => {
      const variables = Array.isArray(core.vars) ? core.vars.map(String) : [];
      const find = (name: string) =>
        text(variables.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1));
      const startSeconds = number(object(core.req_info).request_start);
      const request = `${find('REQUEST_METHOD')} ${find('REQUEST_URI')}`;
      return { request, ms: startSeconds === 0 ? 0 : Math.max(0, Date.now() - startSeconds * 1000) };
    });
}

function insightOf(own: Json): Insight {
  const now = object(own.now);
  const apps = list(own.apps);
  const endpoints = apps.flatMap((app) => list(app.endpoints));
  return {
    uptimeSeconds: number(own.uptime_seconds),
    isDraining: own.draining === true,
    errorsPerSecond: number(now.errors_per_second),
    p50Ms: ms(now.p50_us),
    p95Ms: ms(now.p95_us),
    p99Ms: ms(now.p99_us),
    queueP99Ms: ms(now.queue_p99_us),
    inFlight: apps.reduce((sum, app) => sum + number(app.in_flight), 0),
    waiting: apps.reduce((sum, app) => sum + number(app.waiting), 0),
    acceptThreadBusy: number(now.accept_thread_busy),
    loopDelayMs: number(now.loop_delay_ms),
    refused: number(object(own.without_app).refused),
    logLinesLost: number(own.log_lines_lost),
    endpoints: endpoints.map((row) => ({
      endpoint: text(row.endpoint),
      requests: number(row.requests),
      share: number(row.share),
      p50Ms: ms(row.p50_us),
      p95Ms: ms(row.p95_us),
      p99Ms: ms(row.p99_us),
      errors: number(row.errors),
    })),
  };
}
