// Where and with what a run was made, and its record in results/.
//
// A figure without its machine, commit and versions is worth nothing a month later; so they are in every file.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { RESULTS, ROOT } from './paths.js';
import type { Outcome, Summary } from './summary.js';
import { versions } from './versions.js';

export interface Environment {
  /** YYYY-MM-DD, in UTC. */
  readonly date: string;
  readonly commit: string;
  /** The checkout has changes that are in no commit. */
  readonly isDirty: boolean;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly asks: string;
  readonly conditions: string;
  readonly summaries: readonly Summary[];
  readonly outcomes: readonly Outcome[];
}

export interface Result {
  readonly environment: Environment;
  readonly scenarios: readonly ScenarioResult[];
}

/** The machine, the checkout and the servers, as they are now. */
export function environment(rounds: number, seconds: number): Environment {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') || 'unknown',
    isDirty: git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!native-bench/results') !== '',
    node: process.version,
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    versions: versions(),
    rounds,
    seconds,
  };
}

const git = (...args: string[]) => (spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout ?? '').trim();

/** One paragraph on where the figures come from. */
export function environmentText(e: Environment): string {
  const software = Object.entries(e.versions).map(([name, version]) => `${name} ${version}`);
  const machine = `${e.cores} cores (${e.cpu}), ${e.memoryGib} GiB, Linux ${e.kernel}`;
  const run = `${e.rounds} rounds of ${e.seconds} s, load generator on the same machine`;
  return `${e.date}, commit ${e.commit}${e.isDirty ? ' with changes' : ''}; ${machine}; ${run}; ${software.join(', ')}.`;
}

/** Writes the record of a run and the text of the latest one. Returns the paths, from the root of the checkout. */
export function save(result: Result, text: string): string[] {
  mkdirSync(RESULTS, { recursive: true });
  const { date, commit } = result.environment;
  const files = { [`${date}-${commit}.json`]: `${jsonText(result)}\n`, 'latest.md': `${text}\n` };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(RESULTS, name), content);
  return Object.keys(files).map((name) => `native-bench/results/${name}`);
}

/** The result as JSON, with figures rounded to what they can be trusted for. */
export function jsonText(result: Result): string {
  const round = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
  return JSON.stringify(result, round, 1);
}
