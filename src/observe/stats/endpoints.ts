// Which endpoints take the time: requests by the pattern of their path, with how often, how long, and how badly.
//
// A path becomes a label: the first pattern of --endpoint that fits, or its first two segments, with what looks like a
//   number or an id turned into `*`. Clients choose paths, so labels are bounded: the least used one makes room for a new
//   one, and its figures go to "(other)".
// The way from target to label is remembered for the targets seen last, so that the usual request costs one look-up.
// Decided elsewhere: when this is done at all (ledger.ts), how it is shown (own-stats.ts).

import { Histogram } from './histogram.js';

const MOST_LABELS = 200;
const KEPT_TARGETS = 2048;
/** Longer targets are not remembered: they are rarely the same twice. */
const KEPT_TARGET_CHARS = 256;
const SEGMENTS = 2;
const SEGMENT_CHARS = 40;
export const OTHER = '(other)';

/** Digits, a UUID, a long hash or token: an id, and no name of an endpoint. */
const ID = /^(?:\d+(?:\.\d+)?|[0-9a-fA-F-]{8,}|(?=.*\d)[\w-]{16,})$/;

export class Endpoint {
  readonly label: string;
  readonly times = new Histogram();
  errors = 0;

  constructor(label: string) {
    this.label = label;
  }
}

export class Endpoints {
  readonly #patterns: readonly Pattern[];
  readonly #byLabel = new Map<string, Endpoint>();
  readonly #byTarget = new Map<string, Endpoint>();
  readonly #other = new Endpoint(OTHER);

  /** `patterns`: such as `/users/:id`; see `compilePattern`. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compilePattern);
  }

  /** Counts a request for `target` that took `ms` from its arrival to the end of its answer. */
  add(target: string, ms: number, isError: boolean): void {
    const endpoint = this.#byTarget.get(target) ?? this.#find(target);
    endpoint.times.add(ms);
    if (isError) endpoint.errors++;
  }

  #find(target: string): Endpoint {
    const label = this.labelOf(target);
    const endpoint = this.#byLabel.get(label) ?? this.#make(label);
    if (target.length <= KEPT_TARGET_CHARS) {
      if (this.#byTarget.size >= KEPT_TARGETS) this.#byTarget.clear();
      this.#byTarget.set(target, endpoint);
    }
    return endpoint;
  }

  /** What the requests for `target` are counted under. */
  labelOf(target: string): string {
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    for (const { matches, label } of this.#patterns) if (matches(path)) return label;
    if (!path.startsWith('/')) return OTHER; // `*` of OPTIONS
    const segments = path.slice(1).split('/', SEGMENTS + 1);
    const isDeeper = segments.length > SEGMENTS;
    const kept = segments.slice(0, SEGMENTS).map((segment) => {
      return ID.test(segment) ? '*' : segment.slice(0, SEGMENT_CHARS);
    });
    return `/${kept.join('/')}${isDeeper ? '/...' : ''}`;
  }

  #make(label: string): Endpoint {
    if (label === OTHER) return this.#other;
    if (this.#byLabel.size >= MOST_LABELS) this.#dropLeast();
    const endpoint = new Endpoint(label);
    this.#byLabel.set(label, endpoint);
    return endpoint;
  }

  #dropLeast(): void {
    let least: Endpoint | undefined;
    for (const endpoint of this.#byLabel.values()) {
      if (least === undefined || endpoint.times.count < least.times.count) least = endpoint;
    }
    if (least === undefined) return;
    this.#byLabel.delete(least.label);
    this.#byTarget.clear(); // some may still lead to it
    this.#other.times.merge(least.times);
    this.#other.errors += least.errors;
  }

  /** All of them, those that took the most time in all first. */
  get slowest(): readonly Endpoint[] {
    const all = [...this.#byLabel.values(), this.#other].filter(({ times }) => times.count > 0);
    return all.sort((a, b) => b.times.sumUs - a.times.sumUs);
  }
}

interface Pattern {
  readonly label: string;
  matches(path: string): boolean;
}

/**
 * `/users/:id/orders`: a segment `:name` or `*` stands for any one, `**` at the end for any number of them. No regular
 * expressions: a path is matched segment by segment, in time that its length bounds.
 */
function compilePattern(label: string): Pattern {
  const wanted = label.replace(/^\//, '').split('/');
  const isOpen = wanted.at(-1) === '**';
  if (isOpen) wanted.pop();
  return {
    label,
    matches(path) {
      const segments = path.slice(1).split('/');
      if (isOpen ? segments.length < wanted.length : segments.length !== wanted.length) return false;
      return wanted.every((want, i) => want === '*' || want.startsWith(':') || want === segments[i]);
    },
  };
}
