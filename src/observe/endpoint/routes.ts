// What can be asked for over HTTP on the addresses of --stats and --metrics, and what is needed to get it.
//
// A table. Everything reads; the two that make the server do work (stacks, profile) are for this machine or for who has
//   the token, and a browser cannot be made to send them from another page: they want a header of their own.
// Decided elsewhere: the texts themselves (stats/, metrics.ts, pages.ts), who may connect (stats-server.ts, access.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from './access.js';

/** Answers made within this time are given to all who ask. */
const FRESH_MS = 100;
/** A browser sends this header only from a page of this server. */
export const CONTROL_HEADER = 'x-nuwsgi-control';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly fields?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly path: string;
  /** POST for what makes the server do something; everything else is GET. */
  readonly method: 'GET' | 'POST';
  /** Whether it tells nothing that the token protects: the page itself, and whether the server is up. */
  readonly isOpen: boolean;
  /** Needs the control header, and a connection from this machine or the token. */
  readonly isControl: boolean;
  /** Which requests it is for, where there are several routes with one path; undefined: all. */
  readonly isFor?: (request: IncomingMessage) => boolean;
  /** `query`: the parameters behind the path. Throws a `RangeError` for one that makes no sense. */
  answer(query: URLSearchParams, request: IncomingMessage): Answer | Promise<Answer>;
}

/** Made once for all who ask within FRESH_MS. */
export function shared(make: () => Promise<string>): () => Promise<string> {
  let text = Promise.resolve('');
  let madeAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    if (nowMs - madeAtMs > FRESH_MS) {
      text = make();
      madeAtMs = nowMs;
    }
    return text;
  };
}

export const json = (body: string): Answer => ({ status: 200, type: 'application/json', body });

/** Nothing is kept by caches, guessed at, shown inside another page, or read by one. */
const ALWAYS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The listener for requests to these routes. `isLocal`: nobody but this machine can connect. */
export function requestListener(routes: readonly Route[], access: Access, isLocal: boolean) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answerFor(request, routes, access, isLocal)
      .catch((error: Error) => plain(error instanceof RangeError ? 400 : 500, error.message))
      .then(({ status, type, body, fields }) => {
        request.resume();
        response.writeHead(status, {
          ...ALWAYS,
          'Content-Type': type,
          'Content-Length': Buffer.byteLength(body),
          ...fields,
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  };
}

export const plain = (status: number, text: string, fields: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${text}\n`,
  fields,
});

async function answerFor(
  request: IncomingMessage,
  routes: readonly Route[],
  access: Access,
  isLocal: boolean,
): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://server');
  const matching = routes.filter(({ path, isFor }) => path === url.pathname && (isFor?.(request) ?? true));
  if (matching.length === 0) return plain(404, 'Not Found');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = matching.find((candidate) => candidate.method === method);
  if (route === undefined) return plain(405, 'Method Not Allowed', { Allow: matching.map((r) => r.method).join(', ') });
  if (route.isOpen) return route.answer(url.searchParams, request);
  if (!access.isForUs(request)) return plain(421, 'This address answers under its IP address or as localhost only.');
  if (!access.hasToken(request)) {
    return plain(401, 'The token of --stats-token is needed.', { 'WWW-Authenticate': 'Bearer' });
  }
  if (route.isControl) {
    if (!isLocal && !access.needsToken) return plain(403, 'This needs --stats-token where others can connect.');
    if (request.headers[CONTROL_HEADER] === undefined) return plain(403, `This needs the header ${CONTROL_HEADER}.`);
  }
  return route.answer(url.searchParams, request);
}
