// A short run of the HTTP fuzzer, so that it stays true; `npm run fuzz -- --http` does the long one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../fuzz.js';
import { fuzzHttp } from '../fuzz-http.js';
import { ENGINES } from './harness.js';

test('of 2000 mutated requests no engine hands anything to the app but what the strict reader finds in them', async () => {
  const outcomes = await fuzzHttp(ENGINES, 2000, randomFrom(17));
  for (const engine of ENGINES) {
    const [served, refused] = ['served', 'refused'].map((outcome) => outcomes.get(`${engine}: ${outcome}`) ?? 0);
    assert(served! > 100 && refused! > 500, `${engine}: the mutations hit too little or too much`);
  }
});
