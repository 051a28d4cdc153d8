// A fault while requests come at a fixed rate, and afterwards the ledger held against the answers.
//
// The rate is open-loop: the next request comes when it is due, whatever became of those before, as with users who do not
//   wait for one another. So a server that stands still is seen: by the longest time without an answer.
// Decided elsewhere: the faults and what may be noticed of them (faults.ts), what counts as what (ledger.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../e2e/harness.js';
import { type Fault, THREADS, WORKERS } from './faults.js';
import type { Verdict } from './ledger.js';
import { nextAsk, Scene } from './scene.js';
import { LISTENERS, MOUNTS, type Way, type WayIn, waysTo } from './ways.js';

export interface Plan {
  readonly fault: Fault;
  /** Requests come by these in turns, to both apps. */
  readonly ways: readonly WayIn[];
  readonly perSecond: number;
  readonly seconds: number;
  /** How long a request takes in the app, unless the fault wants it otherwise. */
  readonly workMs: number;
}

export interface LosslessResult {
  readonly verdict: Verdict;
  /** The longest time without a right answer, until the fault and from it on. */
  readonly gapBeforeMs: number;
  readonly gapMs: number;
  /** The most that a request was sent too late: how far this process was in the way itself. */
  readonly latenessMs: number;
  /** What clients noticed and should not have. */
  readonly problems: readonly string[];
}

/** When in the run the fault is brought about. */
const FAULT_AT = 0.35;
/** How long it may take until the log tells that it has happened. */
const HAPPENS_WITHIN_MS = 20_000;

/** A request that was sent. */
interface Sent {
  readonly id: string;
  readonly atMs: number;
}

/**
 * Runs one fault. `mostGapMs`: a longer time without an answer is a problem, where the fault is a planned one; as far as
 * this process itself was not in time, that is not the server's.
 */
export async function runLossless(plan: Plan, mostGapMs: number): Promise<LosslessResult> {
  const { fault } = plan;
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-lossless-'));
  const size = ['--processes', String(WORKERS), '--threads', String(THREADS)];
  const scene = await Scene.start([...LISTENERS, ...MOUNTS, ...size, ...(fault.args?.(directory) ?? [])]);
  const ways = waysTo(scene.server.ports, plan.ways);
  try {
    const answers: number[] = [];
    const { sent, actedAtMs, latenessMs } = await sendAll(plan, scene, ways, directory, answers);
    if (fault.happened !== undefined) await happened(scene, fault);
    const verdict = judgeRun(fault, scene, sent, actedAtMs);
    const gapBeforeMs = longestGap(answers.filter((atMs) => atMs < actedAtMs));
    const gapMs = longestGap(answers.filter((atMs) => atMs >= actedAtMs));
    const problems = problemsOf(fault, verdict, gapMs, mostGapMs + latenessMs);
    return { verdict, gapBeforeMs, gapMs, latenessMs, problems };
  } finally {
    for (const way of ways) way.close();
    await scene.end();
    rmSync(directory, { recursive: true });
  }
}

/** Sends every request when it is due, and brings the fault about; resolves when all have ended. */
async function sendAll(plan: Plan, scene: Scene, ways: readonly Way[], directory: string, answers: number[]) {
  const count = Math.round(plan.perSecond * plan.seconds);
  const actAt = Math.round(count * FAULT_AT);
  const startMs = performance.now();
  const sent: Sent[] = [];
  const ended: Promise<unknown>[] = [];
  let actedAtMs = Number.POSITIVE_INFINITY;
  let latenessMs = 0;
  for (let i = 0; i < count; i++) {
    const dueMs = startMs + (i * 1000) / plan.perSecond;
    while (performance.now() < dueMs) await pause(Math.max(0, dueMs - performance.now()));
    latenessMs = Math.max(latenessMs, performance.now() - dueMs);
    if (i === actAt) {
      actedAtMs = performance.now();
      ended.push(Promise.resolve(plan.fault.act?.({ scene, directory, ways })));
    }
    const ask = nextAsk({ ms: plan.fault.workMs ?? plan.workMs });
    sent.push({ id: ask.id, atMs: performance.now() });
    const outcome = scene.record(ask, ways[i % ways.length]!.ask(ask));
    ended.push(outcome.then(({ ending }) => ending === 'right' && answers.push(performance.now())));
  }
  await Promise.all(ended);
  return { sent, actedAtMs, latenessMs };
}

const happened = (scene: Scene, { name, happened: pattern, times = 1 }: Fault) =>
  until(() => (scene.server.log.match(pattern!)?.length ?? 0) >= times, `${name} happens`, HAPPENS_WITHIN_MS);

/** The verdict; what comes after a stop and is not started counts as refused, however the client got to know. */
function judgeRun(fault: Fault, scene: Scene, sent: readonly Sent[], actedAtMs: number): Verdict {
  if (fault.kind === 'stop') {
    const started = scene.ledger.read();
    for (const { id, atMs } of sent) {
      const outcome = scene.outcomes.get(id)!;
      if (outcome.ending === 'lost' && atMs >= actedAtMs && !started.has(id)) {
        scene.outcomes.set(id, { ...outcome, ending: 'refused' });
      } else if (outcome.ending === 'refused' && atMs < actedAtMs) {
        scene.outcomes.set(id, { ...outcome, ending: 'lost', why: `${outcome.why}, before the stop` });
      }
    }
  }
  return scene.verdict();
}

/** The longest time between two of `timesMs`. */
function longestGap(timesMs: readonly number[]): number {
  const sorted = [...timesMs].sort((a, b) => a - b);
  return sorted.reduce((gap, atMs, i) => Math.max(gap, i === 0 ? 0 : atMs - sorted[i - 1]!), 0);
}

/** What must not have been noticed and was. */
function problemsOf(fault: Fault, verdict: Verdict, gapMs: number, mostGapMs: number): string[] {
  const { kind, mostFailed = 0 } = fault;
  const never = ['wrong', 'twice', 'ghost', 'lost', 'other'] as const;
  const problems = never.filter((what) => verdict[what] > 0).map((what) => `${verdict[what]} ${what}`);
  if (kind !== 'stop' && verdict.refused > 0) problems.push(`${verdict.refused} refused`);
  if (verdict.failed > (kind === 'crash' ? mostFailed : 0)) problems.push(`${verdict.failed} failed`);
  if (kind === 'planned' && gapMs > mostGapMs) problems.push(`a gap of ${gapMs.toFixed(0)} ms`);
  return problems;
}
