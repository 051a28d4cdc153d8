// What the server asks of a listener, whatever it speaks and whatever engine it runs on.

import type { SocketOptions } from './bind.js';
import type { BoundAddress } from './bound-address.js';
import type { ClientTruth } from './client-truth.js';
import type { Site } from './site.js';
import type { Tls } from './tls.js';

/** What every listener is made of. */
export interface ListenerParts {
  readonly site: Site;
  /** The listener's number, under which workers know its constant variables. */
  readonly index: number;
  readonly sockets: SocketOptions;
  /** Undefined: it speaks in clear. */
  readonly tls: Tls | undefined;
  /** Undefined: nobody is believed. */
  readonly truth: ClientTruth | undefined;
  /** Every connection begins with a PROXY protocol header. */
  readonly hasPreface: boolean;
}

export interface Listener {
  /** What reads the bytes, for the banner. */
  readonly engine: string;
  /** Starts to listen. Throws `ConfigError` CONFIG_BIND when the address cannot be had. */
  listen(address: BoundAddress): Promise<void>;
  /** The TCP port it listens on; 0 for a UNIX socket, or while it does not listen. */
  readonly port: number;
  /** The listening socket, for a successor; undefined: there is none, or its file is not there any more. */
  readonly descriptor: number | undefined;
  /** How many connections are open, those in a TLS handshake too. */
  readonly connections: number | Promise<number>;
  /** Takes another certificate for the connections that come from now on. Only for listeners that speak TLS. */
  renew(tls: Tls): void;
  /** Takes no new connections; those that are open go on. */
  stopAccepting(): void;
  /** Leaves the listening socket to a successor. Connections that are open go on, idle ones too. */
  release(): void;
  /** Cuts every connection. */
  close(): void;
}
