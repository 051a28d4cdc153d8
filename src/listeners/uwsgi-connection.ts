// One connection of the uwsgi protocol on a node:net socket: its packet, its body, its answer.
//
// The packet is put together in the event loop, however it is cut, so a peer that sends half of one holds nobody up; the
//   body is collected like that of an HTTP request.
// Decided elsewhere: which connections get a socket at all (uwsgi.ts), what a packet may hold (uwsgi-request.ts), how an
//   answer is written (uwsgi-exchange.ts).

import type { Socket } from 'node:net';
import { type Code, NuwsgiError, PeerError } from '../base/errors.js';
import { MODIFIER, PacketReader, packetHeader } from '../wire/uwsgi.js';
import { RequestBody } from './request-body.js';
import type { Site } from './site.js';
import { UwsgiExchange } from './uwsgi-exchange.js';
import { describePacket, readRequest, type UwsgiRequest, type UwsgiSite } from './uwsgi-request.js';
import type { Watched } from './watch.js';

export class UwsgiConnection implements Watched {
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #site: Site;
  readonly #shared: UwsgiSite;
  readonly #packet: PacketReader;
  #body: RequestBody | undefined;
  #bodyLeft = 0;
  #isSettled = false;
  /** When a packet that comes in pieces has to be whole; 0: it has not begun, or came in one piece. */
  #deadlineMs = 0;

  constructor(socket: Socket, peer: string, shared: UwsgiSite) {
    const { limits } = shared.site;
    this.#socket = socket;
    this.#peer = peer;
    this.#site = shared.site;
    this.#shared = shared;
    this.#packet = new PacketReader(limits.headBytes);
    socket.setTimeout(limits.idleTimeoutMs, () => this.#onIdle());
    socket.on('data', (chunk) => this.feed(chunk));
    socket.on('end', () => this.#onEnd());
    socket.once('close', () => this.#onClose());
    socket.on('error', () => {}); // 'close' follows, and is all there is to know
  }

  /** Takes what has come on the connection, or had come before it had its socket. */
  feed(chunk: Buffer): void {
    if (this.#isSettled) return; // nothing is to follow the request: what does is dropped
    if (this.#body !== undefined) {
      this.#onBody(chunk);
      return;
    }
    const outcome = this.#packet.feed(chunk);
    if (outcome.kind !== 'more' && this.#deadlineMs > 0) this.#site.watch.delete(this);
    if (outcome.kind === 'request') {
      this.begin(
        readRequest(outcome.payload, () => this.#peer, this.#shared),
        outcome.rest,
      );
    } else if (outcome.kind === 'fault') {
      this.#refuse(outcome.error);
    } else if (outcome.kind === 'more') {
      if (this.#deadlineMs === 0) this.#beginWatch();
    } else if (outcome.kind === 'ping') {
      this.#isSettled = true;
      this.#site.warn(`${this.#peer}: PING`);
      this.#socket.end(packetHeader(MODIFIER.PING, 0, 1));
    }
  }

  /** The packet comes in pieces, and all of it has to come in time. */
  #beginWatch(): void {
    const { watch, limits } = this.#site;
    this.#deadlineMs = performance.now() + limits.headTimeoutMs;
    watch.add(this);
  }

  get isRequest(): boolean {
    return false;
  }

  check(nowMs: number): void {
    if (nowMs >= this.#deadlineMs)
      this.#refuse(new PeerError('PEER_TIMEOUT', 'the packet', this.#site.limits.headTimeoutMs));
  }

  /** The packet has been read: `rest` is what there is of the body. */
  begin(request: UwsgiRequest | NuwsgiError<Code>, rest: Buffer): void {
    if (request instanceof NuwsgiError) {
      this.#refuse(request);
      return;
    }
    const { receiver, payload, facts, isHead } = request;
    const { index } = this.#shared;
    const exchange = new UwsgiExchange(this.#socket, isHead, this.#shared.host);
    describePacket(exchange.record, facts, performance.now());
    this.#bodyLeft = facts.contentLength;
    this.#body = new RequestBody(this.#site.limits, this.#site.watch, this.#socket, (error, input, fd) => {
      this.#isSettled = true;
      if (error !== undefined) {
        this.#refuse(error);
        return;
      }
      exchange.spoolFd = fd;
      receiver.submitPacket(exchange, payload, index, isHead, input, fd, performance.now());
    });
    exchange.body = this.#body;
    if (facts.contentLength > rest.length) {
      const refuse = (error: NuwsgiError<Code>) => this.#refuse(error);
      receiver.announcePacket?.(exchange, payload, index, isHead, refuse);
    }
    if (!this.#isSettled) this.#onBody(rest);
  }

  /** The request has been read, and its exchange waits for the answer: nothing more is expected of the peer. */
  settle(): void {
    this.#isSettled = true;
  }

  #onBody(chunk: Buffer): void {
    const data = chunk.length > this.#bodyLeft ? chunk.subarray(0, this.#bodyLeft) : chunk;
    this.#bodyLeft -= data.length;
    this.#body!.feed(data, this.#bodyLeft === 0);
  }

  /** The peer sends no more. With a whole request it still waits for the answer. */
  #onEnd(): void {
    if (this.#isSettled) return;
    if (this.#packet.isEmpty && this.#body === undefined)
      this.#socket.end(); // it connected and went away: a health check
    else this.#refuse(new PeerError('PEER_BAD_REQUEST', 'the request ends in the middle'));
  }

  /** Nothing has come, and nothing was taken, for --socket-timeout. */
  #onIdle(): void {
    const socket = this.#socket;
    const { idleTimeoutMs } = this.#site.limits;
    if (!this.#isSettled) {
      this.#refuse(new PeerError('PEER_TIMEOUT', 'the rest of the request', idleTimeoutMs));
    } else if (socket.writableLength > 0) {
      this.#site.onRefused(this.#peer, new PeerError('PEER_STALLED', idleTimeoutMs));
      socket.destroy();
    } else if (socket.writableFinished) {
      socket.destroy(); // the peer has everything, and does not hang up
    } // else it is the app that takes its time
  }

  /** The connection is gone. What becomes of a body that was on its way, its exchange says. */
  #onClose(): void {
    if (this.#deadlineMs > 0) this.#site.watch.delete(this);
    if (this.#isSettled || this.#body !== undefined || this.#packet.isEmpty) return;
    this.#isSettled = true;
    this.#site.onRefused(this.#peer, new PeerError('PEER_GONE', 0));
  }

  #refuse(error: NuwsgiError<Code>): void {
    this.#isSettled = true;
    if (this.#deadlineMs > 0) this.#site.watch.delete(this);
    this.#body?.discard();
    this.#site.onRefused(this.#peer, error);
    UwsgiExchange.refuseOn(this.#socket, error);
  }
}
