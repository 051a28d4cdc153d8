// How the workers of an app are looked after, from its options: plain values for the parts of this directory.
//
// Decided elsewhere: what the options are (config/options/workers.ts), what is done with the values (recycling.ts).

import { ConfigError } from '../base/errors.js';
import type { Config } from '../config/options.js';
import type { CheaperPlan } from './cheaper.js';
import type { HarakiriLimits } from './harakiri.js';
import type { WorkerLimits } from './limits.js';

const MIB = 1048576;

export interface Care {
  /** When a worker is replaced. */
  readonly limits: WorkerLimits;
  /** How often the memory of workers is looked at, where only the evil limits are about it. */
  readonly evilLookMs: number;
  readonly harakiri: HarakiriLimits;
  readonly cheaper: CheaperPlan;
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
    cheaper: cheaperOf(config),
    harakiri: {
      limitMs: config.harakiri * 1000,
      gracefulMs: config['harakiri-graceful-timeout'] * 1000,
      queueThreshold: config['harakiri-queue-threshold'],
      isVerbose: config['harakiri-verbose'],
    },
    longestPauseMs: config['forkbomb-delay'] * 1000,
  };
}

/** Throws `ConfigError` when the numbers do not fit. */
function cheaperOf(config: Config): CheaperPlan {
  const { cheaper, processes } = config;
  const initial = config['cheaper-initial'] ?? cheaper ?? processes;
  const wrong = (problem: string) => new ConfigError('CONFIG_CONFLICT', problem);
  if (cheaper !== undefined && cheaper >= processes) {
    throw wrong(`invalid cheaper value: ${cheaper} must be lower than processes, which is ${processes}`);
  }
  if (initial < (cheaper ?? 0) || initial > processes) {
    throw wrong(`invalid cheaper-initial value: ${initial} must lie between cheaper and processes`);
  }
  return {
    rules:
      cheaper === undefined
        ? undefined
        : {
            algorithm: config['cheaper-algo'],
            least: cheaper,
            most: processes,
            step: config['cheaper-step'],
            looks: config['cheaper-overload'],
            rssSoftBytes: config['cheaper-rss-limit-soft'],
            rssHardBytes: config['cheaper-rss-limit-hard'],
            busyness: {
              max: config['cheaper-busyness-max'],
              min: config['cheaper-busyness-min'],
              multiplier: config['cheaper-busyness-multiplier'],
              penalty: config['cheaper-busyness-penalty'],
              backlogAlert: config['cheaper-busyness-backlog-alert'],
              backlogStep: config['cheaper-busyness-backlog-step'],
              backlogNonzero: config['cheaper-busyness-backlog-nonzero'],
            },
          },
    initial,
    isCheap: config.cheap,
    idleMs: config.idle * 1000,
    diesOnIdle: config['die-on-idle'],
    isVerbose: config['cheaper-busyness-verbose'],
  };
}
