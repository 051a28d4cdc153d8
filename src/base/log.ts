// The log: lines that go to stderr, written in batches so that no request waits for whoever reads them.
//
// Nothing a client sent goes in unescaped: use `printable` for it.
// Decided elsewhere: what is logged (observe/, lifecycle/).

import { writeSync } from 'node:fs';
import sonicBoom from 'sonic-boom';

/** What may wait for a slow reader; beyond it lines are dropped, and counted. */
const MOST_WAITING_BYTES = 8 << 20;
const STDERR_FD = 2;
/** How much of a client's text a line may hold. */
const PRINTABLE_CHARS = 200;

export interface Log {
  /** Writes `text` as a line, or as several if it has several. */
  line(text: string): void;
  /** Lines that were dropped because nobody took them. */
  readonly dropped: number;
  /** Writes what waits, without returning to the event loop. For the end of the process. */
  flush(): void;
}

/** The log on stderr. */
export function openLog(): Log {
  const stream = new sonicBoom.SonicBoom({ fd: STDERR_FD, sync: false, minLength: 0, maxLength: MOST_WAITING_BYTES });
  let dropped = 0;
  let isBroken = false;
  stream.on('drop', () => dropped++);
  stream.on('error', () => {
    isBroken = true; // the reader has gone: the server goes on without it
  });
  return {
    line(text) {
      if (isBroken) dropped++;
      else stream.write(`${text}\n`);
    },
    get dropped() {
      return dropped;
    },
    flush() {
      try {
        if (!isBroken) stream.flushSync();
      } catch {
        // the reader has gone, or takes nothing: there is nobody left to tell
      }
    },
  };
}

/** Writes to stderr at once: for what is said before there is a log, or when the process ends. */
export function sayNow(text: string): void {
  try {
    writeSync(STDERR_FD, `${text}\n`);
  } catch {
    // nobody listens
  }
}

/** `text` fit for a log line: at most 200 characters, control characters and what is not ASCII as \xNN. */
export function printable(text: string): string {
  const cut = text.length > PRINTABLE_CHARS ? `${text.slice(0, PRINTABLE_CHARS)}...` : text;
  return cut.replace(/[^\x20-\x7e]|\\/g, (c) =>
    c === '\\' ? '\\\\' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
