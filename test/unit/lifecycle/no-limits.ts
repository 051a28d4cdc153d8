// Limits of workers, none of them set: tests add those that they are about.

import type { WorkerLimits } from '../../../src/lifecycle/limits.js';

export const NO_LIMITS: WorkerLimits = {
  requests: 0,
  requestsDelta: 0,
  leastAgeMs: 0,
  ageMs: 0,
  ageDeltaMs: 0,
  rssBytes: 0,
  asBytes: 0,
  evilRssBytes: 0,
  evilAsBytes: 0,
};
