// One request on a node:http connection: how its answer is written.
//
// node:http frames the answer (length, chunks, HEAD, 204, 304, HTTP/1.0) and keeps what a slow client does not take;
//   the views into the arena are copied, because it may write them later.
// Decided elsewhere: what an answer is (dispatch/exchange.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Code, NuwsgiError } from '../base/errors.js';
import type { AnswerHead } from '../dispatch/exchange.js';
import { answerFor, isBodyless, parseHead } from '../wire/answer.js';
import { ClientExchange } from './client-exchange.js';
import { cutOff } from './cut-off.js';
import { linger } from './linger.js';
import type { NodeConnection } from './node-connection.js';
import type { Site } from './site.js';

export class NodeExchange extends ClientExchange {
  readonly isHead: boolean;
  /** The connection is not to be used again. */
  closeAfter = false;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #connection: NodeConnection;
  readonly #site: Site;
  /** What is to be done when the requests before this one are answered. */
  onTurn: (() => void) | undefined;
  /** The client can tell a whole answer from one that was cut off. */
  #isFramed = true;

  constructor(req: IncomingMessage, res: ServerResponse, isHead: boolean, connection: NodeConnection, site: Site) {
    super();
    this.#site = site;
    this.#req = req;
    this.#res = res;
    this.isHead = isHead;
    this.#connection = connection;
    connection.add(this);
    res.on('close', this.#onClose);
  }

  /** The request has come to its end. */
  get isWhole(): boolean {
    return this.#req.complete;
  }

  override get heldBytes(): number {
    return this.#res.writableLength;
  }

  /** The answer has been written, or the connection has closed. */
  readonly #onClose = (): void => {
    this.#site.unsent.delete(this);
    this.connectionClosed();
    this.#connection.done(this);
  };

  /** Whether this is the last answer of the connection, also because the server is on its way out. */
  get #closes(): boolean {
    if (this.#site.draining && this.#connection.isLast(this)) {
      this.closeAfter = true;
      this.#connection.isSpent = true;
    }
    return this.closeAfter;
  }

  #writeHead(head: AnswerHead, length: number): void {
    const res = this.#res;
    const { reason, fields } = parseHead(head.bytes);
    if (length >= 0 && head.status !== 204) fields.push('Content-Length', String(length));
    if (this.#closes) fields.push('Connection', 'close');
    res.sendDate = !head.dated;
    res.writeHead(head.status, reason, fields);
  }

  override answerWhole(head: AnswerHead, body: Buffer): void {
    this.#writeHead(head, this.isHead || isBodyless(head.status) ? head.length : body.length); // throws if it is none
    this.gone = true; // nothing more is expected of this connection on behalf of this request
    if (body.length > 0) this.#res.end(Buffer.from(body));
    else this.#res.end();
    this.#noteUnsent();
  }

  /** The client may have to take some of it yet. */
  #noteUnsent(): void {
    if (this.#res.writableLength > 0) this.#site.unsent.add(this);
  }

  override answerFirst(head: AnswerHead, data: Buffer): void {
    this.#res.on('drain', () => {
      if (!this.gone) this.owner?.drained(this);
    });
    this.#isFramed = head.length >= 0 || this.#req.httpVersionMinor === 1; // HTTP/1.0 knows no chunks
    this.#writeHead(head, head.length);
    if (data.length > 0) this.answerPart(data);
  }

  override answerPart(data: Buffer): void {
    this.#res.write(Buffer.from(data));
  }

  override answerEnd(broken: boolean): void {
    this.gone = true;
    if (!broken) this.#res.end();
    else cutOff(this.#req.socket, this.#isFramed);
    this.#noteUnsent();
  }

  override refuse(error: NuwsgiError<Code>): void {
    if (this.gone) return;
    this.gone = true;
    this.#writeRefusal(error);
    this.#res.end();
  }

  override drop(): void {
    this.gone = true;
    this.#req.socket.destroy();
  }

  /** Answers a request that must not be trusted any further, reads on for a moment, and closes the connection. */
  refuseAndClose(error: NuwsgiError<Code>): void {
    this.gone = true;
    this.closeAfter = true;
    this.body?.discard();
    this.#writeRefusal(error);
    this.#req.resume(); // what follows is dropped
    const finish = () => this.#res.end();
    if (this.#req.complete) {
      finish();
      return;
    }
    const stop = linger(() => this.#req.socket.bytesRead, finish);
    this.#req.once('close', () => {
      stop();
      finish();
    });
  }

  #writeRefusal(error: NuwsgiError<Code>): void {
    const answer = answerFor(error);
    const fields = answer.fields.flat();
    fields.push('Content-Length', String(answer.body.length));
    if (this.closeAfter) fields.push('Connection', 'close');
    this.#res.writeHead(error.status, answer.status.slice(4), fields);
    if (!this.isHead) this.#res.write(answer.body);
  }
}
