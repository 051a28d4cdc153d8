// What the end-to-end tests share: the server as a user starts it, and clients that see every byte.
//
// The server under test is dist/cli.js in a process of its own, on ports the kernel chose. Nothing here waits for a
//   time to pass: it waits for a line in the log, an answer, a process that has ended. Timeouts only bound a failure.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's directory: this file runs from build/test/e2e. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const APPS = join(ROOT, 'test/apps');
/** Debian's Python, for which the Debian packages of Flask and Django are. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

const START_TIMEOUT_MS = 30_000;
const WAIT_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 60_000;
/** Options that open a listener, each with a line in the log when it is open. */
const LISTENER_OPTION = /^(?:--(?:https?|http-to-https|(?:uwsgi-|suwsgi-|http-|http11-|https-)?socket)|-s)$/;

/** Both HTTP engines, for tests that are to hold on both. */
export const ENGINES = ['uws', 'node'] as const;
export type Engine = (typeof ENGINES)[number];

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A program, with arguments, that runs the server: prlimit, say. */
  readonly under?: readonly string[];
  /** What to wait for in the log, if not for open listeners. */
  readonly until?: RegExp;
  /** It gives up root: see `readableRoot`. */
  readonly isForOthers?: true;
}

/** A running nuwsgi. */
export class TestServer {
  readonly child: ChildProcess;
  /** Ports of its TCP listeners, in the order in which they opened. */
  readonly ports: readonly number[];
  readonly #output: Output;

  constructor(child: ChildProcess, output: Output, ports: readonly number[]) {
    this.child = child;
    this.ports = ports;
    this.#output = output;
    servers.add(this);
  }

  get port(): number {
    return this.ports[0]!;
  }

  /** Of the process that serves: the one that was started, or the last that took over from it. */
  get pid(): number {
    const successors = [...this.log.matchAll(/^upgraded in \d+ ms: pid (\d+) has taken over/gm)];
    return successors.length === 0 ? this.child.pid! : Number(successors.at(-1)![1]);
  }

  /** Lets a new process take over, and waits until it has; the old one may still be answering. */
  async upgrade(): Promise<void> {
    const from = this.log.length;
    process.kill(this.pid, 'SIGUSR2');
    await this.waitForLog(/^upgraded in \d+ ms/m, from);
  }

  /** Everything it has written so far. */
  get log(): string {
    return this.#output.text;
  }

  /** Waits until the log matches, from `from` on (an earlier `log.length`). */
  waitForLog(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.#output.waitFor(pattern, from);
  }

  /** Stops it as a service manager does, and asserts that it ends well. */
  async stop(): Promise<void> {
    assert.deepEqual(await this.end('SIGTERM'), { code: 0, signal: null }, this.log);
  }

  /** Sends `signal` (if it still runs) and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Ending> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), END_TIMEOUT_MS);
      this.child.kill(signal);
      await ended;
      clearTimeout(timer);
    }
    if (this.pid !== this.child.pid && isAlive(this.pid)) {
      process.kill(this.pid, signal);
      await until(() => !isAlive(this.pid), `the successor, pid ${this.pid}, ends`, END_TIMEOUT_MS);
    }
    // wsgiref's validator, around every well-behaved Python app of the tests, has found nothing
    assert.doesNotMatch(this.log, /AssertionError|garbage collected without being closed/);
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }
}

/** What a process writes, to be read as it comes. */
class Output {
  text = '';
  readonly #waiting = new Set<() => void>();

  listen(child: ChildProcess): void {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        this.text += chunk;
        this.wake();
      });
    }
    child.on('exit', () => this.wake());
  }

  wake(): void {
    for (const look of this.#waiting) look();
  }

  waitFor(pattern: RegExp, from: number, timeoutMs = WAIT_TIMEOUT_MS): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.text.slice(from));
        if (match === null) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(match);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`the log does not match ${pattern} within ${timeoutMs} ms:\n${this.text}`));
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}

const running = new Set<ChildProcess>();
const servers = new Set<TestServer>();

let readable: string | undefined;
/** A project directory that every user may enter: a clone may lie where only its owner may. */
function readableRoot(): string {
  if (readable !== undefined) return readable;
  const copy = mkdtempSync(join(tmpdir(), 'nuwsgi-for-others-'));
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
  chmodSync(copy, 0o755);
  mkdirSync(join(copy, 'test'));
  for (const name of ['dist', 'node_modules', 'package.json', 'test/apps']) {
    execFileSync('cp', ['-r', join(ROOT, name), dirname(join(copy, name))]);
  }
  execFileSync('chmod', ['-R', 'go+rX', copy]);
  readable = copy;
  return copy;
}
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const { pid, child } of servers) if (pid !== child.pid && isAlive(pid)) process.kill(pid, 'SIGKILL');
});

/** A test that fails in the middle leaves its programs behind: they must not hold up the end, and end with it. */
export function endWithTests(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.unref();
  running.add(child);
  child.once('exit', () => running.delete(child));
}

function launch(args: readonly string[], options: StartOptions): { child: ChildProcess; output: Output } {
  const root = options.isForOthers ? readableRoot() : ROOT;
  const [program, ...rest] = [...(options.under ?? []), process.execPath, join(root, 'dist/cli.js'), ...args];
  const child = spawn(program!, rest, {
    cwd: options.cwd ?? join(root, 'test/apps'),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new Output();
  output.listen(child);
  endWithTests(child);
  return { child, output };
}

/**
 * Starts nuwsgi in test/apps (or `cwd`) and waits until all its listeners are open: as many as `args` has options
 * that open one.
 */
export async function startServer(args: readonly string[], options: StartOptions = {}): Promise<TestServer> {
  const wanted = args.filter((arg) => LISTENER_OPTION.test(arg)).length;
  const { child, output } = launch(args, options);
  // at the start of a line, or behind what --log-json or --log-date put there
  const opened = new RegExp(`(?:(?:^|[" ])--\\S+ .* is open, .*$[^]*?){${wanted}}`, 'm');
  const failed = once(child, 'exit').then(() => {
    throw new Error(`nuwsgi ${args.join(' ')} ended with ${child.exitCode ?? child.signalCode}:\n${output.text}`);
  });
  await Promise.race([output.waitFor(options.until ?? opened, 0, START_TIMEOUT_MS), failed]);
  failed.catch(() => {}); // from now on an end is the test's business
  const ports = [...output.text.matchAll(/--\S+ \S+ \(port (\d+)\) is open/gm)].map((match) => Number(match[1]));
  return new TestServer(child, output, ports);
}

/** Starts an app on one listener of `engine`. */
export function startOn(engine: Engine, args: readonly string[], options: StartOptions = {}): Promise<TestServer> {
  return startServer(['--http', '127.0.0.1:0', '--http-engine', engine, ...args], options);
}

/** Runs nuwsgi to its end: for starts that must fail, and for --help. */
export async function runToEnd(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ending & { output: string }> {
  const { child, output } = launch(args, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, signal: child.signalCode, output: output.text };
}

// --- clients ----------------------------------------------------------------------------------------------------------

/** An answer, taken apart no further than a test needs. Text is latin-1: one character per byte. */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  /** By lower-case name; repeated fields joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** With chunks taken apart. */
  readonly body: string;
  /** Whether the body came to the end that its framing announced. */
  readonly complete: boolean;
}

/** What came back on a connection. */
export interface RawResult {
  readonly answers: readonly RawAnswer[];
  /** The bytes, as latin-1. */
  readonly bytes: string;
  /** The server closed the connection. False: it was still open when the client had what it waited for. */
  readonly closed: boolean;
}

export interface RawOptions {
  /** Stop when so many final answers are complete. Default: read until the server closes. */
  readonly answers?: number;
  /** Requests were HEAD: their answers have no body. */
  readonly isHead?: boolean;
  /** Send FIN behind the request. */
  readonly halfClose?: boolean;
  /** Come from this address (127.0.0.0/8), so that the server can tell this client from others. */
  readonly from?: string;
  readonly timeoutMs?: number;
}

/** Sends `request` (a string goes out as latin-1) on a new connection and reads what comes back. */
export function raw(port: number, request: string | Uint8Array, options: RawOptions = {}): Promise<RawResult> {
  const timeoutMs = options.timeoutMs ?? WAIT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ...(options.from && { localAddress: options.from }) });
    let bytes = '';
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: parseAnswers(bytes, options.isHead ?? false, closed), bytes, closed });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end after ${timeoutMs} ms; so far: ${JSON.stringify(bytes.slice(0, 500))}`));
    }, timeoutMs);
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
      if (options.answers === undefined) return;
      const done = parseAnswers(bytes, options.isHead ?? false, false).filter((a) => a.complete && a.status >= 200);
      if (done.length >= options.answers) finish(false);
    });
    socket.on('end', () => finish(true));
    socket.on('error', () => finish(true)); // a reset is a close
    const data = typeof request === 'string' ? Buffer.from(request, 'latin1') : request;
    if (options.halfClose) socket.end(data);
    else socket.write(data);
  });
}

/** Takes apart as many answers as `bytes` holds. `closed`: a body without a length ends where the bytes do. */
export function parseAnswers(bytes: string, isHead: boolean, closed: boolean): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [statusLine, ...lines] = rest.slice(0, end).split('\r\n');
    const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine!);
    assert(match !== null, `not a status line: ${JSON.stringify(statusLine)}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const status = Number(match[1]);
    const { body, complete, after } = bodyOf(rest.slice(end + 4), status, headers, isHead, closed);
    answers.push({ status, reason: match[2]!, headers, body, complete });
    if (!complete) return answers;
    rest = after;
  }
}

function bodyOf(rest: string, status: number, headers: Record<string, string>, isHead: boolean, closed: boolean) {
  if (isHead || status < 200 || status === 204 || status === 304) return { body: '', complete: true, after: rest };
  if (headers['transfer-encoding'] === 'chunked') return dechunk(rest);
  const length = headers['content-length'];
  if (length === undefined) return { body: rest, complete: closed, after: '' };
  const bytes = Number(length);
  return { body: rest.slice(0, bytes), complete: rest.length >= bytes, after: rest.slice(bytes) };
}

function dechunk(bytes: string) {
  let body = '';
  let rest = bytes;
  for (;;) {
    const match = /^([0-9a-fA-F]+)\r\n/.exec(rest);
    if (match === null) return { body, complete: false, after: '' };
    const size = Number.parseInt(match[1]!, 16);
    const start = match[0].length;
    if (size === 0) {
      const trailers = /^(?:[^\r\n]+\r\n)*\r\n/.exec(rest.slice(start));
      return { body, complete: trailers !== null, after: rest.slice(start + (trailers?.[0].length ?? 0)) };
    }
    body += rest.slice(start, start + size);
    if (rest.length < start + size + 2) return { body, complete: false, after: '' };
    rest = rest.slice(start + size + 2);
  }
}

/** A GET (or another method) on a connection of its own, by way of `raw`. */
export async function request(
  port: number,
  path: string,
  options: { method?: string; headers?: readonly string[]; body?: string | Uint8Array; timeoutMs?: number } = {},
): Promise<RawAnswer> {
  const { method = 'GET', headers = [], body } = options;
  const data = body === undefined ? undefined : Buffer.from(body as string);
  const host = headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: test'];
  const length = data === undefined ? [] : [`Content-Length: ${data.length}`];
  const head = [`${method} ${path} HTTP/1.1`, ...host, ...length, ...headers, '', ''].join('\r\n');
  const bytes = data === undefined ? Buffer.from(head, 'latin1') : Buffer.concat([Buffer.from(head, 'latin1'), data]);
  const { answers, bytes: got } = await raw(port, bytes, {
    answers: 1,
    isHead: method === 'HEAD',
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
  });
  const answer = answers.find((a) => a.status >= 200);
  assert(answer !== undefined, `no answer to ${method} ${path}: ${JSON.stringify(got.slice(0, 200))}`);
  return answer;
}

/** A connection that a test drives by itself. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

// --- processes --------------------------------------------------------------------------------------------------------

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2]!);
  } catch {
    return false;
  }
}

/** The living processes below `pid`, without itself. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // it has ended meanwhile
    }
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child);
    return parent !== undefined && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter((child) => isBelow(child) && isAlive(child));
}

/** Resident memory of a process, in bytes. */
export function rssBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** Waits until `condition` holds, looking every few milliseconds. For what nothing announces. */
export async function until(condition: () => boolean, what: string, timeoutMs = WAIT_TIMEOUT_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
