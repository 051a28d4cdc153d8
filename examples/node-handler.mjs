// Runs what is written for node:http, (request, response), as an app of nuwsgi: Express, Connect, or a plain handler.
//
//     import { fromNodeHandler } from './node-handler.mjs';
//     export const application = fromNodeHandler(express().get('/', ...));
//
// The handler gets a real IncomingMessage and a real ServerResponse. What the response writes to its connection is taken
// apart into head and body; the body is streamed, and the handler is slowed down when the client is.

import { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';

const END_OF_HEAD = '\r\n\r\n';

/** @param {(request: IncomingMessage, response: ServerResponse) => void} handler @returns {import('nuwsgi').Application} */
export function fromNodeHandler(handler) {
  return (env, startResponse) => {
    const connection = new Connection(env);
    const request = requestOf(env, connection);
    const response = new ServerResponse(request);
    response.useChunkedEncodingByDefault = false; // nuwsgi frames the body
    response.shouldKeepAlive = false;
    response.sendDate = false;
    response.assignSocket(connection);
    connection.on('drain', () => response.emit('drain')); // which http.Server does otherwise
    response.on('finish', () => connection.end());
    handler(request, response);
    return connection.answer(startResponse);
  };
}

/** The other end of a response: takes the bytes that it writes. */
class Connection extends Duplex {
  #env;
  #head = '';
  /** The lines of the head, when it is there. */
  #lines;
  #onHead;
  #chunks = [];
  #isComplete = false;
  /** Calls to go on: of the handler, when the last chunk is taken; of the reader, when there is one. */
  #taken = () => {};
  #come = () => {};

  constructor(env) {
    super({ highWaterMark: 65536 });
    this.#env = env;
    this.#lines = new Promise((resolve) => {
      this.#onHead = resolve;
    });
  }

  get remoteAddress() {
    return this.#env.REMOTE_ADDR;
  }

  get encrypted() {
    return this.#env['wsgi.url_scheme'] === 'https';
  }

  setTimeout() {
    return this;
  }

  _read() {}

  _write(chunk, _encoding, done) {
    let body = chunk;
    if (this.#onHead !== undefined) {
      this.#head += chunk.toString('latin1');
      const end = this.#head.indexOf(END_OF_HEAD);
      if (end < 0) return done();
      body = Buffer.from(this.#head.slice(end + END_OF_HEAD.length), 'latin1');
      this.#onHead(this.#head.slice(0, end).split('\r\n'));
      this.#onHead = undefined;
    }
    if (body.length === 0) return done();
    this.#chunks.push(body);
    this.#taken = done;
    this.#come();
  }

  _final(done) {
    this.#isComplete = true;
    this.#come();
    done();
  }

  /** Sends the head when it is there; gives the body. */
  async answer(startResponse) {
    const [statusLine, ...fields] = await this.#lines;
    const headers = fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    });
    startResponse(
      statusLine.slice(statusLine.indexOf(' ') + 1),
      headers.filter(([name]) => !/^(?:connection|keep-alive|transfer-encoding)$/i.test(name)),
    );
    return this.#body();
  }

  async *#body() {
    try {
      for (;;) {
        while (this.#chunks.length > 0) {
          yield this.#chunks.shift();
          this.#taken();
        }
        if (this.#isComplete) return;
        await new Promise((resolve) => {
          this.#come = resolve;
        });
      }
    } finally {
      this.destroy(); // the client went away: the handler's response gets its 'close'
    }
  }
}

/** The request as node:http would have made it. */
function requestOf(env, connection) {
  const request = new IncomingMessage(connection);
  request.method = env.REQUEST_METHOD;
  request.url = env.REQUEST_URI.slice(env.SCRIPT_NAME.length) || '/';
  request.httpVersion = env.SERVER_PROTOCOL.slice('HTTP/'.length);
  [request.httpVersionMajor, request.httpVersionMinor] = request.httpVersion.split('.').map(Number);
  for (const [name, value] of Object.entries(env)) {
    const isField = name.startsWith('HTTP_') || name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH';
    if (!isField || value === '') continue;
    const field = name
      .replace(/^HTTP_/, '')
      .replaceAll('_', '-')
      .toLowerCase();
    request.headers[field] = value;
    request.rawHeaders.push(field, value);
  }
  env['wsgi.input'].on('data', (chunk) => request.push(chunk)).on('end', () => request.push(null));
  request.complete = true;
  return request;
}
