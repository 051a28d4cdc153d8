// HTTP/1.x on node:http (llhttp): what stands behind a proxy (--http-socket), and takes over where uWebSockets.js
// cannot be loaded.
//
// Slower than uWebSockets.js and stricter; knows HTTP/1.0, pipelining and half-closed connections. llhttp refuses most
//   malformed heads itself; the gate of wire/cgi.ts refuses the rest, so that both engines refuse the same.
// Decided elsewhere: what is refused (wire/cgi.ts), what happens with a request then (intake.ts), how an answer is
//   written (node-exchange.ts).

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Code, NuwsgiError, PeerError } from '../base/errors.js';
import { refusalBytes } from '../wire/answer.js';
import { HeadReader, parseTarget, type Target } from '../wire/cgi.js';
import { NodeSocket } from './bind.js';
import type { BoundAddress } from './bound-address.js';
import type { ClientTruth } from './client-truth.js';
import { countSocket } from './connection-limit.js';
import { type Admission, admit, announce, collect, describe, fieldNamesOf, peerName, presetPort } from './intake.js';
import { linger } from './linger.js';
import type { Listener, ListenerParts } from './listener.js';
import { NodeConnection } from './node-connection.js';
import { NodeExchange } from './node-exchange.js';
import { PrefaceServer } from './proxy-preface.js';
import type { Site } from './site.js';
import type { Tls } from './tls.js';

const NOTHING = new Uint8Array(0);

export class HttpNodeListener implements Listener {
  readonly engine: string;
  readonly #server: Server;
  readonly #site: Site;
  readonly #index: number;
  readonly #socket: NodeSocket;
  readonly #head: HeadReader;
  readonly #connections = new WeakMap<Duplex, NodeConnection>();
  readonly #truth: ClientTruth | undefined;
  readonly #isTls: boolean;
  readonly #keepsAlive: boolean;

  constructor(parts: ListenerParts) {
    const { site, index, sockets, tls, truth, hasPreface } = parts;
    this.#site = site;
    this.#index = index;
    this.#head = new HeadReader(fieldNamesOf(site));
    this.#truth = truth;
    this.#isTls = tls !== undefined;
    this.#keepsAlive = site.limits.keepAliveTimeoutMs > 0;
    this.engine = tls === undefined ? 'node:http' : 'node:https';
    const { limits } = site;
    const options: ServerOptions = {
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1000,
      requestTimeout: 0, // a body may take its time, as long as it moves: see #readBody
      requireHostHeader: false, // the gate asks for it, and says so in the log
      insecureHTTPParser: false,
      noDelay: true,
      keepAlive: sockets.keepAlive,
    };
    const server =
      tls === undefined
        ? createServer(options)
        : createTlsServer({ ...options, ...tls.options, handshakeTimeout: limits.headTimeoutMs });
    server.maxHeadersCount = 0; // node:http would cut the list silently; the gate counts
    server.timeout = limits.idleTimeoutMs; // see #onIdle
    Object.assign(server, { httpAllowHalfOpen: true }); // a client that sends FIN behind its request gets its answer
    const preface = hasPreface ? new PrefaceServer(server, parts) : undefined;
    // counted when it opens, and not when it has shaken hands
    const count = (socket: Socket) => countSocket(site.connections, socket) || socket.destroy();
    if (preface === undefined) server.on('connection', count);
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      const proxied = preface?.peerOf(socket);
      const peer = proxied?.address ?? peerName(socket);
      const peerPort = proxied === undefined ? undefined : String(proxied.port);
      this.#connections.set(socket, new NodeConnection(socket, peer, peerPort));
    });
    server.on('timeout', (socket) => this.#onIdle(socket));
    server.on('request', (req, res) => this.#onRequest(req, res, false));
    server.on('checkContinue', (req, res) => this.#onRequest(req, res, true));
    server.on('checkExpectation', (req, res) => this.#onRequest(req, res, false));
    server.on('clientError', (error, socket) => this.#onClientError(error, socket));
    server.on('connect', (req, socket) => this.#onConnect(req, socket));
    this.#server = server;
    this.#socket = new NodeSocket(preface?.server ?? server, sockets);
  }

  async listen(place: BoundAddress): Promise<void> {
    await this.#socket.open(place);
    presetPort(this.#head, place.address, this.port);
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
    this.#server.closeAllConnections();
  }

  #onRequest(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const { socket, rawHeaders } = req;
    const connection = this.#connections.get(socket)!;
    if (connection.isSpent) {
      req.resume(); // never answered: the connection closes behind the answer before it
      return;
    }
    const method = req.method!;
    const head = this.#head;
    const isHttp11 = req.httpVersionMinor === 1;
    head.begin(isHttp11);
    for (let i = 0; i < rawHeaders.length; i += 2) head.field(rawHeaders[i]!, rawHeaders[i + 1]!);
    const target = parseTarget(req.url!, method);
    if (target?.host !== undefined) head.overrideHost(target.host);
    let { peer } = connection;
    if (connection.peerPort !== undefined) head.add('REMOTE_PORT', connection.peerPort);
    if (this.#truth !== undefined) peer = this.#truth.ofHead(peer, head, this.#isTls);
    if (!isHttp11) head.add('SERVER_PROTOCOL', 'HTTP/1.0');

    const exchange = new NodeExchange(req, res, method === 'HEAD', connection, this.#site);
    // llhttp does not see every close (not one with a tab behind it), and drops what comes in one piece with a request to
    // upgrade, so nothing may follow one
    exchange.closeAfter = this.#site.draining || head.wantsClose || head.wantsUpgrade || !this.#keepsAlive;
    connection.isSpent = exchange.closeAfter;
    const admission = this.#admit(req, target, peer);
    if (admission instanceof NuwsgiError) {
      this.#refuse(connection, exchange, peer, admission);
      return;
    }
    const protocol = isHttp11 ? 'HTTP/1.1' : 'HTTP/1.0';
    describe(exchange.record, method, admission.target, protocol, peer, head.count);
    if (admission.framing.kind === 'none') {
      if (connection.isTurnOf(exchange)) this.#submit(exchange, admission, exchange.record.arrivedAtMs);
      else connection.wait(exchange, () => this.#submit(exchange, admission, performance.now()));
      return;
    }
    const refuse = (error: NuwsgiError<Code>) => this.#refuse(connection, exchange, peer, error);
    const body = collect(this.#site, exchange, admission, this.#index, exchange.isHead, req, refuse);
    exchange.body = body;
    connection.reading = exchange;
    req.on('data', (chunk: Buffer) => body.feed(chunk, false));
    const onWanted = () => {
      if (!exchange.gone && !res.headersSent) res.writeContinue();
    };
    announce(exchange, admission, this.#index, exchange.isHead, refuse, expectsContinue ? onWanted : undefined);
    req.on('end', () => {
      if (connection.reading === exchange) connection.reading = undefined;
      const complete = () => body.feed(NOTHING, true); // which submits it
      if (connection.isTurnOf(exchange)) {
        complete();
      } else {
        body.hold();
        connection.wait(exchange, complete);
      }
    });
  }

  #submit(exchange: NodeExchange, { receiver, names, values }: Admission, nowMs: number): void {
    receiver.submit(exchange, names, values, this.#index, exchange.isHead, undefined, -1, nowMs);
  }

  #admit(req: IncomingMessage, target: Target | undefined, peer: string): Admission | NuwsgiError<Code> {
    if (req.httpVersionMajor !== 1 || req.httpVersionMinor > 1) {
      return new PeerError('PEER_VERSION', req.httpVersion);
    }
    if (target === undefined) return new PeerError('PEER_BAD_REQUEST', 'the request target has no form that is known');
    return admit(this.#site, this.#head, req.method!, target.path, target.query, peer);
  }

  #refuse(connection: NodeConnection, exchange: NodeExchange, peer: string, error: NuwsgiError<Code>): void {
    if (connection.reading === exchange) connection.reading = undefined;
    connection.isSpent = true;
    this.#site.onRefused(peer, error);
    if (!exchange.gone) exchange.refuseAndClose(error);
  }

  /** llhttp could not read what came. */
  #onClientError(error: NodeJS.ErrnoException, duplex: Duplex): void {
    const socket = duplex as Socket;
    const connection = this.#connections.get(socket);
    if (error.code === 'ECONNRESET' || !socket.writable || connection === undefined) {
      socket.destroy();
      return;
    }
    if (connection.isSpent) return; // whatever else is wrong with it
    const { limits } = this.#site;
    this.#giveUp(connection, refusalFor(error, limits.headBytes, limits.headTimeoutMs));
  }

  /** Nothing has come, and nothing was taken, for --socket-timeout. */
  #onIdle(socket: Socket): void {
    const connection = this.#connections.get(socket);
    const { idleTimeoutMs } = this.#site.limits;
    if (connection === undefined) {
      socket.destroy();
    } else if (connection.reading !== undefined) {
      this.#giveUp(connection, new PeerError('PEER_TIMEOUT', 'the rest of the request body', idleTimeoutMs));
    } else if (socket.writableLength > 0) {
      this.#site.onRefused(connection.peer, new PeerError('PEER_STALLED', idleTimeoutMs));
      socket.destroy();
    } else if (!connection.isIdle) {
      // it is the app that takes its time
    } else if (socket.bytesRead > connection.idleAtBytes && !connection.isSpent) {
      this.#giveUp(connection, new PeerError('PEER_TIMEOUT', 'the rest of the request head', idleTimeoutMs));
    } else {
      socket.destroy();
    }
  }

  /** Refuses what is on its way, behind the answers to the requests before it. */
  #giveUp(connection: NodeConnection, refusal: PeerError): void {
    const { peer, reading, socket } = connection;
    if (reading !== undefined && !reading.isWhole) {
      this.#refuse(connection, reading, peer, refusal);
      return;
    }
    connection.isSpent = true;
    this.#site.onRefused(peer, refusal);
    connection.whenIdle(() => refuseRaw(socket, refusal));
  }

  #onConnect(req: IncomingMessage, duplex: Duplex): void {
    const socket = duplex as Socket;
    const refusal = new PeerError('PEER_NO_TUNNEL', req.url ?? '');
    this.#site.onRefused(this.#connections.get(socket)?.peer ?? peerName(socket), refusal);
    socket.resume();
    refuseRaw(socket, refusal);
  }
}

function refusalFor(error: NodeJS.ErrnoException, headBytes: number, headTimeoutMs: number): PeerError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new PeerError('PEER_HEAD_TOO_LARGE', 'the request head', 'buffer-size', headBytes);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new PeerError('PEER_TIMEOUT', 'the request head', headTimeoutMs);
    default:
      return new PeerError('PEER_BAD_REQUEST', error.message);
  }
}

/** Writes a refusal to a connection that has no response object, and closes it. */
function refuseRaw(socket: Socket, error: NuwsgiError<Code>): void {
  socket.end(Buffer.concat([Buffer.from('HTTP/1.1 '), refusalBytes(error, false)]));
  const stop = linger(
    () => socket.bytesRead,
    () => socket.destroy(),
  );
  socket.once('close', stop);
}
