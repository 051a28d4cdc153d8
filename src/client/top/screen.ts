// What `nuwsgi top` draws: a model and the size of the terminal in, lines out. Pure, so that it can be tested line by line.
//
// Made for 80 × 24. Each table is a list of columns; the one it is sorted by is marked. What does not fit is left out,
//   and the last line of the table says how much that is.
// Decided elsewhere: what the figures are (model.ts), keys and escape sequences (terminal.ts).

import { bytes, duration, percent, short, uptime } from '../../observe/dashboard/figures.js';
import type { EndpointRow, Model, WorkerRow } from './model.js';

export const VIEWS = ['workers', 'endpoints', 'requests'] as const;
export type View = (typeof VIEWS)[number];

/** What the user has chosen. */
export interface Choice {
  readonly view: View;
  /** Index of the column the table is sorted by, and whether the other way round. */
  readonly sort: number;
  readonly isReversed: boolean;
  readonly showsHelp: boolean;
  readonly isPaused: boolean;
}

interface Column<Row> {
  readonly title: string;
  readonly width: number;
  /** The last column takes the rest of the line. */
  readonly isText?: true;
  readonly show: (row: Row) => string;
  readonly sortBy: (row: Row) => number | string;
}

interface RequestRow {
  readonly worker: number;
  readonly ms: number;
  readonly request: string;
}

const longest = ({ running }: WorkerRow) => running[0]?.ms ?? -1;
function runningText({ running }: WorkerRow): string {
  const [first] = running;
  if (first === undefined) return '';
  const more = running.length > 1 ? ` (+${running.length - 1})` : '';
  return `${duration(first.ms)}${more} ${first.request}`;
}

// biome-ignore format: a table
const WORKER_COLUMNS: readonly Column<WorkerRow>[] = [
  { title: 'WORKER', width: 6, show: (w) => String(w.id),                sortBy: (w) => -w.id },
  { title: 'PID',    width: 7, show: (w) => String(w.pid),               sortBy: (w) => w.pid },
  { title: 'STATUS', width: 8, show: (w) => w.status,                    sortBy: (w) => w.status },
  { title: 'REQ',    width: 6, show: (w) => short(w.requests),           sortBy: (w) => w.requests },
  { title: 'REQ/S',  width: 6, show: (w) => short(w.perSecond),          sortBy: (w) => w.perSecond },
  { title: 'AVG',    width: 7, show: (w) => duration(w.averageMs),       sortBy: (w) => w.averageMs },
  { title: 'RSS',    width: 5, show: (w) => bytes(w.rssBytes),           sortBy: (w) => w.rssBytes },
  { title: 'EXC',    width: 4, show: (w) => short(w.exceptions),         sortBy: (w) => w.exceptions },
  { title: 'SPAWN',  width: 5, show: (w) => short(w.spawns),             sortBy: (w) => w.spawns },
  { title: 'RUNS',   width: 4, isText: true, show: runningText,          sortBy: longest },
];
// biome-ignore format: a table
const ENDPOINT_COLUMNS: readonly Column<EndpointRow>[] = [
  { title: 'SHARE',    width: 6, show: (e) => percent(e.share), sortBy: (e) => e.share },
  { title: 'REQ',      width: 6, show: (e) => short(e.requests),         sortBy: (e) => e.requests },
  { title: 'P50',      width: 7, show: (e) => duration(e.p50Ms),         sortBy: (e) => e.p50Ms },
  { title: 'P95',      width: 7, show: (e) => duration(e.p95Ms),         sortBy: (e) => e.p95Ms },
  { title: 'P99',      width: 7, show: (e) => duration(e.p99Ms),         sortBy: (e) => e.p99Ms },
  { title: 'ERRORS',   width: 6, show: (e) => short(e.errors),           sortBy: (e) => e.errors },
  { title: 'ENDPOINT', width: 8, isText: true, show: (e) => e.endpoint,  sortBy: (e) => e.endpoint },
];
// biome-ignore format: a table
const REQUEST_COLUMNS: readonly Column<RequestRow>[] = [
  { title: 'FOR',     width: 7, show: (r) => duration(r.ms),             sortBy: (r) => r.ms },
  { title: 'WORKER',  width: 6, show: (r) => String(r.worker),           sortBy: (r) => -r.worker },
  { title: 'REQUEST', width: 7, isText: true, show: (r) => r.request,    sortBy: (r) => r.request },
];
const COLUMNS = { workers: WORKER_COLUMNS, endpoints: ENDPOINT_COLUMNS, requests: REQUEST_COLUMNS } as const;

/** How many columns a view can be sorted by. */
export const columnsOf = (view: View): number => COLUMNS[view].length;

/** What marks text: the terminal makes it bold or reversed. */
export interface Line {
  readonly text: string;
  readonly style: 'plain' | 'bold' | 'reverse';
}
const plain = (text: string): Line => ({ text, style: 'plain' });

/** The screen. `problem`: why there are no new figures; the last ones are still shown. */
export function draw(
  model: Model | undefined,
  choice: Choice,
  where: string,
  problem: string | undefined,
  size: { readonly columns: number; readonly rows: number },
): Line[] {
  const lines: Line[] = [];
  if (problem !== undefined) lines.push({ text: `${where}: ${problem}`, style: 'reverse' });
  if (choice.showsHelp) lines.push(...HELP.map(plain));
  else if (model !== undefined) {
    lines.push(...summary(model, where));
    lines.push(...table(model, choice, size.columns, size.rows - lines.length - 2));
  }
  while (lines.length < size.rows - 1) lines.push(plain(''));
  lines.length = size.rows - 1;
  const state = choice.isPaused ? 'paused, p goes on' : 'p pause';
  lines.push({
    text: ` q quit  h help  w workers  e endpoints  r requests  s sort  i invert  ${state}`,
    style: 'reverse',
  });
  return lines.map(({ text, style }) => ({ text: fit(text, size.columns, style === 'reverse'), style }));
}

/** Exactly as wide as the terminal where it is to be coloured, at most so otherwise. */
function fit(text: string, columns: number, isFilled: boolean): string {
  const cut = text.length > columns ? text.slice(0, columns) : text;
  return isFilled ? cut.padEnd(columns) : cut;
}

function summary(model: Model, where: string): Line[] {
  const { insight, workers } = model;
  const count = (status: string) => workers.filter((worker) => worker.status === status).length;
  const up = insight === undefined ? '' : `, up ${uptime(insight.uptimeSeconds)}`;
  const draining = insight?.isDraining ? ', about to stop' : '';
  const head = `${model.server} ${model.version} (pid ${model.pid}) on ${where}${up}${draining}`;
  const rate = `${short(model.perSecond)} req/s, ${short(model.requests)} in all, ${short(model.exceptions)} exceptions`;
  const crew = `${workers.length} workers: ${count('busy')} busy, ${count('idle')} idle`;
  const memory = model.rssBytes > 0 ? `, ${bytes(model.rssBytes)} memory` : '';
  if (insight === undefined) {
    return [
      { text: head, style: 'bold' },
      plain(rate),
      plain(`${crew}${memory}, ${model.listenQueue} in the listen queue`),
    ];
  }
  const times = `p50 ${duration(insight.p50Ms)}  p95 ${duration(insight.p95Ms)}  p99 ${duration(insight.p99Ms)}  queue p99 ${duration(insight.queueP99Ms)}`;
  const queues = `${insight.inFlight} in flight, ${insight.waiting} waiting, ${model.listenQueue} in the listen queue`;
  const busy = `accept thread ${Math.round(insight.acceptThreadBusy * 100)}% busy, ${duration(insight.loopDelayMs)} late`;
  const lost = insight.logLinesLost > 0 ? `, ${short(insight.logLinesLost)} log lines lost` : '';
  return [
    { text: head, style: 'bold' },
    plain(`${rate}, ${short(insight.errorsPerSecond)} errors/s, ${short(insight.refused)} refused`),
    plain(times),
    plain(`${crew}${memory}; ${busy}`),
    plain(`${queues}${lost}`),
  ];
}

function table(model: Model, choice: Choice, columns: number, height: number): Line[] {
  switch (choice.view) {
    case 'workers':
      return rows(WORKER_COLUMNS, model.workers, choice, columns, height, 'there are no workers');
    case 'endpoints':
      if (model.insight === undefined) return [plain(''), plain('a uWSGI does not tell endpoints')];
      return rows(ENDPOINT_COLUMNS, model.insight.endpoints, choice, columns, height, 'nothing was asked for yet');
    case 'requests': {
      const running = model.workers.flatMap(({ id, running: all }) =>
        all.map(({ request, ms }) => ({ worker: id, request, ms })),
      );
      return rows(REQUEST_COLUMNS, running, choice, columns, height, 'no request is running');
    }
  }
}

function rows<Row>(
  columns: readonly Column<Row>[],
  all: readonly Row[],
  { sort, isReversed }: Choice,
  width: number,
  height: number,
  whenEmpty: string,
): Line[] {
  const by = columns[Math.min(sort, columns.length - 1)]!;
  const title = columns.map((column) => cell(column === by ? `*${column.title}` : column.title, column)).join(' ');
  const lines: Line[] = [plain(''), { text: title, style: 'reverse' }];
  const sorted = [...all].sort((a, b) => compare(by.sortBy(a), by.sortBy(b)) * (isReversed ? -1 : 1));
  const room = Math.max(1, height - 1);
  const shown = sorted.length > room ? sorted.slice(0, room - 1) : sorted;
  for (const row of shown) lines.push(plain(columns.map((column) => cell(column.show(row), column)).join(' ')));
  if (shown.length < sorted.length) lines.push(plain(`... and ${sorted.length - shown.length} more`));
  if (all.length === 0) lines.push(plain(whenEmpty));
  return lines.map(({ text, style }) => ({ text: text.slice(0, width), style }));
}

/** The most first; text by the alphabet. */
function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return b - a;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** Numbers to the right, text to the left. */
function cell<Row>(text: string, { width, isText }: Column<Row>): string {
  return isText ? text : text.slice(0, width + 1).padStart(width);
}

const HELP = [
  'nuwsgi top shows what a server does: a nuwsgi, or a uWSGI, which tells less.',
  '',
  '  q, Ctrl-C   quit',
  '  h, ?        this help; any key leaves it',
  '  w           workers: what each has answered, and what it runs',
  '  e           endpoints: which paths take the time',
  '  r           requests that run now, the longest first',
  '  s, S        sort by the next column, or by the one before; * marks it',
  '  i           the other way round',
  '  p, space    pause, and go on',
  '',
  '  AVG         moving average of a request, in the way of uWSGI',
  '  SHARE       of the time that all requests took',
  '  queue p99   how long requests wait for a worker',
  '  late        how late the event loop of the accept thread runs',
];
