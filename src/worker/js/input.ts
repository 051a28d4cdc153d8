// The request body as a JS app reads it: a stream over bytes of the slot, or over the file the body was spooled into.
//
// Made only when an app asks for it: most requests have no body, and a stream costs as much as the rest of a request.
// A spooled file is opened anew, so that the stream has a descriptor and a position of its own. At once and not when the
//   stream gets round to it: once the request is answered, the server's descriptor may be that of another request's body.
// Decided elsewhere: when a body is spooled (listeners/request-body.ts).

import { createReadStream, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { RequestInput } from './api.js';

const READERS = {
  async bytes(this: Readable): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk as Uint8Array);
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  },
  async text(this: RequestInput): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  },
  async json(this: RequestInput): Promise<unknown> {
    return JSON.parse(await this.text());
  },
};

/** The body of one request: where it is, and the stream over it once somebody has asked for that. */
export class InputSource {
  readonly #data: Uint8Array;
  readonly #fd: number;
  #input: RequestInput | undefined;
  #isOver = false;

  /** `data`: bytes that may be kept. `fd`: descriptor, in this process, of the file that holds the body; -1: none. */
  constructor(data: Uint8Array, fd: number) {
    this.#data = data;
    this.#fd = fd;
  }

  /** The stream; always the same one. Throws when it is first asked for after the request was answered. */
  get input(): RequestInput {
    this.#input ??= Object.assign(this.#fd < 0 ? inMemory(this.#data) : this.#spooled(), READERS);
    return this.#input;
  }

  #spooled(): Readable {
    if (this.#isOver) throw new Error('wsgi.input cannot be read any more: the request has been answered');
    return createReadStream('', { fd: openSync(`/proc/self/fd/${this.#fd}`, 'r') });
  }

  /** The request is over: gives up the file, whether it was read to its end or not. */
  end(): void {
    this.#isOver = true;
    if (this.#fd >= 0) this.#input?.destroy();
  }
}

function inMemory(data: Uint8Array): Readable {
  return new Readable({
    read() {
      if (data.length > 0) this.push(data);
      this.push(null);
    },
  });
}
