// --log-format: a line with %(variables) in it, compiled once to a function, as text or as a JSON object.
//
// Every variable of uWSGI 2.0 is here, and some that only this server can tell (queue, app and write time). A name that
//   is none of them is what the app set by `uwsgi.set_logvar`, as in uWSGI.
// uWSGI escapes nothing. Here a client's text is escaped as in the default line, and a quote in it too, so that fields in
//   quotes stay apart; --log-json writes proper JSON.
// Decided elsewhere: what the figures are (logged-request.ts), where the line goes (open-log.ts).

import { escaped } from '../../base/log.js';
import { APACHE_TIME, ctime, dateFormat, SecondClock } from './calendar.js';
import type { LoggedRequest } from './logged-request.js';

/** A number, or text; '' and undefined: there is none. */
type Value = string | number | undefined;
type Read = (request: LoggedRequest) => Value;

const MIB = 1 << 20;
const tookMs = ({ nowMs, record }: LoggedRequest) => Math.max(0, nowMs - record.arrivedAtMs);
const startedAtMs = (request: LoggedRequest) => Date.now() - tookMs(request);
const seconds = (ms: number) => Math.floor(ms / 1000);
const micros = (ms: number) => Math.round(ms * 1000);

/** How %(time)-like variables are written; made anew for each format, because each keeps its text for a second. */
function clocks(datePattern: string | undefined): Readonly<Record<string, Read>> {
  const read = (format: (date: Date) => string): Read => {
    const clock = new SecondClock(format);
    return ({ nowMs }) => clock.at(nowMs);
  };
  return {
    ctime: read(ctime),
    ltime: read(dateFormat(APACHE_TIME)),
    ftime: read(dateFormat(datePattern ?? APACHE_TIME)),
  };
}

// biome-ignore format: a table
const VARIABLES: Readonly<Record<string, Read>> = {
  // the request
  uri:       (r) => r.record.target,
  method:    (r) => r.record.method,
  user:      (r) => r.record.user,
  addr:      (r) => r.address,
  proto:     (r) => r.record.protocol,
  host:      (r) => r.variable('HTTP_HOST'),
  uagent:    (r) => r.variable('HTTP_USER_AGENT'),
  referer:   (r) => r.variable('HTTP_REFERER'),
  cl:        (r) => Number(r.variable('CONTENT_LENGTH') || 0),
  vars:      (r) => 2 * r.record.variables,
  pktsize:   (r) => r.record.environBytes,
  modifier1: () => 0,
  modifier2: () => 0,
  // the answer
  status:    (r) => r.record.status,
  rsize:     (r) => r.record.bodyBytes,
  hsize:     (r) => r.headBytes,
  size:      (r) => r.record.bodyBytes + r.headBytes,
  headers:   (r) => r.record.fields,
  werr:      (r) => (r.isAborted ? 1 : 0),
  rerr:      () => 0,
  ioerr:     (r) => (r.isAborted ? 1 : 0),
  // times
  micros:    (r) => micros(tookMs(r)),
  msecs:     (r) => Math.floor(tookMs(r)),
  secs:      (r) => (tookMs(r) / 1000).toFixed(6),
  tmsecs:    (r) => Math.floor(startedAtMs(r)),
  tmicros:   (r) => micros(startedAtMs(r)),
  time:      (r) => seconds(startedAtMs(r)),
  epoch:     () => seconds(Date.now()),
  queue_us:  (r) => micros(r.record.queueMs),
  app_us:    (r) => micros(r.record.appMs),
  write_us:  (r) => micros(r.record.writeMs),
  // who answered
  pid:       (r) => r.pid,
  wid:       (r) => r.worker,
  core:      (r) => r.record.core,
  app:       (r) => r.app,
  switches:  (r) => Math.max(1, r.record.parts),
  rss:       (r) => r.rssBytes,
  vsz:       (r) => r.addressSpaceBytes,
  rssM:      (r) => Math.floor(r.rssBytes / MIB),
  vszM:      (r) => Math.floor(r.addressSpaceBytes / MIB),
};

/** The names that a format may use, for the documents. */
export const VARIABLE_NAMES: readonly string[] = [...Object.keys(VARIABLES), ...Object.keys(clocks(undefined))];

/** What --log-json writes when no format says otherwise. */
export const JSON_FORMAT =
  '%(addr)%(user)%(method)%(uri)%(proto)%(host)%(status)%(rsize)%(hsize)%(micros)%(queue_us)%(app_us)%(write_us)' +
  '%(uagent)%(referer)%(pid)%(wid)%(core)%(app)';

interface Part {
  /** Text of the format itself, or what stands for a variable. */
  readonly text: string;
  readonly read: Read | undefined;
}

/** A metric of uWSGI by its name; undefined: there is none. */
export type MetricOf = (name: string) => number | undefined;

/** Takes a format apart. `datePattern`: what %(ftime) is written by; `metricOf`: what %(metric.NAME) is. */
function partsOf(format: string, datePattern: string | undefined, metricOf: MetricOf): Part[] {
  const dates = clocks(datePattern);
  const find = (name: string): Read => {
    if (Object.hasOwn(VARIABLES, name)) return VARIABLES[name]!;
    if (Object.hasOwn(dates, name)) return dates[name]!;
    if (name.startsWith('var.')) {
      const variable = name.slice('var.'.length);
      return (request) => request.variable(variable) ?? request.logVariable(name); // the latter by uwsgi.add_var
    }
    if (name.startsWith('metric.')) {
      const metric = name.slice('metric.'.length);
      return () => metricOf(metric) ?? 0; // as uWSGI says of one that it does not know
    }
    return (request) => request.logVariable(name);
  };
  const parts: Part[] = [];
  let from = 0;
  for (const match of format.matchAll(/%\(([^)]*)\)/g)) {
    if (match.index > from) parts.push({ text: format.slice(from, match.index), read: undefined });
    parts.push({ text: match[1]!, read: find(match[1]!) });
    from = match.index + match[0].length;
  }
  if (from < format.length) parts.push({ text: format.slice(from), read: undefined });
  return parts;
}

export type MakeLine = (request: LoggedRequest) => string;

/**
 * The function that writes a line by `format`. `datePattern`: what %(ftime) is written by; `isStrftime`: the whole line
 * is a strftime pattern too, as --log-format-strftime says.
 */
export function compileFormat(
  format: string,
  datePattern: string | undefined,
  isStrftime: boolean,
  metricOf: MetricOf,
): MakeLine {
  // the pattern is filled in before the variables: a client's `%` must not be taken for one of its own
  const dated = isStrftime
    ? new SecondClock((now) => partsOf(escapeVariables(format, now), datePattern, metricOf))
    : undefined;
  const fixed = partsOf(format, datePattern, metricOf);
  return (request) => {
    let line = '';
    for (const { text, read } of dated === undefined ? fixed : dated.at(request.nowMs)) {
      line += read === undefined ? text : textOf(read(request));
    }
    return line;
  };
}

/** `format` with everything but its variables run through strftime. */
function escapeVariables(format: string, now: Date): string {
  return format
    .split(/(%\([^)]*\))/)
    .map((piece) => (piece.startsWith('%(') ? piece : dateFormat(piece)(now)))
    .join('');
}

const UNSAFE = /[^\x20-\x7e]|[\\"]/;

function textOf(value: Value): string {
  if (value === undefined || value === '') return '-';
  if (typeof value === 'number') return String(value);
  return UNSAFE.test(value) ? escaped(value).replaceAll('"', '\\x22') : value;
}

/** The function that writes a JSON object with the variables of `format`, in their order, and `time` in front. */
export function compileJson(format: string, datePattern: string | undefined, metricOf: MetricOf): MakeLine {
  const parts = partsOf(format, datePattern, metricOf).filter((part) => part.read !== undefined);
  const keys = parts.map(({ text }) => `,${JSON.stringify(text)}:`);
  return (request) => {
    let line = `{"time":"${new Date(startedAtMs(request)).toISOString()}"`;
    for (let i = 0; i < parts.length; i++) line += keys[i]! + jsonOf(parts[i]!.read!(request));
    return `${line}}`;
  };
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function jsonOf(value: Value): string {
  if (value === undefined || value === '') return 'null';
  if (typeof value === 'number') return String(value);
  return PLAIN.test(value) ? `"${value}"` : jsonText(decoded(value));
}

/** JSON of a text; what a terminal could take for a command is escaped too, which JSON itself does not ask for. */
export function jsonText(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** A client's text has one character per byte; where the bytes are UTF-8, that is what was meant. */
function decoded(text: string): string {
  if (/[^\x00-\xff]/.test(text)) return text; // an app's, and no bytes
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\ufffd') ? text : utf8;
}
