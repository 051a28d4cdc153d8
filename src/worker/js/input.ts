// The request body as a JS app reads it: a stream over bytes of the slot, or over the file the body was spooled into.
//
// Made only when an app asks for it: most requests have no body, and a stream costs as much as the rest of a request.
// A spooled file is opened anew, so that the stream has a descriptor and a position of its own, whatever becomes of
//   the server's (which is closed as soon as the answer is complete).
// Decided elsewhere: when a body is spooled (listeners/request-body.ts).

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { RequestInput } from './api.js';

/** Where the body is: bytes that may be kept, or a descriptor of this process (-1: none). */
export interface InputSource {
  readonly data: Uint8Array;
  readonly fd: number;
}

class Input extends Readable implements RequestInput {
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterator<Uint8Array>) {
    super();
    this.#source = source;
  }

  override _read(): void {
    this.#source.next().then(
      ({ done, value }) => this.push(done ? null : value),
      (error: Error) => this.destroy(error),
    );
  }

  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk as Uint8Array);
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  if (data.length > 0) yield data;
}

export function openInput(source: InputSource): RequestInput {
  if (source.fd < 0) return new Input(once(source.data));
  return new Input(createReadStream(`/proc/self/fd/${source.fd}`)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>);
}
