// Memory over time: samples, and the line through them.

import { pssMibOf, readTree } from '../../native-bench/proc.js';
import { rssBytes } from '../e2e/harness.js';

const MIB = 1 << 20;
/** The share of the samples, from the first on, in which caches fill and heaps find their size. */
const WARM_UP = 0.3;

export interface MemorySample {
  readonly atMs: number;
  readonly mainRssMib: number;
  /** Of all processes together, pages that they share counted once. */
  readonly treePssMib: number;
}

export function sampleMemory(pid: number): MemorySample {
  return { atMs: performance.now(), mainRssMib: rssBytes(pid) / MIB, treePssMib: pssMibOf(readTree(pid)) ?? 0 };
}

/** The slope of the line through the values at these times, in units per minute (least squares); 0 for fewer than two. */
export function slopePerMinute(samples: readonly { readonly atMs: number; readonly value: number }[]): number {
  const n = samples.length;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / n;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / n;
  let covariance = 0;
  let variance = 0;
  for (const { atMs, value } of samples) {
    covariance += (atMs - meanAt) * (value - mean);
    variance += (atMs - meanAt) ** 2;
  }
  return variance === 0 ? 0 : (covariance / variance) * 60_000;
}

/** How one of the figures grew after the warm-up, in MiB per minute, and where it began and ended. */
export function growth(samples: readonly MemorySample[], figure: 'mainRssMib' | 'treePssMib') {
  const steady = samples.slice(Math.floor(samples.length * WARM_UP));
  return {
    perMinute: slopePerMinute(steady.map((sample) => ({ atMs: sample.atMs, value: sample[figure] }))),
    first: steady[0]?.[figure] ?? 0,
    last: steady.at(-1)?.[figure] ?? 0,
    most: Math.max(...samples.map((sample) => sample[figure])),
  };
}
