// Small arenas for tests.

import { Arena } from '../../../src/arena/arena.js';

export const DIMENSIONS = { slots: 8, requestBytes: 4096, answerBytes: 4096, places: 2, cores: 2, held: 32 };

/** Both kinds: for JS threads, and on pages that CPython maps too. */
export const KINDS = [
  { kind: 'for threads', makeArena: (dimensions = DIMENSIONS) => Arena.forThreads(dimensions) },
  { kind: 'for processes', makeArena: (dimensions = DIMENSIONS) => Arena.forProcesses(dimensions) },
] as const;
