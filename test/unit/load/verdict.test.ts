// The judge itself: each kind of ending with each number of starts, and the check of a body.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyCheck, patternOf } from '../../load/ask.js';
import type { Ending } from '../../load/client.js';
import { judge } from '../../load/ledger.js';

// biome-ignore format: a table
const TABLE: readonly (readonly [ending: Ending, status: number, starts: number, verdict: string])[] = [
  ['right',   200, 1, '1 right'],
  ['right',   200, 0, '1 right, 1 ghost'],
  ['right',   200, 2, '1 right, 1 twice'],
  ['wrong',   200, 1, '1 wrong'],
  ['lost',    0,   0, '1 lost'],
  ['lost',    0,   1, '1 lost'],
  ['lost',    0,   2, '1 twice, 1 lost'],
  ['refused', 0,   0, '1 refused'],
  ['refused', 0,   1, '1 ghost, 1 refused'],
  ['status',  503, 0, '1 refused'],
  ['status',  503, 1, '1 ghost, 1 refused'],
  ['status',  502, 0, '1 failed'],
  ['status',  502, 1, '1 failed'],
  ['status',  504, 1, '1 failed'],
  ['status',  507, 1, '1 ghost, 1 other'],
  ['status',  500, 1, '1 other'],
  ['left',    0,   0, '1 left'],
  ['left',    0,   1, '1 left'],
  ['left',    0,   2, '1 twice, 1 left'],
];

describe('the verdict on a request', () => {
  for (const [ending, status, starts, expected] of TABLE) {
    test(`that ended ${ending} ${status || ''} and was started ${starts} times is: ${expected}`, () => {
      const verdict = judge(new Map([['a', { ending, status, why: '' }]]), new Map(starts > 0 ? [['a', starts]] : []));
      assert.equal(String(verdict), expected);
      assert.equal(verdict.asked, 1);
    });
  }
});

describe('the check of a body', () => {
  const ask = { id: 'abc', bytes: 10 };
  const check = (...chunks: (Buffer | string)[]) => {
    const body = new BodyCheck(ask);
    for (const chunk of chunks) body.feed(Buffer.from(chunk as string));
    return body.fault;
  };
  test('takes what belongs to the request, in any pieces', () => {
    assert.equal(check(patternOf('abc', 10)), undefined);
    assert.equal(check('abc\nabc\nab'), undefined);
    assert.equal(check(...'abc\nabc\nab'), undefined);
    assert.equal(check('abc\na', '', 'bc\nab'), undefined);
  });
  test('sees a byte too few, a byte too many, and one of another request', () => {
    assert.match(check('abc\nabc\na')!, /9 bytes, not 10/);
    assert.match(check('abc\nabc\nabc')!, /11 bytes, not 10/);
    assert.match(check('abc\nabd\nab')!, /behind byte 0/);
    assert.match(check('abc\n', 'xbc\nab')!, /behind byte 4/);
  });
});
