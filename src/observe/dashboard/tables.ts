// Which tables there are, and how a reading becomes their rows.
//
// Decided elsewhere: how a table works (table.ts), where it stands (page.ts).

import type { AppStats, EndpointStats, Live, OwnWorkerStats, RunningStats } from '../stats/shape.js';
import { process } from './events.js';
import { bytes, duration, percent, short } from './figures.js';
import type { Column, TablePlan } from './table.js';

export interface WorkerRow {
  readonly id: number;
  readonly app: string;
  readonly process: string;
  readonly status: OwnWorkerStats['status'];
  readonly requests: number;
  readonly perSecond: number;
  readonly averageMs: number;
  readonly rssBytes: number;
  readonly exceptions: number;
  readonly spawns: number;
  readonly harakiri: number;
  /** What it runs, the longest first. */
  readonly running: readonly RunningStats[];
}

/** `seconds`: between `before` and `live`. */
export function workerRows(live: Live, before: Live | undefined, seconds: number): WorkerRow[] {
  return live.workers.map((worker) => {
    const own = live.nuwsgi.workers.find(({ id }) => id === worker.id)!;
    const was = before?.workers.find(({ id }) => id === worker.id)?.requests ?? worker.requests;
    return {
      id: worker.id,
      app: live.nuwsgi.apps[own.app]?.name ?? '',
      process: worker.pid === 0 ? '' : process(live, worker),
      status: own.status,
      requests: worker.requests,
      perSecond: seconds > 0 ? Math.max(0, worker.requests - was) / seconds : 0,
      averageMs: worker.avg_rt / 1000,
      rssBytes: worker.rss,
      exceptions: worker.exceptions,
      spawns: worker.respawn_count,
      harakiri: worker.harakiri_count,
      running: live.nuwsgi.running
        .filter(({ worker: id, started }) => id === worker.id && started)
        .sort((a, b) => b.runs_ms - a.runs_ms),
    };
  });
}

function runs({ running }: WorkerRow): string {
  const [first] = running;
  if (first === undefined) return '';
  const more = running.length > 1 ? ` (+${running.length - 1})` : '';
  return `${duration(first.runs_ms)}${more} ${first.method} ${first.uri}`;
}

// biome-ignore format: a table
const WORKER_COLUMNS: readonly Column<WorkerRow>[] = [
  { title: '#', hint: 'Its number', show: (w) => String(w.id), sortBy: (w) => -w.id },
  { title: 'App', hint: 'Which app it runs', isText: true, isMinor: true, show: (w) => w.app, sortBy: (w) => w.app },
  { title: 'Process', hint: 'Its process, or its thread in the server', isText: true, isMinor: true, show: (w) => w.process, sortBy: (w) => w.process },
  { title: 'Status', hint: 'busy: it has requests', isText: true, show: (w) => w.status, sortBy: (w) => w.status, paint: paintStatus },
  { title: 'Requests', hint: 'Answered since the server started', isMinor: true, show: (w) => short(w.requests), sortBy: (w) => w.requests },
  { title: 'Req/s', hint: 'Answered per second, just now', show: (w) => short(w.perSecond), sortBy: (w) => w.perSecond },
  { title: 'Average', hint: 'Time of a request; moving average', isMinor: true, show: (w) => duration(w.averageMs), sortBy: (w) => w.averageMs },
  { title: 'Memory', hint: 'Resident memory; what workers share counts for each', isMinor: true, show: (w) => bytes(w.rssBytes), sortBy: (w) => w.rssBytes },
  { title: 'Exceptions', hint: 'That the app did not catch', isMinor: true, show: (w) => short(w.exceptions), sortBy: (w) => w.exceptions },
  { title: 'Spawns', hint: 'How often it was started', isMinor: true, show: (w) => short(w.spawns), sortBy: (w) => w.spawns },
  { title: 'Harakiri', hint: 'How often it was killed because a request took too long', isMinor: true, show: (w) => short(w.harakiri), sortBy: (w) => w.harakiri },
  { title: 'Runs', hint: 'What it runs now, and for how long', isText: true, isWide: true, show: runs, sortBy: (w) => w.running[0]?.runs_ms ?? -1 },
];

function paintStatus(cell: HTMLTableCellElement, { status }: WorkerRow): void {
  cell.dataset.status = status;
}

export const workerTable = (showStack: (row: WorkerRow) => void): TablePlan<WorkerRow> => ({
  columns: WORKER_COLUMNS,
  key: ({ id }) => `worker ${id}`,
  whenEmpty: 'There are no workers.',
  sort: 0,
  most: 256,
  action: { name: 'Stack', run: showStack },
});

export interface EndpointRow extends EndpointStats {
  readonly app: string;
}

export function endpointRows({ nuwsgi: { apps } }: Live): EndpointRow[] {
  return apps.flatMap((app) => app.endpoints.map((endpoint) => ({ ...endpoint, app: app.name })));
}

function paintShare(cell: HTMLTableCellElement, { share }: EndpointRow): void {
  cell.classList.add('share');
  cell.style.setProperty('--share', String(share));
}

// biome-ignore format: a table
export const ENDPOINTS: TablePlan<EndpointRow> = {
  columns: [
    { title: 'Endpoint', hint: 'The path, with --endpoint patterns applied', isText: true, isWide: true, show: (e) => e.endpoint, sortBy: (e) => e.endpoint },
    { title: 'App', hint: 'Which app answers', isText: true, isMinor: true, show: (e) => e.app, sortBy: (e) => e.app },
    { title: 'Share', hint: 'Of the time that all requests of the app took', show: (e) => percent(e.share), sortBy: (e) => e.share, paint: paintShare },
    { title: 'Requests', hint: 'Answered since the server started', show: (e) => short(e.requests), sortBy: (e) => e.requests },
    { title: 'p50', hint: 'Half of the requests took no longer', isMinor: true, show: (e) => duration(e.p50_us / 1000), sortBy: (e) => e.p50_us },
    { title: 'p95', hint: '95 % of the requests took no longer', isMinor: true, show: (e) => duration(e.p95_us / 1000), sortBy: (e) => e.p95_us },
    { title: 'p99', hint: '99 % of the requests took no longer', show: (e) => duration(e.p99_us / 1000), sortBy: (e) => e.p99_us },
    { title: 'Errors', hint: 'Answers of 500 and above', show: (e) => short(e.errors), sortBy: (e) => e.errors },
  ],
  key: ({ app, endpoint }) => `${app} ${endpoint}`,
  whenEmpty: 'Nothing was asked for yet.',
  sort: 2,
  most: 50,
};

export interface RunningRow extends RunningStats {
  /** Which of those of its core: a JavaScript worker has many. */
  readonly nth: number;
}

export function runningRows({ nuwsgi: { running } }: Live): RunningRow[] {
  const counts = new Map<string, number>();
  return running
    .filter(({ started }) => started)
    .map((request) => {
      const core = `${request.worker} ${request.core}`;
      const nth = counts.get(core) ?? 0;
      counts.set(core, nth + 1);
      return { ...request, nth };
    });
}

// biome-ignore format: a table
export const RUNNING: TablePlan<RunningRow> = {
  columns: [
    { title: 'For', hint: 'How long it has run', show: (r) => duration(r.runs_ms), sortBy: (r) => r.runs_ms },
    { title: 'Worker', hint: 'Which worker has it', show: (r) => String(r.worker), sortBy: (r) => -r.worker },
    { title: 'Request', hint: 'What was asked for', isText: true, isWide: true, show: (r) => `${r.method} ${r.uri}`, sortBy: (r) => r.uri },
    { title: 'Client', hint: 'Who asked', isText: true, isMinor: true, show: (r) => r.addr, sortBy: (r) => r.addr },
  ],
  key: ({ worker, core, nth }) => `${worker} ${core} ${nth}`,
  whenEmpty: 'No request is running.',
  sort: 0,
  most: 20,
};

const status = (app: AppStats, name: string) => app.statuses[name] ?? 0;

// biome-ignore format: a table
export const APPS: TablePlan<AppStats> = {
  columns: [
    { title: 'App', hint: 'Its name', isText: true, isWide: true, show: (a) => a.name, sortBy: (a) => a.name },
    { title: 'Mounted', hint: 'Under which host and path', isText: true, isMinor: true, show: (a) => `${a.host}${a.mountpoint || '/'}`, sortBy: (a) => a.mountpoint },
    { title: 'Requests', hint: 'Answered since the server started', show: (a) => short(a.requests), sortBy: (a) => a.requests },
    { title: '4xx', hint: 'Answers of 400 to 499', show: (a) => short(status(a, '4xx')), sortBy: (a) => status(a, '4xx') },
    { title: '5xx', hint: 'Answers of 500 and above', show: (a) => short(status(a, '5xx')), sortBy: (a) => status(a, '5xx') },
    { title: 'Exceptions', hint: 'That the app did not catch', isMinor: true, show: (a) => short(a.exceptions), sortBy: (a) => a.exceptions },
    { title: 'Given up', hint: 'Requests whose client went away', isMinor: true, show: (a) => short(a.aborted), sortBy: (a) => a.aborted },
    { title: 'Queue p99', hint: 'How long a request waits for a worker', isMinor: true, show: (a) => duration(a.times_us.queue.p99 / 1000), sortBy: (a) => a.times_us.queue.p99 },
    { title: 'App p99', hint: 'How long the app takes', show: (a) => duration(a.times_us.app.p99 / 1000), sortBy: (a) => a.times_us.app.p99 },
    { title: 'Write p99', hint: 'How long clients take to get the answer', isMinor: true, show: (a) => duration(a.times_us.write.p99 / 1000), sortBy: (a) => a.times_us.write.p99 },
    { title: 'Slots', hint: 'Requests inside, and how many fit', isMinor: true, show: (a) => `${a.slots_in_use} of ${a.slots}`, sortBy: (a) => a.slots_in_use },
  ],
  key: ({ id }) => `app ${id}`,
  whenEmpty: 'There are no apps.',
  sort: 2,
  most: 50,
};
