// The uwsgi protocol: what nginx's uwsgi_pass speaks to (--socket).
//
// A connection carries one packet, the request's body, the answer, and is closed. Most come and go whole, and are served
//   without a socket object; the others, and all with TLS, are node:net's (uwsgi-connection.ts).
// Whoever can write to a uwsgi socket could make uWSGI load code. Here the variables for that are dropped, with a
//   warning; all the same the socket trusts its peer for who the client is, so it is for a proxy and not for clients.
// Decided elsewhere: what a packet may hold (wire/uwsgi.ts, uwsgi-request.ts), how an answer is written (uwsgi-exchange.ts).

import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { NuwsgiError, PeerError } from '../base/errors.js';
import { printable } from '../base/log.js';
import { deferAccept, setKeepAlive } from '../base/native-sockets.js';
import { streamCalls } from '../base/native-streams.js';
import { type Network, Networks } from '../config/network.js';
import { MODIFIER, PACKET_HEADER_BYTES, readPacketHeader } from '../wire/uwsgi.js';
import { NodeSocket, type SocketSettings } from './bind.js';
import type { BoundAddress } from './bound-address.js';
import { peerName } from './intake.js';
import type { Listener, ListenerParts } from './listener.js';
import { type ArrivalHandler, type ShortConnection, ShortConnections } from './short-connections.js';
import type { Tls } from './tls.js';
import { UwsgiConnection } from './uwsgi-connection.js';
import { UwsgiExchange } from './uwsgi-exchange.js';
import { describePacket, type PacketRules, readRequest, type UwsgiSite } from './uwsgi-request.js';

export interface UwsgiOptions extends PacketRules {
  /** Who may connect by TCP; empty: everybody. */
  readonly allowed: readonly Network[];
}

const NOT_ALLOWED = new PeerError('PEER_NOT_ALLOWED', 'uwsgi-allow');
/** A connection over TCP is taken when its packet comes, or at the latest about so much later. */
const DEFER_S = 1;
const MOST_NAMES_TOLD = 100;

export class UwsgiListener implements Listener, ArrivalHandler {
  readonly engine: string;
  readonly #shared: UwsgiSite;
  readonly #server: Server;
  readonly #socket: NodeSocket;
  readonly #hasTls: boolean;
  readonly #settings: SocketSettings;
  readonly #allowed: Networks | undefined;
  /** Connections that are sockets. */
  readonly #sockets = new Set<Socket>();
  /** Those that are none; undefined where there can be none. */
  #short: ShortConnections | undefined;
  readonly #warned = new Set<string>();
  #hasWarnedOfBare = false;

  constructor({ site, index, sockets, tls, truth }: ListenerParts, rules: UwsgiOptions) {
    const onDropped = (name: string, peer: string) => this.#warnOfDropped(name, peer);
    const onBare = (peer: string) => this.#warnOfBare(peer);
    const toSocket = (connection: ShortConnection) => this.#continue(connection);
    const host = { unsent: site.unsent, toSocket };
    this.#shared = { site, index, rules, truth, host, onDropped, onBare };
    this.#allowed = rules.allowed.length === 0 ? undefined : new Networks([...rules.allowed, { family: 'unix' }]);
    this.#hasTls = tls !== undefined;
    this.engine = tls === undefined ? 'node:net' : 'node:tls';
    this.#settings = sockets;
    const how = { allowHalfOpen: true, noDelay: true, keepAlive: sockets.keepAlive };
    const { headTimeoutMs: handshakeTimeout } = site.limits;
    if (tls === undefined) {
      this.#server = createServer(how, (socket) => {
        if (this.#admit(socket)) this.#serve(socket);
      });
    } else {
      this.#server = createTlsServer({ ...how, ...tls.options, handshakeTimeout }, (socket) => this.#serve(socket));
      this.#server.on('connection', (socket) => this.#admit(socket));
      // a handshake that fails, or takes too long, is told and no more: node:tls leaves its connection open
      this.#server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
    }
    this.#socket = new NodeSocket(this.#server, sockets);
  }

  async listen(place: BoundAddress): Promise<void> {
    await this.#socket.open(place);
    const calls = this.#hasTls ? undefined : streamCalls();
    if (calls === undefined) return;
    const fd = this.#socket.detach(calls);
    if (fd < 0) return; // then node:net accepts
    if (this.#settings.keepAlive) setKeepAlive(fd);
    if (this.port > 0) deferAccept(fd, this.#settings.deferAccept ? DEFER_S : 0); // a predecessor may have set it
    this.#short = new ShortConnections(calls, fd, this.#shared.site.watch, this);
  }

  get port(): number {
    return this.#socket.port;
  }

  get descriptor(): number | undefined {
    return this.#socket.descriptor;
  }

  get connections(): number | Promise<number> {
    return this.#short === undefined ? this.#socket.connections : this.#short.size + this.#sockets.size;
  }

  release(): void {
    this.#short?.stop(0);
    this.#socket.release();
  }

  renew({ options }: Tls): void {
    (this.#server as TlsServer).setSecureContext(options);
  }

  stopAccepting(): void {
    this.#short?.stop(this.#settings.backlog);
    this.#socket.close();
  }

  close(): void {
    this.stopAccepting();
    this.#short?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  // --- connections ------------------------------------------------------------------------------------------------

  /** A connection has opened. False: it is to be closed at once. Either way `onClosed` is called when it has closed. */
  welcome(peer: () => string): boolean {
    const { site } = this.#shared;
    const isAllowed = this.#allowed?.has(peer()) ?? true;
    if (!isAllowed) site.onRefused(peer(), NOT_ALLOWED);
    return site.connections.opened() && isAllowed;
  }

  onClosed(): void {
    this.#shared.site.connections.closed();
  }

  /** A socket has opened; one with TLS has not shaken hands yet. False: it is closed. */
  #admit(socket: Socket): boolean {
    socket.once('close', () => this.onClosed());
    const isWelcome = this.welcome(() => peerName(socket));
    if (!isWelcome) socket.destroy();
    return isWelcome;
  }

  #serve(socket: Socket): UwsgiConnection {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return new UwsgiConnection(socket, peerName(socket), this.#shared);
  }

  onConnection(connection: ShortConnection, start: Buffer, peer: () => string): void {
    const { site, index, host } = this.#shared;
    const payload = this.#payloadOf(start);
    if (payload === undefined) {
      const begun = this.#serve(this.#toSocket(connection));
      if (start.length > 0) begun.feed(Buffer.from(start));
      return;
    }
    const rest = start.subarray(PACKET_HEADER_BYTES + payload.length);
    const request = readRequest(payload, peer, this.#shared);
    if (request instanceof NuwsgiError) {
      this.#serve(this.#toSocket(connection)).begin(request, rest);
      return;
    }
    const { contentLength } = request.facts;
    if (contentLength !== rest.length || contentLength > site.limits.inlineBodyBytes) {
      const kept = { ...request, payload: Buffer.from(request.payload) };
      this.#serve(this.#toSocket(connection)).begin(kept, Buffer.from(rest));
      return;
    }
    const { receiver, payload: prepared, isHead } = request;
    const exchange = new UwsgiExchange(connection, isHead, host);
    const nowMs = performance.now();
    describePacket(exchange.record, request.facts, nowMs);
    receiver.submitPacket(exchange, prepared, index, isHead, rest, -1, nowMs);
  }

  /** The payload of a packet for an app that is all there. What else may come is looked at piece by piece. */
  #payloadOf(start: Buffer): Buffer | undefined {
    if (start.length < PACKET_HEADER_BYTES) return undefined;
    const { modifier1, bytes } = readPacketHeader(start);
    const end = PACKET_HEADER_BYTES + bytes;
    const isWhole = bytes > 0 && bytes <= this.#shared.site.limits.headBytes && end <= start.length;
    return modifier1 === MODIFIER.REQUEST && isWhole ? start.subarray(PACKET_HEADER_BYTES, end) : undefined;
  }

  #toSocket(connection: ShortConnection): Socket {
    return connection.toSocket().once('close', () => this.onClosed());
  }

  /** See `ExchangeHost`. */
  #continue(connection: ShortConnection): Socket {
    const socket = this.#toSocket(connection);
    this.#serve(socket).settle();
    return socket;
  }

  // --- warnings ---------------------------------------------------------------------------------------------------

  /** nginx sends nothing but header fields when its configuration says no more than `uwsgi_pass`. */
  #warnOfBare(peer: string): void {
    if (this.#hasWarnedOfBare) return;
    this.#hasWarnedOfBare = true;
    const cure = 'does nginx lack "include uwsgi_params;" beside uwsgi_pass?';
    this.#shared.site.warn(`WARNING: ${peer} sends requests without REQUEST_METHOD and PATH_INFO: ${cure}`);
  }

  /** Says once per name what a peer tried to set. */
  #warnOfDropped(name: string, peer: string): void {
    if (this.#warned.has(name) || this.#warned.size > MOST_NAMES_TOLD) return;
    this.#warned.add(name);
    const told = `the variable "${printable(name)}" is dropped: no uwsgi peer may set it`;
    this.#shared.site.warn(`${peer}: ${name === '' ? 'uwsgi key cannot be null. skip this var.' : told}`);
  }
}
