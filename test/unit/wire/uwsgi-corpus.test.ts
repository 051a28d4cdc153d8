// The corpus of test/corpus/uwsgi/ against the parser, without a socket. The same cases meet a live listener in
// test/e2e/uwsgi-corpus.test.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PacketFacts, type PacketOutcome, PacketReader, preparePayload } from '../../../src/wire/uwsgi.js';
import { type PacketCase, packetCases } from '../../corpus/uwsgi-corpus.js';

/** Bytes at either end of a packet at which it is cut. */
const MOST_CUTS = 1000;

/** The variables as a worker gets them. */
function unpack(payload: Buffer): Map<string, string> {
  const parts = payload.toString('latin1').split('\0\0').slice(1);
  return new Map(Array.from({ length: parts.length / 2 }, (_, i) => [parts[2 * i]!, parts[2 * i + 1]!]));
}

/** Feeds `pieces` until something other than `more` is found. */
function read(pieces: readonly Buffer[], c: PacketCase): PacketOutcome {
  const reader = new PacketReader(c.limits.bufferBytes);
  for (const piece of pieces) {
    const outcome = reader.feed(Buffer.from(piece));
    if (outcome.kind !== 'more') return outcome;
  }
  return { kind: 'more' };
}

function check(c: PacketCase, outcome: PacketOutcome): void {
  const { expect } = c;
  if (outcome.kind === 'more') {
    // for the connection to end: a request that never becomes whole, or nothing at all
    assert(expect.kind === 'closed' || (expect.kind === 'refused' && expect.why.test('ends in the middle')), c.name);
    return;
  }
  if (outcome.kind === 'ping') {
    assert.equal(expect.kind, 'pong');
    return;
  }
  if (outcome.kind === 'fault') {
    assert(expect.kind === 'refused', `refused with ${outcome.error.message}`);
    assert.equal(outcome.error.status, expect.status);
    assert.match(outcome.error.message, expect.why);
    return;
  }
  const facts = new PacketFacts();
  const payload = Buffer.from(outcome.payload);
  const error = preparePayload(payload, facts, 2 * c.limits.maxVars);
  if (error !== undefined) {
    assert(expect.kind === 'refused', `refused with ${error.message}`);
    assert.equal(error.status, expect.status);
    assert.match(error.message, expect.why);
    return;
  }
  if (expect.kind === 'refused') {
    // what only the listener knows: the limit of a body, and that one never came to its end
    assert(expect.status === 413 || facts.contentLength > c.body.length, c.name);
    return;
  }
  assert(expect.kind === 'app');
  const variables = unpack(payload.subarray(0, facts.bytes));
  assert.equal(variables.size <= facts.variables, true);
  for (const [name, value] of expect.variables) {
    if (name.startsWith('wsgi.')) continue; // the worker's
    assert(variables.has(name), `${name} is missing`);
    if (value !== '*') assert.equal(variables.get(name), Buffer.from(value, 'utf8').toString('utf8'));
  }
  for (const name of expect.absent) assert(!variables.has(name), `${name} came through`);
  if (expect.bodyBytes !== undefined) assert.equal(Math.min(facts.contentLength, c.body.length), expect.bodyBytes);
}

describe('the corpus of uwsgi packets, against the parser', () => {
  for (const c of packetCases()) {
    test(c.name, () => check(c, read([c.packet], c)));
  }

  test('every packet means the same when it is cut in two at any byte', () => {
    for (const c of packetCases()) {
      for (let cut = 1; cut < c.packet.length; cut++) {
        if (cut > MOST_CUTS && cut < c.packet.length - MOST_CUTS) continue; // inside one long value
        check(c, read([c.packet.subarray(0, cut), c.packet.subarray(cut)], c));
      }
    }
  });

  test('every packet means the same when it comes byte by byte', () => {
    for (const c of packetCases()) {
      check(
        c,
        read(
          Array.from(c.packet, (_, i) => c.packet.subarray(i, i + 1)),
          c,
        ),
      );
    }
  });
});
