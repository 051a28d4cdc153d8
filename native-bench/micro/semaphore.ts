// What it costs the accept thread to post a semaphore that nobody sleeps on, knowing it (`add`) or not (`post`), and to try
// to take it.
//
// Both forms for CPython processes of src/arena/process-semaphores.ts, and the one for JS threads. The system call that
//   wakes a sleeper is not in here.
// Run: npx tsc -p test && node build/native-bench/micro/semaphore.js

import { Arena } from '../../src/arena/arena.js';
import { SLOT, slotWord } from '../../src/arena/layout.js';
import type { Semaphores } from '../../src/arena/semaphores.js';
import { table } from '../report.js';
import { median } from '../statistics.js';

const ROUNDS = 15;
/** Also how often a semaphore is posted in a row; far below the most that a `sem_t` counts. */
const CALLS = 200_000;

const DIMENSIONS = { slots: 1, requestBytes: 4096, answerBytes: 4096, places: 1, cores: 1, held: 32 };
const FORMS = [
  { name: 'POSIX, by the C library through koffi', arena: Arena.forProcesses(DIMENSIONS, 'library') },
  { name: 'POSIX, by Atomics and futex', arena: Arena.forProcesses(DIMENSIONS) },
  { name: 'for JS threads', arena: Arena.forThreads(DIMENSIONS) },
];

/** ns per call of `call`, which is made `CALLS` times. */
function nsPerCall(call: () => void): number {
  const startedNs = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i++) call();
  return Number(process.hrtime.bigint() - startedNs) / CALLS;
}

/** One round: as many of each, and attempts on nothing. ns per call. */
function measure(semaphores: Semaphores, word: number) {
  semaphores.reset(word);
  const add = nsPerCall(() => semaphores.add(word));
  semaphores.reset(word);
  return {
    add,
    post: nsPerCall(() => semaphores.post(word)),
    take: nsPerCall(() => semaphores.tryTake(word)),
    miss: nsPerCall(() => semaphores.tryTake(word)),
  };
}

const rows = FORMS.map(({ name, arena }) => ({ name, arena, rounds: [] as ReturnType<typeof measure>[] }));
for (let round = 0; round < ROUNDS; round++) {
  for (const { arena, rounds } of rows) {
    rounds.push(measure(arena.semaphores, slotWord(arena.geometry, 0) + SLOT.credit));
  }
}
const middle = (values: readonly number[]) => (median(values) ?? 0).toFixed(1);
const cells = rows.map(({ name, rounds }) => [
  name,
  middle(rounds.map(({ add }) => add)),
  middle(rounds.map(({ post }) => post)),
  middle(rounds.map(({ take }) => take)),
  middle(rounds.map(({ miss }) => miss)),
]);
console.log(`ns per call, median of ${ROUNDS} rounds of ${CALLS} calls, Node ${process.version}\n`);
console.log(table(['semaphore', 'add', 'post', 'tryTake', 'tryTake in vain'], cells).join('\n'));
