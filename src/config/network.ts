// A network as `10.0.0.0/8`, or a single address: whom something is believed from.
//
// Decided elsewhere: what is believed (observe/log/forwarded.ts).

import { isIP } from 'node:net';

export interface Network {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly prefixBits: number;
}

/** Reads a network. Undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefixBits = bits === undefined ? most : Number(bits);
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || prefixBits > most)) return undefined;
  return { family: version === 4 ? 'ipv4' : 'ipv6', address, prefixBits };
}
