// What both HTTP engines do with a request between its head and its worker: check it, find its app, collect its body.
//
// Decided elsewhere: how an engine reads heads and bodies and refuses requests (http-uws.ts, http-node.ts), what a head
//   may hold (wire/cgi.ts), where the body is kept (request-body.ts).

import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';
import { printable } from '../base/log.js';
import type { Address } from '../config/address.js';
import type { Exchange, ExchangeRecord } from '../dispatch/exchange.js';
import type { Receiver } from '../dispatch/receiver.js';
import { decodePath, type FieldNames, type Framing, type HeadReader, isTarget, isToken } from '../wire/cgi.js';
import { withoutMapping } from '../wire/forwarded.js';
import type { ClientExchange } from './client-exchange.js';
import { type BodySource, RequestBody } from './request-body.js';
import { mountOf, type Site } from './site.js';

/** A request that may go on to its app. */
export interface Admission {
  readonly receiver: Receiver;
  readonly target: string;
  readonly names: string;
  readonly values: string;
  readonly framing: Framing;
}

/**
 * Checks a request whose head `head` has read, and finds its app. `path` is escaped, `query` undefined when the target
 * has no `?`; both in latin-1. Gives the reason when it must be refused.
 */
export function admit(
  site: Site,
  head: HeadReader,
  method: string,
  path: string,
  query: string | undefined,
  peer: string,
): Admission | NuwsgiError<Code> {
  if (!head.complete()) return head.fault!;
  const target = query === undefined ? path : `${path}?${query}`;
  if (!isToken(method) || !isTarget(target)) {
    return new PeerError('PEER_BAD_REQUEST', 'the request line has bytes that may not be there');
  }
  if (method === 'CONNECT') return new PeerError('PEER_NO_TUNNEL', target);
  const pathInfo = decodePath(path);
  if (pathInfo === undefined) return new PeerError('PEER_BAD_REQUEST', 'the path has a %00');
  const { framing } = head;
  const { bodyBytes } = site.limits;
  if (framing.kind === 'length' && bodyBytes > 0 && framing.bytes > bodyBytes) {
    return new PeerError('PEER_BODY_TOO_LARGE', framing.bytes, bodyBytes);
  }
  const mount = mountOf(site.mounts, pathInfo, head.host);
  if (mount === undefined) return new PeerError('PEER_NO_APP', pathInfo);
  let names = 'PATH_INFO\0REQUEST_METHOD\0REQUEST_URI\0REMOTE_ADDR';
  let values = `${pathInfo.slice(mount.path.length)}\0${method}\0${target}\0${peer}`;
  if (query) {
    names += '\0QUERY_STRING';
    values += `\0${query}`;
  }
  return { receiver: mount.receiver, target, names: names + head.names, values: values + head.values, framing };
}

/** A connection's peer, for REMOTE_ADDR and the log; '' on a UNIX socket. */
export function peerName(socket: { readonly remoteAddress?: string | undefined }): string {
  return withoutMapping(socket.remoteAddress ?? '');
}

/** Sees to SERVER_PORT where it is known only once the socket is open: see constantVariables in listener-plan.ts. */
export function presetPort(head: HeadReader, address: Address, port: number): void {
  const isKnown = address.kind === 'tcp' && address.port > 0;
  if (!isKnown && port > 0) head.preset('SERVER_PORT', String(port));
}

/** How many names of dropped fields are told: clients make them up. */
const MOST_TOLD = 20;

/** Which header fields a listener lets through; those that it drops are told in the log, each name once. */
export function fieldNamesOf(site: Site): FieldNames {
  const told = new Set<string>();
  return {
    allowUnderscores: site.limits.allowUnderscores,
    onDropped(name, why) {
      const lower = name.toLowerCase();
      if (told.has(lower) || told.size >= MOST_TOLD) return;
      told.add(lower);
      site.warn(`the header field "${printable(name)}" is dropped: ${why}`);
    },
  };
}

/** Variables that every request has besides its header fields: see `admit`. */
const REQUEST_LINE_VARIABLES = 4;

/** Notes what the request log will say of a request. `fields`: variables that its header fields became. */
export function describe(
  record: ExchangeRecord,
  method: string,
  target: string,
  protocol: string,
  peer: string,
  fields: number,
): void {
  record.method = method;
  record.target = target;
  record.protocol = protocol;
  record.peer = peer;
  record.variables = fields + REQUEST_LINE_VARIABLES;
  record.arrivedAtMs = performance.now();
}

/**
 * Tells the receiver of an admitted request that its body is still to come: it may have an answer already. `refuse` is
 * called with that answer, now or later, and then the body is not wanted; `onWanted`, when it is.
 */
export function announce(
  exchange: Exchange,
  { receiver, names, values }: Admission,
  listener: number,
  isHead: boolean,
  refuse: (error: NuwsgiError<Code>) => void,
  onWanted?: () => void,
): void {
  const decided = receiver.announce?.(exchange, names, values, listener, isHead, refuse);
  if (onWanted === undefined) return;
  if (decided instanceof Promise) void decided.then(onWanted);
  else onWanted();
}

/** Called when the body could not be taken. */
export type OnBodyFault = (error: NuwsgiError<Code>) => void;

/**
 * Collects the body of an admitted request, then submits it. Returns what the engine has to feed. `exchange.spoolFd`
 * is set to the file the body lies in, if it does.
 */
export function collect(
  site: Site,
  exchange: ClientExchange,
  admission: Admission,
  listener: number,
  isHead: boolean,
  source: BodySource,
  onFault: OnBodyFault,
): RequestBody {
  const { receiver, framing } = admission;
  return new RequestBody(site.limits, site.watch, source, (error, input, fd, bytes) => {
    if (error !== undefined) {
      onFault(error);
      return;
    }
    exchange.spoolFd = fd;
    let { names, values } = admission;
    if (framing.kind === 'chunked') {
      names += '\0CONTENT_LENGTH';
      values += `\0${bytes}`;
    }
    receiver.submit(exchange, names, values, listener, isHead, input, fd, performance.now());
  });
}
