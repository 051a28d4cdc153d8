// How long a vassal that died rests before it is started again. Pure.
//
// Decided elsewhere: who starts vassals (vassal.ts).

/** One that lived this long has not died of its start. */
export const HEALTHY_MS = 10_000;

export interface Throttle {
  /** The first pause, and the longest. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * The pause after a death: the first one, twice the last, or none for a vassal that lived well. `lastPauseMs`: the
 * pause before the life that ended, 0 when there was none.
 */
export function pauseAfter(livedMs: number, lastPauseMs: number, { firstMs, mostMs }: Throttle): number {
  if (livedMs >= HEALTHY_MS) return 0;
  return Math.min(mostMs, lastPauseMs === 0 ? firstMs : 2 * lastPauseMs);
}
