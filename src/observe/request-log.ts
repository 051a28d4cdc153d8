// The request log: uWSGI's default line, field by field, so that what reads uWSGI's logs reads these.
//
//   [pid: 4711|app: 0|req: 3/17] 127.0.0.1 () {28 vars in 305 bytes} [Mon Nov 23 01:12:00 2026] GET / => generated 13
//   bytes in 0 msecs (HTTP/1.1 200) 1 headers in 44 bytes (1 switches on core 0)      (one line)
//
// What a client sent goes in escaped, so no request can forge a line.
// Decided elsewhere: where the lines go (base/log.ts).

import { printable } from '../base/log.js';
import type { ExchangeRecord } from '../dispatch/exchange.js';

/** "HTTP/1.1 " in front of the head and the CRLF CRLF behind it, which the record does not count. */
const STATUS_LINE_BYTES = 13;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Local time as C's ctime writes it: "Mon Nov 23 01:12:00 2026". */
export function ctime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = String(date.getDate()).padStart(2, ' ');
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${time} ${date.getFullYear()}`;
}

/** Who answered, and as which of its requests. */
export interface Answerer {
  /** Process id of the worker. */
  readonly pid: number;
  /** Index of the app. */
  readonly app: number;
  /** Requests of this worker, and of the whole server, this one included. */
  readonly ofWorker: number;
  readonly ofServer: number;
}

/** The line for a request that was answered at `nowMs`, on the clock of performance.now(). */
export function requestLine(record: ExchangeRecord, who: Answerer, nowMs: number, date: string): string {
  const ms = Math.round(nowMs - record.arrivedAtMs);
  const via = record.via === '' ? '' : `via ${record.via}() `;
  return (
    `[pid: ${who.pid}|app: ${who.app}|req: ${who.ofWorker}/${who.ofServer}] ${record.peer} () ` +
    `{${record.variables * 2} vars in ${record.environBytes} bytes} [${date}] ` +
    `${printable(record.method)} ${printable(record.target)} => generated ${record.bodyBytes} bytes in ${ms} msecs ${via}` +
    `(${record.protocol} ${record.status}) ${record.fields} headers in ${record.headBytes + STATUS_LINE_BYTES} bytes ` +
    `(1 switches on core ${record.core})`
  );
}

/** `ctime` of now, made once a second. */
export class Clock {
  #second = 0;
  #text = '';

  get text(): string {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = ctime(new Date(second * 1000));
    }
    return this.#text;
  }
}
