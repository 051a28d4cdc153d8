// What may happen to a server while it is asked, as a table: how it is brought about, how one knows that it has happened, and
// what clients may notice of it.

import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { descendants } from '../e2e/harness.js';
import type { Scene } from './scene.js';
import { nextAsk } from './scene.js';
import type { App, Way } from './ways.js';

/** The workers and the threads of each of them in a run, for both apps. */
export const WORKERS = 4;
export const THREADS = 2;

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
  { name: 'touch-reload',  kind: 'planned', happened: /reloaded in \d+ ms \(touch-reload/g, times: 2,
    ...touchOption('touch-reload') },
  { name: 'touch-chain-reload', kind: 'planned', happened: /reloaded in \d+ ms \(touch-chain-reload/g, times: 2,
    ...touchOption('touch-chain-reload') },
  { name: 'touch-workers-reload', kind: 'planned', happened: /replaced in \d+ ms|reloaded in \d+ ms \(touch-workers-reload/g, times: 2,
    ...touchOption('touch-workers-reload') },
  { name: 'worker killed', kind: 'crash',   happened: /died: it was killed by SIGKILL/g, mostFailed: THREADS,
    act: killWorker },
  { name: 'worker killed by its app', kind: 'crash', happened: /died: it was killed by SIGKILL/g, mostFailed: THREADS,
    act: die('py') },
  { name: 'thread ended by its app', kind: 'crash', happened: /died: it exited with code 3/g, mostFailed: THREADS,
    act: die('js') },
  { name: 'zygote killed', kind: 'crash',   happened: /the zygote .* was killed by SIGKILL/g, mostFailed: WORKERS * THREADS,
    act: killZygote },
  { name: 'SIGTERM',       kind: 'stop',    happened: /goodbye to nuwsgi/g,
    act: ({ scene }) => scene.server.child.kill('SIGTERM') },
];
