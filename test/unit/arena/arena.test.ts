// Slots: who has one, in which order they are used again, and what tells two uses apart.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HEADER, MAGIC, MAX_GENERATION, SLOT, slotWord } from '../../../src/arena/layout.js';
import { ServerFault } from '../../../src/base/errors.js';
import { DIMENSIONS, KINDS } from './arenas.js';

for (const { kind, makeArena } of KINDS) {
  describe(`an arena ${kind}`, () => {
    test('is marked, so that whoever maps it knows it', () => {
      assert.equal(makeArena().words[HEADER.magic], MAGIC);
    });
    test('gives each slot once, until all are in use', () => {
      const arena = makeArena();
      const taken = Array.from({ length: DIMENSIONS.slots }, () => arena.take());
      assert.deepEqual([...taken].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
      assert.equal(arena.slotsInUse, DIMENSIONS.slots);
      assert.equal(arena.take(), -1);
      arena.free(taken[3]!);
      assert.equal(arena.take(), taken[3]);
      for (const slot of taken) arena.free(slot);
      assert.equal(arena.slotsInUse, 0);
    });
    test('gives the slot that was freed last, and leaves the ones it never needed alone', () => {
      const arena = makeArena();
      const [first, second, third] = [arena.take(), arena.take(), arena.take()];
      arena.free(first!);
      arena.free(third!);
      arena.free(second!);
      assert.deepEqual([arena.take(), arena.take(), arena.take()], [second, third, first]);
    });
    test('counts the generation of a slot up at each use, round and round without 0', () => {
      const arena = makeArena();
      for (let use = 0; use < 2 * MAX_GENERATION + 2; use++) {
        const slot = arena.take();
        assert.equal(slot, 0);
        assert.equal(arena.generationOf(slot), (use % MAX_GENERATION) + 1);
        arena.free(slot);
      }
      assert.equal(arena.generationOf(1), 0, 'each slot has its own');
    });
    test('hands a slot out with its client there', () => {
      const arena = makeArena();
      const slot = arena.take();
      const gone = slotWord(arena.geometry, slot) + SLOT.client_gone;
      arena.words[gone] = 1;
      arena.free(slot);
      assert.equal(arena.take(), slot);
      assert.equal(arena.words[gone], 0);
    });
  });
}

describe('the self-test of shared pages', () => {
  test('passes when the other side has written and posted', () => {
    const arena = KINDS[1].makeArena();
    arena.beginSelfTest();
    assert(arena.semaphores.tryTake(HEADER.probe));
    arena.words[HEADER.magic_echo] = MAGIC;
    arena.semaphores.post(HEADER.probe);
    arena.endSelfTest();
  });
  test('fails when what was written does not arrive, and an earlier pass does not count', () => {
    const arena = KINDS[1].makeArena();
    arena.words[HEADER.magic_echo] = MAGIC;
    arena.beginSelfTest();
    assert.throws(
      () => arena.endSelfTest(),
      (error) => error instanceof ServerFault && /does not arrive/.test(error.message),
    );
  });
  test('fails when what was posted does not arrive', () => {
    const arena = KINDS[1].makeArena();
    arena.beginSelfTest();
    assert(arena.semaphores.tryTake(HEADER.probe));
    arena.words[HEADER.magic_echo] = MAGIC;
    assert.throws(() => arena.endSelfTest(), /shared memory: the self-test failed: .*cannot be taken/);
  });
});

describe('an arena that is too large for this Node', () => {
  for (const { kind, makeArena } of KINDS) {
    test(`${kind}: is refused, with the options that make it smaller`, () => {
      const dimensions = { ...DIMENSIONS, slots: 65_535, answerBytes: 131_072 };
      assert.throws(() => makeArena(dimensions), /65535 requests take up to \d+ bytes.*lower max-inflight/);
    });
  }
});
