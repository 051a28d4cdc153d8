// What is read from wrk's report; the reports are wrk 4.1.0's own words.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDurationMs, parseReport } from '../../../native-bench/wrk.js';

const REPORT = `Running 2s test @ http://127.0.0.1:7801/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   179.28us  642.87us  10.76ms   98.30%
    Req/Sec    53.04k     6.91k   60.58k    71.43%
  Latency Distribution
     50%  102.00us
     75%  136.00us
     90%  179.00us
     99%    2.76ms
  110801 requests in 2.10s, 8.14MB read
Requests/sec:  52753.04
Transfer/sec:      3.87MB
`;

describe('the report of wrk', () => {
  test('gives requests, their rate, and latencies in ms', () => {
    assert.deepEqual(parseReport(REPORT), {
      requests: 110_801,
      requestsPerSecond: 52_753.04,
      p50Ms: 0.102,
      p99Ms: 2.76,
      errors: { connect: 0, read: 0, write: 0, timeout: 0, status: 0 },
    });
  });

  test('gives every kind of error', () => {
    const errors = '  Socket errors: connect 1, read 29480, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n';
    const report = REPORT.replace('Requests/sec:', `${errors}Requests/sec:`);
    assert.deepEqual(parseReport(report)?.errors, { connect: 1, read: 29_480, write: 3, timeout: 4, status: 5 });
  });

  test('of a run without a single answer is a report too', () => {
    const report = REPORT.replace(/\d+ requests in/, '0 requests in')
      .replace(/Requests\/sec:.*/, 'Requests/sec:      0.00')
      .replace('102.00us', '0.00us')
      .replace('2.76ms', '0.00us')
      .replace('98.30%', '-nan%');
    assert.equal(parseReport(report)?.requests, 0);
  });

  test('is none when wrk could not connect, or was not asked for latencies', () => {
    assert.equal(parseReport('unable to connect to 127.0.0.1:7801 Connection refused\n'), undefined);
    assert.equal(parseReport(REPORT.replace(/ {2}Latency Distribution[\s\S]*99%.*\n/, '')), undefined);
  });
});

describe('a duration of wrk', () => {
  test('may be in any of its units', () => {
    const ms = ['51.00us', '1.20ms', '1.05s', '2.00m', '1.00h'].map(parseDurationMs);
    assert.deepEqual(ms, [0.051, 1.2, 1050, 120_000, 3_600_000]);
  });

  test('may be none', () => {
    assert.equal(parseDurationMs('-nan'), undefined);
    assert.equal(parseDurationMs(''), undefined);
  });
});
