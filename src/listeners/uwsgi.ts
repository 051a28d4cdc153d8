// The uwsgi protocol on node:net: what nginx's uwsgi_pass speaks to (--socket).
//
// A connection carries one packet, the request's body, the answer, and is closed. The packet is put together in the
//   event loop, however it is cut, so a peer that sends half of one holds nobody up; the body is collected like that of
//   an HTTP request.
// Whoever can write to a uwsgi socket could make uWSGI load code. Here the variables for that are dropped, with a
//   warning; all the same the socket trusts its peer for who the client is, so it is for a proxy and not for clients.
// Decided elsewhere: what a packet may hold (wire/uwsgi.ts), how an answer is written (uwsgi-exchange.ts).

import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';
import { printable } from '../base/log.js';
import { type Network, Networks } from '../config/network.js';
import { appendVariables, MODIFIER, PacketFacts, PacketReader, packetHeader, preparePayload } from '../wire/uwsgi.js';
import { NodeSocket } from './bind.js';
import type { BoundAddress } from './bound-address.js';
import type { ClientTruth } from './client-truth.js';
import { countSocket } from './connection-limit.js';
import { peerName } from './intake.js';
import type { Listener, ListenerParts } from './listener.js';
import { placePacket } from './place-packet.js';
import { RequestBody } from './request-body.js';
import type { Site } from './site.js';
import type { Tls } from './tls.js';
import { UwsgiExchange } from './uwsgi-exchange.js';
import type { Watched } from './watch.js';

export interface UwsgiOptions {
  /** Variables that uWSGI would load code from are let through to the app. */
  readonly dynamicApps: boolean;
  /** The most variables of a packet. */
  readonly maxVariables: number;
  /** The app is found by the path alone, even where SCRIPT_NAME names a mount. */
  readonly ignoresScriptName: boolean;
  /** Who may connect by TCP; empty: everybody. */
  readonly allowed: readonly Network[];
}

const NOT_ALLOWED = new PeerError('PEER_NOT_ALLOWED', 'uwsgi-allow');

/** What all connections of a listener share. */
interface Shared {
  readonly site: Site;
  /** The listener's number, under which workers know its constant variables. */
  readonly index: number;
  readonly options: UwsgiOptions;
  readonly truth: ClientTruth | undefined;
  /** A variable that no peer may set was taken out of a packet. */
  onDropped(name: string, peer: string): void;
  /** A packet came without REQUEST_METHOD. */
  onBare(peer: string): void;
}

export class UwsgiListener implements Listener {
  readonly engine: string;
  readonly #shared: Shared;
  readonly #server: Server;
  readonly #socket: NodeSocket;
  readonly #allowed: Networks | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #warned = new Set<string>();
  #hasWarnedOfBare = false;

  constructor({ site, index, sockets, tls, truth }: ListenerParts, options: UwsgiOptions) {
    const onDropped = (name: string, peer: string) => this.#warnOfDropped(name, peer);
    const onBare = (peer: string) => this.#warnOfBare(peer);
    this.#shared = { site, index, options, truth, onDropped, onBare };
    this.#allowed = options.allowed.length === 0 ? undefined : new Networks([...options.allowed, { family: 'unix' }]);
    this.engine = tls === undefined ? 'node:net' : 'node:tls';
    const { keepAlive } = sockets;
    const how = { allowHalfOpen: true, noDelay: true, keepAlive };
    const { headTimeoutMs: handshakeTimeout } = site.limits;
    if (tls === undefined) {
      this.#server = createServer(how, (socket) => {
        if (this.#welcome(socket)) this.#serve(socket);
      });
    } else {
      this.#server = createTlsServer({ ...how, ...tls.options, handshakeTimeout }, (socket) => this.#serve(socket));
      this.#server.on('connection', (socket) => this.#welcome(socket));
      // a handshake that fails, or takes too long, is told and no more: node:tls leaves its connection open
      this.#server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
    }
    this.#socket = new NodeSocket(this.#server, sockets);
  }

  listen(place: BoundAddress): Promise<void> {
    return this.#socket.open(place);
  }

  get port(): number {
    return this.#socket.port;
  }

  get descriptor(): number | undefined {
    return this.#socket.descriptor;
  }

  get connections(): Promise<number> {
    return this.#socket.connections;
  }

  release(): void {
    this.#socket.release();
  }

  renew({ options }: Tls): void {
    (this.#server as TlsServer).setSecureContext(options);
  }

  stopAccepting(): void {
    this.#socket.close();
  }

  close(): void {
    this.stopAccepting();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A connection has opened; one with TLS has not shaken hands yet. False: it is closed. */
  #welcome(socket: Socket): boolean {
    const { site } = this.#shared;
    const peer = peerName(socket);
    const isAllowed = this.#allowed?.has(peer) ?? true;
    if (!isAllowed) site.onRefused(peer, NOT_ALLOWED);
    if (isAllowed && countSocket(site.connections, socket)) return true;
    socket.destroy();
    return false;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    new Connection(socket, peerName(socket), this.#shared);
  }

  /** nginx sends nothing but header fields when its configuration says no more than `uwsgi_pass`. */
  #warnOfBare(peer: string): void {
    if (this.#hasWarnedOfBare) return;
    this.#hasWarnedOfBare = true;
    const cure = 'does nginx lack "include uwsgi_params;" beside uwsgi_pass?';
    this.#shared.site.warn(`WARNING: ${peer} sends requests without REQUEST_METHOD and PATH_INFO: ${cure}`);
  }

  /** Says once per name what a peer tried to set. */
  #warnOfDropped(name: string, peer: string): void {
    if (this.#warned.has(name) || this.#warned.size > 100) return;
    this.#warned.add(name);
    const told = `the variable "${printable(name)}" is dropped: no uwsgi peer may set it`;
    this.#shared.site.warn(`${peer}: ${name === '' ? 'uwsgi key cannot be null. skip this var.' : told}`);
  }
}

/** One connection: its packet, its body, its answer. */
class Connection implements Watched {
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #site: Site;
  readonly #shared: Shared;
  readonly #packet: PacketReader;
  #body: RequestBody | undefined;
  #bodyLeft = 0;
  #isSettled = false;
  /** When a packet that comes in pieces has to be whole; 0: it has not begun, or came in one piece. */
  #deadlineMs = 0;

  constructor(socket: Socket, peer: string, shared: Shared) {
    const { limits } = shared.site;
    this.#socket = socket;
    this.#peer = peer;
    this.#site = shared.site;
    this.#shared = shared;
    this.#packet = new PacketReader(limits.headBytes);
    socket.setTimeout(limits.idleTimeoutMs, () => this.#onIdle());
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.once('close', () => this.#onClose());
    socket.on('error', () => {}); // 'close' follows, and is all there is to know
  }

  #onData(chunk: Buffer): void {
    if (this.#isSettled) return; // nothing is to follow the request: what does is dropped
    if (this.#body !== undefined) {
      this.#onBody(chunk);
      return;
    }
    const outcome = this.#packet.feed(chunk);
    if (outcome.kind !== 'more' && this.#deadlineMs > 0) this.#site.watch.delete(this);
    if (outcome.kind === 'request') {
      this.#onPacket(outcome.payload, outcome.rest);
    } else if (outcome.kind === 'fault') {
      this.#refuse(outcome.error);
    } else if (outcome.kind === 'more') {
      if (this.#deadlineMs === 0) this.#beginWatch();
    } else if (outcome.kind === 'ping') {
      this.#isSettled = true;
      this.#site.warn(`${this.#peer}: PING`);
      this.#socket.end(packetHeader(MODIFIER.PING, 0, 1));
    }
  }

  /** The packet comes in pieces, and all of it has to come in time. */
  #beginWatch(): void {
    const { watch, limits } = this.#site;
    this.#deadlineMs = performance.now() + limits.headTimeoutMs;
    watch.add(this);
  }

  get isRequest(): boolean {
    return false;
  }

  check(nowMs: number): void {
    if (nowMs >= this.#deadlineMs)
      this.#refuse(new PeerError('PEER_TIMEOUT', 'the packet', this.#site.limits.headTimeoutMs));
  }

  #onPacket(payload: Buffer, rest: Buffer): void {
    const facts = new PacketFacts();
    const { index, options, truth, onDropped } = this.#shared;
    const fault = preparePayload(payload, facts, options.maxVariables, options.dynamicApps);
    for (const name of facts.dropped) onDropped(name, this.#peer);
    const { bodyBytes } = this.#site.limits;
    if (fault !== undefined) {
      this.#refuse(fault);
      return;
    }
    if (bodyBytes > 0 && facts.contentLength > bodyBytes) {
      this.#refuse(new PeerError('PEER_CONTENT_LENGTH', facts.contentLength, bodyBytes));
      return;
    }
    let prepared = payload.subarray(0, facts.bytes);
    if (options.ignoresScriptName && facts.scriptName !== '') {
      facts.scriptName = '';
      prepared = appendVariables(prepared, [['SCRIPT_NAME', '']]); // what comes last counts
    }
    const changed = truth?.ofPacket(facts.peer, prepared);
    if (changed !== undefined) {
      facts.peer = changed.get('REMOTE_ADDR') ?? facts.peer;
      prepared = appendVariables(prepared, changed);
    }
    const placed = placePacket(this.#site.mounts, facts.scriptName, facts.path, prepared);
    if (placed === undefined) {
      this.#refuse(new PeerError('PEER_NO_APP', facts.path));
      return;
    }
    if (facts.method === '') this.#shared.onBare(this.#peer);
    const isHead = facts.method === 'HEAD';
    const exchange = new UwsgiExchange(this.#socket, isHead, this.#site.unsent);
    const { record } = exchange;
    record.method = facts.method;
    record.target = facts.uri;
    record.protocol = facts.protocol;
    record.peer = facts.peer || this.#peer;
    record.user = facts.user;
    record.variables = facts.variables;
    record.arrivedAtMs = performance.now();
    this.#bodyLeft = facts.contentLength;
    this.#body = new RequestBody(this.#site.limits, this.#site.watch, this.#socket, (error, input, fd) => {
      this.#isSettled = true;
      if (error !== undefined) {
        this.#refuse(error);
        return;
      }
      exchange.spoolFd = fd;
      placed.receiver.submitPacket(exchange, placed.payload, index, isHead, input, fd, performance.now());
    });
    exchange.body = this.#body;
    if (facts.contentLength > rest.length) {
      const refuse = (error: NuwsgiError<Code>) => this.#refuse(error);
      placed.receiver.announcePacket?.(exchange, placed.payload, index, isHead, refuse);
    }
    if (!this.#isSettled) this.#onBody(rest);
  }

  #onBody(chunk: Buffer): void {
    const data = chunk.length > this.#bodyLeft ? chunk.subarray(0, this.#bodyLeft) : chunk;
    this.#bodyLeft -= data.length;
    this.#body!.feed(data, this.#bodyLeft === 0);
  }

  /** The peer sends no more. With a whole request it still waits for the answer. */
  #onEnd(): void {
    if (this.#isSettled) return;
    if (this.#packet.isEmpty)
      this.#socket.end(); // it connected and went away: a health check
    else this.#refuse(new PeerError('PEER_BAD_REQUEST', 'the request ends in the middle'));
  }

  /** Nothing has come, and nothing was taken, for --socket-timeout. */
  #onIdle(): void {
    const socket = this.#socket;
    const { idleTimeoutMs } = this.#site.limits;
    if (!this.#isSettled) {
      this.#refuse(new PeerError('PEER_TIMEOUT', 'the rest of the request', idleTimeoutMs));
    } else if (socket.writableLength > 0) {
      this.#site.onRefused(this.#peer, new PeerError('PEER_STALLED', idleTimeoutMs));
      socket.destroy();
    } else if (socket.writableFinished) {
      socket.destroy(); // the peer has everything, and does not hang up
    } // else it is the app that takes its time
  }

  /** The connection is gone. What becomes of a body that was on its way, its exchange says. */
  #onClose(): void {
    if (this.#deadlineMs > 0) this.#site.watch.delete(this);
    if (this.#isSettled || this.#body !== undefined || this.#packet.isEmpty) return;
    this.#isSettled = true;
    this.#site.onRefused(this.#peer, new PeerError('PEER_GONE', 0));
  }

  #refuse(error: NuwsgiError<Code>): void {
    this.#isSettled = true;
    if (this.#deadlineMs > 0) this.#site.watch.delete(this);
    this.#body?.discard();
    this.#site.onRefused(this.#peer, error);
    UwsgiExchange.refuseOn(this.#socket, error);
  }
}
