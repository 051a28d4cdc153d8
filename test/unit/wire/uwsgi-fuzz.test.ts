// A short run of the fuzzer, so that it stays true to the parser; `npm run fuzz` does the long one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../../fuzz.js';

test('50 000 mutated packets break no rule, and some of them are requests', () => {
  const outcomes = fuzz(50_000, 7);
  assert((outcomes.get('request') ?? 0) > 100, 'the mutations hit nothing that reaches an app');
  assert((outcomes.get('PEER_BAD_REQUEST') ?? 0) > 100);
});
