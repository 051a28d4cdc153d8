// Which client addresses a uWebSockets.js listener has connections from.
//
// Why: asking a connection for its address costs 2 µs, a tenth of a whole request (native-bench/micro/peer-address.ts),
//   and uWebSockets.js gives no place to keep it per connection. Behind a proxy, in a load test, in a service mesh, all
//   connections come from one address: then it need not be asked for.
// Why it is exact: an address is added when a connection opens, before its first request; the set is emptied only when
//   no connection is open, because a closed one can no longer be asked whose it was.

export class PeerAddresses {
  /** The address that all open connections have, or undefined when they have several, or there is none. */
  sole: string | undefined;
  /** Connections that are open. */
  open = 0;
  #isMixed = false;

  opened(address: string): void {
    this.open++;
    if (this.open === 1) {
      this.#isMixed = false;
      this.sole = address;
    } else if (!this.#isMixed && this.sole !== address) {
      this.#isMixed = true;
      this.sole = undefined;
    }
  }

  closed(): void {
    this.open--;
  }
}
