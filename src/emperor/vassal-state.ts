// The life of a vassal, as a table: each state, and every way to leave it.
//
// Decided elsewhere: who causes the events (vassal.ts), how long a dead one rests (throttle.ts).

// biome-ignore format: a table
export const VASSAL = {
  //          event -> next state
  new:        { started: 'starting' },
  starting:   { ready: 'serving',   told_to_stop: 'stopping', told_to_change: 'changing', died: 'resting' },
  serving:    {                     told_to_stop: 'stopping', told_to_change: 'changing', died: 'resting' },
  /** On its way out, to come back with its new configuration. */
  changing:   { ready: 'changing',  told_to_stop: 'stopping', told_to_change: 'changing', died: 'new' },
  /** It died, and is started again after a pause, or when its file changes. */
  resting:    { started: 'starting', told_to_stop: 'gone' },
  stopping:   { ready: 'stopping',  told_to_stop: 'stopping',                             died: 'gone' },
  gone:       { told_to_stop: 'gone' },
} as const satisfies Record<string, Record<string, string>>;

export type VassalState = keyof typeof VASSAL;
export type VassalEvent = { [S in VassalState]: keyof (typeof VASSAL)[S] }[VassalState];

/** The state that follows on `event` in `state`. Throws, naming both, when the table has no such transition. */
export function next(state: VassalState, event: VassalEvent): VassalState {
  const row: Partial<Record<VassalEvent, VassalState>> = VASSAL[state];
  const following = row[event];
  if (following === undefined) throw new Error(`a vassal that is ${state} cannot have "${event}"`);
  return following;
}
