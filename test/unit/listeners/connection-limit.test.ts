// How many connections fit beside what the server needs, and what is said when there are more.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConnectionLimit, connectionsFor, parseOpenFiles } from '../../../src/listeners/connection-limit.js';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             96405                96405                processes
Max open files            200                  4096                 files
Max locked memory         unlimited            unlimited            bytes
`;

describe('the limit of connections', () => {
  test('is taken from the soft limit of open files', () => {
    assert.equal(parseOpenFiles(LIMITS), 200);
    assert.equal(parseOpenFiles(LIMITS.replace('200 ', 'unlimited')), undefined);
  });
  // biome-ignore format: a table
  const TABLE = [
    // limit    used   connections
    [20_000,    40,    19_888],
    [1024,      40,    912],
    [200,       40,    88],
    [64,        40,    16],
  ] as const;
  for (const [limit, used, connections] of TABLE) {
    test(`of ${limit} open files, of which ${used} are in use, is ${connections}`, () => {
      assert.equal(connectionsFor(limit, used), connections);
    });
  }
  test('refuses what is beyond it, says so once, and says when there is room again', () => {
    const said: string[] = [];
    const limit = new ConnectionLimit((text) => said.push(text));
    limit.set(10);
    const admitted = Array.from({ length: 13 }, () => limit.opened());
    assert.deepEqual(admitted, [...Array(10).fill(true), false, false, false]);
    for (let i = 0; i < 3; i++) limit.closed();
    assert.equal(said.length, 1);
    assert.match(said[0]!, /^WARNING: 10 connections are open.*ulimit -n/);
    assert.equal(limit.opened(), false);
    limit.closed();
    limit.closed();
    assert.equal(limit.opened(), true);
    assert.deepEqual(said.slice(1), ['there is room for connections again; 4 were closed meanwhile']);
  });
  test('of this machine is measured', () => {
    const limit = new ConnectionLimit(() => {});
    assert.equal(limit.most, Number.POSITIVE_INFINITY);
    limit.measure();
    assert(limit.most >= 16, String(limit.most));
  });
});
