// One request on a uwsgi connection: its answer goes out as uWSGI gives it, a status line, the fields, the body; then
// the connection is closed.
//
// The status line always says HTTP/1.1, whatever SERVER_PROTOCOL the peer sent. The length is added when it is known,
//   so that the proxy can tell a whole answer from one that was cut off.
// Decided elsewhere: what an answer is (dispatch/exchange.ts).

import type { Socket } from 'node:net';
import type { Code, NuwsgiError } from '../base/errors.js';
import type { AnswerHead, Exchange } from '../dispatch/exchange.js';
import { isBodyless, refusalBytes } from '../wire/answer.js';
import { ClientExchange } from './client-exchange.js';
import { cutOff } from './cut-off.js';
import { linger } from './linger.js';

const STATUS_LINE = Buffer.from('HTTP/1.1 ');
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

export class UwsgiExchange extends ClientExchange {
  readonly #socket: Socket;
  readonly #isHead: boolean;
  readonly #unsent: Set<Exchange>;
  /** Content-Length of an answer in parts; -1: it is not known. */
  #length = -1;

  /** `unsent`: see `Site`. */
  constructor(socket: Socket, isHead: boolean, unsent: Set<Exchange>) {
    super();
    this.#unsent = unsent;
    this.#socket = socket;
    this.#isHead = isHead;
    socket.once('close', this.#onClose);
  }

  override get heldBytes(): number {
    return this.#socket.writableLength;
  }

  readonly #onClose = (): void => {
    this.#unsent.delete(this);
    this.connectionClosed();
  };

  /** `head` as it goes out, and the body, or what there is of it, behind it: one copy for one write. */
  #withHead(head: AnswerHead, length: number, body: Buffer): Buffer {
    const hasLength = length >= 0 && head.status !== 204;
    const end = hasLength ? Buffer.from(`\r\nContent-Length: ${length}\r\n\r\n`, 'latin1') : HEAD_END;
    return Buffer.concat([STATUS_LINE, head.bytes, end, body]);
  }

  override answerWhole(head: AnswerHead, body: Buffer): void {
    this.gone = true;
    if (this.#isHead || isBodyless(head.status)) this.#socket.end(this.#withHead(head, head.length, NOTHING));
    else this.#socket.end(this.#withHead(head, body.length, body));
    this.#noteUnsent();
  }

  /** The peer may have to take some of it yet. */
  #noteUnsent(): void {
    if (this.#socket.writableLength > 0) this.#unsent.add(this);
  }

  override answerFirst(head: AnswerHead, data: Buffer): void {
    this.#socket.on('drain', () => {
      if (!this.gone) this.owner?.drained(this);
    });
    this.#length = head.length;
    this.#socket.write(this.#withHead(head, head.length, data));
  }

  override answerPart(data: Buffer): void {
    this.#socket.write(Buffer.from(data)); // a copy: the slot is written again
  }

  override answerEnd(broken: boolean): void {
    this.gone = true;
    if (!broken) this.#socket.end();
    else cutOff(this.#socket, this.#length >= 0);
    this.#noteUnsent();
  }

  override refuse(error: NuwsgiError<Code>): void {
    if (this.gone) return;
    this.gone = true;
    this.#socket.end(refusal(error, this.#isHead));
  }

  override drop(): void {
    this.gone = true;
    this.#socket.destroy();
  }

  /** Refuses what came on `socket`, reads on for a moment, and closes it. */
  static refuseOn(socket: Socket, error: NuwsgiError<Code>): void {
    if (socket.destroyed) return;
    socket.end(refusal(error, false));
    socket.resume();
    const stop = linger(
      () => socket.bytesRead,
      () => socket.destroy(),
    );
    socket.once('close', stop);
  }
}

const refusal = (error: NuwsgiError<Code>, isHead: boolean) =>
  Buffer.concat([STATUS_LINE, refusalBytes(error, isHead)]);
