// What a running server can be told, and by what: a signal, a letter in the master FIFO, a touched file.
//
// The signals and letters are uWSGI's, except where a row says so in `differs`. Whatever tells it, only the verb is queued;
//   nothing is done in a signal handler.
// Decided elsewhere: what is done on each verb (control.ts), how files and the FIFO are watched (touched-files.ts,
//   master-fifo.ts).

/**
 * A signal to stop that comes so soon after the first is the same wish by another way: a terminal sends Ctrl-C to all
 * of a group, and npm, timeout or an emperor that is in it passes it on once more. A person is slower.
 */
export const SIGNAL_ECHO_MS = 300;

export interface Trigger {
  readonly verb: string;
  readonly signals?: readonly NodeJS.Signals[];
  /** The byte in the master FIFO. */
  readonly letter?: string;
  /** The option that names files whose change says the same. */
  readonly touch?: string;
  readonly does: string;
  readonly differs?: string;
}

// biome-ignore format: a table
export const TRIGGERS = [
  { verb: 'reload', signals: ['SIGHUP'], letter: 'r', touch: 'touch-reload',
    does: 'loads the app anew, starts new workers, lets them take over when all are ready; the old ones finish what they run' },
  { verb: 'reloadBrutally', letter: 'R',
    does: 'the same, and the old workers are killed when the new ones have taken over' },
  { verb: 'reloadInTurn', letter: 'c', touch: 'touch-chain-reload',
    does: 'loads the app anew and replaces one worker after the other',
    differs: 'The new workers have the new version; in uWSGI only with lazy-apps.' },
  { verb: 'reloadWorkers', letter: 'w', touch: 'touch-workers-reload',
    does: 'replaces the workers by new ones of the version that is loaded (with lazy-apps, and for JavaScript, each loads the app anew)' },
  { verb: 'reloadWorkersBrutally', letter: 'W',
    does: 'the same, and the old workers are killed when the new ones have taken over' },
  { verb: 'upgrade', signals: ['SIGUSR2'],
    does: 'starts nuwsgi anew, program, configuration and apps, beside this process and on the same sockets; when it answers requests, this process answers what it has and ends',
    differs: 'In uWSGI it makes a worker print what its cores do; there SIGHUP executes the program anew, in place.' },
  { verb: 'stop', signals: ['SIGTERM', 'SIGINT'], letter: 'q',
    does: 'takes no new connections, answers the requests inside, then ends; once more, 0.3 s later or after that: ends at once',
    differs: 'In uWSGI SIGTERM reloads unless die-on-term is given, and SIGINT drops the requests inside.' },
  { verb: 'stopNow', signals: ['SIGQUIT'], letter: 'Q',
    does: 'ends at once; the requests inside are cut off' },
  { verb: 'addWorker', letter: '+',
    does: 'starts one worker more of each app, up to processes' },
  { verb: 'removeWorker', letter: '-',
    does: 'lets one worker of each app leave' },
  { verb: 'goCheap', letter: 'C',
    does: 'lets all workers leave; the next request starts them again' },
  { verb: 'pause', signals: ['SIGTSTP'], letter: 'p',
    does: 'lets requests wait inside, until it is said again; those that run are answered',
    differs: 'Connections are still accepted, up to max-inflight requests; in uWSGI they wait in the kernel.' },
  { verb: 'logStatus', signals: ['SIGUSR1'], letter: 's',
    does: 'writes what each worker is doing to the log' },
  { verb: 'reopenLogs', letter: 'l', touch: 'touch-logreopen',
    does: 'opens the log files anew' },
  { verb: 'rotateLogs', letter: 'L', touch: 'touch-logrotate',
    does: 'rotates the log files' },
  { verb: 'writePidfiles', letter: 'P',
    does: 'writes the pidfiles anew' },
] as const satisfies readonly Trigger[];

export type Verb = (typeof TRIGGERS)[number]['verb'];
type WithTouch = Extract<(typeof TRIGGERS)[number], { touch: string }>;
/** Options that name files to be watched. */
export type TouchOption = WithTouch['touch'];

/** The table, where its literal types do not matter. */
export const ALL_TRIGGERS: readonly (Trigger & { readonly verb: Verb })[] = TRIGGERS;

/**
 * Calls `obey` with the verb of each signal that comes, and with its name. `stopsBy`: signals that mean a stop, whatever
 * the table says.
 */
export function listenForSignals(stopsBy: readonly NodeJS.Signals[], obey: (verb: Verb, reason: string) => void): void {
  const verbs = new Map<NodeJS.Signals, Verb>();
  for (const { verb, signals } of ALL_TRIGGERS) for (const signal of signals ?? []) verbs.set(signal, verb);
  for (const signal of stopsBy) verbs.set(signal, 'stop');
  for (const [signal, verb] of verbs) process.on(signal, () => obey(verb, signal));
}

/** The verb of a letter in the master FIFO. */
export const verbOfLetter = (letter: string): Verb | undefined =>
  ALL_TRIGGERS.find((row) => row.letter === letter)?.verb;

/** The options that name files to be watched, each with its verb. */
export const TOUCH_OPTIONS: readonly (readonly [option: TouchOption, verb: Verb])[] = ALL_TRIGGERS.filter(
  (row) => row.touch !== undefined,
).map((row) => [row.touch as TouchOption, row.verb]);
