import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppSignals, type SignalSource } from '../../../src/worker/app-signals.js';

const cron = { do: 'cron', signal: 1, minute: -5, hour: -1, day: -1, month: -1, week: -1 };
const timer = { do: 'timer', signal: 1, seconds: 5, iterations: 0 };

describe('what a process of an app says of its signals', () => {
  test('is kept, and told to whoever listens', () => {
    const signals = new AppSignals();
    const told: (SignalSource | number)[] = [];
    assert(signals.hear({ do: 'register', signal: 1, target: 'each' }));
    assert(signals.hear(timer));
    assert(signals.hear({ do: 'raise', signal: 3 }));
    signals.listener = { onSource: (source) => told.push(source), onRaised: (signal) => told.push(signal) };
    assert(signals.hear(cron));
    assert(signals.hear({ do: 'monitor', signal: 2, path: '/tmp' }));
    assert(signals.hear({ do: 'raise', signal: 255 }));
    const { minute, hour, day, month, week } = cron;
    const rule = { minute, hour, day, month, week };
    const monitor = { kind: 'monitor', signal: 2, path: '/tmp' };
    assert.deepEqual(told, [3, { kind: 'cron', signal: 1, rule }, monitor, 255]);
    assert.equal(signals.sources.size, 3);
    assert.deepEqual([signals.targetOf(1), signals.targetOf(2)], ['each', 'any']);
  });

  for (const nonsense of [
    undefined,
    null,
    'raise',
    [],
    {},
    { do: 'raise', signal: 256 },
    { do: 'raise', signal: -1 },
    { do: 'raise', signal: '1' },
    { do: 'register', signal: 1, target: 'all' },
    { do: 'register', signal: 1, target: 0 },
    { ...timer, seconds: 0 },
    { ...timer, seconds: 1.5 },
    { ...timer, iterations: -1 },
    { ...cron, minute: 'x' },
    { do: 'monitor', signal: 1, path: 'relative' },
    { do: 'monitor', signal: 1, path: 7 },
    { do: 'explode', signal: 1 },
  ]) {
    test(`is refused when it is ${JSON.stringify(nonsense)}`, () => {
      const signals = new AppSignals();
      assert.equal(signals.hear(nonsense), false);
      assert.equal(signals.sources.size, 0);
    });
  }

  test('by several workers while they load is kept once; what is said later, as often as it is said', () => {
    const signals = new AppSignals();
    for (let worker = 0; worker < 3; worker++) assert(signals.hear({ ...timer, loading: true }));
    assert.equal(signals.sources.size, 1);
    for (let i = 0; i < 3; i++) assert(signals.hear({ ...timer, loading: false }));
    assert.equal(signals.sources.size, 4);
  });

  test('is bounded', () => {
    const signals = new AppSignals();
    const outcomes = Array.from({ length: 2000 }, () => [
      signals.hear(timer),
      signals.hear({ do: 'raise', signal: 1 }),
    ]);
    assert.deepEqual(outcomes.at(-1), [false, false]);
    assert.equal(signals.sources.size, 1024);
  });
});
