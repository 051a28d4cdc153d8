// The address of --stats: uWSGI's JSON for whoever connects and says nothing, HTTP for whoever speaks it.
//
// uWSGI writes its JSON at once and closes; with --stats-http it waits for a request. Here one address does both: a client
//   that sends nothing for SILENCE_MS gets the JSON as uWSGI gives it, a browser that asks in HTTP gets the dashboard. With
//   --stats-http, or a token, which only HTTP has a place for, it always waits for the request.
// Runs on the accept thread: what is sent is made once for all who ask within FRESH_MS (routes.ts), and the number of
//   connections is bounded.
// Decided elsewhere: what is answered (routes.ts), to whom (access.ts).

import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { ConfigError } from '../../base/errors.js';
import type { Address } from '../../config/address.js';

const SILENCE_MS = 150;
const MOST_CONNECTIONS = 64;
/** Who says nothing more, or takes nothing, is let go. */
const IDLE_TIMEOUT_MS = 10_000;
const MOST_HEAD_BYTES = 8192;
/** A socket file is for its owner only. */
const UMASK = 0o177;

export interface StatsServerOptions {
  /** The option, for messages. */
  readonly option: string;
  readonly address: Address;
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

function whereToListen(address: Address): ListenOptions | { readonly fd: number } {
  switch (address.kind) {
    case 'tcp':
      return { host: address.host, port: address.port };
    case 'unix':
      return { path: address.path };
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

  constructor(options: StatsServerOptions) {
    this.#options = options;
    this.#http = createHttpServer({ maxHeaderSize: MOST_HEAD_BYTES }, options.onRequest);
    this.#http.setTimeout(IDLE_TIMEOUT_MS); // its other timeouts need it to listen by itself
    this.#http.on('clientError', (_, socket) => socket.destroy());
    this.#sockets = createServer((socket) => this.#onConnection(socket));
    this.#sockets.maxConnections = MOST_CONNECTIONS;
  }

  /** Starts to listen. Throws `ConfigError` CONFIG_BIND. Resolves with the port; 0 for a UNIX socket. */
  listen(): Promise<number> {
    const { address, option } = this.#options;
    return new Promise((resolve, reject) => {
      this.#sockets.once('error', (error) => {
        reject(new ConfigError('CONFIG_BIND', option, address.text, error.message));
      });
      const onListening = () => {
        const bound = this.#sockets.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
      };
      const umask = process.umask(UMASK); // listen() makes the file of a UNIX socket before it returns
      this.#sockets.listen(whereToListen(address), onListening);
      process.umask(umask);
    });
  }

  close(): void {
    this.#sockets.close();
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
    const onReadable = () => {
      clearTimeout(timer);
      this.#http.emit('connection', socket); // nothing has been read yet
    };
    const timer = setTimeout(() => {
      // A loop that was held up runs its timers first: what has come meanwhile is seen in the next phase.
      setImmediate(() => {
        if (socket.readableLength > 0 || socket.destroyed) return;
        socket.off('readable', onReadable);
        socket.resume(); // whatever still comes is dropped
        void silentAnswer().then((text) => socket.end(text));
      });
    }, SILENCE_MS);
    socket.once('readable', onReadable);
  }
}
