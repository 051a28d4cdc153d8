// One connection of a node:http listener: its requests take turns.
//
// Clients may send several requests without waiting for answers (pipelining). node:http hands them over at once and
//   puts their answers in order; but they must not run at once either, because one may depend on what the one before it
//   does (RFC 9112 section 9.3.2), and because one client could take every slot of an app.
// Decided elsewhere: what is refused (http-node.ts), how an answer is written (node-exchange.ts).

import type { Socket } from 'node:net';
import type { NodeExchange } from './node-exchange.js';

/** How many requests may wait for their turn before no more is read. Those that lie in one segment come all the same. */
const MOST_WAITING = 16;

export class NodeConnection {
  readonly socket: Socket;
  /** Its other end, or whom a PROXY header names. */
  readonly peer: string;
  /** The port of whom a PROXY header names. */
  readonly peerPort: string | undefined;
  /** The request whose body is on its way. */
  reading: NodeExchange | undefined;
  /** Nothing more that comes on it is looked at: something on it was refused, or its last request has come. */
  isSpent = false;
  /** Bytes that had come when it was last without a request: more of them are a head on its way. */
  idleAtBytes = 0;
  /** The requests that are not answered yet, in their order. The first of them has its turn. */
  readonly #requests: NodeExchange[] = [];
  #isPaused = false;
  #onIdle: (() => void) | undefined;

  constructor(socket: Socket, peer: string, peerPort: string | undefined) {
    this.socket = socket;
    this.peer = peer;
    this.peerPort = peerPort;
    socket.once('close', () => this.#onClose());
  }

  get isIdle(): boolean {
    return this.#requests.length === 0;
  }

  add(exchange: NodeExchange): void {
    this.#requests.push(exchange);
  }

  isTurnOf(exchange: NodeExchange): boolean {
    return this.#requests[0] === exchange;
  }

  /** Whether no other request waits behind `exchange`. */
  isLast(exchange: NodeExchange): boolean {
    return this.#requests.at(-1) === exchange;
  }

  /** `act` is called when all requests before `exchange` are answered, unless the connection closes before that. */
  wait(exchange: NodeExchange, act: () => void): void {
    exchange.onTurn = act;
    if (this.#isPaused || this.#requests.length < MOST_WAITING) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  /** `exchange` is answered, or given up. */
  done(exchange: NodeExchange): void {
    const requests = this.#requests;
    if (requests[0] !== exchange) {
      const at = requests.indexOf(exchange);
      if (at >= 0) requests.splice(at, 1);
      return;
    }
    requests.shift();
    if (this.#isPaused && requests.length < MOST_WAITING) {
      this.#isPaused = false;
      this.socket.resume();
    }
    const next = requests[0];
    if (next === undefined) {
      this.idleAtBytes = this.socket.bytesRead;
      this.#onIdle?.();
    } else if (next.onTurn !== undefined) {
      const act = next.onTurn;
      next.onTurn = undefined;
      act();
    }
  }

  /** `act` is called when all requests that have come are answered: at once, if they are. */
  whenIdle(act: () => void): void {
    if (this.isIdle) act();
    else this.#onIdle = act;
  }

  #onClose(): void {
    this.isSpent = true;
    for (const exchange of this.#requests.splice(0)) exchange.connectionClosed();
  }
}
