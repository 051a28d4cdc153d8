// An exchange whose answers are edited on their way out: header fields, error pages, files in place of an app's body.
//
// It stands between whoever answers (an app's dispatcher, this side itself) and the exchange of the connection, and is an
//   exchange to the one and an owner to the other. Requests of a server that edits nothing never meet it.
// Decided elsewhere: what is edited (answer-edits.ts, the configuration), how a file takes an answer over (sendfile.ts).

import type { Code, NuwsgiError } from '../base/errors.js';
import { type AnswerHead, Exchange, type ExchangeOwner } from '../dispatch/exchange.js';
import { answerFor, FAILURE_HEAD } from '../wire/answer.js';
import type { AnswerEdits } from './answer-edits.js';
import { type ErrorPages, type Reply, render } from './reply.js';

const FAILURE = Buffer.from(FAILURE_HEAD, 'latin1');

/**
 * Is given the head of an app's answer, and takes the answer over if it names a file. True: what the app sends from now
 * on is dropped.
 */
export type OnHead = (exchange: EditedExchange, head: AnswerHead) => boolean;

export class EditedExchange extends Exchange implements ExchangeOwner {
  /** The exchange of the connection. */
  readonly inner: Exchange;
  readonly edits: AnswerEdits;
  readonly #isHead: boolean;
  readonly #pages: ErrorPages;
  readonly #onHead: OnHead | undefined;
  /** Called when whoever answered is done with the request. */
  onReleased: (() => void) | undefined;

  /** `record`: what is noted of the answers that go through here. */
  constructor(
    inner: Exchange,
    isHead: boolean,
    edits: AnswerEdits,
    pages: ErrorPages,
    onHead: OnHead | undefined,
    record = inner.record,
  ) {
    super(record);
    this.inner = inner;
    this.edits = edits;
    this.#isHead = isHead;
    this.#pages = pages;
    this.#onHead = onHead;
    this.gone = inner.gone;
    inner.owner = this;
  }

  // --- towards the connection -------------------------------------------------------------------------------------

  abandon(): void {
    this.gone = true;
    this.aborted = this.inner.aborted;
    this.owner?.abandon(this);
  }

  drained(): void {
    this.owner?.drained(this);
  }

  // --- towards whoever answers ------------------------------------------------------------------------------------

  override get heldBytes(): number {
    return this.inner.heldBytes;
  }

  override released(): void {
    this.inner.released();
    this.onReleased?.();
  }

  override answerWhole(head: AnswerHead, body: Buffer): void {
    this.gone = true;
    if (this.#onHead?.(this, head)) return;
    const isFailure = head.status === 500 && this.#pages.has(500) && head.bytes.equals(FAILURE);
    if (isFailure) this.#reply({ status: 500, fields: [] });
    else this.inner.answerWhole(this.edits.apply(head, this.record), body);
    this.aborted = this.inner.aborted;
  }

  override answerFirst(head: AnswerHead, data: Buffer): void {
    if (this.#onHead?.(this, head)) {
      this.gone = true;
      this.owner?.abandon(this); // so that the app's iterable comes to its end
      return;
    }
    this.inner.answerFirst(this.edits.apply(head, this.record), data);
  }

  override answerPart(data: Buffer): void {
    this.inner.answerPart(data);
  }

  override answerEnd(broken: boolean): void {
    this.inner.answerEnd(broken);
    this.gone = true;
  }

  override refuse(error: NuwsgiError<Code>): void {
    if (this.gone) return;
    this.gone = true;
    const fields = answerFor(error).fields.filter(([name]) => name !== 'Content-Type');
    this.#reply({ status: error.status, fields });
  }

  override drop(): void {
    this.gone = true;
    this.inner.drop();
  }

  #reply(reply: Reply): void {
    const [head, body] = render(reply, this.#pages, this.record, this.#isHead);
    this.inner.answerWhole(this.edits.apply(head, this.record), body);
  }
}
