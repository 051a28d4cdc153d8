// The PROXY protocol, versions 1 and 2: what a load balancer that passes connections on writes in front of each of them.
//
// A function of bytes: what has come in, an outcome out. Strict, because whoever can write here says who it is; a header
//   must be there, it is not looked for.
// Source: "The PROXY protocol", versions 1 and 2 (HAProxy, doc/proxy-protocol.txt), sections 2.1 and 2.2.
// Decided elsewhere: who may send one, and how long it may take (listeners/proxy-preface.ts).

import { isIPv4, isIPv6 } from 'node:net';
import { plainAddress } from './forwarded.js';

/** The client whose connection was passed on. */
export interface ProxiedPeer {
  readonly address: string;
  readonly port: number;
}

export type ProxyOutcome =
  | { readonly kind: 'more' }
  /** `bytes` long. `peer` is undefined when the proxy speaks for itself (a health check), or for no IP address. */
  | { readonly kind: 'header'; readonly bytes: number; readonly peer: ProxiedPeer | undefined }
  | { readonly kind: 'fault'; readonly why: string };

const MORE: ProxyOutcome = { kind: 'more' };
const fault = (why: string): ProxyOutcome => ({ kind: 'fault', why });

const V1_START = Buffer.from('PROXY ');
/** With its CRLF. */
const V1_MOST_BYTES = 107;
const V1_LINE = /^PROXY (TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/;
const V1_UNKNOWN = /^PROXY UNKNOWN(?: .*)?$/;
const PORT = /^(?:0|[1-9]\d*)$/;
const MOST_PORT = 65535;

const V2_START = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V2_FIXED_BYTES = 16;
/** Room for what proxies add behind the addresses: names, certificates. */
const V2_MOST_BYTES = 16384;
/** Command and version share a byte, family and transport another one. */
const V2 = { LOCAL: 0x20, PROXY: 0x21, TCP4: 0x11, TCP6: 0x21 } as const;

/** Reads the header at the start of `bytes`, all that has come so far. */
export function readProxyHeader(bytes: Buffer): ProxyOutcome {
  if (startsAs(bytes, V2_START)) return readVersion2(bytes);
  if (startsAs(bytes, V1_START)) return readVersion1(bytes);
  return fault('there is none');
}

/** Whether `bytes` begin like `start`, as far as they go. */
function startsAs(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readVersion1(bytes: Buffer): ProxyOutcome {
  const end = bytes.subarray(0, V1_MOST_BYTES).indexOf('\r\n');
  if (end < 0) return bytes.length < V1_MOST_BYTES ? MORE : fault('its line does not end');
  const line = bytes.toString('latin1', 0, end);
  const length = end + 2;
  if (V1_UNKNOWN.test(line)) return { kind: 'header', bytes: length, peer: undefined };
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = ''] = V1_LINE.exec(line) ?? [];
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  const arePorts = [sourcePort, destinationPort].every((port) => PORT.test(port) && Number(port) <= MOST_PORT);
  if (family === undefined || !isAddress(source) || !isAddress(destination) || !arePorts || source.includes('%')) {
    return fault('its line is not of the form PROXY TCP4|TCP6 ADDRESS ADDRESS PORT PORT');
  }
  return { kind: 'header', bytes: length, peer: { address: plainAddress(source), port: Number(sourcePort) } };
}

function readVersion2(bytes: Buffer): ProxyOutcome {
  if (bytes.length < V2_FIXED_BYTES) return MORE;
  const command = bytes[12]!;
  const family = bytes[13]!;
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (command !== V2.LOCAL && command !== V2.PROXY) return fault(`version and command are 0x${command.toString(16)}`);
  if (length > V2_MOST_BYTES) return fault(`it is ${length} bytes long, over ${V2_MOST_BYTES}`);
  if (bytes.length < length) return MORE;
  if (command === V2.LOCAL) return { kind: 'header', bytes: length, peer: undefined };
  const addressBytes = family === V2.TCP4 ? 4 : family === V2.TCP6 ? 16 : 0;
  if (addressBytes === 0) return { kind: 'header', bytes: length, peer: undefined };
  const portAt = V2_FIXED_BYTES + 2 * addressBytes;
  if (portAt + 4 > length) return fault('its addresses do not fit into its length');
  const raw = bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + addressBytes);
  const address = addressBytes === 4 ? raw.join('.') : plainAddress(ipv6Text(raw));
  return { kind: 'header', bytes: length, peer: { address, port: bytes.readUInt16BE(portAt) } };
}

const ipv6Text = (raw: Buffer) => raw.toString('hex').replace(/.{4}(?=.)/g, '$&:');
