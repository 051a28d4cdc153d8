// One request on a uwsgi connection: its answer goes out as uWSGI gives it, a status line, the fields, the body; then
// the connection is closed.
//
// The status line always says HTTP/1.1, whatever SERVER_PROTOCOL the peer sent. The length is added when it is known,
//   so that the proxy can tell a whole answer from one that was cut off.
// A connection that has no socket yet gets one when the answer is not whole, or is more than the kernel takes at once.
// Decided elsewhere: what an answer is (dispatch/exchange.ts).

import type { Socket } from 'node:net';
import type { Code, NuwsgiError } from '../base/errors.js';
import type { AnswerHead, Exchange } from '../dispatch/exchange.js';
import { isBodyless, refusalBytes } from '../wire/answer.js';
import { ClientExchange } from './client-exchange.js';
import { cutOff } from './cut-off.js';
import { linger } from './linger.js';
import { ShortConnection } from './short-connections.js';

const STATUS_LINE = Buffer.from('HTTP/1.1 ');
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

/** What the exchanges of a listener share. */
export interface ExchangeHost {
  /** See `Site`. */
  readonly unsent: Set<Exchange>;
  /** Gives a connection whose request is complete its socket, and looks after it from now on. */
  toSocket(connection: ShortConnection): Socket;
}

export class UwsgiExchange extends ClientExchange {
  readonly #host: ExchangeHost;
  readonly #isHead: boolean;
  /** The connection, as long as it has no socket. */
  #short: ShortConnection | undefined;
  #socket: Socket | undefined;
  /** Content-Length of an answer in parts; -1: it is not known. */
  #length = -1;

  constructor(connection: Socket | ShortConnection, isHead: boolean, host: ExchangeHost) {
    super();
    this.#host = host;
    this.#isHead = isHead;
    if (connection instanceof ShortConnection) {
      this.#short = connection;
      connection.user = this;
    } else {
      this.#attach(connection);
    }
  }

  #attach(socket: Socket): Socket {
    this.#socket = socket;
    return socket.once('close', () => {
      this.#host.unsent.delete(this);
      this.connectionClosed();
    });
  }

  /** The socket, which the connection gets now if it has none. */
  #open(): Socket {
    if (this.#short === undefined) return this.#socket!;
    const socket = this.#host.toSocket(this.#short);
    this.#short = undefined;
    return this.#attach(socket);
  }

  override get heldBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** `head` as it goes out, and the body, or what there is of it, behind it: one copy for one write. */
  #withHead(head: AnswerHead, length: number, body: Buffer): Buffer {
    const hasLength = length >= 0 && head.status !== 204;
    const end = hasLength ? Buffer.from(`\r\nContent-Length: ${length}\r\n\r\n`, 'latin1') : HEAD_END;
    return Buffer.concat([STATUS_LINE, head.bytes, end, body]);
  }

  override answerWhole(head: AnswerHead, body: Buffer): void {
    this.gone = true;
    if (this.#isHead || isBodyless(head.status)) this.#sendLast(this.#withHead(head, head.length, NOTHING));
    else this.#sendLast(this.#withHead(head, body.length, body));
  }

  /** Sends all that goes out on the connection. */
  #sendLast(bytes: Buffer): void {
    const sent = this.#short?.sendLast(bytes) ?? 0;
    if (sent < 0 || sent === bytes.length) this.#short = undefined; // it is closed
    if (sent === bytes.length) return;
    if (sent < 0) {
      this.aborted = true;
      return;
    }
    this.#open().end(bytes.subarray(sent));
    this.#noteUnsent();
  }

  /** The peer may have to take some of it yet. */
  #noteUnsent(): void {
    if (this.heldBytes > 0) this.#host.unsent.add(this);
  }

  override answerFirst(head: AnswerHead, data: Buffer): void {
    const socket = this.#open();
    socket.on('drain', () => {
      if (!this.gone) this.owner?.drained(this);
    });
    this.#length = head.length;
    socket.write(this.#withHead(head, head.length, data));
  }

  override answerPart(data: Buffer): void {
    this.#open().write(Buffer.from(data)); // a copy: the slot is written again
  }

  override answerEnd(broken: boolean): void {
    this.gone = true;
    if (!broken) this.#open().end();
    else cutOff(this.#open(), this.#length >= 0);
    this.#noteUnsent();
  }

  override refuse(error: NuwsgiError<Code>): void {
    if (this.gone) return;
    this.gone = true;
    this.#sendLast(refusal(error, this.#isHead));
  }

  override drop(): void {
    this.gone = true;
    if (this.#short === undefined) this.#socket?.destroy();
    else this.#short.close();
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
