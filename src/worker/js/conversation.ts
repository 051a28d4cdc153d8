// One request's conversation with a JS app: the rules of WSGI, as bridge_wsgi.py has them for Python.
//
// What is here: which answers an app may give, what becomes of its mistakes, when its iterable is closed.
// What is not: where the bytes go (transport.ts), how an app is found (load.ts), what a head may hold (wire/head.ts).

import { FAILURE_BODY, FAILURE_HEAD } from '../../wire/answer.js';
import { BrokenAnswer, type Head, makeHead } from '../../wire/head.js';
import type { Application, Body, Environ, StartResponse, Write } from './api.js';
import { ClientGone, type Transport } from './transport.js';

const FAILURE: Head = {
  status: 500,
  text: FAILURE_HEAD,
  length: FAILURE_BODY.length,
  dated: false,
  sized: false,
  fields: 1,
};

type Chunk = string | Uint8Array;

/** What the conversation tells the log. */
export interface Reporter {
  /** An app failed in the request that `environ` describes. */
  failed(environ: Environ, error: unknown): void;
  /** Something of that request that is worth a line. */
  warn(environ: Environ, text: string): void;
  /** Said once per `topic`. */
  warnOnce(topic: string, text: string): void;
}

export class Conversation {
  readonly #transport: Transport;
  readonly #reporter: Reporter;
  readonly #isHead: boolean;
  #bodyless: boolean;
  #head: Head | undefined;
  #sent = false;
  /** Bytes the declared Content-Length still allows; -1: none declared. */
  #left = -1;
  /** The last `write` of the app, which may not have waited for it. */
  #writing: Promise<void> | undefined;

  /** `isHead`: the request is a HEAD, so no body is sent. */
  constructor(transport: Transport, isHead: boolean, reporter: Reporter) {
    this.#transport = transport;
    this.#isHead = isHead;
    this.#bodyless = isHead;
    this.#reporter = reporter;
  }

  readonly startResponse: StartResponse = (status, headers, error) => {
    if (error !== undefined && error !== null) {
      if (this.#sent) throw error;
    } else if (this.#head !== undefined) {
      throw new BrokenAnswer('startResponse was called a second time, without an error');
    }
    const head = makeHead(status, headers, this.#onDropped);
    if (head.text.length > this.#transport.room) {
      throw new BrokenAnswer(
        `the head of the answer has ${head.text.length} bytes, the most is ${this.#transport.room}`,
      );
    }
    this.#head = head;
    this.#left = head.length;
    this.#bodyless = this.#isHead || isBodylessStatus(head.status);
    return this.#write;
  };

  /** One write after the other, whether the app waits for them or not. */
  readonly #write: Write = (data) => {
    const sent = (this.#writing ?? Promise.resolve()).then(() => {
      const chunk = checked(data);
      return chunk.length > 0 ? this.#send(chunk) : undefined;
    });
    this.#writing = sent;
    sent.catch(() => {}); // who does not wait for it learns of its failure by the next one, or not at all
    return sent;
  };

  readonly #onDropped = (name: string): void => {
    this.#reporter.warnOnce(name, `the application sends ${name}, which is the server's own matter: dropped`);
  };

  /** Runs the app. Returns a promise only if the app, or its body, takes its time. Neither throws nor rejects. */
  run(app: Application, environ: Environ): void | Promise<void> {
    try {
      const result = app(environ, this.startResponse);
      const rest = isPromise(result)
        ? Promise.resolve(result).then((body) => this.#answer(environ, body))
        : this.#answer(environ, result);
      if (rest !== undefined) return rest.catch((error) => this.#fail(environ, error));
    } catch (error) {
      return this.#fail(environ, error);
    }
  }

  #answer(environ: Environ, body: Body): void | Promise<void> {
    if (this.#writing !== undefined) {
      const written = this.#writing;
      this.#writing = undefined;
      return written.then(() => this.#answer(environ, body));
    }
    if (typeof body === 'string' || body instanceof Uint8Array) return this.#answerWhole(environ, body);
    if (body === null || body === undefined) return this.#finish(environ);
    if (Array.isArray(body)) {
      if (body.length === 1) return this.#answerWhole(environ, checked(body[0]));
      return this.#answerWhole(environ, Buffer.concat(body.map((chunk) => Buffer.from(checked(chunk)))));
    }
    if (isIterable(body)) return this.#answerParts(environ, body);
    throw new BrokenAnswer(`the application gives ${nameOf(body)} where a body is wanted`);
  }

  /** All of the body is there: it goes out in one piece, of known length. */
  #answerWhole(environ: Environ, body: Chunk): void | Promise<void> {
    const head = this.#head;
    if (head === undefined) throw new BrokenAnswer('the application returned without calling startResponse');
    if (body.length > 0 && !this.#sent) {
      const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
      if (head.length === -1 || head.length === bytes) {
        if (!this.#bodyless) {
          this.#sent = true;
          return this.#transport.first(head, body, bytes, bytes, true);
        }
        if (!isBodylessStatus(head.status)) this.#head = { ...head, length: bytes }; // a HEAD: as for a GET
      }
    }
    if (body.length === 0 || this.#bodyless) return this.#finish(environ);
    return this.#send(body).then(() => this.#finish(environ));
  }

  /** The body comes part by part. The iterable is closed in every case, once. */
  async #answerParts(environ: Environ, body: Iterable<Chunk> | AsyncIterable<Chunk>): Promise<void> {
    // `for await` closes the iterator when it is left early, and takes synchronous iterables too
    for await (const chunk of body) {
      const data = checked(chunk);
      if (data.length > 0) await (this.#writing === undefined ? this.#send(data) : this.#write(data));
      if (this.#bodyless && this.#head !== undefined) break; // nothing more would be sent, and there may be no end
    }
    await this.#writing;
    await this.#finish(environ);
  }

  async #send(data: Chunk): Promise<void> {
    const head = this.#head;
    if (head === undefined) throw new BrokenAnswer('the application gives a body but did not call startResponse');
    if (this.#bodyless) return;
    const transport = this.#transport;
    let bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!transport.open) {
      if (this.#left !== 0) throw new BrokenAnswer('write was called after the end of the answer');
      this.#tooLong(head);
      return;
    }
    if (this.#left >= 0) {
      if (bytes.length > this.#left) {
        this.#tooLong(head);
        bytes = bytes.subarray(0, this.#left);
      }
      this.#left -= bytes.length;
    }
    const isLast = this.#left === 0;
    if (this.#sent) {
      await transport.more(bytes, isLast);
    } else {
      this.#sent = true;
      await transport.first(head, bytes, bytes.length, head.length, isLast);
    }
  }

  /** Nothing comes any more. */
  #finish(environ: Environ): void | Promise<void> {
    const transport = this.#transport;
    if (!transport.open) return;
    const head = this.#head;
    if (head === undefined) throw new BrokenAnswer('the application returned without calling startResponse');
    const missing = this.#left > 0 && !this.#bodyless;
    if (missing) {
      const gave = `the application announced ${head.length} bytes and gave ${this.#left} less`;
      if (!this.#sent) throw new BrokenAnswer(gave);
      this.#reporter.warn(environ, `${gave}: the connection is closed`);
    }
    if (this.#sent) {
      transport.end(missing);
    } else {
      this.#sent = true;
      // without a body the length is what the app said, if it said so; with an empty one it is 0
      return transport.first(head, '', 0, this.#bodyless ? head.length : 0, true);
    }
  }

  #tooLong(head: Head): void {
    this.#bodyless = true; // what follows need not even be asked for: there may be no end to it
    this.#reporter.warnOnce(
      'too long',
      `the application gives more bytes than its Content-Length of ${head.length}: cut off`,
    );
  }

  /** The app failed: 500 when nothing has left yet, otherwise the connection is cut. */
  #fail(environ: Environ, error: unknown): void | Promise<void> {
    if (this.#writing !== undefined) {
      const settled = this.#writing.catch(() => {});
      this.#writing = undefined;
      return settled.then(() => this.#fail(environ, error)); // the slot may still hold what was written
    }
    const transport = this.#transport;
    if (!(error instanceof ClientGone)) this.#reporter.failed(environ, error);
    if (!transport.open) return;
    transport.failed = true;
    if (this.#sent) {
      transport.end(true);
    } else {
      this.#sent = true;
      const body = this.#isHead ? '' : FAILURE_BODY;
      void transport.first(FAILURE, body, body.length, FAILURE.length, true);
    }
  }
}

const isBodylessStatus = (status: number) => status === 204 || status === 304;

const isPromise = (value: unknown): value is PromiseLike<Body> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

const isIterable = (value: unknown): value is Iterable<Chunk> | AsyncIterable<Chunk> =>
  typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);

/** What to call a value that should have been another. */
function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return value.constructor?.name || 'object';
}

function checked(chunk: unknown): Chunk {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk;
  throw new BrokenAnswer(`the application gives ${nameOf(chunk)} where text or bytes are wanted`);
}
