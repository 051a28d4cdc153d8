// Who may see what the server tells of itself: the token, the name under which it was asked for, and where from.
//
// What is shown names paths, addresses and memory: nothing for strangers. So the addresses are on loopback unless somebody
//   says otherwise, and a page of another origin cannot read them: no CORS header is ever sent (uWSGI sends `*`), and on
//   loopback the Host must be a name of this machine, which keeps DNS rebinding out.
// Decided elsewhere: what each path needs (routes.ts).

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

const digest = (text: string) => createHash('sha256').update(text).digest();

export class Access {
  readonly #token: Buffer | undefined;
  readonly #isLoopback: boolean;

  /** `token` undefined: none is needed. `isLoopback`: nobody but this machine can connect. */
  constructor(token: string | undefined, isLoopback: boolean) {
    this.#token = token === undefined ? undefined : digest(token);
    this.#isLoopback = isLoopback;
  }

  get needsToken(): boolean {
    return this.#token !== undefined;
  }

  /** Whether the request has the token: as `Authorization: Bearer TOKEN`. Compared in constant time. */
  hasToken(request: IncomingMessage): boolean {
    if (this.#token === undefined) return true;
    const match = /^Bearer (.+)$/.exec(request.headers.authorization ?? '');
    return match !== null && timingSafeEqual(digest(match[1]!), this.#token);
  }

  /** Whether it was asked for by a name that this server may have. */
  isForUs(request: IncomingMessage): boolean {
    if (!this.#isLoopback) return true;
    const name = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    return name === '' || name === 'localhost' || name === hostname() || isIP(name) !== 0;
  }
}
