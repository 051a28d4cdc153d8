// The listening socket of a uWebSockets.js app, for every kind of address.
//
// uWebSockets.js opens TCP ports and UNIX socket files itself. It has no call for a socket that is open already, and
//   binds no abstract name. There it opens a port that nobody knows, and before the turn of the event loop is over, which
//   is before the kernel is asked to watch it, its descriptor comes to stand for the other socket (dup3(2)).
// It fixes the backlog at 512 and sets no keep-alive. Both can be set on its listening socket from outside, so they are
//   when the user asks for them.
// It reads from a connection on and on, whether paused or not, as long as each read fills its buffer of 512 KiB: a client
//   that sends faster than that is copied would hold the accept thread, and its memory, to the end of its upload. So the
//   kernel is told to keep less than that for a connection. The price: one upload gets no faster than 240 KiB per round
//   trip. (UNIX sockets keep less by themselves.)
// The other way round the kernel takes as much as it has memory for (4 MiB), and then says nothing before a third of that
//   is gone: for a slow client that is minutes. So it is told to take no more than it can send soon.
// Decided elsewhere: messages and files (bind.ts, socket-file.ts), what is done with connections (http-uws.ts).

import { closeSync } from 'node:fs';
import type { TemplatedApp, us_listen_socket } from 'uws-node20';
import {
  isListening,
  listenAbstract,
  putInPlaceOf,
  setBacklog,
  setKeepAlive,
  setMostUnsent,
  setReceiveBuffer,
} from '../base/native-sockets.js';
import { SocketFile } from '../base/socket-file.js';
import { bindError, makeRoom, type SocketOptions, tryAddress } from './bind.js';
import type { BoundAddress } from './bound-address.js';
import { socketsOf } from './socket-holder.js';
import type { Uws } from './uws-module.js';

/** LIBUS_LISTEN_EXCLUSIVE_PORT: without it the port is shared (SO_REUSEPORT), and a second server goes unnoticed. */
const EXCLUSIVE_PORT = 1;
const SHARED_PORT = 0;
/** Where it listens for a moment in place of a socket that is open already. */
const NOWHERE = '127.0.0.1';
/** What the kernel may keep of what a client sends. It doubles the number, and that has to stay below 512 KiB. */
const RECEIVE_BYTES = 240 << 10;
/** What the kernel may take of an answer beyond what it can send at once. */
const MOST_UNSENT_BYTES = 128 << 10;

/** What the published types lack. */
interface FullApp extends Omit<TemplatedApp, 'listen'> {
  listen(host: string, port: number, options: number, onBound: (socket: us_listen_socket | false) => void): void;
}

export class UwsSocket {
  readonly #uws: Uws;
  #app: FullApp;
  readonly #options: SocketOptions;
  #socket: us_listen_socket | undefined;
  #file: SocketFile | undefined;
  /** Descriptors of sockets that were opened together with the listening one, which is one of them, with their inodes. */
  #candidates: ReadonlyMap<number, string> = new Map();

  constructor(uws: Uws, app: TemplatedApp, options: SocketOptions) {
    this.#uws = uws;
    this.#app = app as unknown as FullApp;
    this.#options = options;
  }

  /** Throws `ConfigError` CONFIG_BIND when the address cannot be had. */
  async open(place: BoundAddress): Promise<void> {
    const { address } = place;
    const { heritage, backlog } = this.#options;
    const inherited = heritage.take(address);
    if (inherited !== undefined) this.#adopt(place, () => inherited);
    else if (address.kind === 'tcp') await this.#openPort(place, address.host, address.port);
    else if (address.kind === 'unix') await this.#openFile(place, address.path);
    else if (address.kind === 'fd') this.#adopt(place, () => address.socket as number);
    else this.#adopt(place, () => listenAbstract(address.name, backlog));
    this.#tune(place);
    this.#limitBuffers();
  }

  /** Listens on the socket that `find` gives the descriptor of. Throws `ConfigError` CONFIG_BIND. */
  #adopt(place: BoundAddress, find: () => number): void {
    const { address } = place;
    this.#listen((onBound) => this.#app.listen(NOWHERE, 0, EXCLUSIVE_PORT, onBound));
    try {
      if (this.#socket === undefined) throw new Error(`no port of ${NOWHERE} can be had, not even for a moment`);
      const own = this.descriptor!;
      const other = find();
      putInPlaceOf(own, other);
      closeSync(other);
      setBacklog(own, this.#options.backlog); // fails where the socket is no stream
      this.#candidates = new Map([[own, socketsOf('self').get(own)!]]);
      if (address.kind !== 'unix') return;
      this.#file = new SocketFile(address.path, this.#options.rights);
      this.#file.settle();
    } catch (error) {
      throw bindError(place, error as Error);
    }
  }

  /** Calls `open`, which opens the socket without returning to the event loop; false when it could not. */
  #listen(open: (onBound: (socket: us_listen_socket | false) => void) => void): boolean {
    const before = socketsOf('self');
    open((socket) => {
      if (socket !== false) this.#socket = socket;
    });
    this.#candidates = new Map([...socketsOf('self')].filter(([fd]) => !before.has(fd)));
    return this.#socket !== undefined;
  }

  async #openPort(place: BoundAddress, host: string, port: number): Promise<void> {
    const mode = this.#options.reusePort ? SHARED_PORT : EXCLUSIVE_PORT;
    if (this.#listen((onBound) => this.#app.listen(host, port, mode, onBound))) return;
    await tryAddress(place, this.#options); // it does not say why, node:net does
    throw bindError(place, new Error('uWebSockets.js cannot listen there'));
  }

  async #openFile(place: BoundAddress, path: string): Promise<void> {
    await makeRoom(place);
    const file = new SocketFile(path, this.#options.rights);
    if (!file.create(() => this.#listen((onBound) => this.#app.listen_unix(onBound, path))))
      throw bindError(place, new Error('uWebSockets.js cannot listen there: see the directory'));
    this.#file = file;
    try {
      file.settle();
    } catch (error) {
      throw bindError(place, error as Error);
    }
  }

  /**
   * Lets another app take the connections that come from now on; those that are open stay where they are. None is
   * refused meanwhile: it is the same socket, under another descriptor. Throws the error of a system call.
   */
  handTo(app: TemplatedApp): void {
    const from = this.descriptor;
    const before = this.#socket;
    if (from === undefined || before === undefined) throw new Error('the socket cannot be found among the descriptors');
    this.#app = app as unknown as FullApp;
    this.#listen((onBound) => this.#app.listen(NOWHERE, 0, EXCLUSIVE_PORT, onBound));
    const to = this.descriptor!;
    putInPlaceOf(to, from);
    this.#candidates = new Map([[to, socketsOf('self').get(to)!]]);
    this.#uws.us_listen_socket_close(before);
  }

  /** Sets what uWebSockets.js does not, where the user asks for it. Throws `ConfigError` CONFIG_BIND. */
  #tune(place: BoundAddress): void {
    const { backlog, isBacklogGiven, keepAlive } = this.#options;
    const isTcp = place.address.kind === 'tcp';
    if (!isBacklogGiven && !(keepAlive && isTcp)) return;
    try {
      const fd = this.descriptor;
      if (fd === undefined) throw new Error('the socket cannot be found among the descriptors');
      if (isBacklogGiven) setBacklog(fd, backlog);
      if (keepAlive && isTcp) setKeepAlive(fd);
    } catch (error) {
      throw bindError(place, error as Error);
    }
  }

  /** Limits what the kernel keeps for one connection. */
  #limitBuffers(): void {
    const fd = this.descriptor;
    if (fd === undefined) return;
    try {
      setMostUnsent(fd, MOST_UNSENT_BYTES);
      setReceiveBuffer(fd, RECEIVE_BYTES);
    } catch {
      // no TCP socket, which keeps little by itself; or koffi has no binary for this machine
    }
  }

  /** See `Listener`. Throws the error of `loadNative`. */
  get descriptor(): number | undefined {
    if (this.#file?.isOurs === false || this.#socket === undefined) return undefined;
    const sockets = socketsOf('self');
    return [...this.#candidates].find(([fd, inode]) => sockets.get(fd) === inode && isListening(fd))?.[0];
  }

  /** The TCP port; 0 for another kind of socket, or while it is closed. */
  get port(): number {
    return this.#socket === undefined ? 0 : Math.max(0, this.#uws.us_socket_local_port(this.#socket as never));
  }

  /** Takes no more connections, and removes the file. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) this.#uws.us_listen_socket_close(socket);
    this.#file?.remove();
  }

  /** Takes no more connections here: the socket, and its file, are a successor's now. */
  release(): void {
    this.#file = undefined;
    this.close();
  }
}
