// --http-to-https: whoever comes by HTTP is sent to the same place by HTTPS.
//
// Requests are read and checked by the same listeners as all others; this takes them in place of an app.
// GET and HEAD get a 301; other methods a 308, which does not turn them into a GET (RFC 9110 section 15.4.9).
// Decided elsewhere: which port that is (server.ts).

import { PeerError } from '../base/errors.js';
import type { Exchange } from '../dispatch/exchange.js';
import type { Receiver } from '../dispatch/receiver.js';
import { type ErrorPages, sendReply } from '../edge/reply.js';
import { type FrontRequest, HttpFrontRequest } from './front-request.js';

const HTTPS_PORT = 443;
const NO_PAGES: ErrorPages = new Map();

export interface RedirectParts {
  /** The port to send clients to. */
  port(): number;
  /** A request was answered. */
  onAnswered(exchange: Exchange, request: FrontRequest): void;
  /** A request was refused. */
  onRefused(peer: string, error: PeerError): void;
}

/** Where a request for `target` of `host` (both as they came, checked) is sent to. */
export function httpsLocation(host: string, target: string, port: number): string {
  const name = host.replace(/:\d*$/, '');
  const path = target.replace(/^https?:\/\/[^/?]*/i, '');
  return `https://${name}${port === HTTPS_PORT ? '' : `:${port}`}${path.startsWith('/') ? '' : '/'}${path}`;
}

export class HttpsRedirect implements Receiver {
  readonly #parts: RedirectParts;

  constructor(parts: RedirectParts) {
    this.#parts = parts;
  }

  submit(
    exchange: Exchange,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    const request = new HttpFrontRequest(exchange, isHead, names, values, { listener, input, inputFd, nowMs }, {});
    const { method, target, peer } = exchange.record;
    const host = request.get('HTTP_HOST');
    if (host === '' || target === '*') {
      const error = new PeerError('PEER_BAD_REQUEST', 'there is no host or no path to send the client to');
      this.#parts.onRefused(peer, error);
      exchange.refuse(error);
    } else {
      const fields = [['Location', httpsLocation(host, target, this.#parts.port())]] as const;
      exchange.record.via = 'route';
      sendReply(exchange, { status: isHead || method === 'GET' ? 301 : 308, fields }, NO_PAGES, isHead);
      this.#parts.onAnswered(exchange, request);
    }
    exchange.released();
  }

  /** Only HTTP listeners have this behind them. */
  submitPacket(): never {
    throw new Error('a uwsgi listener hands requests to a redirection');
  }
}
