// The small form of `npm run reloads`: each trial a few times, under wrk at full load. Times are measured by the large form
// only, because here the machine may be busy with something else.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runTrial, TRIALS } from '../load/planned.js';

const COUNTS: Readonly<Record<string, number>> = {
  recycles: 12,
  touches: 2,
  chains: 1,
  hangups: 2,
  cheaper: 1,
  kills: 5,
  leak: 2,
};

describe('under wrk at full load no client notices', () => {
  for (const trial of TRIALS) {
    const count = COUNTS[trial.name]!;
    for (const language of trial.languages) {
      test(`${count} ${trial.unit} (${language})`, async () => {
        const { problems } = await runTrial(trial, language, count, false);
        assert.deepEqual(problems, []);
      });
    }
  }
});
