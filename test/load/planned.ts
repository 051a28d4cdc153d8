// What happens to workers in the life of a server, many times over under wrk at full load: recycling, reloads of every kind,
// workers that come and go, workers that are killed, an app that leaks. Clients must not notice.
//
// wrk gives the load and tells every answer and every error; two clients beside it know which version each answer must have:
//   one of those that were there between the request and the answer.
// Decided elsewhere: the app and its versions (e2e/versioned-app.ts), how often each is done (reloads.ts, the tests).

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { HEALTHY_MS } from '../../src/lifecycle/respawn.js';
import { parseStatus } from '../../src/worker/process-memory.js';
import { descendants, rssBytes, startServer, type TestServer, until } from '../e2e/harness.js';
import { SteadyLoad } from '../e2e/steady-load.js';
import { type Language, VersionedApp } from '../e2e/versioned-app.js';
import { Wrk, type WrkTold } from './wrk.js';

export interface TrialResult {
  /** Answers that wrk got, with the version in them. */
  readonly answers: number;
  readonly seconds: number;
  /** What clients noticed and should not have. */
  readonly problems: readonly string[];
  readonly remark: string;
}

export interface Trial {
  readonly name: string;
  /** What it is for one of them to be done. */
  readonly unit: string;
  readonly languages: readonly Language[];
  readonly args: (app: VersionedApp) => readonly string[];
  /** What wrk asks for. */
  readonly path?: string;
  /** Brings it about `count` times. */
  run(stage: Stage, count: number): Promise<void>;
}

/** A worker that was killed is back in that time, where nothing else takes the processors. */
const MOST_BACK_MS = 100;
const PROCESSES = 3;
const THREADS = 2;
const CONNECTIONS = 32;
/** The longest that one of them may take. */
const EACH_MS = 60_000;
const LEAK_LIMIT_MIB = 100;
/** What a leaking worker may be beyond the limit: what leaks between two looks and until it is replaced. */
const MOST_OVERSHOOT_MIB = 10;
/** What the server itself has, and its heaps that grow before they are collected. */
const SERVER_MIB = 200;
const MIB = 1 << 20;

/** A server under load, and what is known of it. */
export class Stage {
  readonly app: VersionedApp;
  readonly server: TestServer;
  /** Whether times count. */
  readonly isStrict: boolean;
  readonly problems: string[] = [];
  remark = '';
  /** Requests that ran where something was killed, at most. */
  mostFailed = 0;
  readonly #path: string;
  readonly #watch: SteadyLoad;
  readonly #told: WrkTold[] = [];
  #wrk: Wrk;
  /** The oldest version that may answer a request from now on, and the newest. */
  #oldest = 1;
  #newest = 1;

  constructor(app: VersionedApp, server: TestServer, path: string, isStrict: boolean) {
    this.app = app;
    this.server = server;
    this.isStrict = isStrict;
    this.#path = path;
    this.#watch = new SteadyLoad(server.port, path, 2, () => {
      const oldest = this.#oldest;
      return (body) => {
        const version = Number(/^v(\d+)$/.exec(body)?.[1]);
        if (version >= oldest && version <= this.#newest) return undefined;
        return `"${body}", where v${oldest} to v${this.#newest} were there`;
      };
    });
    this.#wrk = new Wrk(server.port, path, CONNECTIONS);
  }

  /** Waits for `pattern` in the log behind `from`. */
  async logged(pattern: RegExp, from: number): Promise<void> {
    await until(() => pattern.test(this.server.log.slice(from)), `${pattern} in the log`, EACH_MS);
  }

  /** Resolves when so many more answers have come to the clients beside wrk. */
  more(answers: number): Promise<void> {
    return this.#watch.more(answers);
  }

  /** Writes the next version, causes its reload, and waits until the log says, by `reason`, that it is done. */
  async nextVersion(cause: () => void, reason: string): Promise<void> {
    const from = this.server.log.length;
    this.app.write(`v${++this.#newest}`);
    cause();
    await this.logged(new RegExp(`eloaded .*\\(${reason}`), from);
    if (/NOT reloaded/.test(this.server.log.slice(from))) throw new Error(this.server.log.slice(from));
    this.#oldest = this.#newest;
    await this.more(4);
  }

  /** Ends wrk, and starts it with so many connections. */
  async loadBy(connections: number, path = this.#path): Promise<void> {
    this.#told.push(await this.#wrk.end());
    this.#wrk = new Wrk(this.server.port, path, connections);
  }

  /** Lets the load end. What clients noticed goes into `problems`. Returns the answers that wrk got. */
  async end(): Promise<number> {
    this.#told.push(await this.#wrk.end());
    const { failures } = await this.#watch.end();
    const isFromDead = (what: string) => this.mostFailed > 0 && what.startsWith('502 ');
    this.problems.push(...failures.filter((what) => !isFromDead(what)));
    let failed = failures.filter(isFromDead).length;
    const versions = new Map<number, number>();
    for (const { answers, errors } of this.#told) {
      if (errors > 0) this.problems.push(`${errors} connections failed, were cut or timed out`);
      for (const [answer, count] of answers) {
        const version = Number(/^200 v(\d+)$/.exec(answer)?.[1]);
        if (version >= 1 && version <= this.#newest) versions.set(version, (versions.get(version) ?? 0) + count);
        else if (isFromDead(answer)) failed += count;
        else this.problems.push(`${count} times "${answer}"`);
      }
    }
    for (let v = 1; v <= this.#newest; v++) if (!versions.has(v)) this.problems.push(`v${v} has answered nothing`);
    if (failed > this.mostFailed) this.problems.push(`${failed} requests failed, at most ${this.mostFailed} ran there`);
    if (this.mostFailed > 0) this.remark += `${failed} of at most ${this.mostFailed} requests failed`;
    return [...versions.values()].reduce((sum, count) => sum + count, 0);
  }
}

const countIn = (log: string, pattern: RegExp) => log.match(pattern)?.length ?? 0;

/** `count` new versions, one after the other. */
const versions =
  (cause: (stage: Stage) => void, reason: string) =>
  async (stage: Stage, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await stage.nextVersion(() => cause(stage), reason);
  };

async function recycle({ server }: Stage, count: number): Promise<void> {
  const done = () => countIn(server.log, /is replaced: it has answered \d+ requests \(max-requests\)/g);
  await until(() => done() >= count, `${count} recycled`, count * EACH_MS);
}

/** Full load until all workers are there, then next to none until one is left. */
async function upAndDown(stage: Stage, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const from = stage.server.log.length;
    await stage.loadBy(2 * CONNECTIONS, '/short');
    await stage.logged(new RegExp(`${PROCESSES} workers instead of`), from);
    await stage.loadBy(1, '/');
    await stage.logged(/ 1 workers instead of/, from);
  }
}

/** Kills one worker after the other, each when it has lived long enough not to be taken for one that dies of its start. */
async function kill(stage: Stage, count: number): Promise<void> {
  const { server } = stage;
  const times: number[] = [];
  const bornAtMs = new Array(PROCESSES).fill(performance.now());
  for (let i = 0; i < count; i++) {
    const seat = i % PROCESSES; // the first has most of the work
    await pause(bornAtMs[seat] + HEALTHY_MS - performance.now());
    await stage.more(20);
    const pids = server.log.matchAll(new RegExp(`uWSGI worker ${seat + 1} \\((?:new )?pid: (\\d+), cores`, 'g'));
    const from = server.log.length;
    const killedAtMs = performance.now();
    process.kill(Number([...pids].at(-1)![1]), 'SIGKILL');
    stage.mostFailed += THREADS;
    await stage.logged(/Respawned uWSGI worker/, from);
    bornAtMs[seat] = performance.now();
    times.push(bornAtMs[seat] - killedAtMs);
  }
  times.sort((a, b) => a - b);
  const [median, most] = [times[times.length >> 1]!, times.at(-1)!];
  stage.remark = `back after ${median.toFixed(0)} ms (median), ${most.toFixed(0)} ms (most); `;
  if (stage.isStrict && median > MOST_BACK_MS) stage.problems.push(`back after more than ${MOST_BACK_MS} ms`);
}

/** `count` seconds of an app that leaks, and until a worker was replaced. */
async function leak(stage: Stage, count: number): Promise<void> {
  const { server, app } = stage;
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const replaced = () => countIn(server.log, /is replaced: it has \d+ MiB of resident memory/g);
  let most = 0;
  while (seconds() < count || (replaced() === 0 && seconds() * 1000 < EACH_MS)) {
    await pause(100);
    const all = app.language === 'python' ? descendants(server.pid).map(ownBytes) : [rssBytes(server.pid)];
    most = Math.max(most, ...all);
  }
  const mib = Math.round(most / MIB);
  stage.remark = `${mib} MiB at most, limit ${LEAK_LIMIT_MIB} per worker, ${replaced()} replaced`;
  if (replaced() === 0) stage.problems.push('no worker was replaced');
  const limit = LEAK_LIMIT_MIB + MOST_OVERSHOOT_MIB;
  const mostMib = app.language === 'python' ? limit : SERVER_MIB + (PROCESSES + 1) * limit; // the threads, and a successor
  if (stage.isStrict && mib > mostMib) stage.problems.push(`${mib} MiB, at most ${mostMib} were to be expected`);
}

/** What a process has for itself; 0: it has ended. */
function ownBytes(pid: number): number {
  try {
    return parseStatus(readFileSync(`/proc/${pid}/status`, 'latin1'), 0)?.rssBytes ?? 0;
  } catch {
    return 0;
  }
}

const BOTH: readonly Language[] = ['python', 'js'];

// biome-ignore format: a table
export const TRIALS: readonly Trial[] = [
  { name: 'recycles', unit: 'recycles by --max-requests', languages: BOTH, run: recycle,
    args: () => ['--max-requests', '200', '--min-worker-lifetime', '0'] },
  { name: 'touches', unit: 'reloads by --touch-reload', languages: BOTH,
    args: ({ trigger }) => ['--touch-reload', trigger], run: versions(({ app }) => app.touch(), 'touch-reload') },
  { name: 'chains', unit: 'chain reloads', languages: BOTH,
    args: ({ trigger }) => ['--touch-chain-reload', trigger], run: versions(({ app }) => app.touch(), 'touch-chain-reload') },
  { name: 'hangups', unit: 'SIGHUPs', languages: BOTH,
    args: () => [], run: versions(({ server }) => server.child.kill('SIGHUP'), 'SIGHUP') },
  { name: 'cheaper', unit: 'times up to all workers and down to one', languages: BOTH, run: upAndDown,
    args: () => ['--cheaper', '1', '--cheaper-overload', '1'] },
  { name: 'kills', unit: 'workers killed by kill -9', languages: ['python'], path: '/short', run: kill, args: () => [] },
  { name: 'leak', unit: 'seconds of an app that leaks, with --reload-on-rss', languages: BOTH, path: '/leak', run: leak,
    args: () => ['--reload-on-rss', String(LEAK_LIMIT_MIB), '--min-worker-lifetime', '0'] },
];

/** Runs `trial` `count` times on an app of `language`. `isStrict`: times count, too, because nothing else runs here. */
export async function runTrial(
  trial: Trial,
  language: Language,
  count: number,
  isStrict: boolean,
): Promise<TrialResult> {
  const app = new VersionedApp(language);
  const size = ['--processes', String(PROCESSES), '--threads', String(THREADS)];
  const args = ['--http', '127.0.0.1:0', '--disable-logging', '--wsgi-file', app.file, ...size, ...trial.args(app)];
  const server = await startServer(args);
  try {
    const startedMs = performance.now();
    const stage = new Stage(app, server, trial.path ?? '/', isStrict);
    await stage.more(10);
    await trial.run(stage, count);
    await stage.more(10);
    const answers = await stage.end();
    const seconds = (performance.now() - startedMs) / 1000;
    await server.stop();
    return { answers, seconds, problems: stage.problems, remark: stage.remark };
  } finally {
    await server.end('SIGKILL');
    app.remove();
  }
}
