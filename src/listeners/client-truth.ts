// Who the client of a request is, where proxies in front of the server are believed (--trusted-proxies).
//
// A listener without such proxies has none of this, and does nothing per request for it.
// Decided elsewhere: how the fields are read and whom they name (wire/forwarded.ts).

import type { Network } from '../config/network.js';
import type { HeadReader } from '../wire/cgi.js';
import { type ForwardedHeader, forwardedHops, type Hop, TrustedProxies, xForwardedHops } from '../wire/forwarded.js';
import { variablesOf } from '../wire/uwsgi.js';

export interface ProxyTrust {
  readonly networks: readonly Network[];
  readonly header: ForwardedHeader;
}

export class ClientTruth {
  readonly #header: ForwardedHeader;
  readonly #proxies: TrustedProxies;

  constructor({ networks, header }: ProxyTrust) {
    this.#header = header;
    this.#proxies = new TrustedProxies(networks);
  }

  /** Whether `peer` may say who the client is; '' is the peer of a UNIX socket. */
  trusts(peer: string): boolean {
    return this.#proxies.trusts(peer);
  }

  /** `find` gives the value of a variable, '' when there is none. */
  #hops(find: (variable: string) => string): readonly Hop[] {
    return this.#header === 'forwarded'
      ? forwardedHops(find('HTTP_FORWARDED'))
      : xForwardedHops(find('HTTP_X_FORWARDED_FOR'), find('HTTP_X_FORWARDED_PROTO'));
  }

  /** The client of the HTTP request that `head` has read and `peer` has brought. Puts its scheme into `head`. */
  ofHead(peer: string, head: HeadReader, isTls: boolean): string {
    if (!this.#proxies.trusts(peer)) return peer;
    const { address, scheme } = this.#proxies.origin(
      peer,
      this.#hops((name) => head.find(name)),
    );
    if (scheme === undefined || (scheme === 'https') === isTls) return address;
    head.add('HTTPS', isTls ? 'off' : 'on');
    head.add('wsgi.url_scheme', scheme);
    return address;
  }

  /**
   * The variables of a uwsgi packet that change because of what proxies in front of its sender say: its REMOTE_ADDR,
   * `peer`, is the last of them. `payload` has been made ready. Undefined when nothing changes.
   */
  ofPacket(peer: string, payload: Buffer): ReadonlyMap<string, string> | undefined {
    if (!this.#proxies.trusts(peer)) return undefined;
    const variables = variablesOf(payload);
    const { address, scheme } = this.#proxies.origin(
      peer,
      this.#hops((name) => variables.get(name) ?? ''),
    );
    const changed = new Map<string, string>();
    if (address !== peer) changed.set('REMOTE_ADDR', address);
    if (scheme !== undefined) changed.set('UWSGI_SCHEME', scheme);
    return changed.size === 0 ? undefined : changed;
  }
}
