// Which worker gets a request, and when a worker counts as held up. Pure: numbers in, a decision out.
//
// The idea: a worker that is awake and answers in time takes the next request too, because a request handed to a
//   running worker costs no wake-up. Few hot workers are cheaper than many lukewarm ones; what that buys is measured in
//   native-bench (scenario hello, depth 1 against the rule below). As soon as that would make a request wait longer
//   than `backlogMs`, it goes to an idle worker, then to the least loaded one, then it waits here for the first to be
//   free: while requests wait here, nobody has to guess which worker will be free first.
// Decided elsewhere: how requests are handed over and taken back (arena/request-ring.ts), who calls (dispatcher.ts).

/** What the policy looks at in one worker. Times in ms on the clock of `performance.now()`. */
export interface Load {
  /** Whether new requests may go there. */
  readonly accepting: boolean;
  /** Requests handed over and not answered. */
  readonly inFlight: number;
  /** When it last answered, or got its first request after it had none. */
  readonly progressAtMs: number;
}

export const TUNING = {
  /** The longest a request should expect to queue inside a worker while others could be woken. */
  backlogMs: 0.15,
  /** The most requests a worker holds on the ground that it is fast. */
  deepest: 32,
  /** Silence after which a worker with requests counts as held up: less than a slice of a processor that others took from it. */
  stalledMs: 1,
  /** Requests shorter than this are run by one thread of a worker while its others are parked. */
  shortMs: 0.3,
} as const;

/** How many requests a worker may hold while each takes `serviceMs`, without one expecting to wait too long. */
export function hotDepth(serviceMs: number): number {
  return Math.min(TUNING.deepest, Math.floor(TUNING.backlogMs / serviceMs));
}

/** The most requests that `pickWorker` lets one worker hold. */
export function mostHeld(threads: number): number {
  return Math.max(TUNING.deepest, threads);
}

/** Whether a worker that holds requests has been silent for too long. */
export function isStalled(worker: Load, nowMs: number): boolean {
  return worker.inFlight > 0 && nowMs - worker.progressAtMs > TUNING.stalledMs;
}

/**
 * The index of the worker that gets the next request, or -1: it waits until one is free.
 *
 * `serviceMs` is what a request of this app takes lately; `threads` how many requests one worker runs at once.
 */
export function pickWorker(workers: readonly Load[], nowMs: number, serviceMs: number, threads: number): number {
  const hot = hotDepth(serviceMs);
  let idle = -1;
  let least = -1;
  let leastInFlight = Math.max(hot, threads);
  for (let i = 0; i < workers.length; i++) {
    const worker = workers[i]!;
    if (!worker.accepting) continue;
    const { inFlight } = worker;
    if (inFlight === 0) {
      if (idle < 0) idle = i;
      continue;
    }
    const stalled = nowMs - worker.progressAtMs > TUNING.stalledMs;
    if (inFlight < hot && !stalled) return i;
    // A stalled worker is a last resort: only for a thread that is free, and never before another worker.
    const weight = stalled ? inFlight + 0.5 : inFlight;
    if (weight < leastInFlight && (!stalled || inFlight < threads)) {
      least = i;
      leastInFlight = weight;
    }
  }
  return idle >= 0 ? idle : least;
}

/** Whether idle threads of a worker should all wait for requests, because these are long enough to overlap. */
export function shouldSpread(serviceMs: number): boolean {
  return serviceMs >= TUNING.shortMs;
}

/** The moving average of service times, after `sampleMs`. Follows quickly upwards, so that a slow spell is not missed. */
export function nextServiceMs(averageMs: number, sampleMs: number): number {
  return averageMs + (sampleMs - averageMs) * (sampleMs > averageMs ? 0.2 : 0.1);
}
