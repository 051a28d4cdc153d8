// When a worker that has ended is replaced: at once, unless its seat has a habit of losing them. Pure.
//
// Why a delay: a worker that dies as soon as it starts would otherwise be started again some hundred times a second,
//   and take the processor from the workers that live (uWSGI: forkbomb-delay).
// Decided elsewhere: who starts workers (supervisor.ts).

/** A worker that lived this long has not died of its start. */
export const HEALTHY_MS = 2000;
/** The first delay; it doubles from one early end to the next. */
const FIRST_DELAY_MS = 100;

/** What is remembered of a seat. */
export interface SeatHistory {
  /** Ends in a row, each within HEALTHY_MS of its start. */
  readonly earlyEnds: number;
}

export const NEW_SEAT: SeatHistory = { earlyEnds: 0 };

/**
 * The history after a worker has ended that lived for `livedMs`, and how long to wait before the next is started: at most
 * `longestMs`.
 */
export function afterEnd(
  history: SeatHistory,
  livedMs: number,
  longestMs: number,
): { history: SeatHistory; delayMs: number } {
  if (livedMs >= HEALTHY_MS) return { history: NEW_SEAT, delayMs: 0 };
  const earlyEnds = history.earlyEnds + 1;
  const delayMs = earlyEnds === 1 ? 0 : Math.min(longestMs, FIRST_DELAY_MS * 2 ** (earlyEnds - 2));
  return { history: { earlyEnds }, delayMs };
}
