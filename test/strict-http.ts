// What RFC 9112 says about the bytes of a connection, read as strictly as it may be: the measure for the fuzzer.
//
// Knows nothing of the server. What it takes is the most that an engine may hand to an app; an engine may take less.
// Source: RFC 9110 sections 5.5, 7.2 and 10.1.1; RFC 9112 sections 2.2, 3, 5, 6, 7 and 9.6.

export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  readonly isHttp11: boolean;
  /** By name in lower case, with all values. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly isChunked: boolean;
  /** Undefined: the body is broken, or does not come to its end. */
  readonly body: string | undefined;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
// more than one space is not as it should be, but leaves no doubt (section 3)
const REQUEST_LINE = new RegExp(`^(${TOKEN}) +([\\x21-\\x7e\\x80-\\xff]+) +HTTP/1\\.([01])$`);
const FIELD = new RegExp(
  `^(${TOKEN}):[\\t ]*((?:[\\x21-\\x7e\\x80-\\xff](?:[\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[\\t ]*$`,
);
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const CHUNK = new RegExp(`^([0-9A-Fa-f]+)(?:[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED})?)?)*$`);
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?$/;
const LARGEST_BODY = Number.MAX_SAFE_INTEGER;

/** The bytes, with a position. */
class Reader {
  at = 0;
  readonly #bytes: string;

  constructor(bytes: string) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** The next line, without the CRLF that ends it; undefined when there is none. A CR or LF alone is part of it. */
  line(): string | undefined {
    const end = this.#bytes.indexOf('\r\n', this.at);
    if (end < 0) return undefined;
    const line = this.#bytes.slice(this.at, end);
    this.at = end + 2;
    return line;
  }

  skipLineEnds(): void {
    while (this.#bytes[this.at] === '\r' || this.#bytes[this.at] === '\n') this.at++;
  }

  /** The next `count` bytes; undefined when there are fewer. */
  take(count: number): string | undefined {
    if (this.at + count > this.#bytes.length) return undefined;
    this.at += count;
    return this.#bytes.slice(this.at - count, this.at);
  }
}

/**
 * The requests that `bytes` (latin-1) hold, up to the first that must be refused, or that is the last. `readValue` says
 * what a field's value means to an engine that changes it.
 */
export function strictRequests(bytes: string, readValue = (value: string) => value): StrictRequest[] {
  const reader = new Reader(bytes);
  const requests: StrictRequest[] = [];
  while (!reader.isAtEnd) {
    const request = strictRequest(reader, readValue);
    if (request === undefined) return requests;
    requests.push(request);
    if (request.body === undefined || isLast(request)) return requests;
  }
  return requests;
}

function strictRequest(reader: Reader, readValue: (value: string) => string): StrictRequest | undefined {
  reader.skipLineEnds(); // empty lines in front of a request (section 2.2)
  const line = reader.line();
  const match = line === undefined ? null : REQUEST_LINE.exec(line);
  if (match === null) return undefined;
  const [, method, target] = match as unknown as [string, string, string];
  const isHttp11 = match[3] === '1';
  const fields = strictFields(reader, readValue);
  if (fields === undefined || !isTarget(method, target) || !isSound(fields, isHttp11)) return undefined;
  const isChunked = fields.has('transfer-encoding');
  if (isChunked) return { method, target, isHttp11, fields, isChunked, body: chunkedBody(reader) };
  const length = fields.get('content-length')?.[0] ?? '0';
  const body = Number(length) > LARGEST_BODY ? undefined : reader.take(Number(length));
  return { method, target, isHttp11, fields, isChunked, body };
}

function strictFields(reader: Reader, readValue = (value: string) => value): Map<string, string[]> | undefined {
  const fields = new Map<string, string[]>();
  for (;;) {
    const line = reader.line();
    if (line === undefined) return undefined;
    if (line === '') return fields;
    const match = FIELD.exec(line);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), readValue(match[2]!)]);
  }
}

function isTarget(method: string, target: string): boolean {
  if (method === 'CONNECT') return false;
  if (target === '*') return method === 'OPTIONS';
  if (target.startsWith('/')) return true;
  const host = /^https?:\/\/([^/?#]+)/i.exec(target)?.[1];
  return host !== undefined && HOST.test(host);
}

/** Whether there is no more than one answer to the questions which host is meant, and where the body ends. */
function isSound(fields: ReadonlyMap<string, readonly string[]>, isHttp11: boolean): boolean {
  const hosts = fields.get('host') ?? [];
  if (hosts.length > 1 || (hosts.length === 0 && isHttp11) || !hosts.every((host) => HOST.test(host))) return false;
  const lengths = fields.get('content-length') ?? [];
  const codings = fields.get('transfer-encoding') ?? [];
  if (lengths.length + codings.length > 1) return false;
  if (!lengths.every((length) => /^[0-9]+$/.test(length))) return false;
  if (!codings.every((coding) => coding.toLowerCase() === 'chunked')) return false;
  return (fields.get('expect') ?? []).every((expectation) => expectation.toLowerCase() === '100-continue');
}

function chunkedBody(reader: Reader): string | undefined {
  let body = '';
  for (;;) {
    const size = CHUNK.exec(reader.line() ?? '')?.[1];
    if (size === undefined) return undefined;
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) return strictFields(reader) === undefined ? undefined : body;
    const data = reader.take(bytes);
    if (data === undefined || reader.take(2) !== '\r\n') return undefined;
    body += data;
  }
}

/** Whether the client says that nothing follows. */
function isLast({ isHttp11, fields }: StrictRequest): boolean {
  const options = (fields.get('connection') ?? [])
    .join(',')
    .toLowerCase()
    .split(/[\t ,]+/);
  return options.includes('close') || (!isHttp11 && !options.includes('keep-alive'));
}
