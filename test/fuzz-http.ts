// Mutated HTTP requests against live servers: `npm run fuzz -- --http --requests 20000 --seed 1`.
//
// Each engine is measured by the strict reader of strict-http.ts: what the app sees of a connection must be the
// requests that the strict reader finds in the bytes, in order, none more, each with the same method, target, fields and
// body. Where uWebSockets.js cannot do that (docs/security.md), the exception is written down in `expected`.
// The clients of a batch come from an address each, so that the app can tell whose request it has.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { escaped } from '../src/base/log.js';
import { type Engine, request, startOn, type TestServer } from './e2e/harness.js';
import { type StrictRequest, strictRequests } from './strict-http.js';

const BATCH = 100;
/** How many of them are sent in one piece. */
const WHOLE = 0.5;
type Seen = Readonly<Record<string, string>>;

const host = 'Host: a\r\n';
const SEEDS: readonly string[] = [
  `GET / HTTP/1.1\r\n${host}\r\n`,
  `GET /a%20b?c=d HTTP/1.1\r\n${host}Accept: */*\r\nX-One: 1\r\nX-Two: 2\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
  `POST /p HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`,
  `PUT /c HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nX: y\r\n\r\na;n=v\r\n0123456789\r\n0\r\nT: 1\r\n\r\n`,
  `POST /e HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  `GET /1 HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n${host}\r\n`,
  `POST /1 HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n${host}\r\n`,
  `GET /old HTTP/1.0\r\n\r\n`,
  `GET /kept HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  `GET http://b/x?y HTTP/1.1\r\n${host}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
  `HEAD / HTTP/1.1\r\n${host}Cookie: a=1\r\nCookie: b=2\r\nX-Real-IP: 1\r\nX_Real_IP: 2\r\n\r\n`,
  `DELETE /d HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
  `GET /u HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
  `GET /\xc3\xa9 HTTP/1.1\r\n${host}X: \xc3\xa9t\xc3\xa9x\r\n\r\n`,
];

/** What a smuggler would put in. */
const PIECES: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '%00',
  '%',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '\xe2\x84\xaa',
  '_',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Content-Length : 3\r\n',
  'content_length: 1\r\n',
  'Content-Length: +1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding : chunked\r\n',
  'transfer-encoding:\tchunked\r\n',
  'Transfer-Encoding: xchunked\r\n',
  ' folded\r\n',
  ': nameless\r\n',
  'Host: b\r\n',
  'Host: a/b\r\n',
  'Expect: x\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'ffffffffffffffff\r\n',
  ' HTTP/1.1',
  ' HTTP/1.0',
  'HTTP/1.1\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Upgrade: x\r\n',
  'Proxy: x\r\n',
];

/** One of the seeds, or two behind each other, changed in none to five places. */
export function mutateHttp(random: () => number): string {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  let bytes = random() < 0.2 ? pick(SEEDS) + pick(SEEDS) : pick(SEEDS);
  for (let changes = below(6); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const lines = bytes.split('\r\n');
    const line = below(lines.length);
    switch (below(9)) {
      case 0:
        bytes = bytes.slice(0, at) + String.fromCharCode(below(256)) + bytes.slice(at + 1);
        break;
      case 1:
        bytes = bytes.slice(0, at) + pick(PIECES) + bytes.slice(at);
        break;
      case 2:
        bytes = bytes.slice(0, at) + bytes.slice(at + 1 + below(4));
        break;
      case 3: // at a line's beginning: where a field goes
        bytes = [...lines.slice(0, line), pick(PIECES).replace(/\r\n$/, ''), ...lines.slice(line)].join('\r\n');
        break;
      case 4: // a line twice
        bytes = [...lines.slice(0, line), lines[line]!, ...lines.slice(line)].join('\r\n');
        break;
      case 5: // a line end that is none
        bytes =
          lines.slice(0, line + 1).join('\r\n') +
          pick(['\n', '\r', '\r\r\n', '\n\n', '']) +
          lines.slice(line + 1).join('\r\n');
        break;
      case 6: // a digit
        bytes = bytes.replace(/[0-9](?=[^0-9]*$)/, () => String(below(10)));
        break;
      case 7: {
        // another case
        const word = lines[line]!;
        lines[line] =
          random() < 0.5
            ? word.replace(/[a-z]/g, (c) => c.toUpperCase())
            : word.replace(/[A-Z]/g, (c) => c.toLowerCase());
        bytes = lines.join('\r\n');
        break;
      }
      default:
        bytes = bytes.slice(0, at) + pick(SEEDS).slice(0, 1 + below(40)) + bytes.slice(at);
    }
  }
  return bytes;
}

/** How a connection's bytes came out, for statistics. */
type Outcome = 'served' | 'served in part' | 'refused';

/** The path and query by which the app knows a target in absolute form. */
function uriOf({ target }: StrictRequest): string {
  if (target.startsWith('/') || target === '*') return target;
  const rest = /^https?:\/\/[^/?#]+(.*)$/is.exec(target)![1]!;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Checks what the app saw against what was sent; throws when it should not have seen it. */
function compare(engine: Engine, bytes: string, seen: readonly Seen[]): Outcome {
  const strict = strictRequests(bytes, engine === 'uws' ? stripped : undefined);
  // a field without a name ends the head there (docs/security.md): from then on nothing holds
  if (engine === 'uws' && /\r\n[\t ]*:/.test(bytes)) return 'served in part';
  for (const [i, entry] of seen.entries()) {
    const wanted = strict[i];
    assert(wanted !== undefined, `request ${i + 1} is none: ${entry.REQUEST_METHOD} ${entry.REQUEST_URI}`);
    assert.equal(entry.REQUEST_METHOD, wanted.method);
    assert.equal(entry.REQUEST_URI, uriOf(wanted));
    compareFields(entry, wanted);
    const isLax = engine === 'uws' && wanted.isChunked; // it reads chunks as it likes, and nothing follows them
    if (isLax) assert.equal(i, seen.length - 1, 'a request was run behind a chunked one');
    else assert.equal(entry.body, wanted.body);
  }
  if (seen.length === 0) return 'refused';
  return seen.length === strict.length ? 'served' : 'served in part';
}

function compareFields(entry: Seen, wanted: StrictRequest): void {
  const expected = new Map<string, string>();
  for (const [name, values] of wanted.fields) {
    if (name.includes('_') || name === 'proxy' || name === 'transfer-encoding') continue;
    const isOwn = name === 'content-length' || name === 'content-type';
    const variable = `${isOwn ? '' : 'HTTP_'}${name.toUpperCase().replaceAll('-', '_')}`;
    expected.set(variable, values.join(name === 'cookie' ? '; ' : ', '));
  }
  const absolute = /^https?:\/\/([^/?#]+)/i.exec(wanted.target)?.[1];
  if (absolute !== undefined) expected.set('HTTP_HOST', absolute);
  for (const [name, value] of Object.entries(entry)) {
    if (name === 'CONTENT_LENGTH' && wanted.isChunked) continue; // the server's
    if (!/^(?:HTTP_|CONTENT_)/.test(name)) continue;
    const whole = expected.get(name);
    assert(whole !== undefined, `${name} was not sent`);
    assert.equal(value, whole, name);
    expected.delete(name);
  }
  assert.deepEqual([...expected.keys()], [], 'fields are missing');
}

/** What uWebSockets.js leaves of values: it loses bytes above 0x7f at their ends. */
const stripped = (value: string) => value.replace(/^[\x80-\xff\t ]+|[\x80-\xff\t ]+$/g, '');

/** One engine under fire. */
export class HttpTarget {
  readonly engine: Engine;
  readonly #server: TestServer;
  #clients = 0;

  private constructor(engine: Engine, server: TestServer) {
    this.engine = engine;
    this.#server = server;
  }

  static async start(engine: Engine): Promise<HttpTarget> {
    return new HttpTarget(engine, await startOn(engine, ['--wsgi-file', 'journal.py', '--disable-logging']));
  }

  async stop(): Promise<void> {
    const [trouble] = /^.*(?:defect|DAMN|Traceback|TypeError|died).*$/m.exec(this.#server.log) ?? [];
    assert.equal(trouble, undefined);
    await this.#server.stop();
  }

  /** Everything that the app has seen since the last time, by address. What was handed to it before is in it. */
  async #journal(): Promise<Record<string, Seen[]>> {
    return JSON.parse((await request(this.#server.port, '/journal')).body);
  }

  /**
   * Sends each of `texts` on a connection of its own, and compares what the app saw of it. `cuts`: after so many bytes
   * of each the rest waits until what came before has been read, and answered where it is a request.
   */
  async fire(texts: readonly string[], cuts: readonly number[]): Promise<Outcome[]> {
    const clients = await Promise.all(texts.map((text, i) => this.#send(text.slice(0, cuts[i]))));
    const journals = [await this.#journal()]; // whatever has come is read by now, and handed to the one worker
    await Promise.all(clients.map(({ socket }, i) => write(socket, texts[i]!.slice(cuts[i]))));
    journals.push(await this.#journal(), await this.#journal());
    const outcomes = clients.map(({ from }, i) => {
      const seen = journals.flatMap((journal) => journal[from] ?? []);
      try {
        return compare(this.engine, texts[i]!, seen);
      } catch (error) {
        throw new Error(`${this.engine}: "${escaped(texts[i]!)}": ${(error as Error).message}`);
      }
    });
    for (const { socket } of clients) socket.destroy();
    return outcomes;
  }

  async #send(text: string): Promise<{ socket: Socket; from: string }> {
    this.#clients = (this.#clients + 1) % (1 << 20);
    const from = `127.${1 + (this.#clients >> 16)}.${(this.#clients >> 8) & 255}.${this.#clients & 255}`;
    const socket = connect({ port: this.#server.port, host: '127.0.0.1', localAddress: from });
    socket.on('error', () => {}); // it may be refused in the middle
    socket.resume();
    await once(socket, 'connect');
    await write(socket, text);
    return { socket, from };
  }
}

/** Resolves when the kernel has all of `text`, or the connection is closed. */
async function write(socket: Socket, text: string): Promise<void> {
  if (text !== '') await new Promise<void>((resolve) => socket.write(text, 'latin1', () => resolve()));
}

/** Fires `requests` mutated ones at each of `engines`; returns how they came out. */
export async function fuzzHttp(
  engines: readonly Engine[],
  requests: number,
  random: () => number,
): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  const targets = await Promise.all(engines.map((engine) => HttpTarget.start(engine)));
  for (let sent = 0; sent < requests; sent += BATCH) {
    const texts = Array.from({ length: Math.min(BATCH, requests - sent) }, () => mutateHttp(random));
    const cuts = texts.map((text) => (random() < WHOLE ? text.length : Math.floor(random() * text.length)));
    for (const target of targets) {
      for (const outcome of await target.fire(texts, cuts)) {
        const key = `${target.engine}: ${outcome}`;
        outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      }
    }
  }
  await Promise.all(targets.map((target) => target.stop()));
  return outcomes;
}
