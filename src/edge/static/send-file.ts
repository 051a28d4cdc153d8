// Sends a part of a file as the body of an answer, as fast as the client takes it and the disk gives it.
//
// A slow client holds no more than what its connection keeps (HELD_BYTES and the last part): the next part is read only
//   when that has gone. Read buffers are shared by all downloads, since whatever an exchange keeps it copies.
// Decided elsewhere: which file, and its head (static-files.ts); how bytes go to the connection (the exchange).

import { read } from 'node:fs';
import { closeQuietly } from '../../base/close-quietly.js';
import { ServerFault } from '../../base/errors.js';
import type { AnswerHead, Exchange, ExchangeOwner } from '../../dispatch/exchange.js';

/** What is read at once. */
const PART_BYTES = 128 << 10;
/** What a connection may keep before nothing more is read for it. */
const HELD_BYTES = 64 << 10;
/** Read buffers that are kept while nobody needs them. */
const SPARE_BUFFERS = 16;
const spares: Buffer[] = [];

export interface FilePart {
  /** All of the file; undefined: it is read through `fd`, which the sender closes. */
  readonly content: Buffer | undefined;
  readonly fd: number;
  readonly start: number;
  readonly end: number;
}

/** Sends `part` behind `head`, whose length is the part's. Calls `done` once, with what was sent handed over. */
export function sendFilePart(exchange: Exchange, head: AnswerHead, part: FilePart, done: () => void): void {
  new FileSender(exchange, head, part, done).start();
}

class FileSender implements ExchangeOwner {
  readonly #exchange: Exchange;
  readonly #head: AnswerHead;
  readonly #content: Buffer | undefined;
  readonly #fd: number;
  readonly #done: () => void;
  #at: number;
  readonly #end: number;
  #isReading = false;
  #isOver = false;

  constructor(exchange: Exchange, head: AnswerHead, part: FilePart, done: () => void) {
    this.#exchange = exchange;
    this.#head = head;
    this.#content = part.content;
    this.#fd = part.fd;
    this.#at = part.start;
    this.#end = part.end;
    this.#done = done;
  }

  start(): void {
    this.#exchange.owner = this;
    this.#next();
  }

  /** The client has gone, or has got all there is. */
  abandon(): void {
    if (!this.#isReading) this.#finish();
  }

  /** The client took what its connection kept. */
  drained(): void {
    if (!this.#isReading && !this.#isOver) this.#next();
  }

  #next(): void {
    const length = Math.min(PART_BYTES, this.#end - this.#at);
    if (this.#content === undefined) this.#read(length);
    else this.#deliver(this.#content.subarray(this.#at, this.#at + length));
  }

  #read(length: number): void {
    this.#isReading = true;
    const buffer = spares.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    read(this.#fd, buffer, 0, length, this.#at, (error, bytes) => {
      this.#isReading = false;
      if (this.#exchange.gone) this.#finish();
      else if (error !== null || bytes === 0) this.#fail(error);
      else this.#deliver(buffer.subarray(0, bytes));
      if (spares.length < SPARE_BUFFERS) spares.push(buffer);
    });
  }

  #deliver(data: Buffer): void {
    const exchange = this.#exchange;
    const isFirst = !exchange.headSent;
    this.#at += data.length;
    exchange.record.bodyBytes += data.length;
    exchange.headSent = true;
    const isLast = this.#at === this.#end;
    if (isFirst && isLast) exchange.answerWhole(this.#head, data);
    else if (isFirst) exchange.answerFirst(this.#head, data);
    else exchange.answerPart(data);
    if (exchange.gone) this.#finish();
    else if (isLast) {
      exchange.answerEnd(false);
      this.#finish();
    } else if (exchange.heldBytes <= HELD_BYTES) {
      this.#next(); // else `drained` is called
    }
  }

  /** The file is shorter than it was, or cannot be read. */
  #fail(error: Error | null): void {
    const exchange = this.#exchange;
    if (exchange.headSent) exchange.answerEnd(true);
    else {
      const fault = new ServerFault('SERVER_FILE', error?.message ?? 'it has become shorter');
      exchange.record.status = fault.status;
      exchange.refuse(fault);
    }
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#exchange.owner = undefined;
    closeQuietly(this.#fd);
    this.#done();
  }
}
