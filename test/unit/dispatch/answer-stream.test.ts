// A stream in a slot, with a worker and a client that the test plays: what is handed on, when the worker is let go on, and
// what ends a worker that says impossible things. Against CPython it runs in test/e2e/streams.test.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANSWER, answerByte, SLOT, STREAM_COUNT_MASK, slotWord } from '../../../src/arena/layout.js';
import { BUFFERING_BYTES, type Client, OK, Scene } from './played-by-hand.js';

/** Where the ring of these tests lies in the answer area. */
const START = 64;
const RING_BYTES = 10;

/** The worker's side of a stream; it does what it is told, sound or not. */
class Stream {
  readonly scene = new Scene(1);
  readonly client: Client = this.scene.submit();
  readonly #worker = this.scene.workers[0]!;
  readonly #entry = this.#worker.claim();
  readonly #at = slotWord(this.scene.arena.geometry, this.client.slot);
  readonly slot = this.client.slot;
  #entries = 0;
  #written = 0;
  #index = 0;

  begin(start = START, bytes = RING_BYTES): this {
    for (const name of ['written', 'parts', 'entries', 'stream_flags'] as const) this.set(name, 0);
    this.set('stream_at', start);
    this.set('stream_bytes', bytes);
    this.#worker.answer(this.#entry, { flags: ANSWER.HEAD | ANSWER.STREAM, body: '' });
    this.#entries++;
    return this;
  }

  set(name: keyof typeof SLOT, value: number): void {
    this.scene.arena.words[this.#at + SLOT[name]] = value;
  }

  get(name: keyof typeof SLOT): number {
    return this.scene.arena.words[this.#at + SLOT[name]]!;
  }

  /** Puts `text` into the ring, whether it fits or not. */
  write(text: string): this {
    const { arena } = this.scene;
    for (const letter of text) {
      arena.bytes.write(letter, answerByte(arena.geometry, this.slot) + START + this.#index);
      this.#index = (this.#index + 1) % RING_BYTES;
    }
    this.#written = (this.#written + text.length) & STREAM_COUNT_MASK;
    this.set('written', this.#written);
    return this;
  }

  publish(): this {
    this.#entries++;
    this.#worker.rings.publish(this.#entry);
    return this;
  }

  end(flags: number = ANSWER.LAST): this {
    this.set('parts', 7);
    this.set('entries', this.#entries + 1);
    this.set('stream_flags', flags);
    return this.publish();
  }

  poll(): this {
    this.scene.poll();
    return this;
  }

  get isCredited(): boolean {
    return this.#worker.takeCredit(this.slot);
  }
}

describe('an answer that is a stream', () => {
  test('is taken as it comes, several parts at once, around the end of the ring', () => {
    const stream = new Stream().begin().poll();
    assert.deepEqual(stream.client.got, [`${OK} `]);
    assert.equal(stream.isCredited, false, 'the first part is not waited for');
    stream.write('abc').write('defg').publish().poll();
    stream.write('hijklm').publish().poll();
    stream.write('n').end().poll();
    assert.deepEqual(stream.client.got, [`${OK} `, 'abcdefg', 'hij', 'klm', 'n', 'end']);
    const { record } = stream.client;
    assert.deepEqual([record.bodyBytes, record.parts, stream.scene.answered], [14, 7, 1]);
    assert.equal(stream.scene.arena.slotsInUse, 0);
  });

  test('may have come completely before anybody looked', () => {
    const stream = new Stream().begin().write('abc').end().poll();
    assert.deepEqual(stream.client.got, [`${OK} `, 'abc', 'end']);
    assert.equal(stream.scene.arena.slotsInUse, 0);
  });

  test('keeps its slot until its last entry has come, whatever else it says', () => {
    const stream = new Stream().begin().poll();
    stream.write('abc');
    stream.set('entries', 3);
    stream.set('stream_flags', ANSWER.LAST);
    stream.publish().poll();
    assert.deepEqual([stream.client.got.at(-1), stream.scene.arena.slotsInUse], ['abc', 1]);
    stream.publish().poll();
    assert.deepEqual([stream.client.got.at(-1), stream.scene.arena.slotsInUse], ['end', 0]);
    assert.deepEqual(stream.scene.mad, []);
  });

  test('wakes a worker that waits for room, once, when there is some', () => {
    const stream = new Stream().begin().poll();
    stream.write('0123456789').set('wants_room', 1);
    assert.equal(stream.isCredited, false);
    stream.publish().poll();
    assert.deepEqual([stream.isCredited, stream.isCredited, stream.get('wants_room')], [true, false, 0]);
  });

  test('is left in the ring while the client holds too much, and its end is not', () => {
    const stream = new Stream().begin().poll();
    stream.client.held = BUFFERING_BYTES;
    stream.write('abc').publish().poll();
    stream.set('wants_room', 1);
    stream.write('def').publish().poll();
    assert.deepEqual([stream.client.got.length, stream.isCredited], [1, false]);
    stream.client.held = 0;
    stream.scene.dispatcher.drained(stream.client);
    assert.deepEqual([stream.client.got.at(-1), stream.isCredited], ['abcdef', true]);
    stream.client.held = BUFFERING_BYTES;
    stream.write('g').end().poll();
    assert.deepEqual(stream.client.got.slice(-2), ['g', 'end']);
  });

  test('whose client leaves wakes the worker, and is dropped', () => {
    const stream = new Stream().begin().poll();
    stream.write('0123456789').set('wants_room', 1);
    stream.client.leave();
    assert.deepEqual([stream.get('client_gone'), stream.isCredited], [1, true]);
    stream.end(ANSWER.LAST | ANSWER.BROKEN).poll();
    assert.deepEqual([stream.client.got, stream.scene.arena.slotsInUse], [[`${OK} `], 0]);
  });

  test('that breaks off is not passed on as complete', () => {
    const stream = new Stream()
      .begin()
      .write('ab')
      .end(ANSWER.LAST | ANSWER.BROKEN | ANSWER.FAILED)
      .poll();
    assert.deepEqual(stream.client.got.slice(-2), ['ab', 'broken']);
    assert.equal(stream.client.record.failed, true);
  });
});

describe('a worker is mad that', () => {
  const cases: [what: string, act: (stream: Stream) => void, why: RegExp][] = [
    ['has a ring beyond the answer area', (s) => s.begin(START, 1 << 20), /a stream of 1048576 bytes at byte 64/],
    ['has a ring before it', (s) => s.begin(-8), /at byte -8/],
    ['has a ring of less than nothing', (s) => s.begin(START, -1), /a stream of -1 bytes/],
    [
      'writes more than there is room for',
      (s) => s.begin().write('0123456789A').publish(),
      /11 bytes in a stream of 10/,
    ],
    ['takes back what it wrote', (s) => s.begin().poll().write('abc').publish().poll().set('written', 1), /./],
    ['counts below nothing', (s) => s.begin().poll().set('written', -5), /bytes in a stream of 10/],
  ];
  for (const [what, act, why] of cases) {
    test(what, () => {
      const stream = new Stream();
      act(stream);
      stream.publish().poll();
      assert.match(stream.scene.mad.join(), why);
      assert.equal(stream.scene.answered, 0);
    });
  }

  test('announces a stream and has none', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    worker.answer(worker.claim(), { flags: ANSWER.HEAD | ANSWER.STREAM, body: '' });
    scene.poll();
    assert.equal(scene.mad.length, 1);
    assert.deepEqual(client.got, [`${OK} `]);
  });
});
