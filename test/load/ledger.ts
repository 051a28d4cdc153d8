// The ledger that test/apps/ledger.py writes, held against the answers: what was done twice, what was done and not told, what
// was told and not done.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from './client.js';

/** How often each request was started. */
export type Started = ReadonlyMap<string, number>;

export class Ledger {
  readonly path: string;
  readonly #directory: string;

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'nuwsgi-ledger-'));
    this.path = join(this.#directory, 'ledger');
    writeFileSync(this.path, '');
  }

  read(): Started {
    const started = new Map<string, number>();
    for (const id of readFileSync(this.path, 'latin1').split('\n')) {
      if (id !== '') started.set(id, (started.get(id) ?? 0) + 1);
    }
    return started;
  }

  /** A file for requests to wait for; see `Ask.hold`. `release` removes it. */
  hold(): { readonly path: string; release(): void } {
    const path = join(this.#directory, 'hold');
    if (!existsSync(path)) writeFileSync(path, '');
    return { path, release: () => rmSync(path) };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Statuses by which the server says that the request has not been started. */
const NOT_STARTED = new Set([413, 431, 503, 507]);

/** What came of the requests, in numbers; the first few of each kind in words. */
export class Verdict {
  right = 0;
  /** Another request's answer, or other bytes. */
  wrong = 0;
  /** Started more than once. */
  twice = 0;
  /** Answered 200 and never started; or said not to have been started, though it was. */
  ghost = 0;
  /** A connection, and no whole answer. */
  lost = 0;
  /** No connection, or 503. */
  refused = 0;
  /** 502 or 504: its worker died, or was too late. */
  failed = 0;
  /** Any other status. */
  other = 0;
  /** The client left by itself. */
  left = 0;
  readonly remarks: string[] = [];

  get asked(): number {
    return this.right + this.wrong + this.lost + this.refused + this.failed + this.other + this.left;
  }

  #note(kind: 'wrong' | 'twice' | 'ghost' | 'lost' | 'refused' | 'failed' | 'other', remark: string): void {
    this[kind]++;
    if (this[kind] <= 5) this.remarks.push(`${kind}: ${remark}`);
  }

  add(id: string, { ending, status, why }: Outcome, started: Started): void {
    const times = started.get(id) ?? 0;
    if (times > 1) this.#note('twice', `${id} was started ${times} times, and ended ${ending} ${why}`);
    if (ending === 'right' && times === 0) this.#note('ghost', `${id} was answered and never started`);
    if (times > 0 && (ending === 'refused' || (ending === 'status' && NOT_STARTED.has(status)))) {
      this.#note('ghost', `${id} was refused (${why}) and started all the same`);
    }
    if (ending === 'right' || ending === 'left') this[ending]++;
    else if (ending !== 'status') this.#note(ending, `${id} ${why}`);
    else if (status === 503) this.#note('refused', `${id} ${why}`);
    else if (status === 502 || status === 504) this.#note('failed', `${id} ${why}`);
    else this.#note('other', `${id} ${why}`);
  }

  /** Counts that are not 0, in words. */
  toString(): string {
    const kinds = ['right', 'wrong', 'twice', 'ghost', 'lost', 'refused', 'failed', 'other', 'left'] as const;
    return kinds
      .filter((kind) => this[kind] > 0)
      .map((kind) => `${this[kind]} ${kind}`)
      .join(', ');
  }
}

/** The verdict on `outcomes`, by request id. */
export function judge(outcomes: ReadonlyMap<string, Outcome>, started: Started): Verdict {
  const verdict = new Verdict();
  for (const [id, outcome] of outcomes) verdict.add(id, outcome, started);
  return verdict;
}
