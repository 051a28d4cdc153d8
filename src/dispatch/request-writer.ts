// Writes a request into its slot: the environ, the body if it is there in memory, and the words that describe them.
//
// Once, by the accept thread, before any worker knows of it.
// Decided elsewhere: which slot, and what becomes of it (dispatcher.ts), what the words mean (arena/layout.ts).

import { type Arena, timeAt } from '../arena/arena.js';
import { REQUEST, requestByte, SLOT, slotWord } from '../arena/layout.js';

const LARGEST_ID = 0x7fffffff;

export class RequestWriter {
  readonly #arena: Arena;
  #requestId = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Names and values as wire/cgi.ts makes them; the rest is as for `Receiver.submit`. They fit. */
  write(
    slot: number,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
  ): void {
    const { bytes, geometry } = this.#arena;
    const { length } = names;
    // with the length, because Node writes nothing where it has to work one out that is over 2 GiB
    bytes.write(names + values, requestByte(geometry, slot), length + values.length, 'latin1');
    this.#describe(slot, isHead ? REQUEST.HEAD : 0, length, values.length, listener, input, inputFd);
  }

  /** As `write`, for the payload of a uwsgi packet as wire/uwsgi.ts prepares it. */
  writePacket(
    slot: number,
    payload: Buffer,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
  ): void {
    const { bytes, geometry } = this.#arena;
    payload.copy(bytes, requestByte(geometry, slot));
    const flags = REQUEST.PACKET | (isHead ? REQUEST.HEAD : 0);
    this.#describe(slot, flags, 0, payload.length, listener, input, inputFd);
  }

  #describe(
    slot: number,
    flags: number,
    namesBytes: number,
    valuesBytes: number,
    listener: number,
    input: Uint8Array | undefined,
    inputFd: number,
  ): void {
    const { bytes, words, times, geometry } = this.#arena;
    if (input !== undefined) bytes.set(input, requestByte(geometry, slot) + namesBytes + valuesBytes);
    const at = slotWord(geometry, slot);
    this.#requestId = (this.#requestId + 1) & LARGEST_ID;
    words[at + SLOT.request_id] = this.#requestId;
    words[at + SLOT.listener] = listener;
    words[at + SLOT.request_flags] = flags;
    words[at + SLOT.names_bytes] = namesBytes;
    words[at + SLOT.values_bytes] = valuesBytes;
    words[at + SLOT.input_bytes] = input === undefined ? 0 : input.length;
    words[at + SLOT.input_fd] = inputFd;
    times[timeAt(at + SLOT.deadline_s)] = 0;
    words[at + SLOT.stream_bytes] = words[at + SLOT.taken] = words[at + SLOT.seen] = words[at + SLOT.wants_room] = 0;
  }
}
