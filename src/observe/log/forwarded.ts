// --log-x-forwarded-for: whom a request comes from, according to the proxies that it came through.
//
// Each proxy adds the address it was spoken to from at the right of X-Forwarded-For. So the list is read from there, as
//   long as the speaker is one that is trusted; what stands further left anybody may have written.
// uWSGI believes the whole field, from everybody.
// Decided elsewhere: whom to trust (--trusted-proxy).

import { BlockList, isIP } from 'node:net';
import type { Network } from '../../config/network.js';

/** A proxy on the same machine is trusted; a UNIX socket has no address, and is on the same machine. */
const LOOPBACK: readonly Network[] = [
  { family: 'ipv4', address: '127.0.0.0', prefixBits: 8 },
  { family: 'ipv6', address: '::1', prefixBits: 128 },
];

export class ForwardedFor {
  readonly #trusted = new BlockList();

  /** `proxies`: whom to trust; when empty, whoever is on the same machine. */
  constructor(proxies: readonly Network[]) {
    for (const { address, prefixBits, family } of proxies.length > 0 ? proxies : LOOPBACK) {
      this.#trusted.addSubnet(address, prefixBits, family);
    }
  }

  #isTrusted(address: string): boolean {
    const version = isIP(address);
    return address === '' || (version !== 0 && this.#trusted.check(address, version === 4 ? 'ipv4' : 'ipv6'));
  }

  /** The client of a request that came from `peer` with this X-Forwarded-For. */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !this.#isTrusted(peer)) return peer;
    let client = peer;
    for (const item of forwardedFor.split(',').reverse()) {
      const address = item.trim().replace(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2'); // some add the port
      if (isIP(address) === 0) return client; // from here on nobody knows what it is
      client = address;
      if (!this.#isTrusted(address)) return client;
    }
    return client;
  }
}
