// How the workers of an app are looked after, from its options: plain values for the parts of this directory.
//
// Decided elsewhere: what the options are (config/options/workers.ts), what is done with the values (recycling.ts).

import type { Config } from '../config/options.js';
import type { HarakiriLimits } from './harakiri.js';
import type { WorkerLimits } from './limits.js';

const MIB = 1048576;

export interface Care {
  /** When a worker is replaced. */
  readonly limits: WorkerLimits;
  /** How often the memory of workers is looked at, where only the evil limits are about it. */
  readonly evilLookMs: number;
  readonly harakiri: HarakiriLimits;
  /** The longest pause between two starts of a worker that ends at once. */
  readonly longestPauseMs: number;
}

export function careOf(config: Config): Care {
  return {
    limits: {
      requests: config['max-requests'],
      requestsDelta: config['max-requests-delta'],
      leastAgeMs: config['min-worker-lifetime'] * 1000,
      ageMs: config['max-worker-lifetime'] * 1000,
      ageDeltaMs: config['max-worker-lifetime-delta'] * 1000,
      rssBytes: config['reload-on-rss'] * MIB,
      asBytes: config['reload-on-as'] * MIB,
      evilRssBytes: config['evil-reload-on-rss'] * MIB,
      evilAsBytes: config['evil-reload-on-as'] * MIB,
    },
    evilLookMs: config['mem-collector-freq'] * 1000,
    harakiri: {
      limitMs: config.harakiri * 1000,
      gracefulMs: config['harakiri-graceful-timeout'] * 1000,
      queueThreshold: config['harakiri-queue-threshold'],
      isVerbose: config['harakiri-verbose'],
    },
    longestPauseMs: config['forkbomb-delay'] * 1000,
  };
}
