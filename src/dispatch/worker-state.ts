// The life of a worker, as a table: each state, and every way to leave it.
//
// A worker that is ready stands by until it is admitted, so that a replacement is loaded before its predecessor leaves, and
//   the workers of a new version take over together.
// A worker that wrote nonsense into shared memory is mad: from then on nothing it writes is looked at, until it is dead.
// Decided elsewhere: who causes the events (lifecycle/crew.ts, dispatcher.ts).

// biome-ignore format: a table
export const WORKER = {
  //         event -> next state
  dead:     { started: 'starting' },
  starting: { ready: 'standby',    told_to_leave: 'leaving', went_mad: 'mad', ended: 'dead' },
  standby:  { admitted: 'serving', told_to_leave: 'leaving', went_mad: 'mad', ended: 'dead' },
  serving:  { told_to_leave: 'leaving',                      went_mad: 'mad', ended: 'dead' },
  leaving:  { ready: 'leaving',    told_to_leave: 'leaving', went_mad: 'mad', ended: 'dead' },
  mad:      { told_to_leave: 'mad',                                           ended: 'dead' },
} as const satisfies Record<string, Record<string, string>>;

export type WorkerState = keyof typeof WORKER;
export type WorkerEvent = { [S in WorkerState]: keyof (typeof WORKER)[S] }[WorkerState];
export const WORKER_STATES = Object.keys(WORKER) as WorkerState[];

/** The state that follows on `event` in `state`. Throws, naming both, when the table has no such transition. */
export function next(state: WorkerState, event: WorkerEvent): WorkerState {
  const row: Partial<Record<WorkerEvent, WorkerState>> = WORKER[state];
  const following = row[event];
  if (following === undefined) throw new Error(`a worker that is ${state} cannot have "${event}"`);
  return following;
}
