// Answers as bytes: those the server gives itself, and what an engine needs to know of an app's head.
//
// An app's head arrives as one block, "200 OK\r\nName: value\r\nName: value" in latin-1, checked by the worker.
// Decided elsewhere: which status a failure has (base/errors.ts), what a worker lets pass (bridge_wsgi.py, js-app.ts).

import { STATUS_CODES } from 'node:http';
import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';

/** A status whose answers have no body (RFC 9110 sections 15.3.5 and 15.4.5). */
export const isBodyless = (status: number) => status === 204 || status === 304;

/** "404 Not Found". */
export const statusLine = (status: number) => `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;

/** The answer to a client when the app failed; what went wrong is for the log only. bridge_wsgi.py has the same. */
export const FAILURE_HEAD = '500 Internal Server Error\r\nContent-Type: text/plain';
export const FAILURE_BODY = 'Internal Server Error';

/** What a client is told about a failure: its status and no more. Details go to the log. */
export interface PlainAnswer {
  readonly status: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/**
 * An answer to a request whose body has not come, and need not: it goes out like a refusal, and the connection is
 * closed behind it.
 */
export class EarlyAnswer extends PeerError<'PEER_ANSWERED'> {
  readonly answer: PlainAnswer;

  constructor(answer: PlainAnswer) {
    super('PEER_ANSWERED');
    this.answer = answer;
  }

  override get status(): number {
    return Number(this.answer.status.slice(0, 3));
  }
}

export function answerFor(error: NuwsgiError<Code>): PlainAnswer {
  if (error instanceof EarlyAnswer) return error.answer;
  const status = statusLine(error.status);
  const fields: [string, string][] = [['Content-Type', 'text/plain']];
  if (error.status === 503) fields.push(['Retry-After', '1']);
  return { status, fields, body: Buffer.from(`${error.hint ?? status.slice(4)}\n`) };
}

/**
 * A refusal as it goes out, from the status on, by which the connection ends. `more`: bytes that come behind the body
 * and belong to it.
 */
export function refusalBytes(error: NuwsgiError<Code>, isHead: boolean, more = 0): Buffer {
  const { status, fields, body } = answerFor(error);
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = `${status}\r\n${lines}Content-Length: ${body.length + more}\r\nConnection: close\r\n\r\n`;
  return isHead ? Buffer.from(head, 'latin1') : Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** The head without its Date field, for an engine that writes one itself. */
export function withoutDate(head: Buffer): Buffer {
  const lines = head.toString('latin1').split('\r\n');
  return Buffer.from(lines.filter((line, i) => i === 0 || !/^date:/i.test(line)).join('\r\n'), 'latin1');
}

/** The head taken apart: reason phrase, and names and values in turn, as `http.ServerResponse.writeHead` takes them. */
export function parseHead(head: Buffer): { readonly reason: string; readonly fields: string[] } {
  const lines = head.toString('latin1').split('\r\n');
  const fields: string[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    fields.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return { reason: lines[0]!.slice(4), fields };
}
