// What may stand in the answer words of a slot, as a table.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANSWER, SLOT } from '../../../src/arena/layout.js';
import { AnswerPart } from '../../../src/dispatch/answer-part.js';

const { HEAD, LAST, BROKEN, SIZED } = ANSWER;
const AREA_BYTES = 1000;
const MOST = 2 ** 31 - 1;

interface Words {
  readonly flags: number;
  readonly status?: number;
  readonly head?: number;
  readonly body?: number;
  readonly low?: number;
  readonly high?: number;
}

function partOf({ flags, status = 200, head = 0, body = 0, low = -1, high = -1 }: Words): AnswerPart {
  const words = new Int32Array(SLOT.words);
  const values = {
    answer_flags: flags,
    status,
    head_bytes: head,
    body_bytes: body,
    length_low: low,
    length_high: high,
  };
  for (const [name, value] of Object.entries(values)) words[SLOT[name as keyof typeof SLOT]] = value;
  const part = new AnswerPart();
  part.read(words, 0);
  return part;
}

describe('a part of an answer', () => {
  // biome-ignore format: a table
  const TABLE: readonly (readonly [what: string, words: Words, headSent: boolean, isSound: boolean])[] = [
    ['a whole answer',                     { flags: HEAD | LAST, head: 30, body: 5 },           false, true],
    ['one that fills its area',            { flags: HEAD | LAST, head: 30, body: 970 },         false, true],
    ['one byte more',                      { flags: HEAD | LAST, head: 30, body: 971 },         false, false],
    ['the first part',                     { flags: HEAD, head: 30, body: 5 },                  false, true],
    ['the first part, without a body',     { flags: HEAD, head: 30 },                           false, true],
    ['a further part',                     { flags: 0, body: 1000 },                            true,  true],
    ['the last part',                      { flags: LAST, body: 5 },                            true,  true],
    ['the end',                            { flags: LAST },                                     true,  true],
    ['a broken end',                       { flags: LAST | BROKEN },                            true,  true],
    ['the end of what never began',        { flags: LAST | BROKEN },                            false, true],
    ['that, with a body',                  { flags: LAST | BROKEN, body: 1 },                   false, false],
    ['a part before the head',             { flags: 0, body: 5 },                               false, false],
    ['a second head',                      { flags: HEAD, head: 30 },                           true,  false],
    ['a head without its flag',            { flags: LAST, head: 30, body: 5 },                  true,  false],
    ['a head that is too short',           { flags: HEAD | LAST, head: 2 },                     false, false],
    ['the least status',                   { flags: HEAD | LAST, head: 30, status: 200 },       false, true],
    ['the highest status',                 { flags: HEAD | LAST, head: 30, status: 999 },       false, true],
    ['an interim status',                  { flags: HEAD | LAST, head: 30, status: 199 },       false, false],
    ['a status beyond three digits',       { flags: HEAD | LAST, head: 30, status: 1000 },      false, false],
    ['a negative head',                    { flags: HEAD | LAST, head: -1 },                    false, false],
    ['a negative body',                    { flags: HEAD | LAST, head: 30, body: -1 },          false, false],
    ['lengths whose sum is beyond 32 bit', { flags: HEAD | LAST, head: MOST, body: MOST },      false, false],
    ['a length of 2^53 - 1',               { flags: HEAD, head: 30, low: -1, high: 0x1fffff },  false, true],
    ['a length of 2^53',                   { flags: HEAD, head: 30, low: 0, high: 0x200000 },   false, false],
  ];
  for (const [what, words, headSent, isSound] of TABLE) {
    test(`${what} is ${isSound ? 'sound' : 'nonsense'}${headSent ? ', behind the head' : ''}`, () => {
      assert.equal(partOf(words).fault(AREA_BYTES, headSent) === undefined, isSound);
    });
  }
  test('that is nonsense is described by its words', () => {
    const words = { flags: HEAD, status: 7, head: -1, body: 3, low: 5, high: 0 };
    assert.equal(partOf(words).fault(AREA_BYTES, false), 'flags 1, status 7, head -1, body 3 bytes, length 5');
  });

  // biome-ignore format: a table
  const LENGTHS = [
    // low           high       length
    [-1,             -1,        -1],
    [0,              0,         0],
    [7,              0,         7],
    [-1,             0,         2 ** 32 - 1],
    [0,              1,         2 ** 32],
    [-1,             0x1fffff,  Number.MAX_SAFE_INTEGER],
  ] as const;
  for (const [low, high, length] of LENGTHS) {
    test(`with the length words ${low} and ${high} has a length of ${length}`, () => {
      assert.equal(partOf({ flags: HEAD, head: 30, low, high }).length, length);
    });
  }
  test('counts the field of a length that the worker took out of the head', () => {
    for (const length of [0, 9, 10, 99_999, 2 ** 32, 10 ** 15]) {
      const [low, high] = [length | 0, Math.floor(length / 2 ** 32)];
      const given = `200 OK\r\nContent-Length: ${length}`.length;
      assert.equal(partOf({ flags: HEAD | SIZED, head: '200 OK'.length, low, high }).givenHeadBytes, given);
    }
    assert.equal(partOf({ flags: HEAD, head: 30, low: 5, high: 0 }).givenHeadBytes, 30);
  });
});
