// What became of the last reloads, for the log, the statistics, and whoever wonders which version is served.
//
// Decided elsewhere: how a reload is done (supervisor.ts), how this is shown (observe/).

/** All workers of a new version together; of a new version, one after the other; of the version that is loaded. */
export type ReloadKind = 'reload' | 'chain' | 'workers';
/** Those, and that another process took over. */
export type ChangeKind = ReloadKind | 'upgrade';

export interface Reload {
  readonly kind: ChangeKind;
  /** What asked for it: "SIGHUP", "touch-reload /srv/app.py". */
  readonly reason: string;
  /** On the clock of Date.now(). */
  readonly startedAtMs: number;
  /** How long it took; while it runs, how long it has. */
  readonly durationMs: number;
  readonly result: 'running' | 'done' | 'failed';
  /** Why it failed. */
  readonly detail: string;
}

/** Reloads that are remembered. */
const KEPT = 16;

class Entry implements Reload {
  readonly kind: ChangeKind;
  readonly reason: string;
  readonly startedAtMs: number;
  readonly #startedMs: number;
  #endedMs: number | undefined;
  result: Reload['result'] = 'running';
  detail = '';

  constructor(kind: ChangeKind, reason: string, ageMs: number) {
    this.kind = kind;
    this.reason = reason;
    this.startedAtMs = Date.now() - ageMs;
    this.#startedMs = performance.now() - ageMs;
  }

  get durationMs(): number {
    return Math.round((this.#endedMs ?? performance.now()) - this.#startedMs);
  }

  end(result: 'done' | 'failed', detail: string): void {
    this.#endedMs = performance.now();
    this.result = result;
    this.detail = detail;
  }
}

export class ReloadHistory {
  readonly #entries: Entry[] = [];
  /** Since the start, by how they ended. */
  readonly counts = { done: 0, failed: 0 };

  /** `ageMs`: how long ago it began. */
  begin(kind: ChangeKind, reason: string, ageMs = 0): Reload {
    const entry = new Entry(kind, reason, ageMs);
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.shift();
    return entry;
  }

  end(reload: Reload, result: 'done' | 'failed', detail: string): void {
    this.counts[result]++;
    (reload as Entry).end(result, detail);
  }

  /** The last ones, the youngest last. */
  get entries(): readonly Reload[] {
    return this.#entries;
  }
}
