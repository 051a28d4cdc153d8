// What stands in front of all apps where files are served: takes complete requests from the listeners, answers those
// that are for a file, and hands the others to their apps.
//
// A server without any of this has no Front: its listeners speak to the dispatchers, and a request costs what it did.
// Decided elsewhere: which file (edge/static/), how requests are read and go on (front-request.ts).

import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';
import type { Exchange } from '../dispatch/exchange.js';
import type { Receiver } from '../dispatch/receiver.js';
import type { EdgeRequest } from '../edge/edge-request.js';
import { sendReply } from '../edge/reply.js';
import { discard, type Found, type StaticFiles, sendFile } from '../edge/static/static-files.js';
import { type FrontRequest, HttpFrontRequest, PacketFrontRequest } from './front-request.js';
import type { Mount } from './site.js';

export interface FrontParts {
  readonly files: StaticFiles;
  /** The apps; filled when they are up. */
  readonly mounts: readonly Mount[];
  /** Per listener: variables that all its requests have. */
  readonly constants: readonly Readonly<Record<string, string>>[];
  /** A request was answered here. */
  onAnswered(exchange: Exchange, request: EdgeRequest): void;
  /** A request was refused here. */
  onRefused(peer: string, error: NuwsgiError<Code>): void;
}

export class Front implements Receiver {
  readonly #parts: FrontParts;
  /** Requests that are being looked at, and answers on their way. */
  #inside = 0;

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  get inside(): number {
    return this.#inside;
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
    const rest = { listener, input, inputFd, nowMs };
    this.#take(new HttpFrontRequest(exchange, isHead, names, values, rest, this.#parts.constants[listener]!));
  }

  submitPacket(
    exchange: Exchange,
    payload: Buffer,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    this.#take(new PacketFrontRequest(exchange, isHead, payload, { listener, input, inputFd, nowMs }));
  }

  #take(request: FrontRequest): void {
    const found = this.#parts.files.find(request);
    if (!(found instanceof Promise)) {
      this.#act(request, found);
      return;
    }
    request.detach();
    this.#inside++;
    found.then((found) => {
      this.#inside--;
      if (request.exchange.gone) giveUp(request.exchange, found);
      else this.#act(request, found);
    });
  }

  #act(request: FrontRequest, found: Found | undefined): void {
    const { exchange } = request;
    if (found === undefined) {
      this.#toApp(request);
      return;
    }
    if (found.kind === 'reply') {
      exchange.record.via = 'route';
      sendReply(exchange, found.reply, request.isHead);
      this.#onAnswered(request);
      return;
    }
    exchange.record.via = 'sendfile';
    this.#inside++;
    sendFile(exchange, found, request, () => {
      this.#inside--;
      this.#onAnswered(request);
    });
  }

  #toApp(request: FrontRequest): void {
    const { exchange } = request;
    if (request.forward(this.#parts.mounts, exchange)) return;
    const error = new PeerError('PEER_NO_APP', request.get('PATH_INFO'));
    this.#parts.onRefused(exchange.record.peer, error);
    exchange.refuse(error);
    exchange.released();
  }

  #onAnswered(request: FrontRequest): void {
    const { exchange } = request;
    exchange.released();
    this.#parts.onAnswered(exchange, request);
  }
}

/** The client went away before there was an answer. */
function giveUp(exchange: Exchange, found: Found | undefined): void {
  if (found?.kind === 'file') discard(found.file);
  exchange.released();
}
