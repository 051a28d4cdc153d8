// From rounds to a table: what is summed, what is a median, what a reader is told in words.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Figures } from '../../../native-bench/measure.js';
import { scenarioText, table } from '../../../native-bench/report.js';
import { SCENARIOS } from '../../../native-bench/scenarios.js';
import { type Outcome, summarise } from '../../../native-bench/summary.js';

const figures = (requestsPerSecond: number, more: Partial<Figures> = {}): Figures => ({
  readyMs: 50,
  processes: 5,
  killed: 0,
  errors: 1,
  cpuUsPerRequest: 10,
  requestsPerSecond,
  ...more,
});
const measured = (server: string, rounds: Figures[]): Outcome => ({ server, status: 'measured', command: '', rounds });

describe('a summary', () => {
  const served = { clients: 64, served: 8, answers: { min: 0, median: 0, max: 900 } };
  const [ours, theirs] = summarise(
    [
      measured('nuwsgi', [figures(100), figures(300), figures(200)]),
      measured('other', [figures(50, { served }), figures(100, { killed: 2 }), figures(200)]),
      { server: 'absent', status: 'not installed', needs: 'some-package' },
    ],
    'nuwsgi',
  );

  test('has medians of rates, sums of errors, and the probe of the round that had one', () => {
    assert.deepEqual(theirs?.requestsPerSecond, { min: 50, median: 100, max: 200 });
    assert.equal(theirs?.errors, 3);
    assert.equal(theirs?.killed, 2);
    assert.deepEqual(theirs?.served, served);
    assert.equal(theirs?.pssMib, undefined);
  });
  test('compares nuwsgi with the others, round by round, and not with itself', () => {
    assert.equal(theirs?.ratios?.requestsPerSecond, 2);
    assert.equal(theirs?.ratios?.cpuUsPerRequest, 1);
    assert.equal(ours?.ratios, undefined);
  });
});

describe('the text of a scenario', () => {
  const scenario = SCENARIOS[0];

  test('names the servers that are skipped, failed, unfair or hard to end', () => {
    const served = { clients: 64, served: 8, answers: { min: 0, median: 0, max: 900 } };
    const outcomes: Outcome[] = [
      measured('uwsgi-http11-socket', [figures(1000, { served, killed: 3 })]),
      { server: 'gunicorn', status: 'not installed', needs: 'gunicorn' },
      { server: 'nuwsgi', status: 'failed', why: 'in round 1: ended with exit code 22\nno module named x' },
    ];
    const text = scenarioText(scenario, summarise(outcomes, 'nuwsgi'), outcomes);
    assert.match(text, /^\| uwsgi-http11-socket \| +1,000 \(1,000–1,000\) .* 8\/64 /m);
    assert.match(text, /^- uwsgi-http11-socket: 56 of 64 clients got no answer at all/m);
    assert.match(text, /^- uwsgi-http11-socket: 3 processes did not end/m);
    assert.match(text, /^- gunicorn: skipped, not installed \(Debian: gunicorn\)$/m);
    assert.match(text, /^- nuwsgi: failed, in round 1: ended with exit code 22\n {6}no module named x$/m);
  });

  test('has tables whose columns stand under each other', () => {
    const lines = table(
      ['server', 'x'],
      [
        ['a', '1'],
        ['longer', '1000'],
      ],
    );
    assert.deepEqual(lines, ['| server |    x |', '| ------ | ---: |', '| a      |    1 |', '| longer | 1000 |']);
  });
});
