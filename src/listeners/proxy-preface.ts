// The PROXY protocol header in front of a connection: read before anything else looks at it.
//
// Where it is asked for, every connection must have it: a listener that took connections without one would believe any
//   client that writes one (section 4 of the protocol's description).
// Decided elsewhere: the bytes (wire/proxy-protocol.ts), which listeners ask for it (listener-plan.ts).

import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { PeerError } from '../base/errors.js';
import { type ProxiedPeer, readProxyHeader } from '../wire/proxy-protocol.js';
import { countSocket } from './connection-limit.js';
import { peerName } from './intake.js';
import type { ListenerParts } from './listener.js';

const NOT_TRUSTED = new PeerError('PEER_NOT_ALLOWED', 'trusted-proxies, and may not say who the client is');

/** The other end of an open TCP connection, as nothing else has it at the same time; undefined on a UNIX socket. */
const endOf = ({ remoteAddress, remotePort }: Socket) =>
  remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;

/** Accepts connections in place of an HTTP server, reads their headers, and hands them on. */
export class PrefaceServer {
  readonly server: Server;
  /** Whom the headers of open connections name. */
  readonly #peers = new WeakMap<Socket, ProxiedPeer>();
  /** The same by the other end: node:https has a socket of its own around ours, which shows no more of it than that. */
  readonly #peersByEnd = new Map<string, ProxiedPeer>();

  constructor(http: HttpServer, { site, sockets, truth, tls }: ListenerParts) {
    http.emit('listening'); // it never listens itself: this starts its check of time limits
    const { keepAlive } = sockets;
    this.server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive }, (socket) => {
      const name = peerName(socket);
      const refuse = (error: PeerError) => {
        site.onRefused(name, error);
        socket.destroy();
      };
      if (!countSocket(site.connections, socket)) socket.destroy();
      else if (truth !== undefined && !truth.trusts(name)) refuse(NOT_TRUSTED);
      else {
        readPreface(socket, site.limits.headTimeoutMs, (peer, error) => {
          if (error !== undefined) {
            refuse(error);
            return;
          }
          if (peer !== undefined) this.#remember(socket, peer);
          http.emit('connection', socket);
          if (tls === undefined) socket.resume();
        });
      }
    });
  }

  #remember(socket: Socket, peer: ProxiedPeer): void {
    this.#peers.set(socket, peer);
    const end = endOf(socket);
    if (end === undefined) return;
    this.#peersByEnd.set(end, peer);
    socket.once('close', () => this.#peersByEnd.delete(end));
  }

  /** Whom the header of a connection has named. */
  peerOf(socket: Socket): ProxiedPeer | undefined {
    return this.#peers.get(socket) ?? this.#peersByEnd.get(endOf(socket) ?? '');
  }
}

/** Called once: with the client, undefined where the proxy names none; or with what is wrong. */
type OnPreface = (peer: ProxiedPeer | undefined, error: PeerError | undefined) => void;

/**
 * Reads the header at the start of `socket`, and leaves what follows for the next reader. Nothing is called when the
 * connection closes before a byte of it has come: such is a health check.
 */
function readPreface(socket: Socket, timeoutMs: number, onPreface: OnPreface): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(
    () => finish(undefined, new PeerError('PEER_TIMEOUT', 'the PROXY header', timeoutMs)),
    timeoutMs,
  );
  const finish = (peer: ProxiedPeer | undefined, error: PeerError | undefined) => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onClose);
    socket.off('error', onClose);
    onPreface(peer, error);
  };
  const onData = (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const outcome = readProxyHeader(bytes);
    if (outcome.kind === 'more') return;
    socket.pause();
    if (outcome.kind === 'fault') {
      finish(undefined, new PeerError('PEER_PROXY_HEADER', outcome.why));
      return;
    }
    if (bytes.length > outcome.bytes) socket.unshift(bytes.subarray(outcome.bytes));
    finish(outcome.peer, undefined);
  };
  const onEnd = () => {
    if (bytes.length === 0) socket.destroy();
    else finish(undefined, new PeerError('PEER_PROXY_HEADER', 'it ends in the middle'));
  };
  const onClose = () => clearTimeout(timer);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', onClose);
  socket.on('error', onClose);
}
