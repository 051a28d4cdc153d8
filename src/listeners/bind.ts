// Opening the sockets of listeners that run on node:net, and saying clearly why one cannot be opened.
//
// Where a predecessor has handed over a socket for the address, that one is listened on.
// Decided elsewhere: the files of UNIX sockets (base/socket-file.ts), system calls (base/native-sockets.ts), how
//   uWebSockets.js listens (uws-socket.ts).

import { constants, fstatSync, readFileSync } from 'node:fs';
import { access, unlink } from 'node:fs/promises';
import { createServer, type ListenOptions, Server } from 'node:net';
import { dirname } from 'node:path';
import { ConfigError } from '../base/errors.js';
import { listenAbstract, listenPath } from '../base/native-sockets.js';
import type { StreamCalls } from '../base/native-streams.js';
import { type FileRights, occupantOf, SocketFile } from '../base/socket-file.js';
import type { Address } from '../config/address.js';
import type { Heritage } from '../config/heritage.js';
import type { BoundAddress } from './bound-address.js';
import { holderOf } from './socket-holder.js';

/** How the configuration wants sockets to be opened; the same for all of a server. */
export interface SocketSettings {
  /** Connections that may wait in the kernel. */
  readonly backlog: number;
  /** The user asked for that backlog; else it is the default. */
  readonly isBacklogGiven: boolean;
  /** SO_KEEPALIVE. */
  readonly keepAlive: boolean;
  /** TCP_DEFER_ACCEPT, where the peer speaks first and only once. */
  readonly deferAccept: boolean;
  /** SO_REUSEPORT. */
  readonly reusePort: boolean;
  readonly rights: FileRights;
}

export interface SocketOptions extends SocketSettings {
  /** Sockets that are open already. */
  readonly heritage: Heritage;
}

const { W_OK, X_OK } = constants;
const IN_USE = Object.assign(new Error(), { code: 'EADDRINUSE' });
const NO_SOCKET = Object.assign(new Error(), { code: 'ENOTSOCK' });
/** The first Node whose `listen` takes `reusePort`. */
const REUSE_PORT_NODE = [22, 12] as const;

/** What goes wrong when a socket is opened: the error of a system call, which has a code. */
export function bindError({ address, option }: BoundAddress, error: NodeJS.ErrnoException): ConfigError {
  return new ConfigError('CONFIG_BIND', option, address.text, explain(address, error));
}

function explain(address: Address, error: NodeJS.ErrnoException): string {
  const code = error.code ?? error.message;
  if (address.kind === 'fd') return `descriptor ${address.socket} is no socket that can be listened on (${code})`;
  if (code === 'EADDRINUSE') return inUse(address);
  if (address.kind === 'unix') {
    const directory = dirname(address.path);
    if (code === 'ENOENT') return `there is no directory ${directory}`;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      return `no file can be made in ${directory} (${code})`;
  } else {
    if (code === 'EACCES') return privileged();
    if (code === 'EADDRNOTAVAIL') return 'this machine has no such address';
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no host of that name is known';
    if (code === 'EAFNOSUPPORT') return 'IPv6 is switched off here';
  }
  return error.message;
}

function inUse(address: Address): string {
  const holder = holderOf(address);
  return `the address is in use${holder === undefined ? '' : ` by ${holder}`}`;
}

function privileged(): string {
  const first = readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1').trim();
  return `ports below ${first} need CAP_NET_BIND_SERVICE; or let systemd open the socket`;
}

/** Makes sure that a UNIX socket can be made at the address, if it is one. Throws `ConfigError` CONFIG_BIND. */
export async function checkPath(place: BoundAddress): Promise<'nothing' | 'a stale socket'> {
  const { address, option } = place;
  if (address.kind !== 'unix') return 'nothing';
  const occupant = await occupantOf(address.path).catch((error) => Promise.reject(bindError(place, error)));
  if (occupant === 'nothing' || occupant === 'a stale socket') return occupant;
  const problem = occupant === 'a live socket' ? inUse(address) : `there is ${occupant}; it is left alone`;
  throw new ConfigError('CONFIG_BIND', option, address.text, problem);
}

/** What the published types lack. */
type FullOptions = ListenOptions & { readonly fd?: number; readonly reusePort?: boolean };

/** For a descriptor Node takes the backlog from the second argument only. */
function listen(server: Server, options: FullOptions, backlog: number): Promise<void> {
  const open = server.listen.bind(server) as unknown as (
    options: FullOptions,
    backlog: number,
    onOpen: () => void,
  ) => void;
  return new Promise((resolve, reject) => {
    server.on('error', reject); // stays: an error of later has nobody to tell, and must not end the process
    open(options, backlog, resolve);
  });
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

/** Whether this Node can do what --reuse-port asks for. */
export function canReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > REUSE_PORT_NODE[0] || (major === REUSE_PORT_NODE[0] && minor >= REUSE_PORT_NODE[1]);
}

/**
 * Finds out before the apps are loaded whether the address can be had, as far as that can be told. Throws `ConfigError`
 * CONFIG_BIND.
 */
export async function tryAddress(place: BoundAddress, options: SocketOptions): Promise<void> {
  const { address } = place;
  if (options.heritage.has(address)) return;
  await checkPath(place);
  if (address.kind === 'unix') {
    await access(dirname(address.path), W_OK | X_OK).catch((error) => Promise.reject(bindError(place, error)));
  }
  if (address.kind === 'fd' && !isSocket(address.socket as number)) throw bindError(place, NO_SOCKET);
  if (address.kind === 'abstract' && holderOf(address) !== undefined) throw bindError(place, IN_USE);
  if (address.kind !== 'tcp' || options.reusePort) return;
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, { host: address.host, port: address.port }, options.backlog);
  } catch (error) {
    throw bindError(place, error as Error);
  }
  await new Promise((resolve) => server.close(resolve));
}

/** The listening socket of a node:net server. */
export class NodeSocket {
  readonly #server: Server;
  readonly #options: SocketOptions;
  #file: SocketFile | undefined;
  /** The listening socket and its TCP port, when it is not the server's any more. */
  #detached: { readonly fd: number; readonly port: number; readonly calls: StreamCalls } | undefined;

  constructor(server: Server, options: SocketOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Throws `ConfigError` CONFIG_BIND when the address cannot be had. */
  async open(place: BoundAddress): Promise<void> {
    const { address, option } = place;
    const { reusePort, heritage, backlog } = this.#options;
    const inherited = heritage.take(address);
    if (inherited === undefined && reusePort && address.kind === 'tcp' && !canReusePort(process.versions.node)) {
      const problem = `--reuse-port needs Node ${REUSE_PORT_NODE.join('.')} with this engine, this is ${process.versions.node}`;
      throw new ConfigError('CONFIG_BIND', option, address.text, problem);
    }
    if (inherited === undefined) await makeRoom(place);
    if (address.kind === 'unix') this.#file = new SocketFile(address.path, this.#options.rights);
    try {
      if (inherited === undefined) await this.#bind(address);
      else await listen(this.#server, { fd: inherited }, backlog);
      this.#file?.settle();
    } catch (error) {
      throw bindError(place, error as Error);
    }
  }

  #bind(address: Address): Promise<void> {
    const { backlog, reusePort } = this.#options;
    const server = this.#server;
    switch (address.kind) {
      case 'tcp':
        return listen(server, { host: address.host, port: address.port, ...(reusePort && { reusePort }) }, backlog);
      case 'fd':
        return listen(server, { fd: address.socket as number }, backlog);
      case 'abstract':
        return listen(server, { fd: listenAbstract(address.name, backlog) }, backlog);
      case 'unix':
        return listen(server, { fd: this.#file!.create(() => listenPath(address.path, backlog)) }, backlog);
    }
  }

  /** Takes the listening socket, which is open, away from its server: whoever asks for it accepts. Returns its descriptor; -1: there is none left for that. */
  detach(calls: StreamCalls): number {
    const { port } = this;
    const fd = calls.duplicate(this.descriptor!);
    if (fd < 0) return fd;
    Server.prototype.close.call(this.#server);
    this.#detached = { fd, port, calls };
    return fd;
  }

  /** See `Listener`. */
  get descriptor(): number | undefined {
    if (this.#file?.isOurs === false) return undefined;
    if (this.#detached !== undefined) return this.#detached.fd;
    const { _handle: handle } = this.#server as unknown as { readonly _handle: { readonly fd: number } | null };
    return handle === null ? undefined : handle.fd;
  }

  /** Connections that are open, in a handshake too. */
  get connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count)));
  }

  /** The TCP port; 0 for another kind of socket, or while it is closed. */
  get port(): number {
    if (this.#detached !== undefined) return this.#detached.port;
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? (address.port ?? 0) : 0;
  }

  /** Takes no more connections, and removes the file. Those that are open stay. */
  close(): void {
    // that of an HTTP server would cut connections: idle ones, and those whose answers are complete and not yet sent
    Server.prototype.close.call(this.#server);
    this.#detached?.calls.close(this.#detached.fd);
    this.#detached = undefined;
    this.#file?.remove();
  }

  /** Takes no more connections here: the socket, and its file, are a successor's now. */
  release(): void {
    this.#file = undefined;
    this.close();
  }
}

/** Removes a stale socket file. Throws `ConfigError` CONFIG_BIND when something else is in the way. */
export async function makeRoom(place: BoundAddress): Promise<void> {
  const { address } = place;
  if (address.kind !== 'unix' || (await checkPath(place)) === 'nothing') return;
  await unlink(address.path).catch((error) => Promise.reject(bindError(place, error)));
}
