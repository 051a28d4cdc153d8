import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answersUntilJudged,
  judge,
  nextLookMs,
  type WorkerFacts,
  type WorkerLimits,
} from '../../../src/lifecycle/limits.js';
import { NO_LIMITS } from './no-limits.js';

const HUGE: WorkerFacts = { index: 0, answered: 1e9, ageMs: 1e12, rssBytes: 1e12, asBytes: 1e12 };
const SMALL: WorkerFacts = { index: 0, answered: 0, ageMs: 0, rssBytes: 0, asBytes: 0 };

// biome-ignore format: a table
const CASES: readonly (readonly [what: string, limits: Partial<WorkerLimits>, facts: Partial<WorkerFacts>, fate: string, why?: RegExp])[] = [
  ['its 100th request is its last',             { requests: 100 }, { answered: 100 }, 'replace', /answered 100 requests/],
  ['its 99th is not',                           { requests: 100 }, { answered: 99 }, 'stays'],
  ['the first worker has no delta',             { requests: 100, requestsDelta: 7 }, { index: 0, answered: 100 }, 'replace'],
  ['the third has it twice, and is not there',  { requests: 100, requestsDelta: 7 }, { index: 2, answered: 113 }, 'stays'],
  ['the third has it twice, and is there',      { requests: 100, requestsDelta: 7 }, { index: 2, answered: 114 }, 'replace'],
  ['too young to be replaced',                  { requests: 100, leastAgeMs: 10_000 }, { answered: 1000, ageMs: 9999 }, 'stays'],
  ['old enough to be replaced',                 { requests: 100, leastAgeMs: 10_000 }, { answered: 1000, ageMs: 10_000 }, 'replace'],
  ['its lifetime is reached',                   { ageMs: 60_000 }, { ageMs: 60_000 }, 'replace', /running for 60 second/],
  ['its lifetime is nearly reached',            { ageMs: 60_000 }, { ageMs: 59_999 }, 'stays'],
  ['the second worker lives longer',            { ageMs: 60_000, ageDeltaMs: 5000 }, { index: 1, ageMs: 64_999 }, 'stays'],
  ['but not for ever',                          { ageMs: 60_000, ageDeltaMs: 5000 }, { index: 1, ageMs: 65_000 }, 'replace'],
  ['too much resident memory',                  { rssBytes: 1 << 20 }, { rssBytes: 1 << 20 }, 'replace', /1 MiB .*reload-on-rss/],
  ['nearly too much',                           { rssBytes: 1 << 20 }, { rssBytes: (1 << 20) - 1 }, 'stays'],
  ['memory is not known yet',                   { rssBytes: 1 << 20, asBytes: 1, evilRssBytes: 1, evilAsBytes: 1 }, {}, 'stays'],
  ['too much address space',                    { asBytes: 3 << 20 }, { asBytes: 4 << 20 }, 'replace', /4 MiB .*reload-on-as/],
  ['a young worker with too much memory stays', { rssBytes: 1, leastAgeMs: 10_000 }, { rssBytes: 2, ageMs: 1 }, 'stays'],
  ['evil limits know no youth',                 { evilRssBytes: 1, leastAgeMs: 10_000 }, { rssBytes: 2, ageMs: 1 }, 'kill', /^RSS: 2 bytes/],
  ['evil limits on address space',              { evilAsBytes: 9 }, { asBytes: 9 }, 'kill', /^Address Space: 9 bytes/],
  ['evil comes before kind',                    { rssBytes: 1, evilRssBytes: 2 }, { rssBytes: 2 }, 'kill'],
];

describe('a worker', () => {
  for (const [what, limits, facts, fate, why] of CASES) {
    test(`${what}: ${fate}`, () => {
      const verdict = judge({ ...NO_LIMITS, ...limits }, { ...SMALL, ...facts });
      assert.equal(verdict.fate, fate);
      if (why !== undefined) assert.match('why' in verdict ? verdict.why : '', why);
    });
  }
  test('stays for ever without limits', () => {
    assert.equal(judge(NO_LIMITS, HUGE).fate, 'stays');
    assert.equal(answersUntilJudged(NO_LIMITS, 3), Number.POSITIVE_INFINITY);
  });
});

describe('the next look at memory', () => {
  const MOST_MS = 1000;
  const grown = (from: number, to: number, elapsedMs = MOST_MS) => ({
    before: { rssBytes: from, asBytes: 0 },
    now: { rssBytes: to, asBytes: 0 },
    elapsedMs,
  });
  // biome-ignore format: a table
  const LOOKS: readonly (readonly [what: string, limits: Partial<WorkerLimits>, growths: ReturnType<typeof grown>[], nextMs: number])[] = [
    ['is at its time where nothing grows',            { rssBytes: 100 },     [grown(50, 50), grown(50, 40)], 1000],
    ['is at its time where growth takes long',        { rssBytes: 100 },     [grown(10, 11)], 1000],
    ['is half way to the limit',                      { rssBytes: 100 },     [grown(40, 80)], 250],
    ['goes by the one that is there first',           { rssBytes: 100 },     [grown(40, 80), grown(80, 90, 100), grown(0, 10)], 50],
    ['goes by an evil limit, too',                    { evilRssBytes: 100 }, [grown(40, 80)], 250],
    ['does not come too soon',                        { rssBytes: 100 },     [grown(0, 99)], 50],
    ['is at its time for one that is beyond already', { rssBytes: 100 },     [grown(100, 200)], 1000],
    ['has nothing to do with limits that are not set', { asBytes: 100 },     [grown(40, 80)], 1000],
  ];
  for (const [what, limits, growths, nextMs] of LOOKS) {
    test(what, () => assert.equal(nextLookMs({ ...NO_LIMITS, ...limits }, growths, MOST_MS), nextMs));
  }
});
