// Which worker gets a signal and when, with the workers played by the test: dispatcher, rings and arena are the real ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { COMMAND_SIGNAL, COMMAND_SLOT, EVENT_HANDLED, entryOf } from '../../../src/arena/layout.js';
import { Signals } from '../../../src/lifecycle/signals.js';
import { AppSignals } from '../../../src/worker/app-signals.js';
import { Scene } from '../dispatch/played-by-hand.js';

const entryOfSignal = (signal: number) => entryOf(COMMAND_SLOT, COMMAND_SIGNAL + signal);

class SignalScene {
  readonly scene: Scene;
  readonly signals: Signals;
  readonly table = new AppSignals();
  readonly lines: string[] = [];

  constructor(workers = 2) {
    this.scene = new Scene(workers, 1, undefined, {
      onWorkersChanged: () => this.signals?.handOut(),
      onHandled: (worker) => this.signals.onHandled(worker),
      onSignalsBack: (given, workerId) => this.signals.onBack(given, workerId),
    });
    const ids = Array.from({ length: workers }, (_, i) => i + 1);
    this.signals = new Signals({
      name: 'app',
      dispatcher: this.scene.dispatcher,
      log: { line: (text) => this.lines.push(text), output: () => {} },
      workerIds: () => ids,
      hasWorker: (id) => ids.includes(id),
    });
    this.signals.use(this.table);
  }

  raise(signal: number): void {
    this.table.hear({ do: 'raise', signal });
  }

  /** What each worker finds next. */
  claims(): number[] {
    return this.scene.workers.map((worker) => worker.claim());
  }

  handled(worker: number): void {
    this.scene.workers[worker]!.rings.announce(EVENT_HANDLED);
    this.scene.poll();
  }
}

describe('a signal', () => {
  test('for any worker goes to the one with the least to do', (t) => {
    const s = new SignalScene();
    t.after(() => s.signals.stop());
    const busy = s.scene.submit().place;
    s.raise(7);
    assert.equal(s.claims()[1 - busy], entryOfSignal(7));
    s.handled(1 - busy);
    assert.deepEqual([s.signals.handledBy(2 - busy), s.signals.handledBy(1 + busy)], [1, 0]);
    assert.equal(s.scene.dispatcher.inFlight, 1);
  });

  test('for each goes to each, also to one that is not there yet', (t) => {
    const s = new SignalScene();
    t.after(() => s.signals.stop());
    s.table.hear({ do: 'register', signal: 7, target: 'each' });
    s.scene.end(1);
    s.raise(7);
    assert.equal(s.scene.workers[0]!.claim(), entryOfSignal(7));
    assert.equal(s.signals.waiting, 1);
    s.scene.start(1);
    assert.equal(s.scene.workers[1]!.claim(), entryOfSignal(7));
  });

  test('for one worker waits for that one, and one for a worker that does not exist is told', (t) => {
    const s = new SignalScene();
    t.after(() => s.signals.stop());
    s.table.hear({ do: 'register', signal: 7, target: 2 });
    s.table.hear({ do: 'register', signal: 8, target: 9 });
    s.raise(7);
    s.raise(7);
    s.raise(8);
    assert.deepEqual(s.claims(), [0, entryOfSignal(7)]);
    assert.equal(s.signals.waiting, 1);
    s.handled(1);
    assert.deepEqual(s.claims(), [0, entryOfSignal(7)]);
    assert.deepEqual(s.lines, ['app: signal 8 is for worker 9, which it does not have']);
  });

  test('that a worker has not begun goes to another when the worker leaves or dies', (t) => {
    for (const ends of [(s: SignalScene) => s.scene.end(0), (s: SignalScene) => s.scene.dispatcher.retire(0, 1000)]) {
      const s = new SignalScene();
      t.after(() => s.signals.stop());
      s.raise(7);
      ends(s);
      assert.equal(s.scene.workers[1]!.claim(), entryOfSignal(7));
    }
  });

  test('that a worker has begun is not given to another when it dies', (t) => {
    const s = new SignalScene();
    t.after(() => s.signals.stop());
    s.raise(7);
    assert.equal(s.scene.workers[0]!.claim(), entryOfSignal(7));
    s.scene.end(0);
    assert.deepEqual([s.scene.workers[1]!.claim(), s.signals.waiting, s.scene.dispatcher.inFlight], [0, 0, 0]);
  });

  test('by the clock is raised once in a minute that its rule names', (t) => {
    const s = new SignalScene(1);
    t.after(() => s.signals.stop());
    const rule = { minute: 7, hour: -1, day: -1, month: -1, week: -1 };
    s.table.hear({ do: 'cron', signal: 7, ...rule });
    s.signals.tick(new Date('2026-11-24T15:06:00'));
    assert.deepEqual(s.claims(), [0]);
    s.signals.tick(new Date('2026-11-24T15:07:00'));
    s.signals.tick(new Date('2026-11-24T15:07:30'));
    assert.deepEqual(s.claims(), [entryOfSignal(7)]);
    s.handled(0);
    assert.deepEqual(s.claims(), [0]);
  });

  test('that is raised faster than it is handled is bounded, and the loss is told', (t) => {
    const s = new SignalScene(1);
    t.after(() => s.signals.stop());
    for (let i = 0; i < 1100; i++) s.raise(7);
    assert.equal(s.signals.waiting, 1024);
    assert.deepEqual(s.lines, ['app: 1024 signals wait for workers: signal 7 is dropped']);
  });

  test('that was handled and never given shows that the worker is mad', (t) => {
    const s = new SignalScene();
    t.after(() => s.signals.stop());
    s.handled(s.scene.submit().place);
    assert.deepEqual(s.scene.mad, ['0: event 2 while serving']);
  });
});
