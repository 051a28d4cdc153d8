// The answer of one request on its way into its slot: what Conversation writes to.
//
// A part lies in the answer area until the accept thread has taken it and returned the credit; so a slow client holds
//   its own app up and nobody else. The last part is not waited for.
// Decided elsewhere: what is sent (conversation.ts), how the other side takes it (dispatch/answer-taker.ts).

import { ANSWER, answerByte, ENTRY_SLOT_MASK, type Geometry, SLOT, slotWord } from '../../arena/layout.js';
import type { ThreadRings } from '../../arena/thread-rings.js';
import type { Head } from '../../wire/head.js';

/** The client went away while its answer was written. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

const headFlags = ({ dated, sized }: Head) => ANSWER.HEAD | (dated ? ANSWER.DATED : 0) | (sized ? ANSWER.SIZED : 0);

export class Transport {
  /** The most bytes a part can have. */
  readonly room: number;
  /** Whether the answer still wants its last part. */
  open = true;
  /** The app failed: said with the last part. */
  failed = false;
  /** When the app got the request, on the shared clock; 0: when its thread was done with the one before. */
  readonly #beganS: number;
  readonly #rings: ThreadRings;
  readonly entry: number;
  readonly #slot: number;
  readonly #at: number;
  readonly #area: number;

  constructor(rings: ThreadRings, geometry: Geometry, entry: number, beganS: number) {
    this.#rings = rings;
    this.#beganS = beganS;
    this.entry = entry;
    this.#slot = entry & ENTRY_SLOT_MASK;
    this.#at = slotWord(geometry, this.#slot);
    this.#area = answerByte(geometry, this.#slot);
    this.room = geometry.answerBytes;
  }

  /**
   * The head and the first part of the body, `bytes` long as UTF-8. `length` is the Content-Length, or -1. Resolves,
   * if it returns a promise, when the next part may follow.
   */
  first(head: Head, data: string | Uint8Array, bytes: number, length: number, isLast: boolean): void | Promise<void> {
    const headBytes = head.text.length;
    const room = this.room - headBytes;
    const view = this.#rings.bytes;
    view.write(head.text, this.#area, headBytes, 'latin1'); // with the length: see Dispatcher.submit
    if (bytes <= room) {
      this.#put(data, this.#area + headBytes, bytes);
      this.#describe(headFlags(head), isLast, head.status, headBytes, bytes, length, head.fields);
      return isLast ? this.#publishLast() : this.#publishPart();
    }
    const all = typeof data === 'string' ? Buffer.from(data) : data;
    view.set(all.subarray(0, room), this.#area + headBytes);
    this.#describe(headFlags(head), false, head.status, headBytes, room, length, head.fields);
    return this.#publishPart().then(() => this.more(all.subarray(room), isLast));
  }

  /** A further part. */
  async more(data: Uint8Array, isLast: boolean): Promise<void> {
    for (let start = 0; ; start += this.room) {
      const part = data.subarray(start, start + this.room);
      const isEnd = start + this.room >= data.length;
      this.#rings.bytes.set(part, this.#area);
      this.#describe(0, isEnd && isLast, 0, 0, part.length, -1, 0);
      if (isEnd && isLast) return this.#publishLast();
      await this.#publishPart();
      if (isEnd) return;
    }
  }

  /** Nothing follows; `broken`: the client must not take the answer for complete. */
  end(broken: boolean): void {
    this.#describe(broken ? ANSWER.BROKEN : 0, true, 0, 0, 0, -1, 0);
    this.#publishLast();
  }

  #put(data: string | Uint8Array, at: number, bytes: number): void {
    if (typeof data === 'string') this.#rings.bytes.write(data, at, bytes, 'utf8');
    else this.#rings.bytes.set(data, at);
  }

  #describe(
    flags: number,
    isLast: boolean,
    status: number,
    head: number,
    body: number,
    length: number,
    fields: number,
  ): void {
    const { words } = this.#rings;
    const at = this.#at;
    words[at + SLOT.length_low] = length % 0x100000000;
    words[at + SLOT.length_high] = length < 0 ? -1 : Math.floor(length / 0x100000000);
    const ending = this.failed ? ANSWER.LAST | ANSWER.FAILED : ANSWER.LAST;
    words[at + SLOT.answer_flags] = isLast ? flags | ending : flags;
    words[at + SLOT.status] = status;
    words[at + SLOT.head_bytes] = head;
    words[at + SLOT.body_bytes] = body;
    words[at + SLOT.header_count] = fields;
  }

  #publishLast(): void {
    this.open = false;
    this.#rings.noteTimes(this.#at, this.#beganS);
    this.#rings.publish(this.entry);
  }

  async #publishPart(): Promise<void> {
    this.#rings.publish(this.entry);
    this.#rings.ring();
    if (!(await this.#rings.credit(this.#slot))) throw new ClientGone('the client went away');
  }
}
