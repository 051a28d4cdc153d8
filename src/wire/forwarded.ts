// Whom a request comes from, according to the proxies that it came through: X-Forwarded-For and X-Forwarded-Proto, or
// Forwarded (RFC 7239).
//
// Each proxy adds, at the right, who spoke to it. So the list is read from there, as long as the speaker is one that is
//   trusted; what stands further left anybody may have written.
// Only one of the two families counts, the one that the proxies write: a proxy that writes one passes the other on as a
//   client sent it.
// Decided elsewhere: whom to trust and which family (--trusted-proxies, --forwarded-header), and what follows from it
//   (listeners/client-truth.ts).

import { isIP, SocketAddress } from 'node:net';
import { type Network, Networks } from '../config/network.js';

/** What one proxy says of whoever spoke to it. */
export interface Hop {
  /** Undefined: not told, or no IP address. */
  readonly address: string | undefined;
  /** Undefined: not told, or neither of the two. */
  readonly scheme: Scheme | undefined;
}
export type Scheme = 'http' | 'https';
/** Which fields the trusted proxies write. */
export type ForwardedHeader = 'x-forwarded' | 'forwarded';

const MAPPED_V4 = /^::ffff:(?=\d+\.)/;

/** `address` without what makes an IPv4 address an IPv6 one. */
export const withoutMapping = (address: string) => address.replace(MAPPED_V4, '');

/** An address as people write it: IPv6 in its short form (RFC 5952), IPv4 without the prefix that makes it IPv6. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  return withoutMapping(new SocketAddress({ address, family: 'ipv6' }).address);
}

const BRACKETED = /^\[([^\]]*)\](?::\d+)?$/;
const V4_AND_PORT = /^([\d.]+):\d+$/;

/** The address of a node: `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`. Undefined when it is none. */
function addressOf(node: string): string | undefined {
  const address = BRACKETED.exec(node)?.[1] ?? V4_AND_PORT.exec(node)?.[1] ?? node;
  return isIP(address) === 0 || address.includes('%') ? undefined : plainAddress(address);
}

function schemeOf(text: string | undefined): Scheme | undefined {
  const lower = text?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : undefined;
}

const itemsOf = (field: string) => (field === '' ? [] : field.split(',').map((item) => item.trim()));

/**
 * The hops of X-Forwarded-For and X-Forwarded-Proto ('' where there is none), the nearest proxy's last. Where each proxy
 * has added a scheme they belong together; else the last one is that of the nearest proxy and counts for all.
 */
export function xForwardedHops(forwardedFor: string, forwardedProto: string): readonly Hop[] {
  const nodes = itemsOf(forwardedFor);
  const schemes = itemsOf(forwardedProto);
  const areAligned = schemes.length === nodes.length;
  const nearest = schemeOf(schemes.at(-1));
  if (nodes.length === 0) return [{ address: undefined, scheme: nearest }];
  return nodes.map((node, i) => ({
    address: addressOf(node),
    scheme: areAligned ? schemeOf(schemes[i]) : nearest,
  }));
}

/** One parameter of a Forwarded element: a token, `=`, and a token or a quoted string (RFC 7239 section 4). */
const PARAMETER =
  /[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z:[\]]+)|"((?:[^"\\]|\\.)*)")[ \t]*/y;

/**
 * The hops of a Forwarded field. None at all when its syntax is broken: a quote that a client leaves open could swallow
 * what the proxies add.
 */
export function forwardedHops(field: string): readonly Hop[] {
  const hops: Hop[] = [];
  let parameters = new Map<string, string>();
  const finish = () => {
    hops.push({ address: addressOf(parameters.get('for') ?? ''), scheme: schemeOf(parameters.get('proto')) });
    parameters = new Map();
  };
  let at = 0;
  while (at < field.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(field);
    if (match === null) return [];
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return []; // each at most once in an element
    parameters.set(name, match[2] ?? match[3]!.replace(/\\(.)/g, '$1'));
    at = PARAMETER.lastIndex;
    const separator = field[at];
    if (separator !== undefined && separator !== ';' && separator !== ',') return [];
    if (separator === ',') finish();
    at++;
    if (separator !== undefined && at === field.length) return [];
  }
  if (field !== '') finish();
  return hops;
}

/** Who may say where a request comes from. */
export class TrustedProxies {
  readonly #networks: Networks;

  constructor(networks: readonly Network[]) {
    this.#networks = new Networks(networks);
  }

  /** `address`: '' is the peer of a UNIX socket. */
  trusts(address: string): boolean {
    return this.#networks.has(address);
  }

  /**
   * Where a request comes from that `peer` brought: the first address from the right that is not trusted, or the last
   * one that is known; and by which scheme it came to the proxy that says so.
   */
  origin(peer: string, hops: readonly Hop[]): Hop & { readonly address: string } {
    let address = peer;
    let scheme: Scheme | undefined;
    for (let i = hops.length - 1; i >= 0 && this.trusts(address); i--) {
      const hop = hops[i]!;
      scheme = hop.scheme ?? scheme;
      if (hop.address === undefined) break; // from here on nobody knows who it is
      address = hop.address;
    }
    return { address, scheme };
  }
}
