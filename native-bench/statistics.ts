// Medians and ratios over rounds. Pure.
//
// Why ratios per round: whatever slows the machine down for a while slows the servers of one round alike, so the
//   quotient of two neighbours in time is steadier than the quotient of two medians.

/** The middle of `values`, or the mean of the two in the middle; undefined when there is none. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Least, middle and greatest of the rounds that have a value; undefined when none has. */
export function spread(rounds: readonly (number | undefined)[]): Spread | undefined {
  const values = rounds.filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  return { min: Math.min(...values), median: median(values)!, max: Math.max(...values) };
}

/**
 * The median over the rounds of `ours / theirs`, both indexed by round. Rounds in which one of them has no value, or
 * theirs is 0, do not count.
 */
export function medianRatio(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): number | undefined {
  const ratios: number[] = [];
  ours.forEach((our, round) => {
    const their = theirs[round];
    if (our !== undefined && their !== undefined && their !== 0) ratios.push(our / their);
  });
  return median(ratios);
}
