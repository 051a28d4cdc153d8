// The three ways to a server: the two HTTP engines and the uwsgi socket, with one face, for tests that hold on all.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { packetOf } from '../../src/wire/uwsgi.js';
import { open, parseAnswers, type RawAnswer, type StartOptions, startServer, type TestServer } from './harness.js';

const WAIT_TIMEOUT_MS = 20_000;

export interface Front {
  readonly name: string;
  /** How the server is told to listen. */
  readonly args: readonly string[];
  readonly isUwsgi: boolean;
}

export const FRONTS: readonly Front[] = [
  { name: 'uWebSockets.js', args: ['--http', '127.0.0.1:0', '--http-engine', 'uws'], isUwsgi: false },
  { name: 'node:http', args: ['--http', '127.0.0.1:0', '--http-engine', 'node'], isUwsgi: false },
  { name: 'the uwsgi socket', args: ['--socket', '127.0.0.1:0'], isUwsgi: true },
];

/** Starts an app that listens on `front` alone. */
export function startBehind(front: Front, args: readonly string[], options: StartOptions = {}): Promise<TestServer> {
  return startServer([...front.args, ...args], options);
}

export interface Ask {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A request as bytes, in the front's protocol. `path` may have a query. */
export function encode(front: Front, path: string, { method = 'GET', fields = {}, body = '' }: Ask = {}): Buffer {
  const data = Buffer.from(body as string);
  const hasBody = data.length > 0;
  if (!front.isUwsgi) {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
    if (hasBody) lines.push(`Content-Length: ${data.length}`);
    const head = [`${method} ${path} HTTP/1.1`, 'Host: test', ...lines, '', ''].join('\r\n');
    return Buffer.concat([Buffer.from(head, 'latin1'), data]);
  }
  const [pathInfo, query = ''] = path.split('?');
  const variables: [string, string][] = [
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', path],
    ['PATH_INFO', pathInfo!],
    ['QUERY_STRING', query],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['SERVER_NAME', 'test'],
    ['SERVER_PORT', '80'],
    ['CONTENT_LENGTH', hasBody ? String(data.length) : ''],
  ];
  for (const [name, value] of Object.entries(fields)) {
    const key = name.toUpperCase().replaceAll('-', '_');
    variables.push([key === 'CONTENT_TYPE' ? key : `HTTP_${key}`, value]);
  }
  return Buffer.concat([packetOf(variables), data]);
}

/** A connection whose bytes are looked at as they come. Text is latin-1. */
export class Client {
  bytes = '';
  /** The server has ended its side. */
  ended = false;
  readonly socket: Socket;
  readonly #isHead: boolean;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket, isHead: boolean) {
    this.socket = socket;
    this.#isHead = isHead;
    socket.on('data', (chunk) => {
      this.bytes += chunk.toString('latin1');
      this.#look();
    });
    socket.on('error', () => {}); // 'close' follows
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.ended = true;
        this.#look();
      });
    }
  }

  /** Connects and asks. */
  static async ask(front: Front, port: number, path: string, ask: Ask = {}): Promise<Client> {
    const client = new Client(await open(port), ask.method === 'HEAD');
    client.socket.write(encode(front, path, ask));
    return client;
  }

  /** Connects and sends `bytes`, which may be the beginning of a request. */
  static async send(port: number, bytes: Uint8Array): Promise<Client> {
    const client = new Client(await open(port), false);
    client.socket.write(bytes);
    return client;
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** Waits until `condition` holds of what has come. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const got = JSON.stringify(this.bytes.slice(0, 500));
        reject(new Error(`${what} did not come; ended: ${this.ended}, so far: ${got}`));
      }, WAIT_TIMEOUT_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits until `text` has come. */
  sees(text: string): Promise<void> {
    return this.until(() => this.bytes.includes(text), JSON.stringify(text));
  }

  #parse(): RawAnswer | undefined {
    return parseAnswers(this.bytes, this.#isHead, this.ended).find((answer) => answer.status >= 200);
  }

  /** Waits for the whole answer, or for the end of the connection, and closes. `complete` says which it was. */
  async answer(): Promise<RawAnswer> {
    await this.until(() => this.ended || this.#parse()?.complete === true, 'an answer');
    this.socket.destroy();
    const answer = this.#parse();
    assert(answer !== undefined, `no answer, but ${JSON.stringify(this.bytes.slice(0, 200))}`);
    return answer;
  }

  /** Goes away in the middle, as a browser does. */
  async leave(): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) await once(this.socket, 'close');
  }

  /** Goes away so that the server cannot take it for a client that has only nothing more to say. */
  async reset(): Promise<void> {
    this.socket.resetAndDestroy();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}

/** One request on a connection of its own, and its answer. */
export async function ask(front: Front, port: number, path: string, options: Ask = {}): Promise<RawAnswer> {
  return (await Client.ask(front, port, path, options)).answer();
}
