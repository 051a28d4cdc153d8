// From a packet to a request that its app can have: what a peer may send is checked, the app found, the facts noted.
//
// Decided elsewhere: how the packet and the body come (uwsgi-connection.ts, uwsgi.ts), what a payload may hold
//   (wire/uwsgi.ts).

import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';
import type { ExchangeRecord } from '../dispatch/exchange.js';
import { appendVariables, PacketFacts, preparePayload } from '../wire/uwsgi.js';
import type { ClientTruth } from './client-truth.js';
import { type Placed, placePacket } from './place-packet.js';
import type { Site } from './site.js';
import type { ExchangeHost } from './uwsgi-exchange.js';

export interface PacketRules {
  /** Variables that uWSGI would load code from are let through to the app. */
  readonly dynamicApps: boolean;
  /** The most variables of a packet. */
  readonly maxVariables: number;
  /** The app is found by the path alone, even where SCRIPT_NAME names a mount. */
  readonly ignoresScriptName: boolean;
}

/** What all connections of a listener share. */
export interface UwsgiSite {
  readonly site: Site;
  /** The listener's number, under which workers know its constant variables. */
  readonly index: number;
  readonly rules: PacketRules;
  readonly truth: ClientTruth | undefined;
  readonly host: ExchangeHost;
  /** A variable that no peer may set was taken out of a packet. */
  onDropped(name: string, peer: string): void;
  /** A packet came without REQUEST_METHOD. */
  onBare(peer: string): void;
}

/** A request whose variables are there; its body may not be. */
export interface UwsgiRequest extends Placed {
  readonly facts: PacketFacts;
  readonly isHead: boolean;
}

/**
 * The request in `payload`, which is changed in place. Gives the reason when it must be refused. `peer` is asked for the
 * peer's address where that is needed: mostly the packet says who the client is.
 */
export function readRequest(
  payload: Buffer,
  peer: () => string,
  { site, rules, truth, onDropped, onBare }: UwsgiSite,
): UwsgiRequest | NuwsgiError<Code> {
  const facts = new PacketFacts();
  const fault = preparePayload(payload, facts, rules.maxVariables, rules.dynamicApps);
  for (const name of facts.dropped) onDropped(name, peer());
  if (fault !== undefined) return fault;
  const { bodyBytes } = site.limits;
  if (bodyBytes > 0 && facts.contentLength > bodyBytes) {
    return new PeerError('PEER_CONTENT_LENGTH', facts.contentLength, bodyBytes);
  }
  let prepared = payload.subarray(0, facts.bytes);
  if (rules.ignoresScriptName && facts.scriptName !== '') {
    facts.scriptName = '';
    prepared = appendVariables(prepared, [['SCRIPT_NAME', '']]); // what comes last counts
  }
  const changed = truth?.ofPacket(facts.peer, prepared);
  if (changed !== undefined) {
    facts.peer = changed.get('REMOTE_ADDR') ?? facts.peer;
    prepared = appendVariables(prepared, changed);
  }
  const placed = placePacket(site.mounts, facts.scriptName, facts.path, prepared);
  if (placed === undefined) return new PeerError('PEER_NO_APP', facts.path);
  if (facts.method === '') onBare(peer());
  facts.peer ||= peer();
  return { receiver: placed.receiver, payload: placed.payload, facts, isHead: facts.method === 'HEAD' };
}

/** Notes what the request log will say of a request. */
export function describePacket(record: ExchangeRecord, facts: PacketFacts, nowMs: number): void {
  record.method = facts.method;
  record.target = facts.uri;
  record.protocol = facts.protocol;
  record.peer = facts.peer;
  record.user = facts.user;
  record.variables = facts.variables;
  record.arrivedAtMs = nowMs;
}
