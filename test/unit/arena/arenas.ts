// Small arenas for tests.

import { Arena } from '../../../src/arena/arena.js';

export const DIMENSIONS = { slots: 8, requestBytes: 4096, answerBytes: 4096, places: 2, cores: 2, held: 32 };

/** All kinds: for JS threads, and on pages that CPython maps too, with both forms of semaphores. */
export const KINDS = [
  { kind: 'for threads', makeArena: (dimensions = DIMENSIONS) => Arena.forThreads(dimensions) },
  { kind: 'for processes', makeArena: (dimensions = DIMENSIONS) => Arena.forProcesses(dimensions) },
  {
    kind: "for processes, with the C library's semaphores",
    makeArena: (dimensions = DIMENSIONS) => Arena.forProcesses(dimensions, 'library'),
  },
] as const;
