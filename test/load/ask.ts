// A request that can be told from all others, and how its answer must look. Pure; test/apps/ledger.py is the other side.

/** What the app is to do; see test/apps/ledger.py. */
export interface Ask {
  readonly id: string;
  /** How long it is to take. */
  readonly ms?: number;
  /** It is not to be answered while this file exists. */
  readonly hold?: string;
  /** It is to end its worker. */
  readonly die?: boolean;
  /** Length of the answer's body, and the parts it comes in; 0: in one piece. */
  readonly bytes?: number;
  readonly parts?: number;
  /** Length of the body that is sent. */
  readonly postBytes?: number;
}

/** The target of `ask`, for an app mounted at `mount`. */
export function targetOf(ask: Ask, mount = ''): string {
  const query = new URLSearchParams({ id: ask.id });
  if (ask.ms !== undefined) query.set('ms', String(ask.ms));
  if (ask.hold !== undefined) query.set('hold', ask.hold);
  if (ask.die) query.set('die', '1');
  if (ask.bytes !== undefined) query.set('bytes', String(ask.bytes));
  if (ask.parts !== undefined) query.set('parts', String(ask.parts));
  if (ask.postBytes !== undefined) query.set('post', String(ask.postBytes));
  return `${mount}/?${query}`;
}

/** `bytes` bytes of the id and a line end, over and over: no piece of it could be another request's. */
export const patternOf = (id: string, bytes: number): Buffer => Buffer.alloc(bytes, `${id}\n`, 'latin1');

/** Compares the body of an answer, as it comes, with what it must be. */
export class BodyCheck {
  readonly #expectedBytes: number;
  readonly #line: string;
  #bytes = 0;
  #fault: string | undefined;

  constructor(ask: Ask) {
    this.#line = `${ask.id}\n`;
    this.#expectedBytes = ask.bytes ?? this.#line.length;
  }

  feed(chunk: Buffer): void {
    const shift = this.#bytes % this.#line.length;
    const expected = Buffer.alloc(chunk.length, this.#line.slice(shift) + this.#line.slice(0, shift), 'latin1');
    if (!chunk.equals(expected)) {
      this.#fault ??= `behind byte ${this.#bytes} comes ${JSON.stringify(chunk.toString('latin1', 0, 60))}`;
    }
    this.#bytes += chunk.length;
  }

  /** What has come is right, and not all of it. */
  get isCutOff(): boolean {
    return this.#fault === undefined && this.#bytes < this.#expectedBytes;
  }

  /** What is wrong with the whole of it, or undefined. */
  get fault(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    return this.#bytes === this.#expectedBytes ? undefined : `${this.#bytes} bytes, not ${this.#expectedBytes}`;
  }
}
