// The request log's default line: uWSGI's, field by field, so that what reads uWSGI's logs reads these.
//
//   [pid: 4711|app: 0|req: 3/17] 127.0.0.1 () {28 vars in 305 bytes} [Mon Nov 23 01:12:00 2026] GET / => generated 13
//   bytes in 0 msecs (HTTP/1.1 200) 1 headers in 44 bytes (1 switches on core 0)      (one line)
//
// What a client sent goes in escaped, so no request can forge a line.
// Decided elsewhere: which requests get a line (request-log.ts), lines of another form (log-format.ts).

import { ESCAPED_CHARS } from '../../base/log.js';
import { ctime, SecondClock } from './calendar.js';
import { bytesOf, type LineBuffer } from './line-buffer.js';
import type { LoggedRequest } from './logged-request.js';

/** Everything in a line that is not a client's text. */
const FIXED_CHARS = 512;

// biome-ignore format: a table
const PART = {
  pid:     bytesOf('[pid: '),
  app:     bytesOf('|app: '),
  none:    bytesOf('-1'),
  req:     bytesOf('|req: '),
  of:      bytesOf('/'),
  peer:    bytesOf('] '),
  user:    bytesOf(' ('),
  vars:    bytesOf(') {'),
  bytes:   bytesOf(' vars in '),
  date:    bytesOf(' bytes} ['),
  method:  bytesOf('] '),
  space:   bytesOf(' '),
  body:    bytesOf(' => generated '),
  in:      bytesOf(' bytes in '),
  msecs:   bytesOf(' msecs ('),
  micros:  bytesOf(' micros ('),
  fields:  bytesOf(') '),
  head:    bytesOf(' headers in '),
  switches: bytesOf(' bytes ('),
  core:    bytesOf(' switches on core '),
  end:     bytesOf(')'),
} as const;

/** " msecs via sendfile() (": an answer that no worker gave. */
function via(unit: Uint8Array, what: string): Uint8Array {
  return bytesOf(`${Buffer.from(unit).toString('latin1', 0, unit.length - 1)}via ${what}() (`);
}

/** How many bytes the line for `request` has at most. */
export function mostBytes({ record, address }: LoggedRequest): number {
  const { user, method, target, protocol } = record;
  const chars = address.length + user.length + method.length + target.length + protocol.length;
  return FIXED_CHARS + ESCAPED_CHARS * chars;
}

/** Puts the line, without its end, into a buffer that has room for it. */
export type PutLine = (out: LineBuffer, request: LoggedRequest) => void;

/** What the line is written by. `inMicros`: --log-micros. */
export function defaultLine(inMicros: boolean): PutLine {
  const date = new SecondClock((now) => bytesOf(ctime(now)));
  const who = new WhoAsked();
  const answer = new HowAnswered();
  const unit = inMicros ? PART.micros : PART.msecs;
  const perMs = inMicros ? 1000 : 1;
  return (out, request) => {
    const { record, app } = request;
    out.raw(PART.pid);
    out.int(request.pid);
    out.raw(PART.app);
    if (app < 0) out.raw(PART.none);
    else out.int(app);
    out.raw(PART.req);
    if (app < 0) out.raw(PART.none);
    else out.int(request.ofWorker);
    out.raw(PART.of);
    out.int(request.ofServer);
    who.put(out, request, date.at(request.nowMs));
    out.safe(record.method);
    out.raw(PART.space);
    out.safe(record.target);
    out.raw(PART.body);
    out.int(record.bodyBytes);
    out.raw(PART.in);
    out.int(Math.floor((request.nowMs - record.arrivedAtMs) * perMs));
    out.raw(record.via === '' ? unit : via(unit, record.via));
    answer.put(out, request);
  };
}

// The two stretches below are often the same as in the lines before. When they are so for the second time they are kept as
// bytes, and put in one piece from then on, which halves the cost of a line. Where they differ from line to line, all
// that is lost is the comparison.

/** `] 127.0.0.1 () {28 vars in 305 bytes} [Mon Nov 23 01:12:00 2026] ` */
class WhoAsked {
  readonly #kept = new KeptBytes();
  #address = '';
  #user = '';
  #variables = -1;
  #environBytes = -1;
  #date: Uint8Array | undefined;

  put(out: LineBuffer, { record, address }: LoggedRequest, date: Uint8Array): void {
    const { user, variables, environBytes } = record;
    const isSame =
      environBytes === this.#environBytes &&
      date === this.#date &&
      variables === this.#variables &&
      address === this.#address &&
      user === this.#user;
    if (isSame && this.#kept.put(out)) return;
    this.#address = address;
    this.#user = user;
    this.#variables = variables;
    this.#environBytes = environBytes;
    this.#date = date;
    const from = out.length;
    out.raw(PART.peer);
    out.safe(address);
    out.raw(PART.user);
    out.safe(user);
    out.raw(PART.vars);
    out.int(2 * variables);
    out.raw(PART.bytes);
    out.int(environBytes);
    out.raw(PART.date);
    out.raw(date);
    out.raw(PART.method);
    this.#kept.keep(isSame, out, from);
  }
}

/** `HTTP/1.1 200) 1 headers in 44 bytes (1 switches on core 0)` */
class HowAnswered {
  readonly #kept = new KeptBytes();
  #protocol = '';
  #status = -1;
  #fields = -1;
  #headBytes = -1;
  #core = -1;
  #parts = -1;

  put(out: LineBuffer, { record, headBytes }: LoggedRequest): void {
    const { protocol, status, fields, core } = record;
    const parts = Math.max(record.parts, 1); // uWSGI counts how often the app gave control back
    const isSame =
      headBytes === this.#headBytes &&
      status === this.#status &&
      core === this.#core &&
      fields === this.#fields &&
      parts === this.#parts &&
      protocol === this.#protocol;
    if (isSame && this.#kept.put(out)) return;
    this.#protocol = protocol;
    this.#status = status;
    this.#fields = fields;
    this.#headBytes = headBytes;
    this.#core = core;
    this.#parts = parts;
    const from = out.length;
    out.safe(protocol);
    out.raw(PART.space);
    out.int(status);
    out.raw(PART.fields);
    out.int(fields);
    out.raw(PART.head);
    out.int(headBytes);
    out.raw(PART.switches);
    out.int(parts);
    out.raw(PART.core);
    out.int(core);
    out.raw(PART.end);
    this.#kept.keep(isSame, out, from);
  }
}

class KeptBytes {
  #bytes: Uint8Array | undefined;

  /** Puts what is kept; false when nothing is. */
  put(out: LineBuffer): boolean {
    if (this.#bytes === undefined) return false;
    out.raw(this.#bytes);
    return true;
  }

  /** Keeps what was put into `out` from `from` on, if it `isSame` as the time before. */
  keep(isSame: boolean, out: LineBuffer, from: number): void {
    this.#bytes = isSame ? Uint8Array.prototype.slice.call(out.bytes, from, out.length) : undefined;
  }
}
