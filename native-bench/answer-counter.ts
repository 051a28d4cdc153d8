// How many answers have come on one connection, told from their bytes. Pure.
//
// Why not an HTTP client: the probe must see when each answer is complete and send the next request itself, on 64
//   connections at once, whatever way the server ends its answers: a length, chunks, or the end of the connection.
// It is no parser to build on: it believes the server.

const HEAD_END = '\r\n\r\n';

type Rest =
  | { readonly kind: 'head' | 'untilClose' | 'chunkSize' | 'trailer' }
  | { readonly kind: 'body' | 'chunk'; bytes: number };

export class AnswerCounter {
  #buffered = '';
  #rest: Rest = { kind: 'head' };

  /** Takes bytes that came. Returns how many answers became complete by them. */
  feed(data: Buffer): number {
    this.#buffered += data.toString('latin1');
    let answers = 0;
    for (;;) {
      const step = this.#step();
      if (step === 'wait') return answers;
      if (step === 'answer') {
        answers++;
        this.#rest = { kind: 'head' };
      }
    }
  }

  /** The connection has ended. Returns 1 when that completes an answer. */
  end(): number {
    return this.#rest.kind === 'untilClose' ? 1 : 0;
  }

  #step(): 'wait' | 'on' | 'answer' {
    const rest = this.#rest;
    switch (rest.kind) {
      case 'head': {
        const head = this.#takeUntil(HEAD_END);
        if (head === undefined) return 'wait';
        this.#rest = restAfter(head);
        return 'on';
      }
      case 'body':
      case 'chunk': {
        const taken = Math.min(rest.bytes, this.#buffered.length);
        rest.bytes -= taken;
        this.#buffered = this.#buffered.slice(taken);
        if (rest.bytes > 0) return 'wait';
        if (rest.kind === 'body') return 'answer';
        this.#rest = { kind: 'chunkSize' };
        return 'on';
      }
      case 'chunkSize': {
        const line = this.#takeUntil('\r\n');
        if (line === undefined) return 'wait';
        const bytes = Number.parseInt(line, 16);
        this.#rest = bytes > 0 ? { kind: 'chunk', bytes: bytes + 2 } : { kind: 'trailer' }; // CRLF follows the chunk
        return 'on';
      }
      case 'trailer': {
        const line = this.#takeUntil('\r\n');
        if (line === undefined) return 'wait';
        return line === '' ? 'answer' : 'on';
      }
      case 'untilClose':
        this.#buffered = '';
        return 'wait';
    }
  }

  /** The buffered text up to `end`, which is dropped; undefined when `end` has not come yet. */
  #takeUntil(end: string): string | undefined {
    const at = this.#buffered.indexOf(end);
    if (at < 0) return undefined;
    const taken = this.#buffered.slice(0, at);
    this.#buffered = this.#buffered.slice(at + end.length);
    return taken;
  }
}

function restAfter(head: string): Rest {
  if (/\r\nTransfer-Encoding:\s*chunked/i.test(head)) return { kind: 'chunkSize' };
  const length = /\r\nContent-Length:\s*(\d+)/i.exec(head)?.[1];
  return length === undefined ? { kind: 'untilClose' } : { kind: 'body', bytes: Number(length) };
}
