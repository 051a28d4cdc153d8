// The rings under fire: real threads, and real CPython processes with several threads each, race the accept thread for the
// same few requests. Each must be started once, by whoever claimed it, and answered once.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AnswerRing } from '../../../src/arena/answer-ring.js';
import { Arena } from '../../../src/arena/arena.js';
import {
  COMMAND_SLOT,
  COMMAND_STOP,
  CORE,
  coreWord,
  entryOf,
  HEADER,
  layoutForBridge,
  requestByte,
  SLOT,
  slotWord,
} from '../../../src/arena/layout.js';
import { RequestRing } from '../../../src/arena/request-ring.js';
import { ThreadRings } from '../../../src/arena/thread-rings.js';
import { PipeDoorbell, WordDoorbell } from '../../../src/dispatch/doorbell.js';
import { randomFrom } from '../../fuzz.js';
import { DIMENSIONS, KINDS } from './arenas.js';
import { Hammer, TestBell } from './hammer.js';
import type { RingThreadData } from './ring-thread.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** Few slots, so that their generations go round; few held requests, so that the rings run full. */
const CONTEST = { ...DIMENSIONS, slots: 24, places: 3, held: 8 };

for (const { kind, makeArena } of KINDS) {
  describe(`a request ring of an arena ${kind}`, () => {
    test('gives back the youngest request first, and nothing once all are taken', () => {
      const ring = new RequestRing(makeArena(), 0);
      for (const entry of [11, 12, 13]) ring.push(entry);
      assert.deepEqual([ring.takeBack(), ring.takeBack()], [13, 12]);
      ring.push(14);
      assert.deepEqual([ring.takeBack(), ring.takeBack(), ring.takeBack()], [14, 11, 0]);
    });
    test('goes round many times', () => {
      const arena = makeArena();
      const ring = new RequestRing(arena, 1);
      for (let i = 1; i < 10 * arena.geometry.ringEntries; i += 3) {
        for (const entry of [i, i + 1, i + 2]) ring.push(entry);
        assert.deepEqual([ring.takeBack(), ring.takeBack(), ring.takeBack(), ring.takeBack()], [i + 2, i + 1, i, 0]);
      }
    });
    test('gives back what was pushed, whatever the worker wrote into it', () => {
      const arena = makeArena();
      const ring = new RequestRing(arena, 0);
      const before = Array.from(arena.words);
      ring.push(11);
      for (const [at, value] of before.entries()) if (value === 0 && arena.words[at] === 11) arena.words[at] = 99;
      assert.equal(ring.takeBack(), 11);
    });
    test('is empty after a reset', () => {
      const ring = new RequestRing(makeArena(), 0);
      ring.push(11);
      ring.reset();
      assert.equal(ring.takeBack(), 0);
    });
    test('wakes only threads that sleep, and only as many as are wanted', () => {
      const arena = makeArena();
      const ring = new RequestRing(arena, 1);
      const sleeps = [0, 1].map((core) => coreWord(arena.geometry, 1, core) + CORE.sleeps);
      const state = () => sleeps.map((word) => arena.words[word]);
      assert.equal(ring.wake(2), 0, 'nobody sleeps');
      for (const word of sleeps) arena.words[word] = 1;
      assert.equal(ring.wake(0), 0);
      assert.equal(ring.wake(1), 1);
      assert.deepEqual(state(), [0, 1]);
      assert.equal(ring.wake(1), 0, 'one is awake already');
      assert.equal(ring.wake(2), 1);
      assert.deepEqual(state(), [0, 0]);
    });
    test('tells each thread of the worker to stop', () => {
      const ring = new RequestRing(makeArena(), 0);
      ring.stop();
      const stop = entryOf(COMMAND_SLOT, COMMAND_STOP);
      assert.deepEqual([ring.takeBack(), ring.takeBack(), ring.takeBack()], [stop, stop, 0]);
    });
  });
}

describe('an answer ring', () => {
  test('gives the events in order, and clears what it gave', () => {
    const arena = Arena.forThreads(DIMENSIONS);
    const answers = new AnswerRing(arena, 0, 0);
    const thread = new ThreadRings(arena.memory, 0);
    assert.equal(answers.take(), 0);
    for (let i = 1; i < 5 * arena.geometry.ringEntries; i += 2) {
      thread.publish(i);
      thread.publish(i + 1);
      assert.deepEqual([answers.take(), answers.take(), answers.take()], [i, i + 1, 0]);
    }
  });
  test('holds an event for each request that a worker may have, and the one of its start', () => {
    const arena = Arena.forThreads({ ...DIMENSIONS, cores: 1, held: 63 });
    const answers = new AnswerRing(arena, 0, 0);
    const thread = new ThreadRings(arena.memory, 0);
    const sent = Array.from({ length: 64 }, (_, i) => i + 1);
    for (const entry of sent) thread.publish(entry);
    assert.deepEqual(
      sent.map(() => answers.take()),
      sent,
    );
  });
  test('is empty after a reset', () => {
    const arena = Arena.forThreads(DIMENSIONS);
    const answers = new AnswerRing(arena, 0, 0);
    const thread = new ThreadRings(arena.memory, 0);
    thread.publish(7);
    thread.sample(1000);
    answers.reset();
    assert.equal(answers.take(), 0);
    assert.equal(answers.serviceSampleNs, 0);
  });
  test('gives a sample of the service time once', () => {
    const arena = Arena.forThreads(DIMENSIONS);
    const answers = new AnswerRing(arena, 0, 0);
    new ThreadRings(arena.memory, 0).sample(1234);
    assert.deepEqual([answers.serviceSampleNs, answers.serviceSampleNs], [1234, 0]);
  });
});

describe('a doorbell', () => {
  test('is rung once by many workers, and only when the other side says that it sleeps', () => {
    const arena = Arena.forThreads(DIMENSIONS);
    let rings = 0;
    const threads = [0, 1].map((worker) => new ThreadRings(arena.memory, worker));
    const bell = new WordDoorbell(arena.words, HEADER.main_sleeps, () => rings++);
    bell.arm();
    assert.equal(rings, 1, 'the word was not 1: there is something to see already');
    Atomics.store(arena.words, HEADER.main_sleeps, 1);
    for (const thread of threads) thread.ring();
    assert.equal(arena.words[HEADER.main_sleeps], 0, 'who rings takes the word back');
  });
  test('of threads rings for each sleep', async () => {
    const arena = Arena.forThreads(DIMENSIONS);
    const thread = new ThreadRings(arena.memory, 0);
    const alive = setInterval(() => {}, 1000); // a wait for a word does not keep the process going
    for (let i = 0; i < 100; i++) {
      const bell = new TestBell();
      const doorbell = new WordDoorbell(arena.words, HEADER.main_sleeps, bell.ring);
      Atomics.store(arena.words, HEADER.main_sleeps, 1);
      doorbell.arm();
      doorbell.arm(); // a second time changes nothing
      setImmediate(() => thread.ring());
      await bell.rung;
    }
    clearInterval(alive);
  });
});

/** Checks what the workers noted: each of the `count` requests once. */
function assertOnce(started: (id: number) => number, count: number): void {
  const wrong = Array.from({ length: count }, (_, i) => i + 1).filter((id) => started(id) !== 1);
  assert.deepEqual(
    wrong.slice(0, 10).map((id) => `${id} was started ${started(id)} times`),
    [],
  );
}

describe('requests that workers and the accept thread race for', { timeout: 60_000 }, () => {
  const COUNT = 60_000;

  test('are each started once by one of three threads', async (t) => {
    const arena = Arena.forThreads({ ...CONTEST, cores: 1 });
    const started = new Int32Array(new SharedArrayBuffer((COUNT + 1) * 4));
    const threads = Array.from({ length: CONTEST.places }, (_, worker) => {
      const workerData: RingThreadData = { memory: arena.memory, worker, started };
      return new Worker(new URL('ring-thread.js', import.meta.url), { workerData });
    });
    t.after(() => Promise.all(threads.map((thread) => thread.terminate())));
    const ended = Promise.all(threads.map((thread) => once(thread, 'exit')));
    const bell: TestBell = new TestBell(() => doorbell.arm());
    const doorbell = new WordDoorbell(arena.words, HEADER.main_sleeps, bell.ring);
    const hammer = new Hammer(arena, CONTEST.places, randomFrom(2), bell);
    await hammer.ready();
    const { moved, slept } = await hammer.run(COUNT, () => {});
    hammer.stop();
    await ended;
    assertOnce((id) => started[id]!, COUNT);
    assert.equal(arena.slotsInUse, 0);
    assert(moved > 1000 && slept > 10, `moved ${moved}, slept ${slept}: too little to prove anything`);
  });

  for (const form of ['best', 'library'] as const) {
    test(`are each started once by one of three CPython processes with two threads each (${form} semaphores)`, async (t) => {
      const arena = Arena.forProcesses(CONTEST, form);
      const { geometry } = arena;
      const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-rings-'));
      const ledger = join(directory, 'ledger');
      writeFileSync(ledger, '');
      const bell = new TestBell();
      const doorbell = new PipeDoorbell(bell.ring);
      const program = join(ROOT, 'test/unit/arena/ring_process.py');
      const hammer = new Hammer(arena, CONTEST.places, randomFrom(3), bell); // before anybody sleeps on what it resets
      const processes = Array.from({ length: CONTEST.places }, (_, worker) => {
        const args = [program, join(ROOT, 'dist/worker/python'), String(worker), ledger];
        arena.semaphores.post(HEADER.probe); // each of them makes the self-test
        return spawn('python3', args, { stdio: ['pipe', 'inherit', 'inherit', arena.fd, doorbell.writeFd] });
      });
      t.after(() => {
        for (const child of processes) child.kill('SIGKILL');
        doorbell.close();
        rmSync(directory, { recursive: true });
      });
      const ended = Promise.all(processes.map((child) => once(child, 'exit')));
      for (const child of processes) child.stdin!.end(`${JSON.stringify(layoutForBridge(geometry))}\n`);
      await hammer.ready();
      const { moved, slept } = await hammer.run(COUNT, (slot, id) => {
        const at = slotWord(geometry, slot);
        const values = String(id);
        arena.bytes.write(`ID${values}`, requestByte(geometry, slot), 'latin1');
        arena.words[at + SLOT.names_bytes] = 2;
        arena.words[at + SLOT.values_bytes] = values.length;
        arena.words[at + SLOT.input_fd] = -1;
      });
      hammer.stop();
      assert.deepEqual(await ended, Array(CONTEST.places).fill([0, null]));
      const started = new Map<number, number>();
      for (const line of readFileSync(ledger, 'utf8').trimEnd().split('\n')) {
        started.set(Number(line), (started.get(Number(line)) ?? 0) + 1);
      }
      assertOnce((id) => started.get(id) ?? 0, COUNT);
      assert.equal(arena.slotsInUse, 0);
      assert(moved > 1000 && slept > 10, `moved ${moved}, slept ${slept}: too little to prove anything`);
    });
  }
});
