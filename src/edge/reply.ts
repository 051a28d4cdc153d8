// A short answer that the accept side gives by itself: a redirection, a refusal, a page.
//
// Decided elsewhere: how it looks on the wire (the exchange), when one is given (edge/).

import type { AnswerHead, Exchange, ExchangeRecord } from '../dispatch/exchange.js';
import { statusLine } from '../wire/answer.js';

export type Field = readonly [name: string, value: string];

export interface Page {
  readonly type: string;
  readonly body: Buffer;
}
/** Pages that stand for the server's own errors, by status. */
export type ErrorPages = ReadonlyMap<number, Page>;

export interface Reply {
  readonly status: number;
  /** In place of the standard reason phrase. */
  readonly reason?: string;
  /** Checked: no name or value has what may not be in a header. Without Content-Length. */
  readonly fields: readonly Field[];
  /** Undefined: the error page of this status, or its reason phrase. */
  readonly page?: Page;
}

export const NO_BODY = Buffer.alloc(0);

/** Notes in `record` what an answer's head is. */
export function recordHead(record: ExchangeRecord, head: AnswerHead, fields: number): void {
  record.status = head.status;
  record.headBytes = head.bytes.length;
  record.fields = fields;
}

/** "200 OK\r\nName: value", for an answer of `length` bytes; -1 where none is to be told. */
export function answerHead(line: string, fields: readonly Field[], length: number): AnswerHead {
  let text = line;
  for (const [name, value] of fields) text += `\r\n${name}: ${value}`;
  return { status: Number(line.slice(0, 3)), bytes: Buffer.from(text, 'latin1'), length, dated: false };
}

/** What `reply` is as an answer; noted in `record`. */
export function render(reply: Reply, pages: ErrorPages, record: ExchangeRecord, isHead: boolean): [AnswerHead, Buffer] {
  const { status, reason } = reply;
  const line = reason === undefined ? statusLine(status) : `${status} ${reason}`;
  const plain = () => ({ type: 'text/plain', body: Buffer.from(`${line.slice(4)}\n`, 'latin1') });
  const { type, body } = reply.page ?? pages.get(status) ?? plain();
  const fields: Field[] = [['Content-Type', type], ...reply.fields];
  const head = answerHead(line, fields, body.length);
  recordHead(record, head, fields.length);
  record.bodyBytes = isHead ? 0 : body.length;
  return [head, isHead ? NO_BODY : body];
}

/** Answers with `reply`. */
export function sendReply(exchange: Exchange, reply: Reply, pages: ErrorPages, isHead: boolean): void {
  const [head, body] = render(reply, pages, exchange.record, isHead);
  exchange.headSent = true;
  exchange.answerWhole(head, body);
}
