// Where things lie in shared memory: nothing overlaps, everything is aligned, nothing can overflow.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ANSWER,
  answerByte,
  COMMAND_SLOT,
  CORE,
  coreWord,
  type Dimensions,
  ENTRY_SLOT_BITS,
  ENTRY_SLOT_MASK,
  entryOf,
  geometry,
  HEADER,
  layoutForBridge,
  MAX_GENERATION,
  MAX_SLOTS,
  REQUEST,
  requestByte,
  SEMAPHORE_WORDS,
  SLOT,
  slotWord,
  WORD_BYTES,
  WORKER,
  workerWord,
} from '../../../src/arena/layout.js';
import { DIMENSIONS } from './arenas.js';

const PAGE_BYTES = 4096;
const STRUCTS = { HEADER, WORKER, CORE, SLOT };
const SEMAPHORES = [
  ['HEADER', HEADER.probe],
  ['WORKER', WORKER.credits],
  ['WORKER', WORKER.fence],
  ['CORE', CORE.bell],
  ['SLOT', SLOT.credit],
] as const;

// biome-ignore format: a table
const SHAPES: readonly Dimensions[] = [
  DIMENSIONS,
  { ...DIMENSIONS, slots: 1, cores: 1, held: 1 },
  { ...DIMENSIONS, slots: 4096, cores: 2, held: 32, requestBytes: 115_712, answerBytes: 65_536 },
  { ...DIMENSIONS, slots: 7, cores: 1024, held: 1024, requestBytes: 1, answerBytes: 1 },
  { ...DIMENSIONS, slots: MAX_SLOTS, cores: 1, held: 65_534 },
];

describe('the layout', () => {
  test('has room for every semaphore, on a boundary that a sem_t may lie on', () => {
    for (const [name, word] of SEMAPHORES) {
      const others = Object.entries(STRUCTS[name])
        .filter(([field]) => field !== 'words')
        .map(([, at]) => at);
      const nextField = Math.min(...others.filter((at) => at > word), STRUCTS[name].words);
      assert(nextField - word >= SEMAPHORE_WORDS, `${name} word ${word}`);
      assert.equal((word * WORD_BYTES) % 8, 0, `${name} word ${word}`);
    }
  });
  test('keeps apart, by cache lines, what the two sides write in every request', () => {
    const line = (word: number) => Math.floor((word * WORD_BYTES) / 64);
    assert.notEqual(line(SLOT.client_gone), line(SLOT.length_low));
    assert.notEqual(line(WORKER.credits), line(WORKER.fence));
    assert.notEqual(line(CORE.running), line(CORE.sleeps));
    assert.notEqual(line(HEADER.magic), line(HEADER.main_sleeps));
  });
  test('has flags that do not share a bit', () => {
    for (const flags of [REQUEST, ANSWER]) {
      const bits = Object.values(flags);
      assert.equal(
        bits.reduce((sum, bit) => sum + bit, 0),
        bits.reduce((all, bit) => all | bit, 0),
      );
    }
  });
  test('is told to the bridge as plain data, number for number', () => {
    const g = geometry(DIMENSIONS);
    const told = JSON.parse(JSON.stringify(layoutForBridge(g)));
    assert.deepEqual(told.structs, JSON.parse(JSON.stringify(STRUCTS)));
    assert.deepEqual(told.geometry, JSON.parse(JSON.stringify(g)));
  });
});

describe('a geometry', () => {
  for (const dimensions of SHAPES) {
    const { slots, cores, held } = dimensions;
    test(`of ${slots} slots, ${cores} cores, ${held} requests held: its parts do not overlap`, () => {
      const g = geometry(dimensions);
      const { places } = g;
      assert.equal(workerWord(g, 0), HEADER.words);
      for (let worker = 0; worker < places; worker++) {
        const end = worker + 1 < places ? workerWord(g, worker + 1) : g.slotsAtWord;
        assert(coreWord(g, worker, 0) >= workerWord(g, worker) + WORKER.words + g.ringEntries, 'the request ring');
        assert(coreWord(g, worker, cores - 1) + CORE.words + g.ringEntries <= end, 'the last answer ring');
        if (cores > 1) assert.equal(coreWord(g, worker, 1) - coreWord(g, worker, 0), CORE.words + g.ringEntries);
      }
      assert((slotWord(g, slots - 1) + SLOT.words) * WORD_BYTES <= g.payloadAtByte);
      assert.equal(answerByte(g, 0) - requestByte(g, 0), g.requestBytes);
      if (slots > 1) assert.equal(requestByte(g, 1) - answerByte(g, 0), g.answerBytes);
      assert.equal(answerByte(g, slots - 1) + g.answerBytes, g.totalBytes);
    });
    test(`of ${slots} slots, ${cores} cores, ${held} requests held: its parts are aligned`, () => {
      const g = geometry(dimensions);
      assert(g.requestBytes >= dimensions.requestBytes && g.answerBytes >= dimensions.answerBytes);
      for (const bytes of [g.payloadAtByte, g.requestBytes, g.answerBytes]) assert.equal(bytes % PAGE_BYTES, 0);
      for (const word of [workerWord(g, 0), g.workerWords, g.coreWords]) assert.equal(word % 2, 0, 'for a sem_t');
      assert.equal((slotWord(g, 0) * WORD_BYTES) % 64, 0, 'a slot begins a cache line');
    });
    test(`of ${slots} slots, ${cores} cores, ${held} requests held: no ring can overflow`, () => {
      const g = geometry(dimensions);
      assert.equal(g.ringEntries & g.ringMask, 0, 'an index wraps with one &');
      assert.equal(g.ringMask, g.ringEntries - 1);
      assert(g.ringEntries >= held + cores + 1);
    });
  }
  test('has at least one slot, and no more than entries can name', () => {
    assert.throws(() => geometry({ ...DIMENSIONS, slots: 0 }), /1 to 65535 slots, not 0/);
    assert.throws(() => geometry({ ...DIMENSIONS, slots: MAX_SLOTS + 1 }), /not 65536/);
  });
});

describe('a ring entry', () => {
  test('gives slot and generation back, is positive, and is never 0', () => {
    for (const slot of [0, 1, MAX_SLOTS - 1, COMMAND_SLOT]) {
      for (const generation of [1, 2, MAX_GENERATION]) {
        const entry = entryOf(slot, generation);
        assert(entry > 0, `${slot} ${generation}`);
        assert.equal(entry & ENTRY_SLOT_MASK, slot);
        assert.equal(entry >>> ENTRY_SLOT_BITS, generation);
      }
    }
  });
});
