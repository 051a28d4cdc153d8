// What the server asks of a listener, whatever it speaks and whatever engine it runs on.

/** An address to listen on. */
export interface BoundAddress {
  /** Path of a UNIX socket (abstract ones start with NUL); undefined for TCP. */
  readonly path: string | undefined;
  /** '' for all addresses. */
  readonly host: string;
  readonly port: number;
  /** The option, and the address as the user wrote it, for messages. */
  readonly option: string;
  readonly text: string;
}

export interface Listener {
  /** What reads the bytes, for the banner. */
  readonly engine: string;
  /** Starts to listen. Throws `ConfigError` CONFIG_BIND when the address cannot be had. */
  listen(address: BoundAddress): Promise<void>;
  /** The TCP port it listens on; 0 for a UNIX socket, or while it does not listen. */
  readonly port: number;
  /** Takes no new connections; those that are open go on. */
  stopAccepting(): void;
  /** Cuts every connection. */
  close(): void;
}
