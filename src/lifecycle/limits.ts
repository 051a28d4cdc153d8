// When a worker has served long enough, or has grown too large: numbers in, a verdict out. Pure.
//
// Decided elsewhere: when it is judged, and what is done then (recycling.ts), where the memory figures come from
//   (worker/process-memory.ts).

import type { MemoryFigures } from '../worker/process-memory.js';

/** 0 means: no limit. */
export interface WorkerLimits {
  readonly requests: number;
  /** Added once for each worker of the app in front of it, so that they do not reach their limit together. */
  readonly requestsDelta: number;
  /** A worker younger than this is not replaced. */
  readonly leastAgeMs: number;
  readonly ageMs: number;
  readonly ageDeltaMs: number;
  readonly rssBytes: number;
  readonly asBytes: number;
  /** Beyond these a worker is killed, whatever it is doing. */
  readonly evilRssBytes: number;
  readonly evilAsBytes: number;
}

/** What is known of a worker. Memory figures are 0 while they are not known. */
export interface WorkerFacts {
  /** Which worker of its app, from 0. */
  readonly index: number;
  readonly answered: number;
  readonly ageMs: number;
  readonly rssBytes: number;
  readonly asBytes: number;
}

export type Verdict =
  | { readonly fate: 'stays' }
  /** It is to be replaced, when its successor is ready; or to be killed at once. `why` is for the log. */
  | { readonly fate: 'replace' | 'kill'; readonly why: string };

const STAYS: Verdict = { fate: 'stays' };
const MIB = 1048576;

/** The number of answers at which worker `index` is to be judged; Infinity: none. */
export function answersUntilJudged(limits: WorkerLimits, index: number): number {
  return limits.requests === 0 ? Number.POSITIVE_INFINITY : limits.requests + index * limits.requestsDelta;
}

/** Whether any limit is set that time or memory can reach, so that somebody has to look now and then. */
export function wantsLooks(limits: WorkerLimits): boolean {
  return limits.requests > 0 || limits.ageMs > 0 || wantsMemory(limits);
}

/** Whether any limit is about memory. */
export function wantsMemory({ rssBytes, asBytes, evilRssBytes, evilAsBytes }: WorkerLimits): boolean {
  return rssBytes > 0 || asBytes > 0 || evilRssBytes > 0 || evilAsBytes > 0;
}

/** What is to become of a worker. A limit is reached, not passed: with 100 requests, the 100th is the last. */
export function judge(limits: WorkerLimits, facts: WorkerFacts): Verdict {
  const reached = (figure: number, limit: number) => limit > 0 && figure >= limit;
  if (reached(facts.rssBytes, limits.evilRssBytes)) return { fate: 'kill', why: `RSS: ${facts.rssBytes} bytes` };
  if (reached(facts.asBytes, limits.evilAsBytes)) return { fate: 'kill', why: `Address Space: ${facts.asBytes} bytes` };
  if (facts.ageMs < limits.leastAgeMs) return STAYS;
  if (facts.answered >= answersUntilJudged(limits, facts.index)) {
    return { fate: 'replace', why: `it has answered ${facts.answered} requests (max-requests)` };
  }
  if (limits.ageMs > 0 && facts.ageMs >= limits.ageMs + facts.index * limits.ageDeltaMs) {
    const seconds = Math.floor(facts.ageMs / 1000);
    return { fate: 'replace', why: `lifetime reached, it was running for ${seconds} second(s) (max-worker-lifetime)` };
  }
  if (reached(facts.rssBytes, limits.rssBytes)) {
    return { fate: 'replace', why: `it has ${mib(facts.rssBytes)} MiB of resident memory (reload-on-rss)` };
  }
  if (reached(facts.asBytes, limits.asBytes)) {
    return { fate: 'replace', why: `it has ${mib(facts.asBytes)} MiB of address space (reload-on-as)` };
  }
  return STAYS;
}

/** What a worker had when it was looked at last, and has now. */
export interface Growth {
  readonly before: MemoryFigures;
  readonly now: MemoryFigures;
  readonly elapsedMs: number;
}

/** The shortest time between two looks: less than a new worker takes to be ready. */
const LEAST_LOOK_MS = 50;

/**
 * When to look at memory again, in ms, `mostMs` at the latest: at half the time in which a worker would reach a limit if it
 * went on growing as it did. So one that leaks fast is found when it is little beyond the limit, and those that do not
 * grow are hardly looked at.
 */
export function nextLookMs(limits: WorkerLimits, growths: readonly Growth[], mostMs: number): number {
  let next = mostMs;
  const until = (limit: number, before: number, now: number, elapsedMs: number) => {
    if (now > before && now < limit) next = Math.min(next, ((limit - now) / (now - before)) * (elapsedMs / 2));
  };
  for (const { before, now, elapsedMs } of growths) {
    for (const limit of [limits.rssBytes, limits.evilRssBytes]) until(limit, before.rssBytes, now.rssBytes, elapsedMs);
    for (const limit of [limits.asBytes, limits.evilAsBytes]) until(limit, before.asBytes, now.asBytes, elapsedMs);
  }
  return Math.max(Math.min(LEAST_LOOK_MS, mostMs), next);
}

const mib = (bytes: number) => Math.round(bytes / MIB);
