// `nuwsgi top` without a terminal: statistics in, lines out, and what the keys do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readModel } from '../../src/client/top/model.js';
import { type Choice, draw } from '../../src/client/top/screen.js';
import { press } from '../../src/client/top/top.js';
import { bytes, duration, short } from '../../src/observe/dashboard/figures.js';

const SIZE = { columns: 80, rows: 24 };
const CHOICE: Choice = { view: 'workers', sort: 3, isReversed: false, showsHelp: false, isPaused: false };

const worker = (id: number, others: object = {}) => ({
  id,
  pid: 1000 + id,
  status: 'idle',
  requests: id * 100,
  exceptions: 0,
  rss: id << 20,
  avg_rt: 1500,
  respawn_count: 1,
  cores: [],
  ...others,
});
const uwsgi = (workers: readonly object[]) => JSON.stringify({ version: '2.0.30', pid: 999, listen_queue: 2, workers });
const OWN = {
  uptime_seconds: 3700,
  now: {
    errors_per_second: 1,
    p50_us: 800,
    p95_us: 12_000,
    p99_us: 1_500_000,
    queue_p99_us: 90,
    accept_thread_busy: 0.42,
  },
  without_app: { refused: 7 },
  log_lines_lost: 3,
  apps: [
    {
      in_flight: 5,
      waiting: 2,
      endpoints: [
        { endpoint: '/slow', requests: 3, share: 0.9, p50_us: 900_000, p95_us: 1e6, p99_us: 1e6, errors: 1 },
        { endpoint: '/quick', requests: 3000, share: 0.1, p50_us: 900, p95_us: 1e3, p99_us: 2e3, errors: 0 },
      ],
    },
  ],
  running: [
    { worker: 2, core: 0, started: true, method: 'GET', uri: '/slow', runs_ms: 1234 },
    { worker: 2, core: 1, started: true, method: 'GET', uri: '/slower', runs_ms: 65_000 },
    { worker: 1, core: 0, started: false, method: 'GET', uri: '/waits', runs_ms: 0 },
  ],
};
const nuwsgi = (workers: readonly object[]) =>
  JSON.stringify({ version: '0.1.0', pid: 999, listen_queue: 0, workers, nuwsgi: OWN });
const linesOf = (json: string, choice: Partial<Choice> = {}, size = SIZE, before?: string) => {
  const first = before === undefined ? undefined : readModel(before, undefined, 0);
  const model = readModel(json, first, 2000);
  return draw(model, { ...CHOICE, ...choice }, '127.0.0.1:9191', undefined, size).map(({ text }) => text);
};

describe('top', () => {
  test('fills the screen exactly, whatever its size and however many workers there are', () => {
    const many = nuwsgi(Array.from({ length: 100 }, (_, i) => worker(i + 1)));
    for (const size of [SIZE, { columns: 40, rows: 10 }, { columns: 200, rows: 60 }]) {
      for (const view of ['workers', 'endpoints', 'requests'] as const) {
        const lines = linesOf(many, { view }, size);
        assert.equal(lines.length, size.rows);
        assert(lines.every((line) => line.length <= size.columns));
      }
    }
    const lines = linesOf(many);
    assert.match(lines.at(-2)!, /^\.\.\. and \d+ more$/);
    assert.match(lines.at(-1)!, /q quit {2}h help/);
  });

  test('shows rates between two readings, and the busiest worker first', () => {
    const before = uwsgi([worker(1), worker(2), worker(3, { requests: 0 })]);
    const lines = linesOf(uwsgi([worker(1), worker(2), worker(3, { requests: 5000 })]), { sort: 4 }, SIZE, before);
    assert.match(lines[1]!, /^2500 req\/s, 5300 in all/);
    const table = lines.slice(lines.findIndex((line) => line.includes('*REQ/S')));
    assert.match(table[1]!, /^ {5}3 +1003 +idle +5000 +2500 +1\.5ms +3M/);
  });

  test("tells a uWSGI's running requests by their variables", () => {
    const vars = ['REQUEST_METHOD=POST', 'REQUEST_URI=/a\u001b[2J', ''];
    const cores = [
      { in_request: 1, vars, req_info: { request_start: Math.floor(Date.now() / 1000) - 5 } },
      { in_request: 0 },
    ];
    const lines = linesOf(uwsgi([worker(1, { status: 'busy', cores })]), { view: 'requests' });
    assert(
      lines.some((line) => /^ {3}[56]\.\ds +1 POST \/a\\x1b\[2J$/.test(line)),
      lines.join('\n'),
    );
    assert.match(linesOf(uwsgi([worker(1)]), { view: 'endpoints' }).join('\n'), /a uWSGI does not tell endpoints/);
  });

  test('shows what only a nuwsgi tells', () => {
    const lines = linesOf(nuwsgi([worker(1), worker(2, { status: 'busy' })]));
    const text = lines.join('\n');
    assert.match(text, /^nuwsgi 0\.1\.0 \(pid 999\) on 127\.0\.0\.1:9191, up 1h 1min$/m);
    assert.match(text, /p50 0\.8ms {2}p95 12ms {2}p99 1\.5s {2}queue p99 90us/);
    assert.match(text, /2 workers: 1 busy, 1 idle, 3M memory; accept thread 42% busy, /);
    assert.match(text, /5 in flight, 2 waiting, 0 in the listen queue, 3 log lines lost/);
    assert.match(text, /2 +1002 +busy .* 65\.0s \(\+1\) GET \/s/);
    const endpoints = linesOf(nuwsgi([worker(1)]), { view: 'endpoints', sort: 0 });
    assert(
      endpoints.some((line) => /^ +90% +3 +900ms +1\.0s +1\.0s +1 \/slow$/.test(line)),
      endpoints.join('\n'),
    );
    const requests = linesOf(nuwsgi([worker(1), worker(2)]), { view: 'requests', sort: 0 });
    const at = requests.findIndex((line) => line.includes('/slower'));
    assert.match(requests[at + 1]!, /GET \/slow$/);
    assert(!requests.join('\n').includes('/waits'));
  });

  test('keeps the last figures when the server does not answer', () => {
    const model = readModel(uwsgi([worker(1)]), undefined, 0);
    const lines = draw(model, CHOICE, 'x', 'ECONNREFUSED', SIZE).map(({ text }) => text);
    assert.match(lines[0]!, /^x: ECONNREFUSED/);
    assert(lines.some((line) => line.includes('1001')));
    assert.match(draw(undefined, CHOICE, 'x', 'ECONNREFUSED', SIZE)[0]!.text, /ECONNREFUSED/);
  });

  test('refuses what are no statistics', () => {
    assert.throws(() => readModel('HTTP/1.1 200 OK', undefined, 0), /no JSON/);
    assert.throws(() => readModel('{"a": 1}', undefined, 0), /there are no workers in it/);
    const strange = JSON.stringify({ workers: [{ id: 'x', cores: 7, rss: null }, 5], nuwsgi: 'x', version: 3 });
    assert.equal(readModel(strange, undefined, 0).workers.length, 2, 'nothing of it is believed');
  });

  test('obeys its keys', () => {
    const after = (keys: string) =>
      [...keys].reduce<Choice | undefined>((choice, key) => choice && press(choice, key), CHOICE);
    assert.equal(after('q'), undefined);
    assert.equal(after('\u0003'), undefined);
    assert.equal(after('h')!.showsHelp, true);
    assert.equal(after('hq')!.showsHelp, false, 'any key leaves the help, and does nothing else');
    assert.deepEqual([after('e')!.view, after('r')!.view, after('ew')!.view], ['endpoints', 'requests', 'workers']);
    assert.deepEqual(
      [after('s')!.sort, after('S')!.sort, after('ssss')!.sort, after('i')!.isReversed],
      [4, 2, 7, true],
    );
    assert.equal(after('ei')!.isReversed, true);
    assert.deepEqual([after('p')!.isPaused, after('p ')!.isPaused, after('xyz')], [true, false, CHOICE]);
    assert.match(linesOf(uwsgi([]), { showsHelp: true }).join('\n'), /q, Ctrl-C {3}quit/);
  });

  test('writes numbers short', () => {
    const numbers = [0, 1.5, 99_999, 100_000, 999_600, 12_345_678, 1_234_567_890].map(short);
    assert.deepEqual(numbers, ['0', '1.5', '99999', '100K', '1.0M', '12M', '1.2G']);
    assert.deepEqual([0, 1000, 5 << 20, 3 * 2 ** 30].map(bytes), ['-', '1K', '5M', '3.0G']);
    assert.deepEqual([0, 1.26, 99, 1500, 120_000].map(duration), ['0ms', '1.3ms', '99ms', '1.5s', '2min']);
  });
});
