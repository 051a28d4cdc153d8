// What may happen to a server while it is asked, as a table: how it is brought about, how one knows that it has happened, and
// what clients may notice of it.

import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { descendants } from '../e2e/harness.js';
import type { Scene } from './scene.js';
import { nextAsk } from './scene.js';
import type { App, Way } from './ways.js';

/** The workers and the threads of each of them in a run, for both apps. */
export const WORKERS = 4;
export const THREADS = 2;

/** So long that at the usual rates something runs in every worker that dies, and one worker alone is not enough. */
const BUSY_MS = 25;

export interface Fault {
  readonly name: string;
  /**
   * 'planned': nobody may notice. 'crash': what ran there fails, at most `mostFailed`. 'stop': what comes afterwards is
   * refused, what was taken is answered.
   */
  readonly kind: 'planned' | 'crash' | 'stop';
  /** Options of the server; files are in `directory`, which is empty. */
  args?(directory: string): readonly string[];
  /** Brings it about. Without it, it happens by itself. */
  act?(run: Run): unknown;
  /** What the log says when it has happened, for each app. */
  readonly happened: RegExp | undefined;
  /** How long a request must take in the app, in ms, for this to be of interest. */
  readonly workMs?: number;
  /** How often it must say so. */
  readonly times?: number;
  /** How many requests may fail; for 'crash'. */
  readonly mostFailed?: number;
}

/** A run, for a fault to act on. */
export interface Run {
  readonly scene: Scene;
  readonly directory: string;
  readonly ways: readonly Way[];
}

const touch = (directory: string, name: string) => {
  const path = join(directory, name);
  writeFileSync(path, 'touched');
  utimesSync(path, new Date(), new Date());
};
const touchOption = (option: string) => ({
  args: (directory: string) => [`--${option}`, join(directory, option), '--check-interval', '1'],
  act: ({ directory }: Run) => touch(directory, option),
});

/** Says letters to the master FIFO, one after the other. */
const fifo = (letters: string, ...args: readonly string[]) => ({
  args: (directory: string) => ['--master-fifo', join(directory, 'fifo'), ...args],
  act: async ({ directory }: Run) => {
    for (const letter of letters) {
      writeFileSync(join(directory, 'fifo'), letter);
      await pause(200); // so that each is a change of its own
    }
  },
});

/** The process ids that the log gave, of workers or of the zygote. */
const pidsInLog = (log: string, pattern: RegExp) => [...log.matchAll(pattern)].map((match) => Number(match[1]));

function killWorker({ scene }: Run): void {
  const workers = new Set(pidsInLog(scene.server.log, /uWSGI worker \d+ \((?:new )?pid: (\d+), cores/g));
  const [victim] = descendants(scene.server.pid).filter((pid) => workers.has(pid));
  process.kill(victim!, 'SIGKILL');
}

function killZygote({ scene }: Run): void {
  process.kill(pidsInLog(scene.server.log, /zygote pid (\d+)/g)[0]!, 'SIGKILL');
}

const die =
  (app: App) =>
  ({ ways }: Run) =>
    ways.find((way) => way.app === app)!.ask(nextAsk({ die: true }));

// biome-ignore format: a table
export const FAULTS: readonly Fault[] = [
  { name: 'nothing',       kind: 'planned', happened: undefined },
  { name: 'SIGHUP',        kind: 'planned', happened: /reloaded in \d+ ms \(SIGHUP\)/g, times: 2,
    act: ({ scene }) => scene.server.child.kill('SIGHUP') },
  { name: 'SIGUSR2',       kind: 'planned', happened: /^upgraded in \d+ ms/gm,
    act: ({ scene }) => scene.server.child.kill('SIGUSR2') },
  { name: 'touch-reload',  kind: 'planned', happened: /reloaded in \d+ ms \(touch-reload/g, times: 2,
    ...touchOption('touch-reload') },
  { name: 'touch-chain-reload', kind: 'planned', happened: /reloaded in \d+ ms \(touch-chain-reload/g, times: 2,
    ...touchOption('touch-chain-reload') },
  { name: 'touch-workers-reload', kind: 'planned', happened: /replaced in \d+ ms|reloaded in \d+ ms \(touch-workers-reload/g, times: 2,
    ...touchOption('touch-workers-reload') },
  { name: 'reload by FIFO', kind: 'planned', happened: /reloaded in \d+ ms \(master-fifo/g, times: 2, ...fifo('r') },
  { name: 'max-requests',  kind: 'planned', happened: /worker \d is replaced: /g, times: 8,
    args: () => ['--max-requests', '20', '--min-worker-lifetime', '0'] },
  { name: 'max-worker-lifetime', kind: 'planned', happened: /worker \d is replaced: /g, times: 4,
    args: () => ['--max-worker-lifetime', '1', '--min-worker-lifetime', '0'] },
  { name: 'fewer and more workers', kind: 'planned', happened: /\d workers instead of \d/g, times: 8,
    ...fifo('--++', '--cheaper', '1', '--cheaper-initial', String(WORKERS), '--cheaper-algo', 'manual') },
  { name: 'more workers by load', kind: 'planned', happened: /\d workers instead of \d/g, times: 1, workMs: BUSY_MS,
    args: () => ['--cheaper', '1', '--cheaper-initial', '1', '--cheaper-algo', 'backlog', '--cheaper-overload', '1'] },
  { name: 'harakiri beside others', kind: 'planned', happened: /HARAKIRI ON WORKER/g,
    args: () => ['--harakiri', '1'], act: ({ ways }) => ways[0]!.ask(nextAsk({ ms: 30_000 })) },
  { name: 'worker killed', kind: 'crash', workMs: BUSY_MS,   happened: /died: it was killed by SIGKILL/g, mostFailed: THREADS,
    act: killWorker },
  { name: 'worker killed by its app', kind: 'crash', workMs: BUSY_MS, happened: /died: it was killed by SIGKILL/g, mostFailed: THREADS,
    act: die('py') },
  { name: 'thread ended by its app', kind: 'crash', workMs: BUSY_MS, happened: /died: it exited with code 3/g, mostFailed: THREADS,
    act: die('js') },
  { name: 'zygote killed', kind: 'crash', workMs: BUSY_MS,   happened: /the zygote .* was killed by SIGKILL/g, mostFailed: WORKERS * THREADS,
    act: killZygote },
  { name: 'SIGTERM',       kind: 'stop',    happened: /goodbye to nuwsgi/g,
    act: ({ scene }) => scene.server.child.kill('SIGTERM') },
];
