// What a JS or TypeScript app sees of the server: the types it can import from 'nuwsgi'.
//
// The shape is WSGI's (PEP 3333), in JavaScript: a callable that gets the environ and startResponse and returns the
//   body, at once or as a promise.
// Decided elsewhere: the rules behind it (conversation.ts), how an app is found (load.ts).

import type { Readable } from 'node:stream';

/** The request body. It has come completely before the app is called. */
export interface RequestInput extends Readable {
  /** The whole body, decoded as UTF-8. */
  text(): Promise<string>;
  /** The whole body, parsed as JSON. Rejects with a SyntaxError when it is none. */
  json(): Promise<unknown>;
  /** The whole body. */
  bytes(): Promise<Uint8Array>;
}

/** CGI variables (strings, one character per byte), and what WSGI and the server add. */
export interface Environ {
  readonly REQUEST_METHOD: string;
  readonly SCRIPT_NAME: string;
  readonly PATH_INFO: string;
  readonly QUERY_STRING: string;
  readonly REQUEST_URI: string;
  readonly SERVER_PROTOCOL: string;
  readonly SERVER_NAME: string;
  readonly SERVER_PORT: string;
  readonly REMOTE_ADDR?: string;
  readonly CONTENT_TYPE?: string;
  readonly CONTENT_LENGTH?: string;
  readonly 'wsgi.version': readonly [1, 0];
  readonly 'wsgi.url_scheme': string;
  readonly 'wsgi.input': RequestInput;
  readonly 'wsgi.errors': NodeJS.WritableStream;
  readonly 'wsgi.multithread': boolean;
  readonly 'wsgi.multiprocess': boolean;
  readonly 'wsgi.run_once': boolean;
  readonly 'uwsgi.version': string;
  readonly 'uwsgi.node': string;
  /** HTTP_ variables, and whatever middleware adds. */
  [name: string]: unknown;
}

/** Sends a part of the body before it resolves. Rejects when the client has gone. */
export type Write = (data: string | Uint8Array) => Promise<void>;

/**
 * Sets status ("200 OK") and header fields. A second call needs the error that made it necessary; it replaces the
 * first, or throws that error when the head has been sent.
 */
export type StartResponse = (
  status: string,
  headers: readonly (readonly [name: string, value: string])[],
  error?: unknown,
) => Write;

/** The body: text (sent as UTF-8), bytes, or something that yields them. */
export type Body =
  | string
  | Uint8Array
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | null
  | undefined;

export type Application = (environ: Environ, startResponse: StartResponse) => Body | Promise<Body>;
