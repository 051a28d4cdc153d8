// What the statistics are made of: times in buckets, endpoints out of paths, and who may see them.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { Access } from '../../../src/observe/endpoint/access.js';
import { Endpoints, OTHER } from '../../../src/observe/stats/endpoints.js';
import { Histogram, Mark } from '../../../src/observe/stats/histogram.js';

describe('a histogram of times', () => {
  const filled = (times: readonly number[]) => {
    const histogram = new Histogram();
    for (const ms of times) histogram.add(ms);
    return histogram;
  };

  test('has percentiles that are off by 6 % at most, from a microsecond to half an hour', () => {
    for (const us of [1, 3, 15, 16, 17, 31, 33, 100, 999, 12_345, 999_999, 77_777_777, 1_800_000_000]) {
      const found = filled([us / 1000]).percentileUs(0.5);
      assert(Math.abs(found - us) <= us * 0.06, `${us} µs became ${found}`);
    }
  });

  test('finds the share that was asked for', () => {
    const histogram = filled(Array.from({ length: 1000 }, (_, i) => i + 1)); // 1 to 1000 ms
    for (const p of [0.01, 0.5, 0.9, 0.99, 1]) {
      const found = histogram.percentileUs(p) / 1000;
      assert(Math.abs(found - p * 1000) <= Math.max(1, p * 60), `${p}: ${found} ms`);
    }
    assert.equal(filled([]).percentileUs(0.99), 0);
  });

  test('counts what is at most a bound, and everything above half an hour as that', () => {
    const histogram = filled([0, 0.5, 0.999, 2, 3_000_000_000, -1, Number.NaN]);
    assert.equal(histogram.countUpTo(1024), 5);
    assert.equal(histogram.countUpTo(0x7fffffff), 7);
    assert.equal(histogram.count, 7);
  });

  test('tells what has come since it was looked at', () => {
    const histogram = filled([1, 1, 1]);
    const mark = new Mark();
    assert.equal(histogram.since(mark).count, 3);
    histogram.add(500);
    const { count, percentileUs } = histogram.since(mark);
    assert.equal(count, 1);
    assert(Math.abs(percentileUs(0.5) - 500_000) < 30_000);
    assert.equal(histogram.since(mark).count, 0);
  });

  test('takes another one in', () => {
    const histogram = filled([1]);
    histogram.merge(filled([3, 5]));
    assert.deepEqual([histogram.count, histogram.sumUs], [3, 9000]);
  });
});

describe('an endpoint', () => {
  // biome-ignore format: a table
  const LABELS: readonly (readonly [target: string, label: string])[] = [
    ['/', '/'],
    ['/users', '/users'],
    ['/users/12', '/users/*'],
    ['/users/-1.5', '/users/*'],
    ['/feedback', '/feedback'],
    ['/users/12/orders', '/users/*/...'],
    ['/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301', '/users/*'],
    ['/v2/items', '/v2/items'],
    ['/about/release-notes-2024', '/about/*'],
    ['/files/da39a3ee5e6b4b0d3255bfef95601890afd80709', '/files/*'],
    ['/wp-login.php', '/wp-login.php'],
    [`/${'z'.repeat(5000)}`, `/${'z'.repeat(40)}`],
    ['*', OTHER],
    ['/shop/cart/7', '/shop/cart/:item'],
    ['/shop/cart/7/more', '/shop/**'],
    ['/shop', '/shop/**'],
  ];
  test('is found by pattern, or else by the first segments of the path', () => {
    const endpoints = new Endpoints(['/shop/cart/:item', '/shop/**']);
    for (const [target, label] of LABELS) assert.equal(endpoints.labelOf(target), label, target);
  });

  test('has its figures; the one that took the most time in all comes first', () => {
    const endpoints = new Endpoints([]);
    for (let i = 0; i < 100; i++) endpoints.add(`/quick/${i}`, 1, false);
    endpoints.add('/slow', 500, true);
    const [first, second] = endpoints.slowest;
    assert.deepEqual([first!.label, first!.times.count, first!.errors], ['/slow', 1, 1]);
    assert.deepEqual([second!.label, second!.times.count, second!.errors], ['/quick/*', 100, 0]);
  });

  test('cannot be made up without end by a client: the least used ones are put together', () => {
    const endpoints = new Endpoints([]);
    for (let i = 0; i < 10; i++) endpoints.add('/real', 1, false);
    for (let i = 0; i < 20_000; i++) endpoints.add(`/scan-${i}x`, 1, true);
    const all = endpoints.slowest;
    assert(all.length <= 201, String(all.length));
    assert.equal(
      all.reduce((sum, { times }) => sum + times.count, 0),
      20_010,
      'nothing is lost',
    );
    assert.equal(all.find(({ label }) => label === '/real')?.times.count, 10, 'what is used stays');
    assert(all.find(({ label }) => label === OTHER)!.errors > 19_000);
  });
});

describe('access to the statistics', () => {
  const asking = (headers: Readonly<Record<string, string>>) => ({ headers }) as unknown as IncomingMessage;

  test('needs the token where there is one', () => {
    const access = new Access('secret', true);
    assert(access.hasToken(asking({ authorization: 'Bearer secret' })));
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearer secre', 'Bearer secret ', 'Basic secret', 'secret']) {
      assert(!access.hasToken(asking({ authorization })), authorization);
    }
    assert(new Access(undefined, true).hasToken(asking({})));
  });

  test('on loopback is not given under a name that an attacker could have chosen', () => {
    const access = new Access(undefined, true);
    for (const host of ['localhost:9191', '127.0.0.1:9191', '[::1]:9191', 'localhost'])
      assert(access.isForUs(asking({ host })), host);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:9191']) {
      assert(!access.isForUs(asking({ host })), host);
    }
    assert(new Access(undefined, false).isForUs(asking({ host: 'stats.example' })));
  });
});
