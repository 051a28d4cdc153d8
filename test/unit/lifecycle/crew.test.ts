// Whom the last words of a worker are taken for: it died before anybody had read them. The workers are played by the test.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EVENT_READY } from '../../../src/arena/layout.js';
import { Crew, Seat } from '../../../src/lifecycle/crew.js';
import { Recycling } from '../../../src/lifecycle/recycling.js';
import type { Generation } from '../../../src/worker/host.js';
import { HandWorker, OK, Scene } from '../dispatch/played-by-hand.js';
import { NO_LIMITS } from './no-limits.js';

/** A crew of one seat whose worker serves and is replaced when it has answered `requests`. */
class CrewScene {
  readonly scene: Scene;
  readonly crew: Crew;
  readonly lines: string[] = [];
  readonly replaced: string[] = [];
  readonly killed: number[] = [];
  readonly lost: string[] = [];
  readonly seat = new Seat(1);
  readonly worker: HandWorker;

  constructor(requests = 0) {
    const log = { line: (text: string) => this.lines.push(text), output: () => {} };
    const crew = new Crew({
      log,
      name: 'app',
      ownProcesses: true,
      mercyMs: 1000,
      onStarted: (worker) => recycling.onStarted(worker),
      onLost: (_, name) => this.lost.push(name),
      onAsked: () => undefined,
      onGenerationGone: () => {},
    });
    const recycling = new Recycling({
      limits: { ...NO_LIMITS, requests },
      evilLookMs: 1000,
      crew,
      log,
      arenaBytes: undefined,
      replace: async (_, why) => {
        this.replaced.push(why);
      },
    });
    this.crew = crew;
    this.scene = new Scene(1, 1, undefined, {
      onReady: (port) => this.crew.seats.length > 0 && crew.onReady(port),
      onSpent: (port) => recycling.onSpent(port),
      onMad: (port, why) => crew.onMad(port, why),
    });
    this.scene.end(0); // the one that the scene has started
    crew.seats.push(this.seat);
    crew.connect(this.scene.dispatcher);
    const generation: Generation = {
      description: 'played by hand',
      signals: undefined,
      spawn: (place) => crew.events.onStarted(place, 4711),
      kill: (place) => this.killed.push(place),
      breakOff: () => {},
      showStacks: () => {},
      probe: () => undefined,
      end: async () => {},
    };
    crew.fill(this.seat, generation);
    this.worker = new HandWorker(this.scene.arena, 0);
    this.worker.rings.announce(EVENT_READY);
    this.scene.poll();
  }

  /** The worker dies. */
  end(): void {
    this.crew.events.onEnded(0, 'was killed by SIGKILL');
  }
}

describe('a worker that dies before its last words are read', () => {
  test('has its answer delivered and counted', () => {
    const s = new CrewScene();
    const client = s.scene.submit();
    s.worker.answer(s.worker.claim(), { body: 'in time' });
    s.end();
    assert.deepEqual(client.got, [`${OK} in time`]);
    assert.equal(s.crew.answeredBy(s.seat), 1);
    assert.deepEqual(s.lost, ['worker 1 (pid: 4711)']);
  });
  test('is not replaced for having answered enough: it is lost already', () => {
    const s = new CrewScene(1);
    s.scene.submit();
    s.worker.answer(s.worker.claim());
    s.end();
    assert.deepEqual([s.replaced, s.lost, s.seat.current], [[], ['worker 1 (pid: 4711)'], undefined]);
  });
  test('is not killed for having written nonsense, which the log tells', () => {
    const s = new CrewScene();
    s.scene.submit();
    s.worker.answer(s.worker.claim(), { status: 99 });
    s.end();
    assert.deepEqual(s.killed, []);
    assert.match(s.lines.join('\n'), /worker 1 \(pid: 4711\) wrote nonsense into shared memory/);
    assert.equal(s.crew.freePlaces, 1);
  });
});

describe('a worker that lives', () => {
  test('is replaced when it has answered enough', () => {
    const s = new CrewScene(1);
    s.scene.submit();
    s.worker.answer(s.worker.claim());
    s.scene.poll();
    assert.deepEqual(s.replaced, ['it has answered 1 requests (max-requests)']);
  });
});
