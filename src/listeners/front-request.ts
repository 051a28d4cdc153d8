// A request in front of all apps: how its variables are read, and how it goes on to its app, for each of the two ways
// in which listeners hand requests over.
//
// Edits go behind the variables that came: what comes last counts, for HTTP as for packets.
// Decided elsewhere: who looks at it in between (front.ts).

import type { Exchange } from '../dispatch/exchange.js';
import { EdgeRequest } from '../edge/edge-request.js';
import type { Verdict } from '../edge/rules/actions.js';
import { appendVariables, variablesOf } from '../wire/uwsgi.js';
import { placePacket } from './place-packet.js';
import { type Mount, mountOf, servesHost } from './site.js';

/** What is left of a request when its variables are told: see `Receiver.submit`. */
export interface Rest {
  readonly listener: number;
  input: Uint8Array | undefined;
  readonly inputFd: number;
  readonly nowMs: number;
}

export abstract class FrontRequest extends EdgeRequest {
  /** What answers to it go to: its exchange, or one that edits them. */
  answers: Exchange;
  /** The rules have been asked when it was announced. */
  isRuled = false;
  /** What they made of it then; undefined: nothing. */
  verdict: Verdict | undefined | Promise<Verdict | undefined>;
  protected rest: Rest;

  constructor(exchange: Exchange, isHead: boolean, path: string, rest: Rest) {
    super(exchange, isHead, path);
    this.answers = exchange;
    this.rest = rest;
  }

  /** Keeps what is valid only during the call that brought the request. */
  detach(): void {
    const { input } = this.rest;
    if (input !== undefined) this.rest.input = Uint8Array.prototype.slice.call(input);
  }

  /**
   * Hands the request to its app, which answers `exchange`: the request's own, or one that edits what goes to it.
   * False when no app is mounted there.
   */
  abstract forward(mounts: readonly Mount[], exchange: Exchange): boolean;
}

/** Combinations of names that are kept split. Clients send other values with every request and the same names. */
const KEPT_NAME_BLOCKS = 256;
const knownNames = new Map<string, readonly string[]>();

function splitNames(block: string): readonly string[] {
  let names = knownNames.get(block);
  if (names === undefined) {
    if (knownNames.size >= KEPT_NAME_BLOCKS) knownNames.clear();
    names = block.split('\0');
    knownNames.set(block, names);
  }
  return names;
}

export class HttpFrontRequest extends FrontRequest {
  #names: string;
  #values: string;
  /** The values, split when one is asked for. */
  #parts: readonly string[] | undefined;
  readonly #constants: Readonly<Record<string, string>>;

  /** `constants`: variables that all requests of the listener have, and that are not among `names`. */
  constructor(
    exchange: Exchange,
    isHead: boolean,
    names: string,
    values: string,
    rest: Rest,
    constants: Readonly<Record<string, string>>,
  ) {
    super(exchange, isHead, values.slice(0, values.indexOf('\0')), rest); // PATH_INFO comes first
    exchange.record.environBytes = names.length + values.length;
    this.#names = names;
    this.#values = values;
    this.#constants = constants;
  }

  /** The rest of it has come, after it was announced; `names` and `values` begin as they did then. */
  complete(names: string, values: string, rest: Rest): void {
    this.#names = names;
    this.#values = values;
    this.#parts = undefined;
    this.rest = rest;
  }

  protected override lookup(name: string): string | undefined {
    const at = splitNames(this.#names).lastIndexOf(name); // a name that comes twice counts with its last value
    if (at < 0) return this.#constants[name];
    this.#parts ??= this.#values.split('\0');
    return this.#parts[at];
  }

  override forward(mounts: readonly Mount[], exchange: Exchange): boolean {
    const path = this.edits?.get('PATH_INFO') ?? this.path;
    const script = this.edits?.get('SCRIPT_NAME');
    const host = mounts[0]?.host === undefined ? '' : this.get('HTTP_HOST'); // mounts of hosts come first
    const isNamed = (mount: Mount) => mount.path === script && servesHost(mount, host);
    const named = script ? mounts.find(isNamed) : undefined;
    const mount = named ?? mountOf(mounts, path, host);
    if (mount === undefined) return false;
    if (named === undefined && mount.path !== '') {
      this.set('PATH_INFO', path.slice(mount.path.length));
      if (script !== undefined) this.set('SCRIPT_NAME', mount.path);
    }
    let names = this.#names;
    let values = this.#values;
    for (const [name, value] of this.edits ?? []) {
      names += `\0${name}`;
      values += `\0${value}`;
    }
    const { listener, input, inputFd, nowMs } = this.rest;
    mount.receiver.submit(exchange, names, values, listener, this.isHead, input, inputFd, nowMs);
    return true;
  }
}

export class PacketFrontRequest extends FrontRequest {
  #payload: Buffer;
  readonly #variables: ReadonlyMap<string, string>;

  constructor(exchange: Exchange, isHead: boolean, payload: Buffer, rest: Rest) {
    const variables = variablesOf(payload);
    super(exchange, isHead, variables.get('PATH_INFO') ?? '', rest);
    exchange.record.environBytes = payload.length;
    this.#payload = payload;
    this.#variables = variables;
  }

  override detach(): void {
    super.detach();
    this.#payload = Buffer.from(this.#payload);
  }

  /** The rest of it has come, after it was announced. */
  complete(rest: Rest): void {
    this.rest = rest;
  }

  protected override lookup(name: string): string | undefined {
    return this.#variables.get(name);
  }

  override forward(mounts: readonly Mount[], exchange: Exchange): boolean {
    const path = this.edits?.get('PATH_INFO') ?? this.path;
    const payload = appendVariables(this.#payload, this.edits ?? []);
    const placed = placePacket(mounts, this.get('SCRIPT_NAME'), path, payload);
    if (placed === undefined) return false;
    const { listener, input, inputFd, nowMs } = this.rest;
    placed.receiver.submitPacket(exchange, placed.payload, listener, this.isHead, input, inputFd, nowMs);
    return true;
  }
}
