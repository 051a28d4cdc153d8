// One request on a uWebSockets.js connection: how its answer is written, however slow the client.
//
// The app's head goes out as the status line, in one piece, as it lies in the arena. A body that comes in parts is
//   written with its length, if the app told it, or else in chunks. What the connection does not take is kept here, up
//   to what the dispatcher allows; then the worker waits.
// uWebSockets.js gives a connection up that takes nothing for 10 s, which a slow reader does now and then: its kernel
//   asks for more only when a good part of its own buffer is free. So the 10 s are started anew before they are over.
// What is written goes through a buffer of 16 KiB for the time of `cork`. When something longer follows what lies there, and the
//   connection does not take all that lies there, uWebSockets.js drops what followed and says no word. So nothing is
//   written that does not fit, but by `tryEnd`, which tells how much was taken.
// What closes the connection, or may, is put off until the event loop polls: else its memory is lost (poll-phase.ts).
// Decided elsewhere: what an answer is (dispatch/exchange.ts), what an app's head may hold (bridge_wsgi.py).

import type { HttpResponse } from 'uws-node20';
import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';
import type { AnswerHead } from '../dispatch/exchange.js';
import { answerFor, isBodyless, refusalBytes, withoutDate } from '../wire/answer.js';
import { ClientExchange } from './client-exchange.js';
import { linger } from './linger.js';
import { atNextPoll } from './poll-phase.js';
import type { BodySource } from './request-body.js';
import type { Site } from './site.js';

/** What fits into that buffer, beside the head's own fields of uWebSockets.js and the framing of a chunk. */
const CORK_ROOM_BYTES = 15 * 1024;
const NOTHING = Buffer.alloc(0);
/** How often the 10 s are started anew. */
const NUDGE_MS = 4000;
/** How long a connection stays open behind its last answer, if the client does not close it. */
const LINGER_MS = 1000;
/** A header field written in the body: the end of the chunk before it, the last chunk, and a trailer. */
const LAST_CHUNK_NAME = '\r\n0\r\nX-End';
const LAST_CHUNK_VALUE = '1\r\n';
const CLOSE_FIELD = Buffer.from('\r\nConnection: close');

/**
 * Whether uWebSockets.js waits for a call of its own to return. What is written meanwhile goes into the same buffer, for all
 * requests that a client has sent at once.
 */
export const engine = { isCalling: false };

export class UwsExchange extends ClientExchange implements BodySource {
  readonly peer: string;
  readonly isHead: boolean;
  /** The connection is not to be used again. */
  closeAfter = false;
  /** uWebSockets.js closes it behind the answer by itself. */
  closesByItself = false;
  readonly #res: HttpResponse;
  readonly #site: Site;
  /** Content-Length of an answer in parts; -1: it is chunked. */
  #length = -1;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #blocked = false;
  /** The client has been slower than the app. */
  #wasBlocked = false;
  /** A chunk has been written. */
  #isBegun = false;
  /** See `#endByHand`. */
  #lingers = false;
  #ending: 'no' | 'whole' | 'broken' = 'no';
  /** What is to be written waits until the event loop polls. */
  #awaitsPoll = false;
  #isClosed = false;
  #progressAtMs = 0;
  #nudge: NodeJS.Timeout | undefined;

  constructor(res: HttpResponse, peer: string, isHead: boolean, site: Site) {
    super();
    this.#res = res;
    this.#site = site;
    this.peer = peer;
    this.isHead = isHead;
  }

  override get heldBytes(): number {
    return this.#pendingBytes;
  }

  /** The connection has closed. */
  readonly onAborted = (): void => {
    this.#isClosed = true;
    clearInterval(this.#nudge);
    this.#site.unsent.delete(this);
    this.connectionClosed();
  };

  pause(): void {
    if (!this.gone) this.#res.pause();
  }

  resume(): void {
    if (!this.gone) this.#res.resume();
  }

  /**
   * Its timer runs anew, which would cut off whoever sends less than 16 kB/s: how slow is too slow is ours to say. (`resume`
   * alone does that too, but then a connection that takes nothing is never called writable again.)
   */
  keepAlive(): void {
    if (!this.gone) this.#restartTimer();
  }

  #restartTimer(): void {
    this.#res.pause();
    this.#res.resume();
  }

  /** Whether the connection ends with the answer. */
  get #closes(): boolean {
    return this.closeAfter || this.closesByItself || this.#site.draining;
  }

  /** Does what closes the connection, once the event loop polls; not if the client has closed it by then. */
  #putOff(close: () => void): void {
    this.#site.unsent.add(this);
    atNextPoll(() => {
      this.#site.unsent.delete(this);
      if (!this.#isClosed) close();
    });
  }

  // --- an answer in one piece -------------------------------------------------------------------------------------

  override answerWhole(head: AnswerHead, body: Buffer): void {
    if (!this.#closes) {
      this.#writeWhole(head, body);
      return;
    }
    const kept = { ...head, bytes: Buffer.from(head.bytes) }; // copies: the slot is written again
    const keptBody = Buffer.from(body);
    this.#putOff(() => this.#writeWhole(kept, keptBody));
  }

  #writeWhole(head: AnswerHead, body: Buffer): void {
    const res = this.#res;
    const hasBody = !this.isHead && !isBodyless(head.status);
    const fits = head.bytes.length + body.length <= CORK_ROOM_BYTES && !engine.isCalling;
    // `tryEnd` cannot close. What went out before on a connection that is closed now was read, unless its client sends
    // requests without reading answers.
    if (hasBody && body.length > 0 && !fits && !this.closeAfter) {
      this.#ending = 'whole';
      this.#begin({ ...head, length: body.length }, body);
      if (this.#blocked) this.#site.unsent.add(this);
      return;
    }
    if (this.#site.draining) this.closeAfter = true;
    this.gone = true; // nothing more is expected of this connection on behalf of this request
    const bytes = head.dated ? withoutDate(head.bytes) : head.bytes;
    if (hasBody) {
      res.cork(() => {
        res.writeStatus(bytes);
        res.end(body, this.closeAfter);
      });
      return;
    }
    // uWebSockets.js would wait for a body if it were told the length, so the length goes out as part of the head
    const length = head.length >= 0 && !isBodyless(head.status) ? `\r\nContent-Length: ${head.length}` : '';
    if (!this.closeAfter) {
      res.cork(() => {
        res.writeStatus(Buffer.concat([bytes, Buffer.from(length)]));
        res.endWithoutBody();
      });
      return;
    }
    // it can end an answer without a length, or close the connection after it, but not both: so this is done by hand
    res.cork(() => {
      res.writeStatus(Buffer.concat([bytes, Buffer.from(`${length}\r\nConnection: close\r\n`)]));
    });
    res.close();
  }

  override refuse(error: NuwsgiError<Code>): void {
    if (this.gone) return;
    this.gone = true;
    if (this.#closes) this.#putOff(() => this.#writeRefusal(error));
    else this.#writeRefusal(error);
  }

  #writeRefusal(error: NuwsgiError<Code>): void {
    const answer = answerFor(error);
    const res = this.#res;
    if (this.#site.draining) this.closeAfter = true;
    res.cork(() => {
      res.writeStatus(answer.status);
      for (const [name, value] of answer.fields) res.writeHeader(name, value);
      res.end(this.isHead ? '' : answer.body, this.closeAfter);
    });
  }

  override drop(): void {
    if (this.gone) return;
    this.gone = true;
    this.#putOff(() => this.#res.close());
  }

  /**
   * Answers a request that must not be trusted any further, reads on for a moment, and closes the connection. Nothing
   * is written before the caller has returned to uWebSockets.js: bytes behind the request end the connection then.
   */
  refuseAndClose(error: NuwsgiError<Code>): void {
    const res = this.#res;
    let bytes = 0;
    this.body?.discard();
    res.onData((data) => {
      bytes += data.byteLength; // and dropped
    });
    setImmediate(() => {
      if (this.gone) return;
      // the whole answer goes out as the status line, whose CRLF ends the body: so `res` stays usable for `close`
      res.cork(() => {
        res.writeStatus(refusalBytes(error, this.isHead, 2));
      });
      linger(
        () => bytes,
        () => {
          if (!this.gone) res.close();
        },
      );
    });
  }

  // --- an answer in parts -----------------------------------------------------------------------------------------

  override answerFirst(head: AnswerHead, data: Buffer): void {
    const waits = engine.isCalling || (this.#closes && head.length >= 0);
    this.#begin(head, waits ? NOTHING : data);
    if (waits && data.length > 0) this.answerPart(data);
  }

  /** Writes the head, and `data` behind it. */
  #begin(head: AnswerHead, data: Buffer): void {
    const res = this.#res;
    let bytes = head.dated ? withoutDate(head.bytes) : head.bytes;
    // With a length uWebSockets.js ends by itself at the last byte and could not be told to close the connection then.
    // A server that is on its way out will close it anyway, soon.
    this.#length = this.closeAfter ? -1 : head.length;
    if (this.closeAfter || this.#site.draining) bytes = Buffer.concat([bytes, CLOSE_FIELD]);
    const isOneWrite = this.#length >= 0 || (bytes.length + data.length <= CORK_ROOM_BYTES && !this.closeAfter);
    res.cork(() => {
      res.writeStatus(bytes);
      if (isOneWrite && data.length > 0) this.#write(data);
    });
    if (this.gone) return;
    res.onWritable(() => this.#onWritable());
    if (!isOneWrite && data.length > 0) this.#write(data);
  }

  override answerPart(data: Buffer): void {
    if (this.gone || this.#ending !== 'no') return; // it was broken off, and the worker does not know yet
    if (this.#blocked || this.#awaitsPoll) {
      this.#keep(data);
    } else if (engine.isCalling || (this.#closes && this.#length >= 0)) {
      this.#keep(data); // the last byte of a body whose length is known closes
      this.#awaitPoll();
    } else {
      this.#write(data);
    }
  }

  #awaitPoll(): void {
    this.#awaitsPoll = true;
    this.#putOff(this.#onPoll);
  }

  #keep(data: Buffer): void {
    this.#pending.push(Buffer.from(data)); // a copy: the slot is written again
    this.#pendingBytes += data.length;
  }

  override answerEnd(broken: boolean): void {
    if (this.gone || this.#ending !== 'no') return;
    this.#ending = broken ? 'broken' : 'whole';
    if (this.#blocked || this.#awaitsPoll) this.#site.unsent.add(this);
    else if (this.#closes || broken || this.#length >= 0) this.#awaitPoll();
    else this.#finish();
  }

  /** The event loop polls: what has waited for that is written. */
  readonly #onPoll = (): void => {
    this.#awaitsPoll = false;
    if (this.gone) return;
    this.#onWritable();
    if (this.#blocked && this.#ending !== 'no') this.#site.unsent.add(this);
  };

  /** Writes `data`; what the connection does not take is kept. */
  #write(data: Buffer): void {
    if (this.#length < 0) this.#writeChunks(data);
    else this.#res.cork(() => this.#writeMeasured(data));
  }

  /** What uWebSockets.js has begun to write, it keeps by itself: `write` tells that there is something of that. */
  #writeChunks(data: Buffer): void {
    const res = this.#res;
    this.#isBegun = true;
    if (this.closeAfter) {
      // without `cork` it tells of this very part whether all of it was taken, and drops nothing: `#endByHand` has to know
      if (!res.write(data)) this.#block();
      return;
    }
    for (let at = 0; at < data.length; at += CORK_ROOM_BYTES) {
      if (this.#blocked) {
        this.#keepFirst(data.subarray(at));
        return;
      }
      const chunk = data.subarray(at, at + CORK_ROOM_BYTES);
      res.cork(() => {
        if (!res.write(chunk)) this.#block();
      });
    }
  }

  #keepFirst(data: Buffer): void {
    this.#pending.unshift(Buffer.from(data));
    this.#pendingBytes += data.length;
  }

  #writeMeasured(data: Buffer): void {
    const res = this.#res;
    const before = res.getWriteOffset();
    const [ok, done] = res.tryEnd(data, this.#length);
    if (done) {
      this.#done();
      return;
    }
    if (ok) return;
    const written = res.getWriteOffset() - before;
    if (written > 0) this.#progressAtMs = performance.now();
    if (written < data.length) this.#keepFirst(data.subarray(written));
    this.#block();
  }

  #block(): void {
    this.#blocked = true;
    this.#wasBlocked = true;
    if (this.#nudge !== undefined) return;
    this.#progressAtMs = performance.now();
    this.#nudge = setInterval(() => this.#onNudge(), Math.min(NUDGE_MS, this.#site.limits.idleTimeoutMs));
  }

  /** Writes what waits, until the connection takes no more. */
  #flush(): void {
    this.#blocked = false;
    if (this.#pending.length === 0) this.#res.cork(() => {}); // which writes what uWebSockets.js has kept
    while (this.#pending.length > 0 && !this.#blocked && !this.gone) {
      const data = this.#pending.shift()!;
      this.#pendingBytes -= data.length;
      this.#write(data);
    }
  }

  /** The connection takes bytes again. Returns whether it took all there were. */
  #onWritable(): boolean {
    if (this.#lingers) {
      this.#res.cork(() => {});
      this.#res.close();
    }
    if (this.gone) return true;
    this.#progressAtMs = performance.now();
    this.#flush();
    if (this.gone) return true;
    if (this.#blocked) return false;
    clearInterval(this.#nudge);
    this.#nudge = undefined;
    if (this.#ending === 'no') this.owner?.drained(this);
    else this.#finish();
    return true;
  }

  /**
   * Starts the 10 s anew, so that a slow reader is kept as long as it takes anything at all: by a write that fails, which
   * tells how much of it was taken, or where the answer is chunked by `keepAlive`, because a write tells nothing there.
   */
  #onNudge(): void {
    const { idleTimeoutMs } = this.#site.limits;
    if (performance.now() - this.#progressAtMs > idleTimeoutMs) {
      this.#site.onRefused(this.peer, new PeerError('PEER_STALLED', idleTimeoutMs));
      this.#res.close();
      return;
    }
    if (this.#length >= 0) {
      this.#flush();
    } else {
      this.keepAlive();
    }
  }

  #finish(): void {
    if (this.#ending === 'broken' || this.#length >= 0) {
      this.#done(); // before `onAborted` is called, because it is not the client that has given up
      this.#res.close(); // fewer bytes than announced, or no end of the chunks: the client notices
      return;
    }
    if (this.closeAfter && this.#isBegun) {
      this.#site.unsent.delete(this);
      this.#endByHand();
      return;
    }
    this.#res.cork(() => this.#res.end(undefined, this.closeAfter));
    this.#done();
  }

  /**
   * Ends a chunked answer that is the last of its connection. uWebSockets.js would write a Connection field into the body
   * if it were to close the connection behind it. So the last chunk is written as a header field, which becomes a
   * trailer. For the engine the answer is not at its end then, so whatever the client sends behind its request ends the
   * connection. Else the client does, which knows that it is the last answer, or we do: when the engine has written what
   * it had to keep, or when it seems to have kept nothing.
   */
  #endByHand(): void {
    this.gone = true;
    this.#lingers = true;
    this.#res.cork(() => this.#res.writeHeader(LAST_CHUNK_NAME, LAST_CHUNK_VALUE));
    clearInterval(this.#nudge);
    if (!this.#wasBlocked) {
      this.#nudge = setTimeout(() => this.#res.close(), LINGER_MS);
      return;
    }
    const { idleTimeoutMs } = this.#site.limits;
    const untilMs = performance.now() + idleTimeoutMs;
    const onNudge = () => (performance.now() < untilMs ? this.#restartTimer() : this.#res.close());
    this.#nudge = setInterval(onNudge, Math.min(NUDGE_MS, idleTimeoutMs));
  }

  /** The last byte is with uWebSockets.js: its `res` must not be touched again. */
  #done(): void {
    clearInterval(this.#nudge);
    this.#site.unsent.delete(this);
    this.gone = true;
    if (this.#ending === 'no') this.owner?.abandon(this);
  }
}
