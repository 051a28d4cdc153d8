// The last minutes, second by second: what a graph shows, and what "now" means in every view.
//
// A sample holds what changed since the one before, so that a percentile is that of one second and not of all time.
// Decided elsewhere: the totals (ledger.ts), who shows it (own-stats.ts, the dashboard, top).

import type { ServerView } from '../view.js';
import { Mark } from './histogram.js';
import { type AppLedger, type Ledger, STATUS_CLASSES } from './ledger.js';
import type { Samples } from './sampler.js';
import type { Sample } from './shape.js';

/** Samples that are kept: five minutes. */
const KEPT = 300;
const STEP_MS = 1000;

class AppMarks {
  readonly total = new Mark();
  readonly queue = new Mark();
}

export class History {
  readonly #view: () => ServerView;
  readonly #ledger: Ledger;
  readonly #samples: Samples;
  readonly #marks: AppMarks[];
  readonly #kept: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #requests = 0;
  #errors = 0;
  #atMs = performance.now();
  #load = performance.eventLoopUtilization();

  constructor(view: () => ServerView, ledger: Ledger, samples: Samples) {
    this.#view = view;
    this.#ledger = ledger;
    this.#samples = samples;
    this.#marks = ledger.apps.map(() => new AppMarks());
  }

  start(): void {
    this.#timer = setInterval(() => this.take(), STEP_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get last(): Sample | undefined {
    return this.#kept.at(-1);
  }

  /** The samples that were taken after `at`, the youngest last. */
  since(at: number): readonly Sample[] {
    return this.#kept.slice(this.#kept.findLastIndex((sample) => sample.at <= at) + 1);
  }

  /** Takes a sample of the time since the last one. */
  take(): void {
    const nowMs = performance.now();
    const seconds = Math.max(0.001, (nowMs - this.#atMs) / 1000);
    this.#atMs = nowMs;
    const view = this.#view();
    const requests = sum(this.#ledger.apps, (app) => app.total.count) + this.#ledger.front.requests;
    const errors = sum(this.#ledger.apps, serverErrors) + this.#ledger.refused;
    // the app with most requests in this second speaks for all: percentiles cannot be added up
    const totals = this.#ledger.apps.map((app, i) => app.total.since(this.#marks[i]!.total));
    const queues = this.#ledger.apps.map((app, i) => app.queue.since(this.#marks[i]!.queue));
    const busiest = totals.reduce((best, total, i) => (total.count > totals[best]!.count ? i : best), 0);
    const load = performance.eventLoopUtilization();
    this.#kept.push({
      at: Date.now(),
      requests_per_second: round((requests - this.#requests) / seconds),
      errors_per_second: round((errors - this.#errors) / seconds),
      p50_us: totals[busiest]?.percentileUs(0.5) ?? 0,
      p95_us: totals[busiest]?.percentileUs(0.95) ?? 0,
      p99_us: totals[busiest]?.percentileUs(0.99) ?? 0,
      queue_p99_us: queues[busiest]?.percentileUs(0.99) ?? 0,
      in_flight: sum(view.apps, (app) => app.inFlight),
      waiting: sum(view.apps, (app) => app.waiting),
      busy_workers: view.workers.filter(({ status }) => status === 'busy').length,
      rss_bytes:
        this.#samples.server.rssBytes +
        sum(view.workers, (worker) => (worker.thread > 0 ? 0 : this.#samples.memoryOf(worker.pid).rssBytes)),
      loop_delay_ms: round(this.#samples.loopDelay.p99Ms),
      accept_thread_busy: round(performance.eventLoopUtilization(load, this.#load).utilization),
    });
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#requests = requests;
    this.#errors = errors;
    this.#load = load;
  }
}

function serverErrors(app: AppLedger): number {
  let count = 0;
  for (let statusClass = 5; statusClass < STATUS_CLASSES; statusClass++) count += app.countOfClass(statusClass);
  return count;
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0);
/** Three digits behind the point are more than anybody reads. */
const round = (value: number) => Math.round(value * 1000) / 1000;
