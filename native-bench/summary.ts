// What the rounds of a scenario come to: medians for each server, and how nuwsgi compares with it. Pure.
//
// Ratios are taken within each round and their median is shown; it need not be the quotient of the medians shown.

import type { Figures } from './measure.js';
import type { Served } from './probe.js';
import { medianRatio, type Spread, spread } from './statistics.js';

/** What became of one server in one scenario. */
export type Outcome =
  | { readonly server: string; readonly status: 'not installed'; readonly needs: string }
  | { readonly server: string; readonly status: 'failed'; readonly why: string }
  | {
      readonly server: string;
      readonly status: 'measured';
      readonly command: string;
      readonly rounds: readonly Figures[];
    };

/** The figures of one server over all rounds. Undefined: not measured in this scenario, or not to be known. */
export interface Summary {
  readonly server: string;
  readonly requestsPerSecond: Spread | undefined;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Of all rounds together. */
  readonly errors: number | undefined;
  readonly served: Served | undefined;
  readonly cpuUsPerRequest: number | undefined;
  readonly pssMib: number | undefined;
  readonly processes: number | undefined;
  readonly readyMs: Spread | undefined;
  /** Processes that had to be killed at the end, in all rounds together. */
  readonly killed: number;
  /** nuwsgi's figure divided by this server's; undefined for nuwsgi itself. */
  readonly ratios: Ratios | undefined;
}

export interface Ratios {
  readonly requestsPerSecond: number | undefined;
  readonly cpuUsPerRequest: number | undefined;
  readonly pssMib: number | undefined;
  readonly readyMs: number | undefined;
}

type Numeric =
  | 'requestsPerSecond'
  | 'p50Ms'
  | 'p99Ms'
  | 'errors'
  | 'cpuUsPerRequest'
  | 'pssMib'
  | 'processes'
  | 'readyMs';

/** Summarises the servers that were measured, and compares `ours` with each of the others. */
export function summarise(outcomes: readonly Outcome[], ours: string): Summary[] {
  const measured = outcomes.filter((outcome) => outcome.status === 'measured');
  const own = measured.find(({ server }) => server === ours)?.rounds;
  return measured.map(({ server, rounds }) => {
    const all = (name: Numeric) => rounds.map((figures) => figures[name]);
    const middle = (name: Numeric) => spread(all(name))?.median;
    const ratio = (name: Numeric) =>
      own &&
      medianRatio(
        own.map((figures) => figures[name]),
        all(name),
      );
    return {
      server,
      requestsPerSecond: spread(all('requestsPerSecond')),
      p50Ms: middle('p50Ms'),
      p99Ms: middle('p99Ms'),
      errors: total(all('errors')),
      served: rounds.find((figures) => figures.served !== undefined)?.served,
      cpuUsPerRequest: middle('cpuUsPerRequest'),
      pssMib: middle('pssMib'),
      processes: middle('processes'),
      readyMs: spread(all('readyMs')),
      killed: total(rounds.map((figures) => figures.killed)) ?? 0,
      ratios:
        server === ours || own === undefined
          ? undefined
          : {
              requestsPerSecond: ratio('requestsPerSecond'),
              cpuUsPerRequest: ratio('cpuUsPerRequest'),
              pssMib: ratio('pssMib'),
              readyMs: ratio('readyMs'),
            },
    };
  });
}

function total(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
