// Which endpoints take the time: requests by the pattern of their path, with how often, how long, and how badly.
//
// A path becomes a label: the first pattern of --endpoint that fits, or its first two segments, with what looks like a
//   number or an id turned into `*`. Clients choose paths, so labels are bounded: the least used one makes room for a new
//   one, and its figures go to "(other)".
// The way from path to label is remembered for the paths seen last, so that the usual request costs one look-up; where
//   every path is new, a label costs a few hundred nanoseconds (native-bench/micro/ledger.ts).
// Decided elsewhere: when this is done at all (ledger.ts), how it is shown (own-stats.ts).

import { Histogram } from './histogram.js';

const MOST_LABELS = 200;
const KEPT_PATHS = 4096;
/** Longer paths are not remembered: they are rarely the same twice. */
const KEPT_PATH_CHARS = 128;
const SEGMENT_CHARS = 40;
/** From so many characters on, hexadecimal digits, or anything with a digit in it, is an id and no name. */
const SHORTEST_HEX = 8;
const SHORTEST_TOKEN = 16;
/** What turns a letter into lower case, and leaves digits, dash and dot as they are. */
const LOWER_CASE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
const DASH = 0x2d;
const DOT = 0x2e;
export const OTHER = '(other)';

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
  readonly #byPath = new Map<string, Endpoint>();
  readonly #other = new Endpoint(OTHER);

  /** `patterns`: such as `/users/:id`; see `compilePattern`. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compilePattern);
  }

  /** Counts a request for `target` that took `ms` from its arrival to the end of its answer. */
  add(target: string, ms: number, isError: boolean): void {
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    const endpoint = this.#byPath.get(path) ?? this.#find(path);
    endpoint.times.add(ms);
    if (isError) endpoint.errors++;
  }

  #find(path: string): Endpoint {
    const label = this.labelOf(path);
    const endpoint = this.#byLabel.get(label) ?? this.#make(label);
    if (path.length <= KEPT_PATH_CHARS) {
      if (this.#byPath.size >= KEPT_PATHS) this.#byPath.clear();
      this.#byPath.set(path, endpoint);
    }
    return endpoint;
  }

  /** What the requests for `path` (without the query) are counted under. */
  labelOf(path: string): string {
    for (const { matches, label } of this.#patterns) if (matches(path)) return label;
    if (!path.startsWith('/')) return OTHER; // `*` of OPTIONS
    const second = path.indexOf('/', 1);
    if (second < 0) return `/${segmentLabel(path.slice(1))}`;
    const third = path.indexOf('/', second + 1);
    const first = segmentLabel(path.slice(1, second));
    if (third < 0) return `/${first}/${segmentLabel(path.slice(second + 1))}`;
    return `/${first}/${segmentLabel(path.slice(second + 1, third))}/...`;
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
    this.#byPath.clear(); // some may still lead to it
    this.#other.times.merge(least.times);
    this.#other.errors += least.errors;
  }

  /** All of them, those that took the most time in all first. */
  get slowest(): readonly Endpoint[] {
    const all = [...this.#byLabel.values(), this.#other].filter(({ times }) => times.count > 0);
    return all.sort((a, b) => b.times.sumUs - a.times.sumUs);
  }
}

/** A segment as it is, or `*` for what looks like an id: a number, a UUID, a hash, a token. */
function segmentLabel(segment: string): string {
  const { length } = segment;
  let digits = 0;
  let hexLetters = 0;
  let others = 0;
  for (let i = 0; i < length; i++) {
    const code = segment.charCodeAt(i) | LOWER_CASE;
    if (code >= DIGIT_0 && code <= DIGIT_9) digits++;
    else if (code >= LETTER_A && code <= LETTER_F) hexLetters++;
    else if (code !== DASH && code !== DOT) others++;
  }
  const isNumber = digits > 0 && hexLetters + others === 0;
  const isHex = digits > 0 && others === 0 && length >= SHORTEST_HEX;
  const isToken = digits > 0 && length >= SHORTEST_TOKEN;
  return isNumber || isHex || isToken ? '*' : segment.slice(0, SEGMENT_CHARS);
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
