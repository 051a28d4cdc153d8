// The uwsgi protocol: packets of variables, as nginx's uwsgi_pass sends them.
//
//   offset 0  u8   modifier1      0: a request for the app, 100: ping
//          1  u16  datasize       little-endian: bytes of the payload
//          3  u8   modifier2
//          4  payload: u16 length, name, u16 length, value, and so on; the request body follows unframed
//
// A payload is checked where it lies and made ready for the worker in the same pass: each length becomes two NULs, so
//   that the worker splits the whole of it in one step. No object is made per variable; the few that the server itself
//   needs become strings. A NUL inside a name or value is refused, because it could forge a variable.
// Decided elsewhere: the connection (listeners/uwsgi.ts), what the worker makes of it (bridge_arena.py, environ.ts).
// Source: uWSGI 2.0 protocol description, and core/protocol.c's limits.

import assert from 'node:assert/strict';
import { PeerError } from '../base/errors.js';

export const PACKET_HEADER_BYTES = 4;
/** Payload bytes are counted in 16 bits. */
export const LARGEST_PAYLOAD_BYTES = 65535;
export const MODIFIER = { REQUEST: 0, PING: 100 } as const;

export interface PacketHeader {
  readonly modifier1: number;
  readonly bytes: number;
  readonly modifier2: number;
}

/** The header of a packet; `packet` has at least PACKET_HEADER_BYTES. */
export function readPacketHeader(packet: Buffer): PacketHeader {
  return { modifier1: packet[0]!, bytes: packet.readUInt16LE(1), modifier2: packet[3]! };
}

/** The header of a packet as bytes. */
export function packetHeader(modifier1: number, bytes: number, modifier2: number): Buffer {
  const header = Buffer.alloc(PACKET_HEADER_BYTES);
  header[0] = modifier1;
  header.writeUInt16LE(bytes, 1);
  header[3] = modifier2;
  return header;
}

/** A whole packet with `variables`, names and values in latin-1. Throws RangeError when they are too many for one. */
export function packetOf(
  variables: Iterable<readonly [name: string, value: string]>,
  modifier1 = 0,
  modifier2 = 0,
): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const text of [...variables].flat()) {
    const length = Buffer.alloc(2);
    const data = Buffer.from(text, 'latin1');
    length.writeUInt16LE(data.length, 0);
    parts.push(length, data);
    bytes += 2 + data.length;
  }
  if (bytes > LARGEST_PAYLOAD_BYTES) throw new RangeError(`${bytes} bytes do not fit into a packet`);
  return Buffer.concat([packetHeader(modifier1, bytes, modifier2), ...parts]);
}

/** `variables` behind those of a payload that `preparePayload` has made ready: what comes last counts. */
export function appendVariables(payload: Buffer, variables: Iterable<readonly [name: string, value: string]>): Buffer {
  let text = '';
  for (const [name, value] of variables) text += `\0\0${name}\0\0${value}`;
  return text === '' ? payload : Buffer.concat([payload, Buffer.from(text, 'latin1')]);
}

/** What the first bytes are when they are no uwsgi packet: other protocols that people point at a uwsgi socket. */
export function foreignProtocol(start: Buffer): 'HTTP' | 'TLS' | undefined {
  // a method, or "HTTP/1.1 200" of somebody who takes this for a client; as a modifier1, no letter means anything here
  if (/^[A-Z]{3}[A-Z -]/.test(start.toString('latin1', 0, 4))) return 'HTTP';
  if (start[0] === 0x16 && start[1] === 0x03) return 'TLS';
  return undefined;
}

/** What a PacketReader has found. */
export type PacketOutcome =
  | { readonly kind: 'more' }
  | { readonly kind: 'ping' }
  /** A request: its payload, and what came behind it, which is body. Both are views of what was fed. */
  | { readonly kind: 'request'; readonly payload: Buffer; readonly rest: Buffer }
  | { readonly kind: 'fault'; readonly error: PeerError };

const MORE: PacketOutcome = { kind: 'more' };
/** uWSGI's words, because people look for them; the app may be none of Python. */
const EMPTY = 'Empty python request. skip. It is an empty packet (does nginx lack "include uwsgi_params;"?)';

/**
 * Puts a packet together from the pieces of a connection, however it is cut. A packet that comes in one piece, as they
 * nearly always do, is not copied.
 */
export class PacketReader {
  readonly #mostBytes: number;
  /** What has come: a view of the first piece, or, once there are several, a buffer as large as the packet. */
  #bytes: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** `mostBytes`: the longest payload that is taken (buffer-size). */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Whether anything has come. */
  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  /** Takes the next piece. Not to be called again after anything but `more`. */
  feed(piece: Buffer): PacketOutcome {
    let rest: Buffer = Buffer.alloc(0);
    if (this.#filled < PACKET_HEADER_BYTES) {
      this.#bytes = this.isEmpty ? piece : Buffer.concat([this.#bytes, piece]);
      this.#filled = this.#bytes.length;
      if (this.#filled < PACKET_HEADER_BYTES) return MORE;
      const header = readPacketHeader(this.#bytes);
      const error = this.#check(header);
      if (error !== undefined) return { kind: 'fault', error };
      if (header.modifier1 === MODIFIER.PING) return { kind: 'ping' };
      const wanted = PACKET_HEADER_BYTES + header.bytes;
      if (this.#filled < wanted) {
        const whole = Buffer.allocUnsafe(wanted);
        this.#bytes.copy(whole);
        this.#bytes = whole;
        return MORE;
      }
      rest = this.#bytes.subarray(wanted);
      this.#bytes = this.#bytes.subarray(0, wanted);
    } else {
      rest = piece.subarray(Math.min(piece.length, this.#bytes.length - this.#filled));
      this.#filled += piece.copy(this.#bytes, this.#filled);
      if (this.#filled < this.#bytes.length) return MORE;
    }
    return { kind: 'request', payload: this.#bytes.subarray(PACKET_HEADER_BYTES), rest };
  }

  #check(header: PacketHeader): PeerError | undefined {
    const foreign = foreignProtocol(this.#bytes);
    if (foreign !== undefined) return new PeerError('PEER_WRONG_PROTOCOL', foreign, header.bytes, this.#mostBytes);
    if (header.modifier1 === MODIFIER.PING) return undefined;
    if (header.modifier1 !== MODIFIER.REQUEST) return new PeerError('PEER_MODIFIER', header.modifier1);
    if (header.bytes > this.#mostBytes) return new PeerError('PEER_PACKET_TOO_LARGE', header.bytes, this.#mostBytes);
    return header.bytes === 0 ? new PeerError('PEER_BAD_REQUEST', EMPTY) : undefined;
  }
}

/** What the server itself needs to know of a request. */
export class PacketFacts {
  method = '';
  uri = '';
  path = '';
  scriptName = '';
  protocol = '';
  peer = '';
  user = '';
  /** Bytes of the body. */
  contentLength = 0;
  /** Variables that reach the app. */
  variables = 0;
  /** Names of variables that were dropped, each once. */
  readonly dropped = new Set<string>();
  /** Bytes of the payload when the dropped ones are gone. */
  bytes = 0;
}

const CODE = (letter: string) => letter.charCodeAt(0);
const LENGTH = /^[0-9]{1,15}$/;

/** A name is looked at more closely only when its length, first and last two letters are those of one that matters. */
type Use = (facts: PacketFacts, value: string) => PeerError | undefined;
const USES = new Map<number, readonly [name: string, use: Use]>();
const fingerprint = (bytes: number, first: number, lastButOne: number, last: number) =>
  (bytes << 24) ^ (first << 16) ^ (lastButOne << 8) ^ last;
function use(name: string, act: Use): void {
  const [first, lastButOne, last] = [0, -2, -1].map((at) => name.at(at)!.charCodeAt(0)) as [number, number, number];
  const key = fingerprint(name.length, first, lastButOne, last);
  assert(!USES.has(key), `${name} looks like another name`);
  USES.set(key, [name, act]);
}
const set =
  (field: 'method' | 'uri' | 'path' | 'scriptName' | 'protocol' | 'peer' | 'user'): Use =>
  (facts, value) => {
    facts[field] = value;
    return undefined;
  };
use('REQUEST_METHOD', set('method'));
use('REQUEST_URI', set('uri'));
use('PATH_INFO', set('path'));
use('SCRIPT_NAME', set('scriptName'));
use('SERVER_PROTOCOL', set('protocol'));
use('REMOTE_ADDR', set('peer'));
use('REMOTE_USER', set('user'));
use('CONTENT_LENGTH', (facts, value) => {
  // nginx sends it empty where there is no body
  if (value !== '' && !LENGTH.test(value))
    return new PeerError('PEER_BAD_REQUEST', `CONTENT_LENGTH "${value}" is no number of bytes`);
  facts.contentLength = Number(value);
  return undefined;
});
const PROXY = 'HTTP_PROXY';

/**
 * Checks the payload `bytes` and makes it ready for a worker: NUL NUL name NUL NUL value, in place. Variables that no
 * peer may set are taken out: those whose name is empty or has other bytes than visible ASCII, those by which uWSGI
 * loads code or changes the environment (UWSGI_FILE, UWSGI_SETENV...; unless `allowDynamic`), HTTP_PROXY (httpoxy), and
 * the server's own keys (wsgi.*, uwsgi.*). So are two that nginx sends twice. Fills `facts`.
 * Returns what is wrong with it, if anything is.
 */
export function preparePayload(
  bytes: Buffer,
  facts: PacketFacts,
  maxVariables: number,
  allowDynamic = false,
): PeerError | undefined {
  let at = 0;
  let end = bytes.length;
  while (at < end) {
    const nameAt = at + 2;
    const nameBytes = at + 2 <= end ? bytes.readUInt16LE(at) : -1;
    const lengthAt = nameAt + nameBytes;
    if (nameBytes < 0 || lengthAt + 2 > end) return overrun(nameBytes, bytes.length);
    const valueAt = lengthAt + 2;
    const valueBytes = bytes.readUInt16LE(lengthAt);
    const next = valueAt + valueBytes;
    if (next > end) return overrun(valueBytes, bytes.length);
    const isName = isVisible(bytes, nameAt, lengthAt);
    if ((!isName && hasNul(bytes, nameAt, lengthAt)) || hasNul(bytes, valueAt, next)) {
      return new PeerError('PEER_BAD_REQUEST', 'a variable holds a NUL');
    }
    const isRedundant = isRepeated(bytes, nameAt, nameBytes);
    if (!isName || isRedundant || isForbidden(bytes, nameAt, nameBytes, allowDynamic)) {
      if (!isRedundant) facts.dropped.add(bytes.toString('latin1', nameAt, lengthAt));
      bytes.copyWithin(at, next, end);
      end -= next - at;
      continue;
    }
    if (++facts.variables > maxVariables) {
      return new PeerError('PEER_TOO_MANY_VARS', maxVariables);
    }
    const found = USES.get(fingerprint(nameBytes, bytes[nameAt]!, bytes[lengthAt - 2]!, bytes[lengthAt - 1]!));
    if (found !== undefined && bytes.toString('latin1', nameAt, lengthAt) === found[0]) {
      const fault = found[1](facts, bytes.toString('latin1', valueAt, next));
      if (fault !== undefined) return fault;
    }
    bytes[at] = bytes[at + 1] = bytes[lengthAt] = bytes[lengthAt + 1] = 0;
    at = next;
  }
  facts.bytes = end;
  return undefined;
}

/** The value of `name` in a payload that `preparePayload` has checked; '' when it is not there. */
export function valueIn(payload: Buffer, name: string): string {
  return variablesOf(payload).get(name) ?? ''; // not by a search for the name: it may be the value of another one
}

function overrun(bytes: number, payloadBytes: number): PeerError {
  const what = bytes < 0 ? 'ends in the middle of a length' : `has a length of ${bytes} that goes beyond its end`;
  const size = bytes < 0 ? payloadBytes : bytes;
  const text = `invalid uwsgi request (current strsize: ${size}). skip. The packet of ${payloadBytes} bytes ${what}`;
  return new PeerError('PEER_BAD_REQUEST', text);
}

/** Whether the name is some bytes long, and each of them a visible ASCII character: all others make no variable. */
function isVisible(bytes: Buffer, start: number, stop: number): boolean {
  for (let i = start; i < stop; i++) if (bytes[i]! <= SPACE || bytes[i]! >= DELETE) return false;
  return stop > start;
}

/** A loop and not `indexOf`, which costs more than it saves on texts this short. */
function hasNul(bytes: Buffer, start: number, stop: number): boolean {
  for (let i = start; i < stop; i++) if (bytes[i] === 0) return true;
  return false;
}

const SPACE = 0x20;
const DELETE = 0x7f;
const U = CODE('U');
const LOWER_U = CODE('u');
const LOWER_W = CODE('w');
const H = CODE('H');

/** nginx sends these two header fields twice, once in CGI's way; PEP 3333 wants only that one. */
const REPEATED = new Set(['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH']);

function isRepeated(bytes: Buffer, at: number, length: number): boolean {
  if (bytes[at] !== H || (length !== 17 && length !== 19)) return false;
  return REPEATED.has(bytes.toString('latin1', at, at + length));
}

function isForbidden(bytes: Buffer, at: number, length: number, allowDynamic: boolean): boolean {
  const first = bytes[at]!;
  if (first === H) return length === PROXY.length && bytes.toString('latin1', at, at + length) === PROXY;
  if (first === LOWER_W || first === LOWER_U) return /^u?wsgi\./.test(bytes.toString('latin1', at, at + length));
  if (first !== U || allowDynamic) return false;
  const name = bytes.toString('latin1', at, at + length);
  return name.startsWith('UWSGI_') && name !== 'UWSGI_SCHEME';
}

/** The variables of a payload that `preparePayload` has made ready. */
export function variablesOf(payload: Buffer): ReadonlyMap<string, string> {
  const parts = payload.toString('latin1').split('\0\0');
  const variables = new Map<string, string>();
  for (let i = 1; i + 1 < parts.length; i += 2) variables.set(parts[i]!, parts[i + 1]!);
  return variables;
}
