// The request log: which requests get a line, what the line says, and its way out.
//
// Everything that the options decide is decided here, at the start; what is left per request is one function. In the
//   usual case it puts the bytes of uWSGI's line straight into the batch that will be written.
// Decided elsewhere: the lines (request-line.ts, log-format.ts), the targets (open-log.ts).

import { type Network, parseNetworks } from '../../config/network.js';
import { TrustedProxies, xForwardedHops } from '../../wire/forwarded.js';
import { LineBuffer } from './line-buffer.js';
import { compileFormat, compileJson, JSON_FORMAT, type MakeLine, type MetricOf } from './log-format.js';
import type { LoggedRequest } from './logged-request.js';
import type { RequestSink } from './open-log.js';
import { defaultLine, mostBytes, type PutLine } from './request-line.js';

export interface RequestLogPlan {
  /** Lines for all requests; or only for those that one of the following asks for. */
  readonly all: boolean;
  readonly clientErrors: boolean;
  readonly serverErrors: boolean;
  /** At least so many milliseconds, or so many bytes of body; 0: never for that reason. */
  readonly slowMs: number;
  readonly bigBytes: number;
  readonly empty: boolean;
  readonly aborted: boolean;
  /** --log-format; undefined: uWSGI's line. */
  readonly format: string | undefined;
  readonly isStrftime: boolean;
  readonly isJson: boolean;
  readonly inMicros: boolean;
  readonly datePattern: string | undefined;
  /** Whose X-Forwarded-For is believed, when empty that of proxies on this machine; undefined: the peer's address is logged. */
  readonly trustedProxies: readonly Network[] | undefined;
  /** --memory-report: the worker's memory stands in front. */
  readonly withMemory: boolean;
}

/** What is to be called for every answered request; undefined: nothing is logged of any. */
export type LogRequest = (request: LoggedRequest) => void;

const SAME_MACHINE = parseNetworks('127.0.0.0/8, ::1, unix:')!;
const MIB = 1 << 20;
const SCRATCH_BYTES = 4096;

/** The function that logs requests by `plan`. `metricOf`: what %(metric.NAME) is, where a format has it. */
export function requestLog(plan: RequestLogPlan, sink: RequestSink, metricOf: MetricOf): LogRequest | undefined {
  const wants = selection(plan);
  if (wants === undefined) return undefined;
  const write = behindProxies(plan, writerFor(plan, sink, metricOf));
  if (wants === true) return write;
  return (request) => {
    if (wants(request)) write(request);
  };
}

/** Names the client where a proxy is believed. */
function behindProxies({ trustedProxies }: RequestLogPlan, write: LogRequest): LogRequest {
  if (trustedProxies === undefined) return write;
  const proxies = new TrustedProxies(trustedProxies.length > 0 ? trustedProxies : SAME_MACHINE);
  return (request) => {
    const hops = xForwardedHops(request.variable('HTTP_X_FORWARDED_FOR') ?? '', '');
    request.address = proxies.origin(request.record.peer, hops).address;
    write(request);
  };
}

/** Which requests get a line: all, some, or none (undefined). */
function selection(plan: RequestLogPlan): true | ((request: LoggedRequest) => boolean) | undefined {
  const { all, clientErrors, serverErrors, slowMs, bigBytes, empty, aborted } = plan;
  if (all) return true;
  if (!clientErrors && !serverErrors && slowMs === 0 && bigBytes === 0 && !empty && !aborted) return undefined;
  return ({ record, nowMs, isAborted }) =>
    (clientErrors && record.status >= 400 && record.status < 500) ||
    (serverErrors && record.status >= 500) ||
    (slowMs > 0 && nowMs - record.arrivedAtMs >= slowMs) ||
    (bigBytes > 0 && record.bodyBytes >= bigBytes) ||
    (empty && record.bodyBytes === 0) ||
    (aborted && isAborted);
}

function writerFor(plan: RequestLogPlan, sink: RequestSink, metricOf: MetricOf): LogRequest {
  const make = lineMaker(plan, metricOf);
  if (make !== undefined) return (request) => sink.send(make(request));
  const put = defaultLine(plan.inMicros);
  const { writer } = sink;
  if (writer === undefined) {
    const text = textMaker(put);
    return (request) => sink.send(text(request));
  }
  return (request) => {
    const out = writer.begin(mostBytes(request));
    if (out === undefined) return;
    put(out, request);
    out.end();
    writer.commit();
  };
}

/** What makes lines of another form than uWSGI's; undefined for that one. */
function lineMaker(plan: RequestLogPlan, metricOf: MetricOf): MakeLine | undefined {
  const { format, isJson, isStrftime, datePattern, withMemory } = plan;
  if (isJson) return compileJson(format ?? JSON_FORMAT, datePattern, metricOf);
  if (format !== undefined) return compileFormat(format, datePattern, isStrftime, metricOf);
  if (!withMemory) return undefined;
  const text = textMaker(defaultLine(plan.inMicros));
  return (request) => memory(request) + text(request);
}

function memory({ rssBytes, addressSpaceBytes }: LoggedRequest): string {
  const of = (bytes: number) => `${bytes} bytes/${Math.floor(bytes / MIB)}MB`;
  return `{address space usage: ${of(addressSpaceBytes)}} {rss usage: ${of(rssBytes)}} `;
}

/** The line that `put` makes, as text. */
function textMaker(put: PutLine): MakeLine {
  const scratch = new LineBuffer(SCRATCH_BYTES);
  return (request) => {
    scratch.clear();
    const bytes = mostBytes(request);
    if (scratch.bytes.length < bytes) scratch.grow(bytes);
    put(scratch, request);
    return scratch.bytes.toString('latin1', 0, scratch.length);
  };
}
