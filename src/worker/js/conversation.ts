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
  fields: 1,
};

type Chunk = string | Uint8Array;

/** What the conversation tells the log. */
export interface Reporter {
  /** An app failed in the request that `environ` describes. */
  failed(environ: Environ, error: unknown): void;
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
    if (head.status === 204 || head.status === 304) this.#bodyless = true;
    return this.#write;
  };

  readonly #write: Write = async (data) => {
    if (this.#head === undefined) throw new BrokenAnswer('write was called before startResponse');
    if (data.length > 0) await this.#send(checked(data));
  };

  readonly #onDropped = (name: string): void => {
    this.#reporter.warnOnce(name, `the application sends ${name}, which is the server's own matter: dropped`);
  };

  /** Runs the app. Returns a promise only if the app, or its body, takes its time. Neither throws nor rejects. */
  run(app: Application, environ: Environ): void | Promise<void> {
    try {
      const result = app(environ, this.startResponse);
      if (isPromise(result)) return result.then((body) => this.#answer(body)).catch((e) => this.#fail(environ, e));
      const rest = this.#answer(result);
      if (rest !== undefined) return rest.catch((error) => this.#fail(environ, error));
    } catch (error) {
      this.#fail(environ, error);
    }
  }

  #answer(body: Body): void | Promise<void> {
    if (typeof body === 'string' || body instanceof Uint8Array) return this.#answerWhole(body);
    if (body === null || body === undefined) return this.#finish();
    if (Array.isArray(body)) {
      if (body.length === 1) return this.#answerWhole(checked(body[0]));
      return this.#answerWhole(Buffer.concat(body.map((chunk) => Buffer.from(checked(chunk)))));
    }
    if (Symbol.asyncIterator in body || Symbol.iterator in body) return this.#answerParts(body);
    throw new BrokenAnswer(`the application gives ${typeof body} where a body is wanted`);
  }

  /** All of the body is there: it goes out in one piece, of known length. */
  #answerWhole(body: Chunk): void | Promise<void> {
    const head = this.#head;
    if (head === undefined) throw new BrokenAnswer('the application returned without calling startResponse');
    if (!this.#sent && !this.#bodyless && body.length > 0) {
      const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
      if (head.length === -1 || head.length === bytes) {
        this.#sent = true;
        return this.#transport.first(head, body, bytes, bytes, true);
      }
    }
    if (body.length === 0) return this.#finish();
    return this.#send(body).then(() => this.#finish());
  }

  /** The body comes part by part. The iterable is closed in every case, once. */
  async #answerParts(body: Iterable<Chunk> | AsyncIterable<Chunk>): Promise<void> {
    // `for await` closes the iterator when it is left early, and takes synchronous iterables too
    for await (const chunk of body) {
      const data = checked(chunk);
      if (data.length > 0) await this.#send(data);
      if (this.#bodyless && this.#head !== undefined) break; // nothing more would be sent, and there may be no end
    }
    await this.#finish();
  }

  async #send(data: Chunk): Promise<void> {
    const head = this.#head;
    if (head === undefined) throw new BrokenAnswer('the application gives a body but did not call startResponse');
    if (this.#bodyless) return;
    const transport = this.#transport;
    let bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!transport.open) {
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
  #finish(): void | Promise<void> {
    const transport = this.#transport;
    if (!transport.open) return;
    const head = this.#head;
    if (head === undefined) throw new BrokenAnswer('the application returned without calling startResponse');
    const missing = this.#left > 0 && !this.#bodyless;
    if (missing) {
      const text = `the application announced ${head.length} bytes and gave ${this.#left} less: the connection is closed`;
      this.#reporter.warnOnce(text, text);
    }
    if (this.#sent) {
      transport.end(missing);
    } else if (missing) {
      this.#sent = true;
      return Promise.resolve(transport.first(head, '', 0, head.length, false)).then(() => transport.end(true));
    } else {
      this.#sent = true;
      // without a body the length is what the app said, if it said so; with an empty one it is 0
      return transport.first(head, '', 0, this.#bodyless ? head.length : 0, true);
    }
  }

  #tooLong(head: Head): void {
    this.#reporter.warnOnce(
      'too long',
      `the application gives more bytes than its Content-Length of ${head.length}: cut off`,
    );
  }

  /** The app failed: 500 when nothing has left yet, otherwise the connection is cut. */
  #fail(environ: Environ, error: unknown): void {
    const transport = this.#transport;
    if (!(error instanceof ClientGone)) this.#reporter.failed(environ, error);
    if (!transport.open) return;
    if (this.#sent) {
      transport.end(true);
    } else {
      this.#sent = true;
      const body = this.#isHead ? '' : FAILURE_BODY;
      void transport.first(FAILURE, body, body.length, FAILURE.length, true);
    }
  }
}

const isPromise = (value: unknown): value is Promise<Body> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

function checked(chunk: unknown): Chunk {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk;
  throw new BrokenAnswer(
    `the application gives ${chunk === null ? 'null' : typeof chunk} where text or bytes are wanted`,
  );
}
