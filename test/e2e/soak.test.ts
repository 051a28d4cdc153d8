// The small form of `npm run soak`: a few seconds of mixed load, in which something is killed every three seconds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from '../load/soak.js';

test('mixed load while workers are killed: every answer is the right one, nothing runs twice, nothing leaks', async () => {
  const { verdict, kills, problems } = await soak({ seconds: 14, restMs: 100, seed: 2 });
  assert.deepEqual(problems, [], verdict.remarks.join('\n'));
  assert(verdict.right > 500 && verdict.left > 50, String(verdict));
  assert(kills.py > 0 && kills.js > 0 && kills.reloads > 0, JSON.stringify(kills));
});
