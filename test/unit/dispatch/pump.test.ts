// When the accept thread looks for answers, when it says that it sleeps, and whom it wakes: the real pump and doorbell, with
// workers played by hand.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { CORE, coreWord, HEADER, WORKER, workerWord } from '../../../src/arena/layout.js';
import { WordDoorbell } from '../../../src/dispatch/doorbell.js';
import { Pump } from '../../../src/dispatch/pump.js';
import { until } from '../../e2e/harness.js';
import { FAST_MS, OK, Scene } from './played-by-hand.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A scene whose dispatcher a pump looks after. */
function pumped(t: TestContext) {
  const pump = new Pump();
  const scene = new Scene(2, 1, 6, { onActive: pump.wake }).learn(FAST_MS);
  const { words, geometry } = scene.arena;
  t.after(() => {
    for (const place of scene.workers.keys()) scene.end(place); // a test that fails leaves no timer that runs for ever
  });
  pump.add(scene.dispatcher, new WordDoorbell(words, HEADER.main_sleeps, pump.wake));
  const core = coreWord(geometry, 0, 0);
  return {
    scene,
    isAsleep: () => words[HEADER.main_sleeps] === 1,
    /** Worker 0 says that it sleeps. */
    lieDown: () => {
      words[core + CORE.sleeps] = 1;
    },
    isWoken: () => words[core + CORE.sleeps] === 0,
    /** How often the bell of worker 0 was rung. */
    bells: () => words[core + CORE.bell],
    waiting: () => words[workerWord(geometry, 0) + WORKER.credits],
  };
}

describe('the pump', () => {
  test('wakes a worker that sleeps once for a burst, at the end of the round', async (t) => {
    const { scene, lieDown, isWoken, bells, waiting } = pumped(t);
    lieDown();
    for (let i = 0; i < 5; i++) scene.submit();
    assert.deepEqual([isWoken(), waiting()], [false, 5], 'not before the burst is over');
    await turn();
    await turn();
    assert.deepEqual([isWoken(), bells()], [true, 1]);
    for (const worker of scene.workers) for (let e = worker.claim(); e !== 0; e = worker.claim()) worker.answer(e);
    await until(() => scene.dispatcher.inFlight === 0, 'all are answered');
  });
  test('does not wake one that is awake', async (t) => {
    const { scene, bells } = pumped(t);
    scene.submit();
    await turn();
    await turn();
    assert.equal(bells(), 0);
    const worker = scene.workers[0]!;
    worker.answer(worker.claim());
    await until(() => scene.dispatcher.inFlight === 0, 'it is answered');
  });
  test('says that it sleeps when nothing comes, and is woken by the bell', async (t) => {
    const { scene, isAsleep } = pumped(t);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    await until(isAsleep, 'it sleeps');
    worker.answer(entry, { body: 'hello' });
    worker.rings.ring();
    assert.equal(isAsleep(), false, 'who rings takes the word back');
    await until(() => client.got.length > 0, 'the answer is delivered');
    assert.deepEqual(client.got, [`${OK} hello`]);
  });
  test('moves what waits behind a request that takes unexpectedly long', async (t) => {
    const { scene } = pumped(t);
    const [slow, behind] = [scene.submit('slow'), scene.submit('behind')];
    const [first, second] = scene.workers;
    const entry = first!.claim();
    scene.nowMs = performance.now();
    await until(() => behind!.place === 1, 'it is moved', 1000);
    second!.answer(second!.claim(), { body: 'moved' });
    await until(() => behind!.got.length > 0, 'it is answered', 1000);
    assert.deepEqual([slow!.got, slow!.place], [[], 0]);
    first!.answer(entry);
    await until(() => slow!.got.length > 0, 'the slow one too', 1000);
  });
  test('looks seldom while all requests run and take their time, and often again when one waits behind them', async (t) => {
    const { scene } = pumped(t);
    const running = scene.submit('running');
    const entry = scene.workers[0]!.claim();
    let looks = 0;
    const rescue = scene.dispatcher.rescue.bind(scene.dispatcher);
    scene.dispatcher.rescue = (nowMs) => {
      looks++;
      return rescue(nowMs);
    };
    await until(() => looks >= 100, 'it has looked in vain');
    looks = 0;
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert(looks <= 10, `${looks} looks in half a second`);
    scene.nowMs = performance.now();
    const behind = scene.submit('behind');
    if (behind.place === 0) await until(() => behind.place === 1, 'it is moved', 1000);
    for (const worker of scene.workers) for (let e = worker.claim(); e !== 0; e = worker.claim()) worker.answer(e);
    scene.workers[0]!.answer(entry);
    await until(() => running.got.length + behind.got.length === 2, 'both are answered', 1000);
  });
  test('does nothing when nothing is in flight: no timer is left', async (t) => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await until(() => timers() === 0, 'the pumps of other tests have come to rest');
    const { scene } = pumped(t);
    scene.submit();
    const worker = scene.workers[0]!;
    worker.answer(worker.claim());
    await turn();
    await turn();
    assert.equal(scene.dispatcher.active, false);
    await until(() => timers() === 0, 'the timer has ended', 1000);
  });
});
