// A short answer that the accept side gives by itself: a redirection, a refusal, a page.
//
// Decided elsewhere: how it looks on the wire (the exchange), when one is given (edge/).

import type { AnswerHead, Exchange } from '../dispatch/exchange.js';
import { statusLine } from '../wire/answer.js';

export type Field = readonly [name: string, value: string];

export interface Reply {
  readonly status: number;
  /** Checked: no name or value has what may not be in a header. Without Content-Length. */
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

export const NO_BODY = Buffer.alloc(0);

/** A reply in plain text, the reason phrase where there is nothing else to say. */
export function plainReply(status: number, fields: readonly Field[] = []): Reply {
  const body = Buffer.from(`${statusLine(status).slice(4)}\n`);
  return { status, fields: [['Content-Type', 'text/plain'], ...fields], body };
}

/** "200 OK\r\nName: value", for an answer of `length` bytes; -1 where none is to be told. */
export function answerHead(status: number, fields: readonly Field[], length: number): AnswerHead {
  let text = statusLine(status);
  for (const [name, value] of fields) text += `\r\n${name}: ${value}`;
  return { status, bytes: Buffer.from(text, 'latin1'), length, dated: false };
}

/** Notes in the exchange's record what its answer's head was. */
export function recordHead(exchange: Exchange, head: AnswerHead, fields: number): void {
  const { record } = exchange;
  record.status = head.status;
  record.headBytes = head.bytes.length;
  record.fields = fields;
}

/** Answers with `reply`. A HEAD, 204 or 304 is given no body by the exchange. */
export function sendReply(exchange: Exchange, reply: Reply, isHead: boolean): void {
  const head = answerHead(reply.status, reply.fields, reply.body.length);
  recordHead(exchange, head, reply.fields.length);
  exchange.record.bodyBytes = isHead ? 0 : reply.body.length;
  exchange.headSent = true;
  exchange.answerWhole(head, isHead ? NO_BODY : reply.body);
}
