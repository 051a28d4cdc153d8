// The two kinds of semaphore: the same rules for both, and neither loses or invents a post when many take at once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SLOT, slotWord } from '../../../src/arena/layout.js';
import { LibrarySemaphores } from '../../../src/arena/process-semaphores.js';
import { WordSemaphores } from '../../../src/arena/semaphores.js';
import { randomFrom } from '../../fuzz.js';
import { KINDS } from './arenas.js';

for (const { kind, makeArena } of KINDS) {
  describe(`the semaphores of an arena ${kind}`, () => {
    const arena = makeArena();
    const { semaphores } = arena;
    const word = slotWord(arena.geometry, 0) + SLOT.credit;

    test('give one take per post, and never more', () => {
      semaphores.reset(word);
      assert.equal(semaphores.tryTake(word), false);
      for (let i = 0; i < 3; i++) semaphores.post(word);
      assert.deepEqual(
        [1, 2, 3, 4].map(() => semaphores.tryTake(word)),
        [true, true, true, false],
      );
    });
    test('count nothing after a reset', () => {
      semaphores.post(word);
      semaphores.reset(word);
      assert.equal(semaphores.tryTake(word), false);
    });
    test('do not touch their neighbours', () => {
      const before = Array.from(arena.words);
      semaphores.post(word);
      const changed = before.flatMap((value, at) => (arena.words[at] === value ? [] : [at]));
      assert(changed.length > 0 && changed.every((at) => at >= word && at < word + 8), changed.join());
    });
  });
}

describe('the semaphores for processes', () => {
  test('are counted without the C library where its semaphores look as expected, as glibc has them', () => {
    assert(KINDS[1].makeArena().semaphores instanceof WordSemaphores);
    assert(KINDS[2].makeArena().semaphores instanceof LibrarySemaphores);
  });
  test('are the same ones that the C library counts', () => {
    const arena = KINDS[1].makeArena();
    const word = slotWord(arena.geometry, 0) + SLOT.credit;
    arena.semaphores.reset(word);
    for (let i = 1; i <= 3; i++) {
      arena.semaphores.post(word);
      assert.equal(arena.words[word], i);
    }
  });
  test('take no harm from what a mad process writes into them', () => {
    const arena = KINDS[1].makeArena();
    const word = slotWord(arena.geometry, 0) + SLOT.credit;
    const random = randomFrom(4);
    for (let i = 0; i < 20_000; i++) {
      for (let at = word; at < word + 8; at++) arena.words[at] = Math.floor(random() * 2 ** 32);
      arena.semaphores.post(word); // with glibc's own sem_post this ends the process, or never returns
      arena.semaphores.tryTake(word);
    }
  });
});

describe('the semaphores for threads', () => {
  test('wake a thread that waits, once per post', async () => {
    const arena = KINDS[0].makeArena();
    const word = slotWord(arena.geometry, 0) + SLOT.credit;
    const thread = new Worker(new URL('semaphore-thread.js', import.meta.url), {
      workerData: { memory: arena.memory, word, takes: 20_000 },
    });
    let posted = 0;
    const taken = once(thread, 'message');
    while (posted < 20_000) {
      for (let burst = 0; burst < 100; burst++, posted++) arena.semaphores.post(word);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [stolen] = [[1, 2, 3].map(() => arena.semaphores.tryTake(word)).filter(Boolean).length];
    for (let i = 0; i < stolen!; i++) arena.semaphores.post(word); // given back: the thread waits for all
    assert.deepEqual(await taken, [20_000]);
    assert.equal(arena.semaphores.tryTake(word), false);
  });
});
