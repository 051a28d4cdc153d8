// The load generator, wrk: its command line, and its report as figures.
//
// Why one thread: on few cores a second one takes processor time from the server. wrk does not say how many of its
//   connections were ever served; probe.ts asks that.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Load {
  readonly connections: number;
  readonly seconds: number;
  readonly path: string;
  /** A Lua script, and what it gets as arguments. */
  readonly script?: { readonly file: string; readonly args: readonly string[] };
}

export interface WrkErrors {
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly timeout: number;
  /** Answers whose status is not 2xx or 3xx. */
  readonly status: number;
}

export interface WrkReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: WrkErrors;
}

const UNIT_US: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 };

/** `120.00us` in ms; undefined when that is no duration (wrk prints `-nan` when it has measured nothing). */
export function parseDurationMs(duration: string): number | undefined {
  const match = /^([\d.]+)(us|ms|s|m|h)$/.exec(duration);
  return match === null ? undefined : (Number(match[1]) * UNIT_US[match[2]!]!) / 1000;
}

/** Reads the report of `wrk --latency`; undefined when a part of it is missing. */
export function parseReport(report: string): WrkReport | undefined {
  const requests = /^\s*(\d+) requests in /m.exec(report)?.[1];
  const rate = /^Requests\/sec:\s+([\d.]+)/m.exec(report)?.[1];
  const p50Ms = parseDurationMs(/^\s*50%\s+(\S+)/m.exec(report)?.[1] ?? '');
  const p99Ms = parseDurationMs(/^\s*99%\s+(\S+)/m.exec(report)?.[1] ?? '');
  if (requests === undefined || rate === undefined || p50Ms === undefined || p99Ms === undefined) return undefined;
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report);
  const [connect, read, write, timeout] = [1, 2, 3, 4].map((group) => Number(socket?.[group] ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  const status = Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0);
  return {
    requests: Number(requests),
    requestsPerSecond: Number(rate),
    p50Ms,
    p99Ms,
    errors: { connect, read, write, timeout, status },
  };
}

/** Runs load/uwsgi-load.ts against 127.0.0.1:`port`, which answers in wrk's terms. Throws an `Error` with its words. */
export async function runUwsgiLoad(port: number, { connections, seconds, path }: Load): Promise<WrkReport> {
  const program = fileURLToPath(new URL('load/uwsgi-load.js', import.meta.url));
  const report = await output(process.execPath, [program, String(port), String(connections), String(seconds), path]);
  return JSON.parse(report) as WrkReport;
}

/** Runs wrk against 127.0.0.1:`port`. Throws an `Error` with its words when it cannot work or says nothing usable. */
export async function runWrk(wrk: string, port: number, load: Load): Promise<WrkReport> {
  const { connections, seconds, path, script } = load;
  const args = ['-t1', '-c', String(connections), '-d', `${seconds}s`, '--latency'];
  if (script !== undefined) args.push('-s', script.file);
  args.push(`http://127.0.0.1:${port}${path}`);
  if (script !== undefined) args.push('--', ...script.args);
  const report = await output(wrk, args);
  const figures = parseReport(report);
  if (figures === undefined) throw new Error(`wrk: ${report.trim() || 'no report'}`);
  return figures;
}

/** What `program` prints. Throws with what it says on stderr when it prints nothing. */
async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => child.kill();
  process.once('exit', end); // an interrupted benchmark leaves no load behind
  const failure = new Promise<never>((_, reject) => child.once('error', reject));
  const texts = Promise.all([text(child.stdout), text(child.stderr)]);
  const [printed, complaint] = await Promise.race([texts, failure]).finally(() => process.removeListener('exit', end));
  if (printed.trim() === '') throw new Error(`the load generator: ${complaint.trim() || 'no report'}`);
  return printed;
}
