// How many connections may be open at once, so that the server never runs out of descriptors.
//
// Why: without a descriptor left, uWebSockets.js spins on its listening socket, a body cannot be spooled, and a Python
//   app cannot be started again. So a part of the limit is kept back, and a connection beyond it is closed at once;
//   those that are open are served as ever.
// Node raises its own soft limit to the hard one when it starts; `ulimit -n` or LimitNOFILE raises that.
// Decided elsewhere: what a listener does with a connection (http-uws.ts, http-node.ts, uwsgi.ts).

import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Kept back for files and pipes that come and go: spooled bodies, static files, logs. */
const SPARE = 32;
const FEWEST = 16;
/** Room again is told when this share of the connections is left. */
const ROOM_AGAIN = 0.9;

/** The connections that fit beside `used` descriptors of `limit`: as many as `used` are needed to start every app anew. */
export const connectionsFor = (limit: number, used: number) => Math.max(FEWEST, limit - 2 * used - SPARE);

/** The soft limit in the text of /proc/PID/limits; undefined when there is none. */
export function parseOpenFiles(limits: string): number | undefined {
  const match = /^Max open files +(\d+)/m.exec(limits);
  return match === null ? undefined : Number(match[1]);
}

/** Counts the connection of `socket` until it closes. False: it is to be closed at once. */
export function countSocket(limit: ConnectionLimit, socket: Socket): boolean {
  socket.once('close', () => limit.closed());
  return limit.opened();
}

export class ConnectionLimit {
  #most = Number.POSITIVE_INFINITY;
  #open = 0;
  #shed = 0;
  readonly #warn: (text: string) => void;

  /** `warn` is told when the limit is reached, and when there is room again. */
  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** To be called once everything that the server needs is open. */
  measure(): void {
    const limit = parseOpenFiles(readFileSync('/proc/self/limits', 'latin1'));
    if (limit !== undefined) this.set(connectionsFor(limit, readdirSync('/proc/self/fd').length - this.#open));
  }

  set(most: number): void {
    this.#most = most;
  }

  get most(): number {
    return this.#most;
  }

  /** A connection has come. False: it is to be closed at once. Either way `closed` is called when it has closed. */
  opened(): boolean {
    if (++this.#open <= this.#most) return true;
    if (this.#shed++ === 0) {
      const cure = 'raise it with ulimit -n or LimitNOFILE';
      this.#warn(`WARNING: ${this.#most} connections are open, the most for this limit of open files (${cure})`);
    }
    return false;
  }

  closed(): void {
    if (--this.#open > this.#most * ROOM_AGAIN || this.#shed === 0) return;
    this.#warn(`there is room for connections again; ${this.#shed} were closed meanwhile`);
    this.#shed = 0;
  }
}
