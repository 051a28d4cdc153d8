import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Address, parseAddress } from '../../../src/config/address.js';
import { Heritage, heritageKey } from '../../../src/config/heritage.js';

const address = (text: string): Address => {
  const parsed = parseAddress(text);
  assert('address' in parsed);
  return parsed.address;
};
const key = (text: string) => heritageKey(address(text))!;

describe('sockets that a successor takes over', () => {
  test('are found by the address, however it is written', () => {
    const heritage = new Heritage([
      [key(':9090'), 10],
      [key('/run/a.sock'), 11],
      [key('@a'), 12],
    ]);
    assert.equal(heritage.take(address('0.0.0.0:9090')), 10);
    assert.equal(heritage.take(address('unix:/run/a.sock')), 11);
    assert.equal(heritage.take(address('@a')), 12);
    for (const other of ['127.0.0.1:9090', ':9091', '/run/b.sock', '@b', 'fd://3'])
      assert.equal(heritage.take(address(other)), undefined, other);
  });

  test('are taken once, and those whose port the kernel chose in their order', () => {
    const heritage = new Heritage([
      [key('127.0.0.1:0'), 10],
      [key('127.0.0.1:0'), 11],
    ]);
    const any = address('127.0.0.1:0');
    assert.deepEqual([heritage.has(any), heritage.take(any), heritage.take(any)], [true, 10, 11]);
    assert.deepEqual([heritage.has(any), heritage.take(any)], [false, undefined]);
  });

  test('are closed when nobody has taken them, and their files go', () => {
    const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-heritage-'));
    const [taken, left] = [join(directory, 'taken'), join(directory, 'left')];
    for (const path of [taken, left]) writeFileSync(path, '');
    const [a, b] = [openSync(taken, 'r'), openSync(left, 'r')];
    const heritage = new Heritage([
      [key(taken), a],
      [key(left), b],
    ]);
    assert.equal(heritage.take(address(taken)), a);
    heritage.discard();
    assert.throws(() => closeSync(b), { code: 'EBADF' });
    closeSync(a);
    assert.deepEqual([existsSync(taken), existsSync(left)], [true, false]);
    rmSync(directory, { recursive: true });
  });
});
