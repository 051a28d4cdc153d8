// Log lines as bytes, one behind the other, on their way to a file.
//
// Why bytes and not strings: a request line has some thirty parts, which as a string become thirty objects that live
//   until the batch is written. As bytes a line leaves no object behind, what must not be in a line is found in the pass
//   that copies it, and lines that are much alike cost half (native-bench/micro/request-line.ts).
// Decided elsewhere: what a line says (request-line.ts), when the bytes are written (line-writer.ts).

import { escaped } from '../../base/log.js';

const ZERO = 0x30;
const SPACE = 0x20;
const TILDE = 0x7e;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
/** Up to here a loop is quicker than a call into V8. */
const SHORT_BYTES = 32;
/** Integers up to here are taken apart with 32-bit arithmetic. */
const MOST_INT = 0x7fffffff;

/** `text` as the bytes that `LineBuffer.raw` takes. For what is the same in many lines. */
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

export class LineBuffer {
  bytes: Buffer;
  length = 0;
  lines = 0;

  constructor(bytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** Makes room for `bytes` more, at least twice what there was. */
  grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + bytes));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  clear(): void {
    this.length = 0;
    this.lines = 0;
  }

  // The caller has made room for what the calls below put.

  raw(bytes: Uint8Array): void {
    const to = this.bytes;
    const { length } = bytes;
    if (length > SHORT_BYTES) {
      to.set(bytes, this.length);
    } else {
      const at = this.length;
      for (let i = 0; i < length; i++) to[at + i] = bytes[i]!;
    }
    this.length += length;
  }

  /** A whole number from 0 on. */
  int(value: number): void {
    if (value < 10) {
      this.bytes[this.length++] = ZERO + value;
      return;
    }
    if (value > MOST_INT) {
      this.length += this.bytes.write(String(value), this.length, 'latin1');
      return;
    }
    const { bytes } = this;
    let end = this.length + digits(value);
    this.length = end;
    let rest = value | 0;
    do {
      const tenth = (rest / 10) | 0;
      bytes[--end] = ZERO + rest - tenth * 10;
      rest = tenth;
    } while (rest > 0);
  }

  /** Text of a client: printable ASCII as it is, anything else as `escaped` has it. Room for ESCAPED_CHARS bytes per character. */
  safe(text: string): void {
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < SPACE || code > TILDE || code === BACKSLASH) {
        this.length += bytes.write(escaped(text), this.length, 'latin1');
        return;
      }
      bytes[at++] = code;
    }
    this.length = at;
  }

  /** Any text, as UTF-8: up to three bytes per character. */
  text(text: string): void {
    this.length += this.bytes.write(text, this.length, 'utf8');
  }

  /** The end of a line. */
  end(): void {
    this.bytes[this.length++] = NEWLINE;
    this.lines++;
  }
}

function digits(value: number): number {
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}
