// Connections that carry one request which has come whole, and get one answer that the kernel takes at once: no socket
// object is ever made for them.
//
// Behind nginx nearly all are of this kind. Whatever is not (a packet in pieces, a body that is still to come, an answer in
//   parts or one that the kernel does not take at once) gets its socket of node:net when that turns out: it loses
//   nothing, and costs what it always did. Nobody is held up: no call here waits.
// What comes behind a request, where nothing should, is not read: then the end of the connection is a reset, as with uWSGI.
// libuv cannot be kept from making a handle of what it accepts, so the listening socket is polled here in its place.
// Decided elsewhere: the system calls (base/native-streams.ts), what is a request (uwsgi.ts), how it is answered (uwsgi-exchange.ts).

import { Socket } from 'node:net';
import { type Poll, type StreamCalls, WENT_AWAY, WOULD_BLOCK } from '../base/native-streams.js';
import { withoutMapping } from '../wire/forwarded.js';
import type { Watch, Watched } from './watch.js';

/** Connections taken in one go; then the rest of the event loop has its turn. */
const MOST_AT_ONCE = 64;
/** A packet of the greatest length and a small body. What is longer goes on in a socket. */
const START_BYTES = 80 * 1024;
/** When none can be accepted (no descriptor or memory is left, say), connections are left waiting in the kernel for so long. */
const PAUSE_MS = 100;

const NOTHING = Buffer.alloc(0);

/** What the owner of a listening socket does with what comes. */
export interface ArrivalHandler {
  /** Whether the connection may be; else it is closed. `peer` gives the address of its peer. */
  welcome(peer: () => string): boolean;
  /** A connection has come, and `start` with it: it is valid during the call only, and empty if nothing has come yet. */
  onConnection(connection: ShortConnection, start: Buffer, peer: () => string): void;
  /** A connection that never got a socket has closed, whether it was welcome or not. */
  onClosed(): void;
}

/** Whoever waits for something to send on a connection. */
export interface ConnectionUser {
  /** The connection was cut. */
  connectionClosed(): void;
}

export class ShortConnection {
  user: ConnectionUser | undefined;
  readonly #calls: StreamCalls;
  #fd: number;
  readonly #open: Set<ShortConnection>;
  readonly #onClosed: () => void;

  constructor(calls: StreamCalls, fd: number, open: Set<ShortConnection>, onClosed: () => void) {
    this.#calls = calls;
    this.#fd = fd;
    this.#open = open;
    this.#onClosed = onClosed;
    open.add(this);
  }

  /** -1 once it is closed, or has a socket: the number may be another's then. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Sends all of an answer and closes the connection. Returns how many bytes the kernel took: when not all of them, the
   * connection is still open. -1: there is nobody to take them, and it is closed.
   */
  sendLast(bytes: Buffer): number {
    if (this.#fd < 0) return -1;
    const sent = this.#calls.send(this.#fd, bytes);
    if (sent < 0 && this.#calls.errno() === WOULD_BLOCK) return 0;
    if (sent < 0 || sent === bytes.length) this.close();
    return sent;
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#open.delete(this);
    this.#calls.close(this.#fd);
    this.#fd = -1;
    this.#onClosed();
  }

  /** Goes on as a socket. The connection itself is not to be used any more. */
  toSocket(): Socket {
    const socket = new Socket({ fd: this.#fd, readable: true, writable: true, allowHalfOpen: true });
    this.#open.delete(this);
    this.#fd = -1;
    return socket.setNoDelay(true);
  }
}

/** Takes the connections of a listening socket. */
export class ShortConnections implements Watched {
  readonly #calls: StreamCalls;
  readonly #fd: number;
  readonly #handler: ArrivalHandler;
  readonly #poll: Poll;
  readonly #open = new Set<ShortConnection>();
  readonly #start = Buffer.allocUnsafeSlow(START_BYTES);
  #pause: NodeJS.Timeout | undefined;
  #isStopped = false;
  readonly #watch: Watch;
  #isWatched = false;
  readonly #peer = () => withoutMapping(this.#calls.peer());
  readonly #onClosed = () => this.#handler.onClosed();

  /** `fd` listens, and nobody else here polls it. */
  constructor(calls: StreamCalls, fd: number, watch: Watch, handler: ArrivalHandler) {
    this.#watch = watch;
    this.#calls = calls;
    this.#fd = fd;
    this.#handler = handler;
    this.#poll = calls.poll(fd, this.#onReadable);
  }

  get isRequest(): boolean {
    return false;
  }

  /** Looks which peers have hung up: nothing tells it, because nobody reads here until there is an answer to send. */
  check(): void {
    const open = [...this.#open];
    if (open.length === 0) {
      this.#watch.delete(this);
      this.#isWatched = false;
      return;
    }
    for (const i of this.#calls.hungUp(open.map(({ fd }) => fd))) cut(open[i]!);
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Takes no more connections, but those that wait in the kernel already, up to `mostWaiting`: those that come because others
   * are answered meanwhile have no end.
   */
  stop(mostWaiting: number): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#pause);
    this.#poll.close();
    for (let left = mostWaiting; left > 0; left -= MOST_AT_ONCE) {
      if (this.#take(Math.min(left, MOST_AT_ONCE)) < MOST_AT_ONCE) return;
    }
  }

  /** Cuts all that are open. */
  close(): void {
    for (const connection of this.#open) cut(connection);
  }

  /** koffi calls this without what Node does around its own callbacks: an immediate sees to promises and errors. */
  readonly #onReadable = (): void => {
    try {
      if (!this.#isStopped) this.#take(MOST_AT_ONCE);
      setImmediate(settle);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };

  /** Takes what waits, `most` connections at most. Returns how many that were. */
  #take(most: number): number {
    let taken = 0;
    while (taken < most) {
      const fd = this.#calls.accept(this.#fd);
      if (fd >= 0) {
        taken++;
        this.#receive(fd);
        continue;
      }
      const errno = this.#calls.errno();
      if (errno === WOULD_BLOCK) break;
      if (!WENT_AWAY.has(errno)) {
        this.#rest();
        break;
      }
      taken++;
    }
    return taken;
  }

  #receive(fd: number): void {
    const isWelcome = this.#handler.welcome(this.#peer);
    const connection = new ShortConnection(this.#calls, fd, this.#open, this.#onClosed);
    if (!this.#isWatched) {
      this.#isWatched = true;
      this.#watch.add(this);
    }
    if (!isWelcome) {
      connection.close();
      return;
    }
    const bytes = this.#calls.receive(fd, this.#start);
    if (bytes > 0) this.#handler.onConnection(connection, this.#start.subarray(0, bytes), this.#peer);
    else if (bytes < 0 && this.#calls.errno() === WOULD_BLOCK)
      this.#handler.onConnection(connection, NOTHING, this.#peer);
    else connection.close(); // it connected and went away: a health check
  }

  #rest(): void {
    if (this.#isStopped) return;
    this.#poll.stop();
    this.#pause = setTimeout(() => this.#poll.start({ readable: true }, this.#onReadable), PAUSE_MS);
  }
}

function cut(connection: ShortConnection): void {
  connection.close();
  connection.user?.connectionClosed();
}

/** Node runs what is due (promises, ticks) behind each immediate. */
function settle(): void {}
