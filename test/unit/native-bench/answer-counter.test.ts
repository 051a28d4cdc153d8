// Where answers end, in all three ways, however their bytes are cut.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AnswerCounter } from '../../../native-bench/answer-counter.js';

const SIZED = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const EMPTY = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n';
const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello';

function count(text: string, stepBytes: number): number {
  const counter = new AnswerCounter();
  let answers = 0;
  for (let at = 0; at < text.length; at += stepBytes)
    answers += counter.feed(Buffer.from(text.slice(at, at + stepBytes)));
  return answers + counter.end();
}

describe('answers on one connection', () => {
  for (const stepBytes of [1, 2, 7, 10_000]) {
    test(`are counted when they come ${stepBytes} bytes at a time`, () => {
      assert.equal(count(SIZED, stepBytes), 1);
      assert.equal(count(EMPTY + EMPTY, stepBytes), 2);
      assert.equal(count(CHUNKED, stepBytes), 1);
      assert.equal(count(CHUNKED + SIZED + EMPTY + CHUNKED, stepBytes), 4);
      assert.equal(count(SIZED + UNTIL_CLOSE, stepBytes), 2);
    });
  }
  test('do not count before their last byte', () => {
    assert.equal(count(SIZED.slice(0, -1), 10_000), 0);
    assert.equal(count(CHUNKED.slice(0, -1), 10_000), 0);
  });
});
