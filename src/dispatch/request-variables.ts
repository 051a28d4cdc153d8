// The environ of a request, read from its slot: for the log and the statistics, which want a variable now and then.
//
// It lies there until the slot is free again, so nothing is kept for requests of which nobody asks. A worker can write to
//   the slot: what is read here is no more than text, and may be anything.
// Decided elsewhere: what the block holds (wire/cgi.ts, wire/uwsgi.ts).

import type { Arena } from '../arena/arena.js';
import { answerByte, REQUEST, requestByte, SLOT, slotWord } from '../arena/layout.js';
import type { ExchangeRecord } from './exchange.js';

/** Combinations of names that are kept split. Clients send other values with every request and the same names. */
const KEPT_NAME_BLOCKS = 256;

/** What a listener adds to every request. */
interface Constants {
  readonly count: number;
  readonly bytes: number;
}

const QUERY_STRING = 'QUERY_STRING';
/** A name and a value with their lengths in front, as in a uwsgi packet. */
const packedBytes = (name: string, value: string) => 4 + name.length + value.length;

export class RequestVariables {
  readonly #arena: Arena;
  /** Per listener: the variables that are the same for all its requests. */
  readonly #listeners: readonly Readonly<Record<string, string>>[];
  readonly #constants: readonly Constants[];
  readonly #knownNames = new Map<string, readonly string[]>();
  #entry = 0;
  #slot = -1;
  #names: readonly string[] = [];
  #values: readonly string[] = [];

  constructor(arena: Arena, listeners: readonly Readonly<Record<string, string>>[]) {
    this.#arena = arena;
    this.#listeners = listeners;
    this.#constants = listeners.map((listener) => {
      const pairs = Object.entries(listener);
      return { count: pairs.length, bytes: pairs.reduce((sum, [name, value]) => sum + packedBytes(name, value), 0) };
    });
  }

  /** Notes in `record` how many variables the app saw, and what they would take as a uwsgi packet. */
  measure(slot: number, record: ExchangeRecord): void {
    const { words, geometry } = this.#arena;
    const at = slotWord(geometry, slot);
    if ((words[at + SLOT.request_flags]! & REQUEST.PACKET) !== 0) return; // it came as one
    const constants = this.#constants[words[at + SLOT.listener]!];
    if (constants === undefined) return;
    // in the slot each name and value has one NUL behind it, but for the last of each
    record.environBytes += 2 + 2 * record.variables + constants.bytes;
    record.variables += constants.count;
    if (record.target.includes('?')) record.environBytes -= packedBytes(QUERY_STRING, '') - 2; // not the constant one
  }

  /** The variable `name` of the request in `slot`, which is there as `entry`; undefined when it has none. */
  get(slot: number, entry: number, name: string): string | undefined {
    if (slot < 0) return undefined;
    this.#read(slot, entry);
    const at = this.#names.lastIndexOf(name); // a name that came twice: the last one is what the app saw
    if (at >= 0) return this.#values[at];
    const listener = this.#arena.words[slotWord(this.#arena.geometry, slot) + SLOT.listener]!;
    return this.#listeners[listener]?.[name];
  }

  /** What the app has set as `name` by `uwsgi.set_logvar` for this request; undefined: nothing. */
  logged(slot: number, entry: number, name: string): string | undefined {
    if (slot < 0) return undefined;
    const { words, geometry, bytes } = this.#arena;
    const at = slotWord(geometry, slot);
    if (words[at + SLOT.logged_entry] !== entry) return undefined;
    const start = requestByte(geometry, slot) + words[at + SLOT.names_bytes]! + words[at + SLOT.values_bytes]!;
    const end = Math.min(start + words[at + SLOT.logged_bytes]!, answerByte(geometry, slot));
    const texts = bytes.toString('latin1', start, end).split('\0');
    const index = texts.findIndex((text, i) => i % 2 === 0 && text === name);
    return index < 0 ? undefined : texts[index + 1];
  }

  #read(slot: number, entry: number): void {
    if (entry === this.#entry && slot === this.#slot) return;
    const { words, geometry, bytes } = this.#arena;
    const at = slotWord(geometry, slot);
    const start = requestByte(geometry, slot);
    const middle = start + words[at + SLOT.names_bytes]!;
    const values = bytes.toString('latin1', middle, middle + words[at + SLOT.values_bytes]!);
    this.#entry = entry;
    this.#slot = slot;
    if ((words[at + SLOT.request_flags]! & REQUEST.PACKET) === 0) {
      this.#names = this.#split(bytes.toString('latin1', start, middle));
      this.#values = values.split('\0');
      return;
    }
    const parts = values.split('\0\0'); // NUL NUL name NUL NUL value, as often as there are any
    this.#names = parts.filter((_, i) => i % 2 === 1);
    this.#values = parts.filter((_, i) => i % 2 === 0).slice(1);
  }

  #split(block: string): readonly string[] {
    let names = this.#knownNames.get(block);
    if (names === undefined) {
      if (this.#knownNames.size >= KEPT_NAME_BLOCKS) this.#knownNames.clear();
      names = block.split('\0');
      this.#knownNames.set(block, names);
    }
    return names;
  }
}
