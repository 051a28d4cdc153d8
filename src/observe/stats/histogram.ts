// How long things took, as counts in buckets whose width grows with the time: 16 to each doubling, so that a percentile
// is off by 6 % at most, whether it is microseconds or minutes.
//
// Why not a library: a time goes in by two shifts and an increment, on the accept thread, without an allocation; and two
//   states of a histogram can be subtracted, which gives the percentiles of the last second.
// Decided elsewhere: what is measured (ledger.ts), how it is shown (own-stats.ts, metrics.ts).

const SUB_BITS = 4;
const SUB_BUCKETS = 1 << SUB_BITS;
/** Times above are counted as this: 2^31 µs are 36 minutes. */
const MOST_US = 0x7fffffff;
const BUCKETS = bucketOf(MOST_US) + 1;

/** The bucket of a time in whole µs, at most MOST_US. Below 16 µs each has its own. */
function bucketOf(us: number): number {
  if (us < SUB_BUCKETS) return us;
  const octave = 31 - Math.clz32(us);
  return ((octave - SUB_BITS + 1) << SUB_BITS) | ((us >>> (octave - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** The least time in µs that falls into `bucket`. */
function leastOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const octave = (bucket >>> SUB_BITS) + SUB_BITS - 1;
  return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1))) * 2 ** (octave - SUB_BITS);
}

/** What percentiles are read from. */
export interface Distribution {
  readonly count: number;
  /** The time in µs that the share `p` (0 to 1) of all stays below or at; 0 when there is none. */
  percentileUs(p: number): number;
}

export class Histogram implements Distribution {
  readonly #counts = new Uint32Array(BUCKETS);
  count = 0;
  sumUs = 0;
  /** Adds a time, which may be negative by a hair where two clocks were compared. */
  add(ms: number): void {
    const us = ms > 0 ? Math.min(MOST_US, Math.round(ms * 1000)) : 0;
    this.#counts[bucketOf(us)]!++;
    this.count++;
    this.sumUs += us;
  }

  percentileUs(p: number): number {
    return percentile(this.#counts, this.count, p);
  }

  /** How many times were at most `us`; exact where `us` is the end of a bucket. */
  countUpTo(us: number): number {
    const last = bucketOf(Math.min(us, MOST_US));
    let count = 0;
    for (let i = 0; i <= last; i++) count += this.#counts[i]!;
    return count;
  }

  /** Counts of another one are added: of an endpoint that is not told apart any more. */
  merge(other: Histogram): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i] = this.#counts[i]! + other.#counts[i]!;
    this.count += other.count;
    this.sumUs += other.sumUs;
  }

  /** What has come since the last call that passed the same `mark`, and notes how it stands now. */
  since(mark: Mark): Distribution {
    const counts = new Uint32Array(BUCKETS);
    for (let i = 0; i < BUCKETS; i++) counts[i] = this.#counts[i]! - mark.counts[i]!;
    const count = this.count - mark.count;
    mark.counts.set(this.#counts);
    mark.count = this.count;
    return { count, percentileUs: (p) => percentile(counts, count, p) };
  }
}

/** A state of a histogram, to be compared with a later one. */
export class Mark {
  readonly counts = new Uint32Array(BUCKETS);
  count = 0;
}

function percentile(counts: Uint32Array, count: number, p: number): number {
  if (count === 0) return 0;
  let rest = Math.max(1, Math.ceil(p * count));
  for (let i = 0; i < BUCKETS; i++) {
    rest -= counts[i]!;
    if (rest <= 0) return (leastOf(i) + leastOf(i + 1) - 1) >>> 1; // the middle of the bucket
  }
  return MOST_US;
}
