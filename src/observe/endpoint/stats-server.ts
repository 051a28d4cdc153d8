// The address of --stats: uWSGI's JSON for whoever connects and says nothing, HTTP for whoever speaks it.
//
// uWSGI writes its JSON at once and closes; with --stats-http it waits for a request. Here one address does both: a client
//   that sends nothing for SILENCE_MS gets the JSON as uWSGI gives it, a browser that asks in HTTP gets the dashboard. With
//   --stats-http, or a token, which only HTTP has a place for, it always waits for the request.
// Runs on the accept thread: what is sent is made once for all who ask within FRESH_MS (routes.ts), and the number of
//   connections is bounded.
// Decided elsewhere: what is answered (routes.ts), to whom (access.ts).

import { unlink } from 'node:fs/promises';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { ConfigError } from '../../base/errors.js';
import { listenPath } from '../../base/native-sockets.js';
import { occupantOf, SocketFile } from '../../base/socket-file.js';
import type { Address } from '../../config/address.js';
import type { Heritage, OpenSocket } from '../../config/heritage.js';

/** Longer than a browser's first byte takes through a tunnel, as long as a script may wait. */
const SILENCE_MS = 500;
const MOST_CONNECTIONS = 64;
/** Who says nothing more, or takes nothing, is let go. */
const IDLE_TIMEOUT_MS = 10_000;
const MOST_HEAD_BYTES = 8192;
/** A socket file is for its owner only. */
const RIGHTS = { mode: 0o600, uid: -1, gid: -1 };
const BACKLOG = 511;

export interface StatsServerOptions {
  /** The option, for messages. */
  readonly option: string;
  readonly address: Address;
  /** Sockets that are open already. */
  readonly heritage: Heritage;
  readonly onRequest: RequestListener;
  /** What a client that says nothing gets; undefined: a request is waited for. */
  readonly silentAnswer: (() => Promise<string>) | undefined;
}

/** Whether only this machine can connect. */
export function isLocal(address: Address): boolean {
  return address.kind !== 'tcp' || /^(?:127\.|::1$|localhost$)/.test(address.host);
}

/** `:9191` is on loopback: whoever wants all addresses says `0.0.0.0:9191`. */
export function onLoopback(address: Address): Address {
  return address.kind === 'tcp' && address.text.startsWith(':') ? { ...address, host: '127.0.0.1' } : address;
}

function whereToListen(address: Address, file: SocketFile | undefined): ListenOptions | { readonly fd: number } {
  switch (address.kind) {
    case 'tcp':
      return { host: address.host, port: address.port };
    case 'unix':
      return { fd: file!.create(() => listenPath(address.path, BACKLOG)) };
    case 'abstract':
      return { path: `\0${address.name}` };
    case 'fd':
      return { fd: Number(address.socket) }; // named ones are for listeners only: NaN is refused
  }
}

export class StatsServer {
  readonly #options: StatsServerOptions;
  readonly #sockets: Server;
  readonly #http: HttpServer;
  readonly #open = new Set<Socket>();
  #file: SocketFile | undefined;

  constructor(options: StatsServerOptions) {
    this.#options = options;
    this.#http = createHttpServer({ maxHeaderSize: MOST_HEAD_BYTES }, options.onRequest);
    this.#http.setTimeout(IDLE_TIMEOUT_MS); // its other timeouts need it to listen by itself
    this.#http.on('clientError', (_, socket) => socket.destroy());
    this.#sockets = createServer({ allowHalfOpen: true }, (socket) => this.#onConnection(socket)); // as HTTP wants it
    this.#sockets.maxConnections = MOST_CONNECTIONS;
  }

  /** Starts to listen. Throws `ConfigError` CONFIG_BIND. Resolves with the port; 0 for a UNIX socket. */
  async listen(): Promise<number> {
    const { address, option, heritage } = this.#options;
    const inherited = heritage.take(address);
    try {
      if (address.kind === 'unix') this.#file = new SocketFile(address.path, RIGHTS);
      if (address.kind === 'unix' && inherited === undefined) await makeRoom(address.path);
      const where = inherited === undefined ? whereToListen(address, this.#file) : { fd: inherited };
      await new Promise<void>((resolve, reject) => {
        this.#sockets.once('error', reject);
        this.#sockets.listen(where, resolve);
      });
      this.#file?.settle();
    } catch (error) {
      throw new ConfigError('CONFIG_BIND', option, address.text, (error as Error).message);
    }
    const bound = this.#sockets.address();
    return typeof bound === 'object' && bound !== null ? (bound.port ?? 0) : 0;
  }

  /** The listening socket, for a successor; undefined: there is none, or its file is not there any more. */
  get socket(): OpenSocket | undefined {
    if (this.#file?.isOurs === false) return undefined;
    const { _handle: handle } = this.#sockets as unknown as { readonly _handle: { readonly fd: number } | null };
    return handle === null ? undefined : { address: this.#options.address, fd: handle.fd };
  }

  /** Leaves the listening socket to a successor; answers that are on their way go on. */
  release(): void {
    this.#file = undefined;
    this.#sockets.close();
  }

  close(): void {
    this.#sockets.close();
    this.#file?.remove();
    for (const socket of this.#open) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.on('error', () => {}); // 'close' follows
    const { silentAnswer } = this.#options;
    if (silentAnswer === undefined) {
      this.#http.emit('connection', socket);
      return;
    }
    const answer = () => {
      socket.off('readable', onReadable);
      socket.resume(); // whatever still comes is dropped
      socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
      void silentAnswer().then((text) => socket.end(text));
    };
    const onReadable = () => {
      clearTimeout(timer);
      if (socket.readableLength > 0)
        this.#http.emit('connection', socket); // nothing has been read yet
      else answer(); // it will not say anything
    };
    const timer = setTimeout(() => {
      // A loop that was held up runs its timers first: what has come meanwhile is seen in the next phase.
      setImmediate(() => {
        if (socket.readableLength === 0 && !socket.destroyed) answer();
      });
    }, SILENCE_MS);
    socket.once('readable', onReadable);
  }
}

/** Removes the file of a socket on which nobody listens any more. */
async function makeRoom(path: string): Promise<void> {
  if ((await occupantOf(path)) === 'a stale socket') await unlink(path);
}
