// The small form of `npm run lossless`: every fault once, while requests come by every way to both apps. Gaps are measured
// by the large form only, because here the machine may be busy with something else.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAULTS } from '../load/faults.js';
import { runLossless } from '../load/lossless.js';
import { WAYS } from '../load/ways.js';

const PROMISES = {
  planned: 'is noticed by nobody',
  crash: 'is noticed only by those whose requests ran there, as a 502',
  stop: 'answers all that was taken',
} as const;

describe('requests at a fixed rate, the ledger against the answers', () => {
  for (const fault of FAULTS) {
    test(`${fault.name} ${PROMISES[fault.kind]}`, async () => {
      const plan = { fault, ways: WAYS, perSecond: 200, seconds: 1.5, workMs: 5 };
      const { verdict, problems } = await runLossless(plan, Number.POSITIVE_INFINITY);
      assert.deepEqual(problems, [], verdict.remarks.join('\n'));
      assert.equal(verdict.asked, 300);
    });
  }
});
