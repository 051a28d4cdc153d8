// Answers as bytes: those of the server itself, and heads taken apart for an engine.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LoadError, PeerError } from '../../../src/base/errors.js';
import { answerFor, isBodyless, parseHead, statusLine, withoutDate } from '../../../src/wire/answer.js';

describe('an answer of the server itself', () => {
  test('tells its status and nothing of what the client sent, nor of what went wrong inside', () => {
    const answer = answerFor(new PeerError('PEER_BAD_REQUEST', 'the value of X has bytes <evil>\r\nX-Evil: 1'));
    assert.deepEqual(answer, {
      status: '400 Bad Request',
      fields: [['Content-Type', 'text/plain']],
      body: Buffer.from('Bad Request\n'),
    });
  });

  test('says when to come back, where that helps', () => {
    const { fields } = answerFor(new LoadError('LOAD_QUEUE_FULL', 4096));
    assert.deepEqual(fields.at(-1), ['Retry-After', '1']);
    assert.equal(answerFor(new PeerError('PEER_NO_APP', '/x')).fields.length, 1);
  });

  test('has a reason phrase, whatever its status', () => {
    assert.equal(statusLine(404), '404 Not Found');
    assert.equal(statusLine(799), '799 Unknown');
  });
});

describe('the head of an app', () => {
  const head = (text: string) => Buffer.from(text, 'latin1');

  test('is taken apart into reason, names and values', () => {
    // biome-ignore format: a table
    const HEADS: readonly (readonly [text: string, reason: string, fields: readonly string[]])[] = [
      ['200 OK',                                       'OK',         []],
      ['200 ',                                         '',           []],
      ['404 Not Found\r\nA: b',                        'Not Found',  ['A', 'b']],
      ['200 OK\r\nA: \r\nB: c: d, e',                  'OK',         ['A', '', 'B', 'c: d, e']],
      ['200 Sch\xf6n\r\nA: \xe9\r\nA: 2',              'Sch\xf6n',   ['A', '\xe9', 'A', '2']],
      ['200 OK\r\nA:  two spaces',                     'OK',         ['A', ' two spaces']],
    ];
    for (const [text, reason, fields] of HEADS) assert.deepEqual(parseHead(head(text)), { reason, fields });
  });

  test('loses its Date, and nothing else', () => {
    const text = withoutDate(head('200 OK\r\nX-Date: 1\r\ndate: now\r\nDated: 2\r\nDATE: then')).toString('latin1');
    assert.equal(text, '200 OK\r\nX-Date: 1\r\nDated: 2');
    assert.equal(withoutDate(head('200 date: x')).toString('latin1'), '200 date: x');
  });

  test('has a body or not by its status', () => {
    assert.deepEqual([200, 204, 205, 304, 404].map(isBodyless), [false, true, false, true, false]);
  });
});
