// Takes a semaphore as often as it is told, sleeping in between, and says when it is done. For semaphores.test.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { type ArenaMemory, viewsOf } from '../../../src/arena/arena.js';
import { AtomicSemaphores } from '../../../src/arena/semaphores.js';

const { memory, word, takes } = workerData as { memory: ArenaMemory; word: number; takes: number };
const { words } = viewsOf(memory);
const semaphores = new AtomicSemaphores(words);
for (let taken = 0; taken < takes; taken++) {
  while (!semaphores.tryTake(word)) Atomics.wait(words, word, 0);
}
parentPort!.postMessage(takes);
