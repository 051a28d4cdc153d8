// What every part of the server knows of the log: how to say a line, and how to make a client's text fit for one.
//
// Nothing a client sent goes in unescaped: use `printable` for it.
// Decided elsewhere: what is logged (observe/, lifecycle/), where the lines go (observe/log/).

import { writeSync } from 'node:fs';

const STDERR_FD = 2;
/** How much of a client's text a message may hold. */
const PRINTABLE_CHARS = 200;

export interface Log {
  /** Writes a message of the server; one that has several lines becomes several. */
  line(text: string): void;
  /** Writes a line that an app printed. `source` says which worker it is from. */
  output(source: string, text: string): void;
}

/** Writes to stderr at once: for what is said before there is a log, or when the process ends. */
export function sayNow(text: string): void {
  try {
    writeSync(STDERR_FD, `${text}\n`);
  } catch {
    // nobody listens
  }
}

/** `text` with every character that is not printable ASCII as \xNN or \uNNNN, and a backslash doubled. */
export function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]|\\/g, (c) => {
    if (c === '\\') return '\\\\';
    const hex = c.charCodeAt(0).toString(16);
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
}
/** The most characters that `escaped` makes of one. */
export const ESCAPED_CHARS = 6;

/** `text` fit for a message: escaped, and at most 200 characters of it. */
export function printable(text: string): string {
  return escaped(text.length > PRINTABLE_CHARS ? `${text.slice(0, PRINTABLE_CHARS)}...` : text);
}
