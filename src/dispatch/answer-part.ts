// What a worker says of the part of an answer that lies in a slot: read once, and checked before any of it is used.
//
// Why once: a process that has gone mad may go on writing, and what was checked must be what is used.
// One object is filled anew for each part, so that reading one allocates nothing.
// Decided elsewhere: what becomes of a worker that writes nonsense (dispatcher.ts), what the words mean (arena/layout.ts).

import { ANSWER, SLOT } from '../arena/layout.js';

/** The shortest head: a status. */
const LEAST_HEAD_BYTES = 3;
const LEAST_STATUS = 200;
const MOST_STATUS = 999;
/** "\r\nContent-Length: " */
const LENGTH_FIELD_BYTES = 18;

export class AnswerPart {
  flags = 0;
  status = 0;
  headBytes = 0;
  bodyBytes = 0;
  /** Lines in the head behind the status. */
  fields = 0;
  /** Content-Length, or -1 when none is declared. */
  length = -1;
  /** The head comes with this part; no part follows. */
  hasHead = false;
  isLast = false;

  /** Reads the answer words of the slot whose first word is `at`. */
  read(words: Int32Array, at: number): void {
    const flags = words[at + SLOT.answer_flags]!;
    this.flags = flags;
    this.hasHead = (flags & ANSWER.HEAD) !== 0;
    this.isLast = (flags & ANSWER.LAST) !== 0;
    this.status = words[at + SLOT.status]!;
    this.headBytes = words[at + SLOT.head_bytes]!;
    this.bodyBytes = words[at + SLOT.body_bytes]!;
    if (!this.hasHead) return;
    this.fields = words[at + SLOT.header_count]!;
    const high = words[at + SLOT.length_high]!;
    const low = words[at + SLOT.length_low]!;
    if (high === 0 && low >= 0)
      this.length = low; // a small integer, which V8 keeps as one
    else this.length = high < 0 ? -1 : high * 0x100000000 + (low >>> 0);
  }

  get isBroken(): boolean {
    return (this.flags & ANSWER.BROKEN) !== 0;
  }

  /** What follows is a stream: see answer-stream.ts. */
  get beginsStream(): boolean {
    return (this.flags & ANSWER.STREAM) !== 0 && !this.isLast;
  }

  get isDated(): boolean {
    return (this.flags & ANSWER.DATED) !== 0;
  }

  get hasFailed(): boolean {
    return (this.flags & ANSWER.FAILED) !== 0;
  }

  /** The bytes of the head as the app gave it: the worker takes the length out of it, and says so. */
  get givenHeadBytes(): number {
    if ((this.flags & ANSWER.SIZED) === 0) return this.headBytes;
    let digits = 1;
    for (let rest = this.length; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    return this.headBytes + LENGTH_FIELD_BYTES + digits;
  }

  /** What is impossible about it, or undefined. `headSent`: the head of this answer has come in an earlier part. */
  fault(answerBytes: number, headSent: boolean): string | undefined {
    const { headBytes, bodyBytes } = this;
    const fits = headBytes >= 0 && bodyBytes >= 0 && headBytes + bodyBytes <= answerBytes;
    if (fits && this.hasHead !== headSent && this.#hasSoundHead()) return undefined;
    // the last event of a request that was abandoned before it began has no head, and nothing else
    if (this.isLast && !this.hasHead && !headSent && headBytes === 0 && bodyBytes === 0) return undefined;
    return `flags ${this.flags}, status ${this.status}, head ${headBytes}, body ${bodyBytes} bytes, length ${this.length}`;
  }

  #hasSoundHead(): boolean {
    if (!this.hasHead) return this.headBytes === 0;
    const { status, headBytes, length } = this;
    return (
      status >= LEAST_STATUS &&
      status <= MOST_STATUS &&
      headBytes >= LEAST_HEAD_BYTES &&
      length <= Number.MAX_SAFE_INTEGER
    );
  }
}
