// An address, with the option that asked for it: what a listener is to listen on.

import type { Address } from '../config/address.js';

/** An address to listen on. */
export interface BoundAddress {
  /** Of a handed-over socket, with its number. */
  readonly address: Address;
  /** The option that asked for it, for messages. */
  readonly option: string;
}
