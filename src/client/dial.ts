// Connecting to an address, for the tools beside the server.

import { connect, Socket } from 'node:net';
import { connectAbstract } from '../base/native-sockets.js';
import type { Address, FdAddress } from '../config/address.js';

/** Where a server that listens on every address is found. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** An address that can be connected to. */
export type PeerAddress = Exclude<Address, FdAddress>;

/** A connection is there at once, or it fails, as with all UNIX sockets; but listeners for it come later. */
function dialAbstract(name: string): Socket {
  const socket = new Socket({ fd: connectAbstract(name) });
  setImmediate(() => socket.emit('connect'));
  return socket;
}

/** A socket on its way to `address`; it fails with 'error'. */
export function dial(address: PeerAddress): Socket {
  if (address.kind === 'tcp') return connect(address.port, LOOPBACK[address.host] ?? address.host);
  return address.kind === 'unix' ? connect(address.path) : dialAbstract(address.name);
}
