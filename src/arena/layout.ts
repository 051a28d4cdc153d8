// The shape of the shared memory: which word means what, and who writes it.
//
// One table for two languages: TypeScript takes the offsets from the structs below, and the Python bridge gets the
//   same names and numbers as JSON when it starts (`layoutForBridge`), so that neither can drift from the other.
// Why words: everything but the payload is Int32, because `Atomics` and a CPython memoryview both read one in one step.
//   Names that end in `_s` are times: two words that hold a double, seconds of CLOCK_MONOTONIC (base/monotonic.ts).
// Decided elsewhere: how the rings are used (request-ring.ts, answer-ring.ts), what a slot's life is (arena.ts).

import assert from 'node:assert/strict';

type Writer = 'main' | 'worker' | 'both';
type Field = readonly [word: number, name: string, writer: Writer, meaning: string];

/** Names become word offsets, typed. A table that is out of order or does not fit stops the program when it loads. */
function struct<const F extends readonly Field[]>(words: number, fields: F) {
  fields.forEach(([word, name], i) => {
    assert(word > (fields[i - 1]?.[0] ?? -1) && word < words, `${name} at word ${word}`);
  });
  const offsets = Object.fromEntries(fields.map(([word, name]) => [name, word]));
  return { ...offsets, words } as { readonly [N in F[number][1]]: number } & { readonly words: number };
}

export const WORD_BYTES = 4;
/** A POSIX `sem_t` takes 32 bytes on 64-bit glibc and musl. A JS thread uses its first word as a plain counter. */
export const SEMAPHORE_WORDS = 8;
const PAGE_BYTES = 4096;

/** What every ring entry says: which slot, and the generation that its request had when it was handed over. */
export const ENTRY_SLOT_BITS = 16;
export const ENTRY_SLOT_MASK = 0xffff;
/** A slot number no arena has: the entry is a command to the worker or an event from it, its generation says which. */
export const COMMAND_SLOT = 0xffff;
export const COMMAND_STOP = 1;
/** Of the first of 256 commands: run the app's handler of signal 0, and so on. */
export const COMMAND_SIGNAL = 0x100;
export const SIGNALS = 256;
export const EVENT_READY = 1;
/** A command of a signal was carried out. */
export const EVENT_HANDLED = 2;
export const MAX_SLOTS = COMMAND_SLOT;
export const MAX_GENERATION = 0x7fff;

/** The entry for `slot` at `generation`; never 0, because generations start at 1 and 0 means "nothing here yet". */
export const entryOf = (slot: number, generation: number) => (generation << ENTRY_SLOT_BITS) | slot;

// biome-ignore format: a table
export const HEADER = struct(32, [
  // word  field           written by  meaning
  [  0,   'magic',         'main',     'MAGIC, so that a process that maps something else finds out'],
  [  1,   'magic_echo',    'both',     'MAGIC again, written through the other mapping when a bridge starts; then main writes 0'],
  [  4,   'probe',         'both',     'semaphore of the self-test: main posts, the bridge takes and posts, main takes'],
  [ 16,   'main_sleeps',   'both',     '1: the accept thread waits for its doorbell. It writes 1; who rings writes 0'],
]);

/** The entries of its request ring lie behind these words: entry n at word `WORKER.words + (n & ringMask)`. */
// biome-ignore format: a table
export const WORKER = struct(128, [
  // word  field           written by  meaning
  [  0,   'credits',       'both',     'semaphore: entries in the ring that nobody has claimed. Nobody sleeps on it'],
  [ 16,   'fence',         'worker',   'semaphore used only for the memory barrier that sem_post implies'],
  [ 32,   'break_off',     'main',     'entry of the request that is to be broken off, because it is late'],
  [ 33,   'broke_off',     'worker',   'the same entry, when the worker has done what it can about it'],
  [ 40,   'watch',         'both',     'semaphore on which the thread sleeps that breaks requests off (bridge_watch.py)'],
  // a look into the worker, where statistics are switched on (bridge_probe.py): one question at a time
  [ 64,   'asked',         'both',     'semaphore on which the thread that answers sleeps'],
  [ 72,   'ask_number',    'main',     'counts the questions'],
  [ 73,   'ask_kind',      'main',     'PROBE: what is asked'],
  [ 74,   'ask_ms',        'main',     'for how long to look'],
  [ 75,   'ask_hz',        'main',     'how often'],
  [ 80,   'probe_fence',   'worker',   'as `fence`, for the thread that answers'],
  [ 88,   'answer_number', 'worker',   'of the question that is answered'],
  [ 89,   'answer_bytes',  'worker',   'length of the answer in the file below'],
  [ 90,   'answer_fd',     'worker',   'descriptor of the worker; 0: nobody answers'],
  [ 91,   'dump_fd',       'worker',   'descriptor of the worker, for what faulthandler writes'],
  [ 92,   'heard_s',       'worker',   'when the question was heard: what lies before is waiting for the GIL'],
]);

/** What can be asked: whether it hears, what its threads do, where their time goes. */
export const PROBE = { PING: 1, STACKS: 2, PROFILE: 3 } as const;

/**
 * The entries of its answer ring lie behind these words: the worker writes an entry, the reader writes 0 when it has
 * taken it.
 */
// biome-ignore format: a table
export const CORE = struct(64, [
  // word  field           written by  meaning
  [  0,   'running',       'worker',   'entry of the request this thread started last'],
  [  1,   'sample_ns',     'both',     'how long a request took, written now and then; the reader writes 0. May be lost'],
  [  2,   'woke_s',        'worker',   'when it last began anew: woken, or done with what an app did behind its answer'],
  [ 16,   'sleeps',        'both',     '1: this thread waits for its bell. It writes 1; who rings writes 0'],
  [ 24,   'bell',          'both',     'semaphore on which this thread sleeps'],
]);

// biome-ignore format: a table
export const SLOT = struct(64, [
  // word  field           written by  meaning
  [  0,   'request_id',    'main',     'counts the requests of this server, modulo 2^31'],
  [  1,   'listener',      'main',     'index of the listener, for the variables that are the same for all its requests'],
  [  2,   'request_flags', 'main',     'REQUEST bits'],
  [  3,   'names_bytes',   'main',     'length of the names of the environ, at payload byte 0'],
  [  4,   'values_bytes',  'main',     'length of their values, behind the names'],
  [  5,   'input_bytes',   'main',     'length of a body that lies in the payload behind the values'],
  [  6,   'input_fd',      'main',     'descriptor, in the server, of the file that holds the body; -1: none'],
  [  7,   'client_gone',   'main',     '1: nobody waits for this answer any more'],
  [  8,   'deadline_s',    'both',     'when the app wants the request ended at the latest. Main writes 0, for none'],
  [ 16,   'length_low',    'worker',   'Content-Length as a 64-bit number, its low word; -1: none is declared'],
  [ 17,   'length_high',   'worker',   'its high word'],
  [ 18,   'answer_flags',  'worker',   'ANSWER bits'],
  [ 19,   'status',        'worker',   'HTTP status of the answer'],
  [ 20,   'head_bytes',    'worker',   'length of the head: "200 OK\\r\\nName: value..." without a last CRLF'],
  [ 21,   'body_bytes',    'worker',   'length of this part of the body, behind the head'],
  [ 22,   'header_count',  'worker',   'lines in the head behind the status'],
  [ 24,   'ended_s',       'worker',   'when the last part of the answer was there'],
  [ 26,   'began_s',       'worker',   'when the app got the request; 0: when its thread was done with the one before'],
  [ 28,   'logged_entry',  'worker',   'entry of the request for which the next word is meant'],
  [ 29,   'logged_bytes',  'worker',   'length of what the app has set by uwsgi.set_logvar, behind the values: there the body was'],
  [ 32,   'credit',        'both',     'semaphore: the answer area may be written again, or the stream has room again'],
  // an answer that is a stream: the area behind its first part is a ring of bytes (dispatch/answer-stream.ts)
  [ 40,   'stream_at',     'worker',   'first byte of the ring in the answer area'],
  [ 41,   'stream_bytes',  'both',     'its length; 0: parts come one by one. Main writes 0 when the request comes'],
  [ 42,   'written',       'worker',   'bytes put into it, modulo 2^31'],
  [ 43,   'parts',         'worker',   'in how many parts the app gave them'],
  [ 44,   'entries',       'worker',   'entries that this answer has on the ring of answers, the last one included'],
  [ 45,   'stream_flags',  'worker',   'ANSWER bits; not 0: all is written'],
  [ 48,   'taken',         'main',     'bytes taken out of the ring, modulo 2^31'],
  [ 49,   'seen',          'main',     'entries of this answer that were taken: as many as there are, and a new part needs a new one'],
  [ 50,   'wants_room',    'both',     '1: the worker waits for `credit`, because the ring is full. It writes 1; who posts writes 0'],
]);

/**
 * Bits of `SLOT.request_flags`: a HEAD request; the environ is a uwsgi payload as wire/uwsgi.ts prepares it, and not
 * names and values apart.
 */
export const REQUEST = { HEAD: 1, PACKET: 2 } as const;

/**
 * Bits of `SLOT.answer_flags`: the head is in this part; no part follows; the client must not take the answer for
 * complete; the head has a Date; the app said its Content-Length itself; the app failed with an exception; what follows
 * is a stream, and this part is not waited for.
 */
export const ANSWER = { HEAD: 1, LAST: 2, BROKEN: 4, DATED: 8, SIZED: 16, FAILED: 32, STREAM: 64 } as const;

/** Counts of a stream are modulo 2^31, because a word is signed. */
export const STREAM_COUNT_MASK = 0x7fffffff;

export const MAGIC = 0x6e757753;

/**
 * What an arena is made for. Sizes in bytes; `places` is how many workers may exist at once, replacements on their way
 * and workers on their way out included; `cores` is how many answer rings each has, `held` the most requests that one is
 * handed before it has answered any.
 */
export interface Dimensions {
  readonly slots: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly places: number;
  readonly cores: number;
  readonly held: number;
}

/** Where the parts of one arena lie. Words are Int32 indexes, bytes are offsets, both from the start of the arena. */
export interface Geometry extends Dimensions {
  readonly workersAtWord: number;
  readonly workerWords: number;
  readonly coreWords: number;
  /** Entries of each ring: a power of two, so that an index wraps with one `&`. */
  readonly ringEntries: number;
  readonly ringMask: number;
  readonly slotsAtWord: number;
  readonly payloadAtByte: number;
  readonly payloadBytes: number;
  readonly totalBytes: number;
}

/**
 * Entries that no ring can overflow: a worker's requests, a signal for each core and the stop command of each core fit
 * into the one ring, an event for each of them and the one of the start into the other. A cache line's worth at least.
 */
const ringEntriesFor = (held: number, cores: number) => 2 ** Math.max(4, Math.ceil(Math.log2(held + 2 * cores + 1)));

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;

/** Places header, worker blocks, slot headers and payloads one behind the other; payloads start on pages. */
export function geometry(d: Dimensions): Geometry {
  assert(d.slots >= 1 && d.slots <= MAX_SLOTS, `an arena holds 1 to ${MAX_SLOTS} slots, not ${d.slots}`);
  const requestBytes = roundUp(d.requestBytes, PAGE_BYTES);
  const answerBytes = roundUp(d.answerBytes, PAGE_BYTES);
  const workersAtWord = HEADER.words;
  const ringEntries = ringEntriesFor(d.held, d.cores);
  const coreWords = CORE.words + ringEntries;
  const workerWords = WORKER.words + ringEntries + d.cores * coreWords;
  const slotsAtWord = roundUp(workersAtWord + d.places * workerWords, SLOT.words);
  const payloadAtByte = roundUp((slotsAtWord + d.slots * SLOT.words) * WORD_BYTES, PAGE_BYTES);
  const payloadBytes = requestBytes + answerBytes;
  const totalBytes = payloadAtByte + d.slots * payloadBytes;
  return {
    ...d,
    requestBytes,
    answerBytes,
    workersAtWord,
    workerWords,
    coreWords,
    ringEntries,
    ringMask: ringEntries - 1,
    slotsAtWord,
    payloadAtByte,
    payloadBytes,
    totalBytes,
  };
}

export const workerWord = (g: Geometry, place: number) => g.workersAtWord + place * g.workerWords;
export const coreWord = (g: Geometry, place: number, core: number) =>
  workerWord(g, place) + WORKER.words + g.ringEntries + core * g.coreWords;
export const slotWord = (g: Geometry, slot: number) => g.slotsAtWord + slot * SLOT.words;
export const requestByte = (g: Geometry, slot: number) => g.payloadAtByte + slot * g.payloadBytes;
export const answerByte = (g: Geometry, slot: number) => requestByte(g, slot) + g.requestBytes;

/** Everything a bridge needs to find its way in the arena, as plain data. */
export function layoutForBridge(g: Geometry) {
  return {
    geometry: g,
    structs: { HEADER, WORKER, CORE, SLOT },
    flags: { REQUEST, ANSWER },
    constants: {
      MAGIC,
      ENTRY_SLOT_BITS,
      ENTRY_SLOT_MASK,
      COMMAND_SLOT,
      COMMAND_STOP,
      COMMAND_SIGNAL,
      EVENT_READY,
      EVENT_HANDLED,
    },
  };
}
