// HTTP/1.1 on uWebSockets.js: the fast listener, which faces clients (--http).
//
// uWebSockets.js is fast and not strict. The gate of wire/cgi.ts mends what can be mended; docs/security.md lists the
//   rest. Three rules keep a refused request from being followed by a smuggled one: nothing is dispatched before the
//   last byte of the body, no refusal is written before the parser has returned (bytes behind it then end the
//   connection), and a chunked request is the last one of its connection.
// Decided elsewhere: what is refused (wire/cgi.ts), what happens with a request then (intake.ts), how an answer is
//   written (uws-exchange.ts), HTTP/1.0 (http-node.ts).

import type { AppOptions, HttpRequest, HttpResponse, TemplatedApp } from 'uws-node20';
import { type Code, NuwsgiError } from '../base/errors.js';
import { HeadReader } from '../wire/cgi.js';
import { plainAddress } from '../wire/forwarded.js';
import type { BoundAddress } from './bound-address.js';
import type { ClientTruth } from './client-truth.js';
import { admit, announce, collect, describe, fieldNamesOf, presetPort } from './intake.js';
import type { Listener, ListenerParts } from './listener.js';
import { PeerAddresses } from './peer-addresses.js';
import { runPutOff } from './poll-phase.js';
import type { Site } from './site.js';
import type { Tls } from './tls.js';
import { engine, UwsExchange } from './uws-exchange.js';
import type { Uws } from './uws-module.js';
import { UwsSocket } from './uws-socket.js';

/** uWebSockets.js takes every Connection of this length for "close", and looks at one of them where there are several. */
const MAY_CLOSE = /^.{5}$|,/;
const NOT_ASCII = /[^\x00-\x7f]/;

/** uWebSockets.js decodes text as UTF-8: the bytes come back unless it had to replace some. */
function latin1Of(text: string): string | undefined {
  return text.includes('\ufffd') ? undefined : Buffer.from(text, 'utf8').toString('latin1');
}

const textOf = (address: ArrayBuffer) => plainAddress(Buffer.from(address).toString('latin1'));

/** It reads the files itself; they have been checked. */
function filesOf({ files: { cert, key, ciphers, clientCa } }: Tls): AppOptions {
  return {
    cert_file_name: cert,
    key_file_name: key,
    ...(ciphers !== undefined && { ssl_ciphers: ciphers }),
    ...(clientCa !== undefined && { ca_file_name: clientCa }),
  };
}

export class HttpUwsListener implements Listener {
  readonly engine = 'uWebSockets.js';
  readonly #uws: Uws;
  /** The one that takes connections, and those before it that still have some. */
  readonly #apps = new Set<TemplatedApp>();
  readonly #site: Site;
  readonly #index: number;
  readonly #head: HeadReader;
  readonly #peers = new PeerAddresses();
  readonly #socket: UwsSocket;
  readonly #truth: ClientTruth | undefined;
  readonly #isTls: boolean;
  readonly #keepsAlive: boolean;

  constructor(uws: Uws, { site, index, sockets, tls, truth }: ListenerParts) {
    this.#site = site;
    this.#index = index;
    this.#head = new HeadReader(fieldNamesOf(site), latin1Of);
    this.#truth = truth;
    this.#isTls = tls !== undefined;
    this.#keepsAlive = site.limits.keepAliveTimeoutMs > 0;
    this.#uws = uws;
    this.#socket = new UwsSocket(uws, this.#makeApp(tls), sockets);
  }

  #makeApp(tls: Tls | undefined): TemplatedApp {
    const app = tls === undefined ? this.#uws.App() : this.#uws.SSLApp(filesOf(tls));
    const { connections } = this.#site;
    app.filter((res, change) => {
      if (change === 1) {
        this.#peers.opened(textOf(res.getRemoteAddressAsText()));
        if (!connections.opened()) res.close();
      } else {
        this.#peers.closed();
        connections.closed();
      }
    });
    app.any('/*', (res, req) => {
      engine.isCalling = true;
      this.#onRequest(res, req);
      engine.isCalling = false;
    });
    this.#apps.add(app);
    return app;
  }

  /** uWebSockets.js has one certificate for the life of an app, so another app takes the connections from now on. */
  renew(tls: Tls): void {
    this.#socket.handTo(this.#makeApp(tls));
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

  get connections(): number {
    return this.#peers.open;
  }

  release(): void {
    this.#socket.release();
  }

  stopAccepting(): void {
    this.#socket.close();
  }

  close(): void {
    this.stopAccepting();
    runPutOff();
    for (const app of this.#apps) app.close();
  }

  #onRequest(res: HttpResponse, req: HttpRequest): void {
    const head = this.#head;
    const method = req.getCaseSensitiveMethod();
    let path = req.getUrl();
    let query = req.getQuery() as string | undefined;
    head.begin(true);
    req.forEach(head.field);
    let peer = this.#peers.sole ?? textOf(res.getRemoteAddressAsText());
    if (this.#truth !== undefined) peer = this.#truth.ofHead(peer, head, this.#isTls);
    const exchange = new UwsExchange(res, peer, method === 'HEAD', this.#site);
    res.onAborted(exchange.onAborted);
    // what has lost bytes becomes a NUL, which no request line may have
    if (NOT_ASCII.test(path)) path = latin1Of(path) ?? '\0';
    if (query !== undefined && NOT_ASCII.test(query)) query = latin1Of(query) ?? '\0';

    const admission = admit(this.#site, head, method, path, query, peer);
    if (admission instanceof NuwsgiError) {
      this.#refuse(exchange, admission);
      return;
    }
    const { receiver, names, values, framing } = admission;
    describe(exchange.record, method, admission.target, 'HTTP/1.1', peer, head.count);
    // a plain "close" uWebSockets.js sees to itself, and can tell the length of an answer then
    const isAskedToClose = head.connection !== 'close' && head.wantsClose;
    exchange.closeAfter = isAskedToClose || framing.kind === 'chunked' || this.#site.draining || !this.#keepsAlive;
    exchange.closesByItself = MAY_CLOSE.test(head.connection);
    if (framing.kind === 'none') {
      receiver.submit(
        exchange,
        names,
        values,
        this.#index,
        exchange.isHead,
        undefined,
        -1,
        exchange.record.arrivedAtMs,
      );
      return;
    }
    const body = collect(this.#site, exchange, admission, this.#index, exchange.isHead, exchange, (error) =>
      this.#refuse(exchange, error),
    );
    exchange.body = body;
    res.onData((data, isLast) => {
      engine.isCalling = true;
      body.feed(new Uint8Array(data), isLast);
      engine.isCalling = false;
    });
    announce(exchange, admission, this.#index, exchange.isHead, (error) => this.#refuse(exchange, error));
  }

  #refuse(exchange: UwsExchange, error: NuwsgiError<Code>): void {
    this.#site.onRefused(exchange.peer, error);
    if (!exchange.gone) exchange.refuseAndClose(error);
  }
}
