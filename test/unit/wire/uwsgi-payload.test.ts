// What is read from a payload that has been made ready, and added to it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  appendVariables,
  PACKET_HEADER_BYTES,
  PacketFacts,
  packetOf,
  preparePayload,
  valueIn,
  variablesOf,
} from '../../../src/wire/uwsgi.js';

function prepared(variables: readonly (readonly [string, string])[]): Buffer {
  const payload = packetOf(variables).subarray(PACKET_HEADER_BYTES);
  const facts = new PacketFacts();
  assert.equal(preparePayload(payload, facts, 100), undefined);
  return payload.subarray(0, facts.bytes);
}

describe('a payload that has been made ready', () => {
  test('gives the value of a variable, the last one where it comes twice, and none for what is not there', () => {
    const payload = prepared([
      ['A', '1'],
      ['HTTP_HOST', 'one'],
      ['EMPTY', ''],
      ['HTTP_HOST', 'two'],
    ]);
    assert.equal(valueIn(payload, 'HTTP_HOST'), 'two');
    assert.equal(valueIn(payload, 'EMPTY'), '');
    assert.equal(valueIn(payload, 'HTTP_HOS'), '');
  });

  test('does not take a value for a name', () => {
    const payload = prepared([
      ['HTTP_X', 'HTTP_HOST'],
      ['evil.example', 'x'],
      ['HTTP_HOST', 'example.org'],
    ]);
    assert.equal(valueIn(payload, 'HTTP_HOST'), 'example.org');
  });

  test('takes more variables behind its own, and they count', () => {
    const payload = appendVariables(prepared([['A', '1']]), [
      ['A', '2'],
      ['B', ''],
    ]);
    assert.deepEqual(
      [...variablesOf(payload)],
      [
        ['A', '2'],
        ['B', ''],
      ],
    );
  });
});
