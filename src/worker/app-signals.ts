// What a Python app has registered with `import uwsgi`: targets of signals, and what raises them (timers, cron, files).
//
// One table per loaded version of the app. It is filled while the app loads, by the zygote or, with --lazy-apps, by each
//   worker; and later by workers, at any time. What several workers say alike while they load is kept once.
// What arrives here was written by a process that runs the app, so it is checked as if it came from a stranger.
// Decided elsewhere: when signals are raised, and which worker handles one (lifecycle/signals.ts); what the app sees
//   (python/bridge_signals.py).

import { SIGNALS } from '../arena/layout.js';
import type { CronRule } from '../config/cron.js';

/** What raises a signal by itself. */
export type SignalSource = { readonly signal: number } & (
  | { readonly kind: 'timer'; readonly seconds: number /** 0: without end. */; readonly iterations: number }
  | { readonly kind: 'cron'; readonly rule: CronRule }
  | { readonly kind: 'monitor'; readonly path: string }
);

/** Who handles a signal: the first worker that is free, each of them, or the one with this number. */
export type SignalTarget = 'any' | 'each' | number;

/** Who is to know what comes in. */
export interface SignalListener {
  onSource(source: SignalSource): void;
  onRaised(signal: number): void;
}

/** Sources of one version of an app, the ones that have run out not counted; signals raised before anybody listens. */
const MOST_SOURCES = 1024;
const MOST_EARLY = 1024;
const CRON_FIELDS = ['minute', 'hour', 'day', 'month', 'week'] as const;
const MOST_SECONDS = 2 ** 31 - 1;

const isInt = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

export class AppSignals {
  /** What has not run out. */
  readonly sources = new Set<SignalSource>();
  readonly #targets = new Map<number, SignalTarget>();
  /** What was said while the app was loaded, as text. */
  readonly #said = new Set<string>();
  #early: number[] = [];
  #listener: SignalListener | undefined;

  targetOf(signal: number): SignalTarget {
    return this.#targets.get(signal) ?? 'any';
  }

  /** From now on `listener` is told what comes; signals that were raised before, at once. */
  set listener(listener: SignalListener) {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const signal of early) listener.onRaised(signal);
  }

  /** Takes what a process of the app says (bridge_signals.py). False: it has no meaning, or there is no room for it. */
  hear(said: unknown): boolean {
    if (typeof said !== 'object' || said === null) return false;
    const message = said as Readonly<Record<string, unknown>>;
    const { signal, target } = message;
    if (!isInt(signal, 0, SIGNALS - 1)) return false;
    if (message.do === 'raise') return this.#raise(signal);
    if (message.do === 'register') {
      if (target !== 'any' && target !== 'each' && !isInt(target, 1, 0xffff)) return false;
      this.#targets.set(signal, target);
      return true;
    }
    const source = sourceOf(signal, message);
    if (source === undefined || this.sources.size >= MOST_SOURCES) return false;
    if (message.loading === true) {
      const key = JSON.stringify(source);
      if (this.#said.has(key)) return true; // by another worker, which has loaded the same
      if (this.#said.size >= MOST_SOURCES) return false;
      this.#said.add(key);
    }
    this.sources.add(source);
    this.#listener?.onSource(source);
    return true;
  }

  #raise(signal: number): boolean {
    if (this.#listener !== undefined) this.#listener.onRaised(signal);
    else if (this.#early.length >= MOST_EARLY) return false;
    else this.#early.push(signal);
    return true;
  }
}

function sourceOf(signal: number, message: Readonly<Record<string, unknown>>): SignalSource | undefined {
  const { seconds, iterations, path } = message;
  switch (message.do) {
    case 'timer':
      if (!isInt(seconds, 1, MOST_SECONDS) || !isInt(iterations, 0, MOST_SECONDS)) return undefined;
      return { kind: 'timer', signal, seconds, iterations };
    case 'cron': {
      if (!CRON_FIELDS.every((field) => isInt(message[field], -366, 366))) return undefined;
      const rule = Object.fromEntries(CRON_FIELDS.map((field) => [field, message[field]])) as CronRule;
      return { kind: 'cron', signal, rule };
    }
    case 'monitor':
      if (typeof path !== 'string' || !path.startsWith('/')) return undefined;
      return { kind: 'monitor', signal, path };
    default:
      return undefined;
  }
}
