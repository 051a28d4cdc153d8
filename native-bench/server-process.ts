// One server while it is measured: started, waited for until it answers, and ended with all its processes.
//
// Each has a session of its own, so that whatever it leaves behind can be told from everything else on the machine.
//   Only what belongs to it is ever killed, by pid and start time.
// Decided elsewhere: what a tree is (proc.ts), the command lines (servers.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { send } from '../src/client/uwsgi-client.js';
import { ROOT, withoutPaths } from './paths.js';
import { isAlive, readTree, type Stat } from './proc.js';

const START_LIMIT_MS = 20_000;
const END_LIMIT_MS = 5000;
/** How long its other processes may outlive the first one. */
const FOLLOW_LIMIT_MS = 1000;
/** How long output is waited for that a process wrote just before its end. */
const OUTPUT_LIMIT_MS = 200;
/** Between two looks at something that cannot wake us: another process's port, its end. */
const LOOK_AGAIN_MS = 5;
const KEPT_OUTPUT_CHARS = 4000;
const LAST_LINES = 12;

/** What the first answer must be like. */
export interface Expected {
  readonly path: string;
  readonly postBytes: number | undefined;
  readonly bodyBytes: number;
  /** Undefined: HTTP. */
  readonly protocol?: 'uwsgi' | undefined;
}

/** The server did not come up, went away, or answers something else. The message has the last lines it wrote. */
export class ServerFailure extends Error {}

/** All that run, so that a benchmark that is interrupted, or fails, leaves nothing behind. */
const running = new Set<ServerProcess>();
process.once('exit', () => {
  for (const server of running) kill(server.tree());
});

/** A TCP port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class ServerProcess {
  readonly port: number;
  /** From the start of the process to its first answer. */
  readyMs = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #closed: Promise<unknown>;
  #output = '';
  #spawnError: Error | undefined;

  private constructor(command: readonly string[], env: Readonly<Record<string, string>>, port: number) {
    this.port = port;
    const [program, ...args] = command;
    this.#child = spawn(program!, args, {
      cwd: ROOT,
      detached: true, // a session of its own
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.once('error', (error) => {
      this.#spawnError = error;
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT_CHARS);
      });
    }
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve).once('error', resolve));
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve));
    running.add(this);
  }

  /** Starts `command` and waits for its first answer. Throws `ServerFailure`; nothing runs then. */
  static async start(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    port: number,
    expected: Expected,
  ): Promise<ServerProcess> {
    const startedMs = performance.now();
    const server = new ServerProcess(command, env, port);
    try {
      await server.#awaitAnswer(startedMs + START_LIMIT_MS, expected);
      server.readyMs = performance.now() - startedMs;
      return server;
    } catch (error) {
      await server.end('SIGKILL');
      throw error;
    }
  }

  /** The server's processes as of now. */
  tree(): Stat[] {
    return this.#child.pid === undefined ? [] : readTree(this.#child.pid);
  }

  /** Throws `ServerFailure` when the server has ended by itself. */
  async mustRun(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (this.#spawnError !== undefined) throw new ServerFailure(withoutPaths(this.#spawnError.message));
    if (exitCode === null && signalCode === null) return;
    await within(OUTPUT_LIMIT_MS, this.#closed);
    throw this.#failure(signalCode === null ? `ended with exit code ${exitCode}` : `was ended by ${signalCode}`);
  }

  /** Sends `signal`, waits a bounded time, kills what is left. Returns how many processes had to be killed. */
  async end(signal: NodeJS.Signals): Promise<number> {
    const before = this.tree();
    this.#child.kill(signal);
    await within(END_LIMIT_MS, this.#ended);
    const known = new Set(before.map(({ pid }) => pid));
    const late = this.tree().filter(({ pid }) => !known.has(pid));
    const processes = [...before, ...late];
    await untilGone(processes, FOLLOW_LIMIT_MS);
    const left = processes.filter(isAlive);
    kill(left);
    await untilGone(left, END_LIMIT_MS);
    running.delete(this);
    return left.length;
  }

  #failure(what: string): ServerFailure {
    const written = this.#output.split('\n').filter((line) => line.trim() !== '');
    const lines = written.slice(-LAST_LINES).join('\n');
    return new ServerFailure(withoutPaths(lines === '' ? what : `${what}; its last lines:\n${lines}`));
  }

  async #awaitAnswer(untilMs: number, expected: Expected): Promise<void> {
    for (;;) {
      await this.mustRun();
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw this.#failure(`gave no answer in ${START_LIMIT_MS} ms`);
      const answer = await ask(this.port, expected, leftMs);
      if (answer === undefined) {
        await pause(LOOK_AGAIN_MS);
      } else if (answer.status === 200 && answer.bytes === expected.bodyBytes) {
        return;
      } else {
        const wanted = `200 with ${expected.bodyBytes} bytes`;
        throw this.#failure(`answered ${answer.status} with ${answer.bytes} bytes instead of ${wanted}`);
      }
    }
  }
}

/** Waits for `event`, but no longer than `limitMs`. */
async function within(limitMs: number, event: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const limit = pause(limitMs, undefined, { signal: done.signal }).catch(() => {});
  await Promise.race([event, limit]);
  done.abort();
}

async function untilGone(processes: readonly Stat[], limitMs: number): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (processes.some(isAlive) && performance.now() < untilMs) await pause(LOOK_AGAIN_MS);
}

function kill(processes: readonly Stat[]): void {
  for (const stat of processes.filter(isAlive)) {
    try {
      process.kill(stat.pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}

/** One request on a connection of its own; undefined when there is no answer, because nobody listens yet. */
function ask(port: number, expected: Expected, limitMs: number) {
  const { path, postBytes } = expected;
  if (expected.protocol === 'uwsgi') return askUwsgi(port, path, limitMs);
  return new Promise<{ status: number; bytes: number } | undefined>((resolve) => {
    const method = postBytes === undefined ? 'GET' : 'POST';
    const signal = AbortSignal.timeout(Math.ceil(limitMs));
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent: false, signal }, (incoming) => {
      let bytes = 0;
      incoming.on('data', (data: Buffer) => {
        bytes += data.length;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, bytes }));
      incoming.on('error', () => resolve(undefined));
    });
    outgoing.on('error', () => resolve(undefined));
    outgoing.end(postBytes === undefined ? undefined : 'x'.repeat(postBytes));
  });
}

/** The same in the uwsgi protocol. */
async function askUwsgi(port: number, path: string, limitMs: number) {
  const address = { kind: 'tcp', host: '127.0.0.1', port, text: '' } as const;
  let answer = Buffer.alloc(0);
  try {
    await send(
      address,
      { method: 'GET', target: path, headers: [], body: Buffer.alloc(0) },
      Math.ceil(limitMs),
      (data) => {
        answer = Buffer.concat([answer, data]);
      },
    );
  } catch {
    return undefined;
  }
  const bytes = answer.length - (answer.indexOf('\r\n\r\n') + 4);
  return { status: Number(answer.toString('latin1', 9, 12)), bytes };
}
