// An HTTP request head becomes the environ block: the CGI variables of RFC 3875 as WSGI wants them (PEP 3333).
//
// The block is two latin-1 strings: the names, NAME NUL NAME, and the values in the same order. Clients differ in their
//   values and hardly in their names, so a worker splits and keeps the names once, and per request only the values
//   (bridge_arena.py; what that buys: native-bench/micro/environ.py). A name that comes twice counts with its last
//   value. NUL as the separator is safe because no value may hold one; a %00 in the path is refused for that reason.
// Every check that HTTP's framing and headers need is made here, in the one pass that copies them, so that both HTTP
//   engines refuse the same requests. The rules are those of RFC 9110 and 9112; where servers differ, the strict side.
// Decided elsewhere: how bytes become names and values (the engines), where the block goes (dispatch/dispatcher.ts).

import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';

/** What a header field means here, looked up by its name as it came. */
interface Field {
  /** `HTTP_X_NAME`, `CONTENT_TYPE`, or '' when the field never reaches the application. */
  readonly variable: string;
  readonly role: Role;
  /** Of a name with underscores: the same with dashes, in lower case. */
  readonly dashed: string;
  /** Number of the request that had this field last, to notice a second one. */
  lastSeen: number;
}
type Role =
  | 'plain'
  | 'length'
  | 'coding'
  | 'host'
  | 'expect'
  | 'cookie'
  | 'connection'
  | 'upgrade'
  | 'underscored'
  | 'dropped'
  | 'invalid';

const ROLES: ReadonlyMap<string, Role> = new Map([
  ['content-length', 'length'],
  ['transfer-encoding', 'coding'],
  ['host', 'host'],
  ['expect', 'expect'],
  ['cookie', 'cookie'],
  ['connection', 'connection'],
  ['upgrade', 'upgrade'],
  // httpoxy: HTTP_PROXY in the environment of a process means something else (CVE-2016-5385)
  ['proxy', 'dropped'],
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // RFC 9110 section 5.6.2
const ASCII_VALUE = /^[\t\x20-\x7e]*$/;
const LATIN1_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^[0-9]{1,15}$/; // below 2^53
/** uri-host [":" port], RFC 9110 section 7.2; no userinfo, no path, no list. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]{0,5})?$/;
const CLOSE = /(?:^|[\t ,])close(?:$|[\t ,])/i;
const UPGRADE = /(?:^|[\t ,])upgrade(?:$|[\t ,])/i;
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/** Names kept between requests. Clients choose names, so their number is bounded. */
const KEPT_NAMES = 512;

/** How many header fields a request may have. */
export const MAX_FIELDS = 100;

/** How the body is framed: not at all, by this many bytes, or by chunks. */
export type Framing = { readonly kind: 'none' | 'chunked' } | { readonly kind: 'length'; readonly bytes: number };
const NO_BODY: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };

/** Which names may become variables. */
export interface FieldNames {
  /** Names with underscores may, as long as no field with dashes would be the same variable. */
  readonly allowUnderscores: boolean;
  /** A field called `name`, a token, is dropped because `why`. Said again when the names that are kept are forgotten. */
  onDropped(name: string, why: string): void;
}
const STRICT: FieldNames = { allowUnderscores: false, onDropped() {} };

/** Builds the block of one request after the other. The accept thread has one per listener. */
export class HeadReader {
  /** The first rule that the head breaks, or undefined. The rest of the head is not looked at then. */
  fault: NuwsgiError<Code> | undefined;
  framing: Framing = NO_BODY;
  /** `Expect: 100-continue` was there. */
  expectsContinue = false;
  /** The Host field, or the host of the target; '' when there is none. */
  host = '';
  /** The Connection field as it came; several become a list. */
  connection = '';
  /** There is an Upgrade field. */
  hasUpgrade = false;
  /** Variables in the block so far. */
  count = 0;
  /** Names of the variables, with a NUL in front of each. */
  names = '';
  /** Their values, with a NUL in front of each. */
  values = '';

  /** By name as it came, and by name in lower case: `X-A` and `x-a` are the same field. */
  readonly #fields = new Map<string, Field>();
  readonly #fieldsByLower = new Map<string, Field>();
  readonly #allowed: FieldNames;
  readonly #decode: (value: string) => string | undefined;
  #request = 0;
  #fieldCount = 0;
  #hasHost = false;
  #isHttp11 = true;
  /** What every request begins with. */
  #presetCount = 0;
  #presetNames = '';
  #presetValues = '';

  /**
   * `decode` turns a value with characters above 0x7f into latin-1, one character per byte, or gives undefined when
   * the bytes are lost. The default is for engines that hand over latin-1.
   */
  constructor(allowed: FieldNames = STRICT, decode: (value: string) => string | undefined = (value) => value) {
    this.#allowed = allowed;
    this.#decode = decode;
  }

  /** Starts a new request. `isHttp11`: a Host field is required. */
  begin(isHttp11: boolean): void {
    if (this.#fields.size > KEPT_NAMES) {
      this.#fields.clear(); // never in the middle of a request: `lastSeen` must hold for all of it
      this.#fieldsByLower.clear();
    }
    this.#request++;
    this.#fieldCount = 0;
    this.#hasHost = false;
    this.#isHttp11 = isHttp11;
    this.fault = undefined;
    this.framing = NO_BODY;
    this.expectsContinue = false;
    this.host = '';
    this.connection = '';
    this.hasUpgrade = false;
    this.count = this.#presetCount;
    this.names = this.#presetNames;
    this.values = this.#presetValues;
  }

  /** Adds a variable to every request from now on. */
  preset(variable: string, value: string): void {
    this.#presetNames += `\0${variable}`;
    this.#presetValues += `\0${value}`;
    this.#presetCount++;
  }

  /** Adds a variable, or gives it another value. */
  add(variable: string, value: string): void {
    this.names += `\0${variable}`;
    this.values += `\0${value}`;
    this.count++;
  }

  /** Takes a header field. `name` in any case. */
  readonly field = (name: string, value: string): void => {
    if (this.fault !== undefined) return;
    if (++this.#fieldCount > MAX_FIELDS) {
      this.fault = new PeerError('PEER_HEAD_TOO_LARGE', 'the number of header fields', 'the limit', MAX_FIELDS);
      return;
    }
    let field = this.#fields.get(name);
    if (field === undefined) {
      const lower = name.toLowerCase();
      // the name itself and not `lower`: a Kelvin sign becomes a k, and there are more of the kind
      field = TOKEN.test(name) ? this.#fieldsByLower.get(lower) : INVALID;
      if (field === undefined) {
        field = describe(lower, this.#allowed.allowUnderscores);
        this.#fieldsByLower.set(lower, field);
        if (field.role === 'dropped') this.#allowed.onDropped(name, lower === 'proxy' ? HTTPOXY : UNDERSCORE);
      }
      this.#fields.set(name, field);
    }
    if (!ASCII_VALUE.test(value)) {
      const decoded = this.#decode(value);
      if (decoded === undefined || !LATIN1_VALUE.test(decoded)) {
        this.#refuse(`the value of ${name} has bytes that no field value may have`);
        return;
      }
      value = decoded;
    }
    const { role } = field;
    const isRepeat = field.lastSeen === this.#request;
    field.lastSeen = this.#request;
    if (role !== 'plain' && !this.#special(name, role, value, isRepeat)) return;
    if (isRepeat) value = this.find(field.variable) + (role === 'cookie' ? '; ' : ', ') + value;
    this.add(field.variable, value);
  };

  /** Looks after the fields that mean something to the server. False: the field does not reach the application. */
  #special(name: string, role: Role, value: string, isRepeat: boolean): boolean {
    switch (role) {
      case 'dropped':
        return false;
      case 'underscored':
        // a field with dashes that comes later takes its place: of a variable that comes twice the last value counts
        return this.#fieldsByLower.get(this.#fields.get(name)!.dashed)?.lastSeen !== this.#request;
      case 'invalid':
        this.#refuse(`"${name}" is no header field name`);
        return false;
      case 'length':
        if (isRepeat) this.#refuse('two Content-Length');
        else if (!LENGTH.test(value)) this.#refuse(`Content-Length "${value}" is no number of bytes`);
        else if (this.framing.kind === 'chunked') this.#refuse('Content-Length beside Transfer-Encoding');
        else this.framing = { kind: 'length', bytes: Number(value) };
        return true;
      case 'coding':
        if (isRepeat) this.#refuse('two Transfer-Encoding');
        else if (value.toLowerCase() !== 'chunked') this.fault = new PeerError('PEER_UNKNOWN_CODING', value);
        else if (this.framing.kind === 'length') this.#refuse('Transfer-Encoding beside Content-Length');
        else this.framing = CHUNKED;
        return false; // the server undoes it; the application gets the length instead
      case 'host':
        if (isRepeat) this.#refuse('two Host');
        else if (!HOST.test(value)) this.#refuse(`Host "${value}" is no host and port`);
        this.#hasHost = true;
        this.host = value;
        return true;
      case 'expect':
        if (value.toLowerCase() === '100-continue') this.expectsContinue = true;
        else this.fault = new PeerError('PEER_EXPECTATION', value);
        return true;
      case 'connection':
        this.connection = isRepeat ? `${this.connection},${value}` : value;
        return true;
      case 'upgrade':
        this.hasUpgrade = true;
        return true;
      default:
        return true;
    }
  }

  /** The client sends nothing behind this request (RFC 9112 section 9.6). */
  get wantsClose(): boolean {
    const { connection } = this;
    return connection !== '' && connection !== 'keep-alive' && CLOSE.test(connection);
  }

  /** The client wants to speak another protocol behind this request (RFC 9110 section 7.8), which nothing here does. */
  get wantsUpgrade(): boolean {
    return this.hasUpgrade && UPGRADE.test(this.connection);
  }

  #refuse(why: string): void {
    this.fault = new PeerError('PEER_BAD_REQUEST', why);
  }

  /** The value that `variable` has in the block so far; '' when it is not there. Takes the block apart. */
  find(variable: string): string {
    const at = this.names.split('\0').lastIndexOf(variable);
    return at < 0 ? '' : this.values.split('\0')[at]!;
  }

  /** To be called behind the last field: checks what only the whole head shows. False when there is a fault. */
  complete(): boolean {
    if (this.fault !== undefined) return false;
    if (!this.#hasHost && this.#isHttp11) this.#refuse('HTTP/1.1 without Host');
    return this.fault === undefined;
  }

  /** An absolute-form target was used: its host takes the place of the Host field (RFC 9112 section 3.2.2), which has to be there all the same. */
  overrideHost(host: string): void {
    this.host = host;
    if (HOST.test(host)) this.add('HTTP_HOST', host);
    else this.#refuse(`the target's host "${host}" is no host and port`);
  }
}

/** What is no name. */
const INVALID: Field = { variable: '', role: 'invalid', dashed: '', lastSeen: 0 };
const HTTPOXY = 'HTTP_PROXY means something else in the environment of a process (httpoxy)';
const UNDERSCORE = 'an underscore could pass for a dash; see underscore-headers';

function describe(lower: string, allowUnderscores: boolean): Field {
  let role = ROLES.get(lower) ?? 'plain';
  const dashed = lower.replaceAll('_', '-');
  // X_Real_IP and X-Real-IP would become the same variable: who sends the first could pass for the proxy that sends the second
  if (dashed !== lower) {
    const isSafe = allowUnderscores && !ROLES.has(dashed) && dashed !== 'content-type';
    role = isSafe ? 'underscored' : 'dropped';
  }
  const upper = lower.toUpperCase().replaceAll('-', '_');
  const variable = role === 'length' || lower === 'content-type' ? upper : `HTTP_${upper}`;
  return { variable, role, dashed, lastSeen: 0 };
}

export const isToken = (text: string) => TOKEN.test(text);
export const isTarget = (text: string) => TARGET.test(text);

/** A request target taken apart: `path` is still escaped, `host` is there only in the absolute form. */
export interface Target {
  readonly path: string;
  /** Undefined when there is no `?`. */
  readonly query: string | undefined;
  readonly host: string | undefined;
}

/**
 * Takes a request target apart (RFC 9112 section 3.2): origin-form, absolute-form (http and https), and `*`, which
 * only OPTIONS may have. Undefined for everything else.
 */
export function parseTarget(target: string, method: string): Target | undefined {
  if (target === '*') return method === 'OPTIONS' ? { path: '*', query: undefined, host: undefined } : undefined;
  let host: string | undefined;
  let rest = target;
  if (!target.startsWith('/')) {
    const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target);
    if (absolute === null) return undefined;
    host = absolute[1]!;
    rest = absolute[2]!.startsWith('/') ? absolute[2]! : `/${absolute[2]!}`;
  }
  const question = rest.indexOf('?');
  return question < 0
    ? { path: rest, query: undefined, host }
    : { path: rest.slice(0, question), query: rest.slice(question + 1), host };
}

/**
 * PATH_INFO of an escaped path: one character per byte; what is no valid escape stays as it is, and like in uWSGI the
 * path ends at a `#`. Undefined when it holds a NUL.
 */
export function decodePath(path: string): string | undefined {
  const hash = path.indexOf('#');
  if (hash >= 0) path = path.slice(0, hash);
  if (!path.includes('%')) return path;
  if (path.includes('%00')) return undefined;
  return path.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
