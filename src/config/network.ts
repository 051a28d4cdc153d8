// Networks as `10.0.0.0/8`, single addresses, and `unix`: whom something is believed from, or who may connect.
//
// Decided elsewhere: what is believed (wire/forwarded.ts), who may connect (listeners/uwsgi.ts).

import { BlockList, isIP } from 'node:net';

export interface IpNetwork {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly prefixBits: number;
}
/** Whoever comes over a UNIX socket, and so from this machine. */
export interface UnixPeers {
  readonly family: 'unix';
}
export type Network = IpNetwork | UnixPeers;

export const NETWORKS_FORM = 'IP addresses, networks as 10.0.0.0/8 and unix:, with commas between them';
const UNIX: UnixPeers = { family: 'unix' };

/** Reads a network of IP addresses. Undefined when it is none. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefixBits = bits === undefined ? most : Number(bits);
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || prefixBits > most)) return undefined;
  return { family: version === 4 ? 'ipv4' : 'ipv6', address, prefixBits };
}

/** Reads a list of networks. Undefined when one of them is none. */
export function parseNetworks(text: string): readonly Network[] | undefined {
  const networks = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => (part === 'unix' || part === 'unix:' ? UNIX : parseNetwork(part)));
  if (networks.length === 0 || networks.includes(undefined)) return undefined;
  return networks as Network[];
}

/** Whether addresses lie in any of some networks. */
export class Networks {
  readonly #blocks = new BlockList();
  readonly #hasUnix: boolean;

  constructor(networks: readonly Network[]) {
    this.#hasUnix = networks.some(({ family }) => family === 'unix');
    for (const network of networks) {
      if (network.family !== 'unix') this.#blocks.addSubnet(network.address, network.prefixBits, network.family);
    }
  }

  /** `address` is an IP address, or '' for the peer of a UNIX socket. */
  has(address: string): boolean {
    if (address === '') return this.#hasUnix;
    const plain = address.replace(/%.*$/, ''); // the zone of a link-local address
    const version = isIP(plain);
    return version !== 0 && this.#blocks.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}
