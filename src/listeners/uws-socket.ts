// The listening socket of a uWebSockets.js app, for every kind of address.
//
// uWebSockets.js opens TCP ports and UNIX socket files itself. It has no call for a socket that is open already, and
//   binds no abstract name: there node:net accepts, and hands each connection over as a descriptor. That costs a
//   connection a few microseconds more, and a request nothing.
// It fixes the backlog at 512 and sets no keep-alive. Both can be set on its listening socket from outside, so they are
//   when the user asks for them.
// Decided elsewhere: messages and files (bind.ts, socket-file.ts), what is done with connections (http-uws.ts).

import { createServer, type Server } from 'node:net';
import type { TemplatedApp, us_listen_socket } from 'uws-node20';
import { bindError, makeRoom, NodeSocket, type SocketOptions, tryAddress } from './bind.js';
import type { BoundAddress } from './listener.js';
import { duplicate, setBacklog, setKeepAlive } from './native-sockets.js';
import { SocketFile } from './socket-file.js';
import { descriptorOf, listeningInodes } from './socket-holder.js';
import type { Uws } from './uws-module.js';

/** LIBUS_LISTEN_EXCLUSIVE_PORT: without it the port is shared (SO_REUSEPORT), and a second server goes unnoticed. */
const EXCLUSIVE_PORT = 1;
const SHARED_PORT = 0;

/** What the published types lack. */
interface FullApp extends Omit<TemplatedApp, 'listen'> {
  listen(host: string, port: number, options: number, onBound: (socket: us_listen_socket | false) => void): void;
  adoptSocket(fd: number): void;
}

export class UwsSocket {
  readonly #uws: Uws;
  readonly #app: FullApp;
  readonly #options: SocketOptions;
  #socket: us_listen_socket | undefined;
  #file: SocketFile | undefined;
  /** Accepts in place of uWebSockets.js. */
  #acceptor: NodeSocket | undefined;

  constructor(uws: Uws, app: TemplatedApp, options: SocketOptions) {
    this.#uws = uws;
    this.#app = app as unknown as FullApp;
    this.#options = options;
  }

  /** Throws `ConfigError` CONFIG_BIND when the address cannot be had. */
  async open(place: BoundAddress): Promise<void> {
    const { address } = place;
    if (address.kind === 'tcp') {
      await this.#openPort(place, address.host, address.port);
      this.#tune(place);
    } else if (address.kind === 'unix') {
      await makeRoom(place);
      this.#openFile(place, address.path);
      this.#tune(place);
    } else {
      this.#acceptor = new NodeSocket(this.#makeAcceptor(), this.#options);
      await this.#acceptor.open(place);
    }
  }

  async #openPort(place: BoundAddress, host: string, port: number): Promise<void> {
    let isBound = false;
    const mode = this.#options.reusePort ? SHARED_PORT : EXCLUSIVE_PORT;
    this.#app.listen(host, port, mode, (socket) => {
      isBound = socket !== false;
      if (socket !== false) this.#socket = socket;
    });
    if (isBound) return;
    await tryAddress(place, this.#options); // it does not say why, node:net does
    throw bindError(place, new Error('uWebSockets.js cannot listen there'));
  }

  #openFile(place: BoundAddress, path: string): void {
    const file = new SocketFile(path, this.#options.rights);
    let isBound = false;
    file.create(() => {
      this.#app.listen_unix((socket: us_listen_socket | false) => {
        isBound = socket !== false;
        if (socket !== false) this.#socket = socket;
      }, path);
    });
    if (!isBound) throw bindError(place, new Error('uWebSockets.js cannot listen there: see the directory'));
    this.#file = file;
    try {
      file.settle();
    } catch (error) {
      throw bindError(place, error as Error);
    }
  }

  #makeAcceptor(): Server {
    const { keepAlive } = this.#options;
    return createServer({ pauseOnConnect: true, noDelay: true, keepAlive }, (connection) => {
      const { _handle: handle } = connection as unknown as { _handle: { readonly fd: number } };
      let fd: number | undefined;
      try {
        fd = duplicate(handle.fd);
      } catch {
        // there is no descriptor left: the connection is closed, as beyond any limit
      }
      connection.destroy(); // closes node's descriptor; the connection lives on in the other one
      if (fd !== undefined) this.#app.adoptSocket(fd);
    });
  }

  /** Sets what uWebSockets.js does not. Throws `ConfigError` CONFIG_BIND. */
  #tune(place: BoundAddress): void {
    const { backlog, isBacklogGiven, keepAlive } = this.#options;
    const isTcp = place.address.kind === 'tcp';
    if (!isBacklogGiven && !(keepAlive && isTcp)) return;
    const address = isTcp ? { ...place.address, port: this.port } : place.address;
    try {
      const fd = descriptorOf('self', listeningInodes(address));
      if (fd === undefined) throw new Error('the socket cannot be found among the descriptors');
      if (isBacklogGiven) setBacklog(fd, backlog);
      if (keepAlive && isTcp) setKeepAlive(fd);
    } catch (error) {
      throw bindError(place, error as Error);
    }
  }

  /** The TCP port; 0 for another kind of socket, or while it is closed. */
  get port(): number {
    if (this.#acceptor !== undefined) return this.#acceptor.port;
    return this.#socket === undefined ? 0 : Math.max(0, this.#uws.us_socket_local_port(this.#socket as never));
  }

  /** Takes no more connections, and removes the file. */
  close(): void {
    this.#acceptor?.close();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    const close = () => this.#uws.us_listen_socket_close(socket);
    if (this.#file === undefined) close();
    else this.#file.remove(close);
  }
}
