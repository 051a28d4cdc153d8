// How many workers an app should have: what was seen in the last second in, a change out. Pure.
//
// Three ways to look at it, as in uWSGI: `spare` keeps one worker idle, `backlog` goes by the requests that wait for a
//   worker, `busyness` by the share of time in which workers are busy. All grow quickly and shrink slowly: a worker too many
//   costs memory, one too few costs time.
// Decided elsewhere: how workers are started and ended (cheaper.ts), what is measured (cheaper.ts).

export type ScalingAlgorithm = 'spare' | 'backlog' | 'busyness' | 'manual';

export interface ScalingRules {
  readonly algorithm: ScalingAlgorithm;
  /** Workers that are kept, and the most there may be. */
  readonly least: number;
  readonly most: number;
  /** Workers that are started at once. */
  readonly step: number;
  /** Looks in a row that have to say the same before anything is changed. */
  readonly looks: number;
  /** Memory of all workers beyond which none is started, and beyond which one is ended; 0: no limit. */
  readonly rssSoftBytes: number;
  readonly rssHardBytes: number;
  readonly busyness: {
    /** In percent of the time: above, a worker is started; below, one is ended. */
    readonly max: number;
    readonly min: number;
    /** How many times `looks` it takes to end one. */
    readonly multiplier: number;
    /** Added to the multiplier each time a worker had to be started soon after one was ended. */
    readonly penalty: number;
    /** Requests that wait: more than this start workers at once. */
    readonly backlogAlert: number;
    /** How many. */
    readonly backlogStep: number;
    /** Looks with anything waiting, in a row, that start one worker. */
    readonly backlogNonzero: number;
  };
}

/** What was seen since the last look. */
export interface ScalingFacts {
  /** Workers that are wanted now. */
  readonly workers: number;
  /** How many of them were busy, on average. */
  readonly busy: number;
  /** The share of the time, from 0 to 1, in which all were busy. */
  readonly allBusy: number;
  /** The most requests that waited for a worker at once. */
  readonly waiting: number;
  /** Resident memory of all workers; 0 while it is not known. */
  readonly rssBytes: number;
}

export interface ScalingState {
  readonly overloaded: number;
  readonly idle: number;
  readonly nonzero: number;
  readonly penalties: number;
  /** Looks since a worker was ended for want of work. */
  readonly sinceShrunk: number;
}

export const UNSCALED: ScalingState = {
  overloaded: 0,
  idle: 0,
  nonzero: 0,
  penalties: 0,
  sinceShrunk: Number.POSITIVE_INFINITY,
};

export interface Scaling {
  /** Workers to be started, or to be ended where it is below 0. */
  readonly change: number;
  /** To be read behind "because". */
  readonly why: string;
  readonly state: ScalingState;
}

/** What is too much and too little, by each way to look at it. */
function seen(rules: ScalingRules, facts: ScalingFacts): { isOverloaded: boolean; isIdle: boolean; why: string } {
  const { workers, busy, allBusy, waiting } = facts;
  const spare = workers - busy;
  const percent = workers === 0 ? 100 : (100 * busy) / workers;
  switch (rules.algorithm) {
    case 'spare':
      return { isOverloaded: allBusy >= 0.5, isIdle: spare >= 1.5, why: 'all workers are busy' };
    case 'backlog':
      return { isOverloaded: waiting > 0, isIdle: waiting === 0 && spare >= 1.5, why: `${waiting} requests wait` };
    case 'busyness': {
      const { max, min } = rules.busyness;
      return { isOverloaded: percent > max, isIdle: percent < min, why: `busyness is ${Math.round(percent)} %` };
    }
    case 'manual':
      return { isOverloaded: false, isIdle: false, why: '' };
  }
}

/** What is to be done after a look. Never below `least`, never above `most`. */
export function scale(rules: ScalingRules, facts: ScalingFacts, before: ScalingState): Scaling {
  const { workers, waiting, rssBytes } = facts;
  const { isOverloaded, isIdle, why } = seen(rules, facts);
  const { busyness } = rules;
  const isBusyness = rules.algorithm === 'busyness';
  const state = {
    overloaded: isOverloaded ? before.overloaded + 1 : 0,
    idle: isIdle ? before.idle + 1 : 0,
    nonzero: waiting > 0 ? before.nonzero + 1 : 0,
    penalties: before.penalties,
    sinceShrunk: before.sinceShrunk + 1,
  };
  const stay = { change: 0, why: '', state };
  if (rules.rssHardBytes > 0 && rssBytes >= rules.rssHardBytes) {
    return workers > rules.least
      ? { change: -1, why: `the workers have ${rssBytes} bytes (cheaper-rss-limit-hard)`, state }
      : stay;
  }
  const mayGrow = workers < rules.most && !(rules.rssSoftBytes > 0 && rssBytes >= rules.rssSoftBytes);
  const grow = (wanted: number, because: string): Scaling => {
    const wasHasty = isBusyness && state.sinceShrunk <= rules.looks * busyness.multiplier;
    const penalties = wasHasty ? state.penalties + busyness.penalty : state.penalties;
    return { change: Math.min(wanted, rules.most - workers), why: because, state: { ...UNSCALED, penalties } };
  };
  if (mayGrow && isBusyness && waiting > busyness.backlogAlert) {
    return grow(busyness.backlogStep, `${waiting} requests wait (cheaper-busyness-backlog-alert)`);
  }
  if (mayGrow && isBusyness && busyness.backlogNonzero > 0 && state.nonzero >= busyness.backlogNonzero) {
    return grow(1, `requests wait for ${state.nonzero} s (cheaper-busyness-backlog-nonzero)`);
  }
  if (mayGrow && state.overloaded >= rules.looks) return grow(rules.step, why);
  const idleLooks = isBusyness ? rules.looks * (busyness.multiplier + state.penalties) : rules.looks;
  if (workers > rules.least && state.idle >= idleLooks) {
    return { change: -1, why: isBusyness ? why : 'there are idle ones', state: { ...state, idle: 0, sinceShrunk: 0 } };
  }
  return stay;
}
