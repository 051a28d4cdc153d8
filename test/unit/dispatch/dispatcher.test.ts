// A request's way through its workers, with the workers played by the test: what they claim, answer, leave undone, and what
// a worker can write that it must not. The arena, the rings and the dispatcher are the real ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  ANSWER,
  COMMAND_SLOT,
  COMMAND_STOP,
  CORE,
  coreWord,
  ENTRY_SLOT_BITS,
  ENTRY_SLOT_MASK,
  EVENT_READY,
  entryOf,
  SLOT,
  slotWord,
} from '../../../src/arena/layout.js';
import { AppError } from '../../../src/base/errors.js';
import type { AnswerHead } from '../../../src/dispatch/exchange.js';
import { TUNING } from '../../../src/dispatch/policy.js';
import { BUFFERING_BYTES, type Client, FAST_MS, type HandWorker, OK, Scene, SLOTS, SLOW_MS } from './played-by-hand.js';

describe('a request', () => {
  test('goes to a worker with its environ, and its answer to its client', () => {
    const scene = new Scene();
    const client = scene.submit('one');
    const worker = scene.workers[client.place]!;
    const entry = worker.claim();
    assert.equal(worker.environ(entry), 'NAMEone');
    worker.answer(entry, { body: 'hello' });
    assert.equal(scene.poll(), 1);
    assert.deepEqual(client.got, [`${OK} hello`]);
    assert.deepEqual([client.releases, scene.answered, scene.arena.slotsInUse], [1, 1, 0]);
    assert.deepEqual([client.record.status, client.record.bodyBytes, client.record.headBytes], [200, 5, OK.length]);
  });
  test('beyond the last slot is refused at once, told and counted; what it brought is given up', () => {
    const scene = new Scene().learn(FAST_MS);
    const inside = Array.from({ length: SLOTS }, () => scene.submit());
    const client = scene.submit();
    assert.deepEqual(client.got, ['LOAD_QUEUE_FULL']);
    assert.deepEqual([client.releases, scene.refused, scene.dispatcher.counters.refused], [1, ['LOAD_QUEUE_FULL'], 1]);
    assert.equal(scene.dispatcher.counters.accepted, SLOTS);
    let answered = 0;
    for (const worker of scene.workers) {
      for (let entry = worker.claim(); entry !== 0; entry = worker.claim(), answered++) worker.answer(entry);
    }
    scene.poll();
    assert.deepEqual([answered, inside.filter(({ got }) => got.length === 1).length], [SLOTS, SLOTS]);
    assert.deepEqual(scene.submit().got, [], 'and now there is room again');
  });
  test('whose variables do not fit into a slot is refused', () => {
    const scene = new Scene();
    const client = scene.submit('x'.repeat(4096));
    assert.deepEqual([client.got, client.releases], [['PEER_HEAD_TOO_LARGE'], 1]);
    assert.equal(scene.arena.slotsInUse, 0);
  });
  test('waits while no worker is up, and is handed out when one is', () => {
    const scene = new Scene(1).learn(FAST_MS);
    scene.end(0);
    const clients = [scene.submit('first'), scene.submit('second')];
    assert.deepEqual([scene.dispatcher.waiting, scene.dispatcher.inFlight], [2, 0]);
    scene.start(0);
    assert.deepEqual([scene.dispatcher.waiting, scene.dispatcher.inFlight], [0, 2]);
    const worker = scene.workers[0]!;
    assert.deepEqual([worker.environ(worker.claim()), worker.environ(worker.claim())], ['NAMEfirst', 'NAMEsecond']);
    assert.deepEqual(
      clients.map(({ place }) => place),
      [0, 0],
    );
  });
  test('waits in the dispatcher while all threads are busy with long ones, and goes to the first that is free', () => {
    const scene = new Scene();
    scene.learn(SLOW_MS);
    const clients = ['a', 'b', 'c', 'd'].map((name) => scene.submit(name));
    assert.deepEqual(
      clients.map(({ place }) => place),
      [0, 1, -1, -1],
    );
    const second = scene.workers[1]!;
    second.answer(second.claim());
    scene.poll();
    assert.deepEqual([clients[2]!.place, clients[3]!.place], [1, -1], 'in the order of arrival');
  });
});

describe('an app that is paused', () => {
  test('says so, lets requests wait, and goes on with them in their order', () => {
    const scene = new Scene(1).learn(FAST_MS);
    const before = scene.submit('before');
    assert.equal(scene.dispatcher.paused, false);
    scene.dispatcher.paused = true;
    const waiting = [scene.submit('first'), scene.submit('second')];
    const worker = scene.workers[0]!;
    worker.answer(worker.claim());
    scene.poll();
    assert.deepEqual([scene.dispatcher.paused, before.got.length, scene.dispatcher.waiting], [true, 1, 2]);
    scene.dispatcher.paused = false;
    assert.deepEqual([worker.environ(worker.claim()), worker.environ(worker.claim())], ['NAMEfirst', 'NAMEsecond']);
    assert.deepEqual(
      waiting.map(({ place }) => place),
      [0, 0],
    );
  });
});

describe('an answer in parts', () => {
  const first = { flags: ANSWER.HEAD, body: 'one' };
  const part = { flags: 0, head: '', body: 'two' };
  const last = { flags: ANSWER.LAST, head: '', body: 'three' };

  test('goes on part by part, each when the one before is taken', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    const { slot } = client;
    for (const [step, answer] of [first, part, part].entries()) {
      worker.answer(entry, answer);
      assert.equal(worker.takeCredit(slot), false, 'not before the server has looked');
      scene.poll();
      assert.equal(worker.takeCredit(slot), true, `part ${step}`);
    }
    worker.answer(entry, last);
    scene.poll();
    assert.deepEqual(client.got, [`${OK} one`, 'two', 'two', 'three', 'end']);
    assert.equal(client.record.bodyBytes, 14);
    assert.deepEqual([worker.takeCredit(slot), scene.arena.slotsInUse], [false, 0]);
  });
  test('waits for a slow client that holds too much, until it has taken it', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    client.held = BUFFERING_BYTES;
    worker.answer(entry, first);
    scene.poll();
    assert.equal(worker.takeCredit(client.slot), false);
    client.held = 0;
    client.owner!.drained(client);
    client.owner!.drained(client); // once more changes nothing
    assert.deepEqual([worker.takeCredit(client.slot), worker.takeCredit(client.slot)], [true, false]);
  });
  test('goes on when a slow client leaves, so that the worker finds out', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    client.held = BUFFERING_BYTES;
    worker.answer(entry, first);
    scene.poll();
    client.leave();
    assert.equal(worker.takeCredit(client.slot), true);
    assert.equal(scene.arena.words[slotWord(scene.arena.geometry, client.slot) + SLOT.client_gone], 1);
    worker.answer(entry, part);
    scene.poll();
    assert.equal(worker.takeCredit(client.slot), true, 'what nobody wants is taken at once');
    worker.answer(entry, { ...last, flags: ANSWER.LAST | ANSWER.BROKEN });
    scene.poll();
    assert.deepEqual([client.got, scene.arena.slotsInUse], [[`${OK} one`], 0]);
  });
  test('leaves no credit behind that the next request in its slot could mistake for its own', () => {
    const scene = new Scene(1);
    const { slot } = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    worker.answer(entry, first);
    scene.poll();
    worker.answer(entry, last); // an exception came before the worker had taken its credit
    scene.poll();
    assert.equal(scene.submit().slot, slot);
    assert.equal(worker.takeCredit(slot), false);
  });
  test('that its app breaks off is broken off for the client', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    worker.answer(entry, first);
    worker.takeCredit(client.slot);
    scene.poll();
    worker.answer(entry, { flags: ANSWER.LAST | ANSWER.BROKEN, head: '' });
    scene.poll();
    assert.deepEqual(client.got, [`${OK} one`, 'broken']);
  });
});

describe('a request that is given up for being late', () => {
  test('in the middle of an answer that its slow client has not taken yet: nothing follows, and its worker finds out', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    const { slot } = client;
    worker.answer(entry, { flags: ANSWER.HEAD, body: 'one' });
    scene.poll();
    assert.equal(worker.takeCredit(slot), true);
    client.held = BUFFERING_BYTES;
    scene.dispatcher.giveUp(client, new AppError('APP_OVERDUE', 1, 5));
    client.gone = false; // its connection keeps what there is for it
    worker.answer(entry, { flags: 0, head: '', body: 'two' });
    scene.poll();
    assert.equal(worker.takeCredit(slot), true, 'although the client holds too much');
    worker.answer(entry, { flags: ANSWER.LAST, head: '' });
    scene.poll();
    assert.deepEqual(client.got, [`${OK} one`, 'broken']);
    assert.deepEqual([scene.arena.slotsInUse, client.releases], [0, 1]);
  });
});

describe('a client that leaves', () => {
  test('while its request waits gives its slot back at once, and no worker sees it', () => {
    const scene = new Scene(1);
    scene.learn(SLOW_MS);
    const [running, waiting, next] = [scene.submit('running'), scene.submit('waiting'), scene.submit('next')];
    waiting!.leave();
    assert.deepEqual([scene.arena.slotsInUse, waiting!.releases, scene.dispatcher.waiting], [2, 1, 1]);
    const worker = scene.workers[0]!;
    worker.answer(worker.claim());
    scene.poll();
    assert.deepEqual([running!.got.length, next!.place], [1, 0]);
    assert.equal(worker.environ(worker.claim()), 'NAMEnext');
    assert.equal(scene.dispatcher.waiting, 0);
  });
  test('while its request runs frees the slot only when the worker is done with it', () => {
    const scene = new Scene(1);
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    client.leave();
    assert.deepEqual([scene.arena.slotsInUse, client.releases], [1, 0]);
    worker.answer(entry, { body: 'too late' });
    scene.poll();
    assert.deepEqual([scene.arena.slotsInUse, client.releases, client.got], [0, 1, []]);
  });
  test('again and again, while all workers are held up, does not let the queue grow', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const scene = new Scene(1);
    scene.learn(SLOW_MS);
    scene.submit();
    const staying = scene.submit('staying');
    const leave = () => {
      const client = scene.submit();
      client.leave();
      return new WeakRef(client);
    };
    const left = Array.from({ length: 1000 }, leave);
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        collect();
        const kept = left.filter((client) => client.deref() !== undefined).length;
        assert(kept <= 130, `${kept} of 1000 are still there`);
        assert.deepEqual([scene.dispatcher.waiting, scene.arena.slotsInUse], [1, 2]);
        assert.equal(staying.place, -1);
        resolve();
      });
    });
  });
});

describe('a worker that stands by', () => {
  test('gets requests when it is admitted, its predecessor from then on none', () => {
    const scene = new Scene(2, 1, SLOTS, { onReady: () => {} });
    const client = scene.submit('early');
    assert.deepEqual([client.place, scene.dispatcher.waiting], [-1, 1]);
    scene.dispatcher.admit(1, scene.nowMs);
    assert.equal(client.place, 1);
    scene.dispatcher.retire(1, scene.nowMs);
    assert.deepEqual([client.place, scene.dispatcher.waiting], [-1, 1], 'taken back');
    scene.dispatcher.admit(0, scene.nowMs);
    assert.equal(client.place, 0);
  });
});

describe('a worker that becomes ready too late', () => {
  test('because it has died since, is not announced', () => {
    let ready = 0;
    const scene = new Scene(1, 1, SLOTS, { onReady: () => ready++ });
    scene.end(0);
    assert.equal(ready, 1);
    scene.dispatcher.workerStarted(0, 1);
    scene.workers[0]!.rings.announce(EVENT_READY); // and dies before anybody looks
    scene.end(0);
    assert.deepEqual([ready, scene.mad, scene.dispatcher.active], [1, [], false]);
  });
  test('because it was told to leave, is not announced, and not mad', () => {
    let ready = 0;
    const scene = new Scene(1, 1, SLOTS, { onReady: () => ready++ });
    scene.end(0);
    scene.dispatcher.workerStarted(0, 1);
    scene.dispatcher.retire(0, scene.nowMs);
    scene.workers[0]!.rings.announce(EVENT_READY);
    scene.poll();
    scene.end(0);
    assert.deepEqual([ready, scene.mad, scene.dispatcher.active], [1, [], false]);
  });
});

describe('a worker with a limit', () => {
  test('is told of once, when it has answered so many', () => {
    const spent: number[] = [];
    const scene = new Scene(1, 1, SLOTS, { onSpent: ({ place }) => spent.push(place) });
    scene.dispatcher.ports[0]!.mostAnswers = 2;
    for (let i = 0; i < 4; i++) {
      scene.submit();
      scene.workers[0]!.answer(scene.workers[0]!.claim());
      scene.poll();
      assert.deepEqual(spent, i < 1 ? [] : [0]);
    }
  });
});

describe('a worker that is silent', () => {
  test('keeps the request it has started; what waits behind it goes to another', () => {
    const scene = new Scene().learn(FAST_MS);
    const clients = ['slow', 'behind', 'behind too'].map((name) => scene.submit(name));
    const [first, second] = scene.workers;
    const entry = first!.claim();
    assert.equal(first!.environ(entry), 'NAMEslow');
    scene.dispatcher.rescue(scene.nowMs + TUNING.stalledMs);
    assert.equal(second!.claim(), 0, 'it is not silent for long enough');
    scene.nowMs += TUNING.stalledMs + 0.1;
    scene.dispatcher.rescue(scene.nowMs);
    assert.deepEqual(
      [second!.claim(), second!.claim(), second!.claim()].filter((e) => e !== 0).map((e) => second!.environ(e)),
      ['NAMEbehind', 'NAMEbehind too'],
    );
    assert.equal(first!.claim(), 0);
    assert.equal(scene.dispatcher.counters.moved, 2);
    first!.answer(entry, { body: 'at last' });
    for (const client of clients.slice(1)) second!.answer(client.entry, { body: 'moved' });
    scene.poll();
    assert.deepEqual(
      clients.map(({ got }) => got),
      [[`${OK} at last`], [`${OK} moved`], [`${OK} moved`]],
    );
    assert.equal(scene.dispatcher.inFlight, 0);
  });
});

describe('a worker that ends', () => {
  test('what it had answered is delivered, what it had started is answered 502, the rest goes to others', () => {
    const scene = new Scene().learn(FAST_MS);
    const [answered, streamed, started, fresh] = ['answered', 'streamed', 'started', 'fresh'].map((n) =>
      scene.submit(n),
    );
    const worker = scene.workers[0]!;
    worker.answer(worker.claim(), { body: 'done' });
    worker.answer(worker.claim(), { flags: ANSWER.HEAD, body: 'half' });
    worker.claim();
    scene.end(0);
    assert.deepEqual(answered!.got, [`${OK} done`]);
    assert.deepEqual(streamed!.got, [`${OK} half`, 'broken']);
    assert.deepEqual(started!.got, ['APP_DIED']);
    assert.equal(started!.record.status, 502);
    assert.deepEqual([fresh!.got, fresh!.place], [[], 1]);
    const other = scene.workers[1]!;
    assert.equal(other.environ(other.claim()), 'NAMEfresh');
    assert.deepEqual([scene.arena.slotsInUse, scene.dispatcher.inFlight, scene.answered], [1, 1, 3]);
    assert.equal(scene.workers[1]!.takeCredit(streamed!.slot), false, 'the credit of the broken answer is forgotten');
  });
  test('in the moment between claim and start: what it had not started goes to others', () => {
    const scene = new Scene(2, 1, SLOTS, { onePerCore: true }).learn(FAST_MS);
    const [claimed, unclaimed] = [scene.submit('claimed'), scene.submit('unclaimed')];
    const worker = scene.workers[0]!;
    worker.claim();
    const { geometry, words } = scene.arena;
    words[coreWord(geometry, 0, 0) + CORE.running] = 0; // it died before it said that it starts
    scene.end(0);
    assert.deepEqual([claimed!.got, claimed!.place, unclaimed!.place], [[], 1, 1]);
    const started = scene.workers[1]!.claim();
    scene.end(1);
    const [died, waits] = started === claimed!.entry ? [claimed!, unclaimed!] : [unclaimed!, claimed!];
    assert.deepEqual([died.got, waits.got, scene.dispatcher.waiting], [['APP_DIED'], [], 1]);
  });
  test('told to leave finishes what it has started and gets a stop command behind it', () => {
    const scene = new Scene().learn(FAST_MS);
    const [started, fresh] = [scene.submit('started'), scene.submit('fresh')];
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    scene.dispatcher.retire(0, scene.nowMs);
    assert.deepEqual([started!.place, fresh!.place], [0, 1]);
    assert.equal(worker.claim(), entryOf(COMMAND_SLOT, COMMAND_STOP));
    worker.answer(entry);
    scene.poll();
    assert.equal(started!.got.length, 1);
    scene.end(0);
    assert.equal(scene.dispatcher.inFlight, 1);
  });
  test('and takes its place again starts with empty rings', () => {
    const scene = new Scene(1);
    scene.submit();
    scene.workers[0]!.claim();
    scene.workers[0]!.rings.publish(entryOf(COMMAND_SLOT, EVENT_READY)); // written, not yet looked at
    scene.end(0);
    scene.start(0);
    assert.equal(scene.workers[0]!.claim(), 0);
    assert.deepEqual([scene.dispatcher.inFlight, scene.mad], [0, []]);
  });
});

describe('a late answer', () => {
  test('is dropped and counted, and does not reach whoever has its slot now', () => {
    const scene = new Scene(1);
    const worker = scene.workers[0]!;
    const old = scene.submit();
    const entry = worker.claim();
    worker.answer(entry);
    scene.poll();
    const client = scene.submit();
    assert.equal(client.slot, entry & ENTRY_SLOT_MASK);
    assert.notEqual(client.entry, entry);
    worker.answer(entry, { body: 'late' });
    scene.poll();
    assert.deepEqual([old.got.length, client.got, scene.dispatcher.counters.late], [1, [], 1]);
    assert.deepEqual(scene.mad, []);
    worker.answer(worker.claim(), { body: 'right' });
    scene.poll();
    assert.deepEqual(client.got, [`${OK} right`]);
  });
  test('is no accident any more when there are hundreds of them', () => {
    const scene = new Scene(1);
    const worker = scene.workers[0]!;
    const { entry } = scene.submit();
    worker.answer(worker.claim());
    scene.poll();
    scene.submit();
    for (let i = 0; i < 30; i++) {
      for (let burst = 0; burst < 10; burst++) worker.rings.publish(entry);
      scene.poll();
    }
    assert.equal(scene.mad.length, 1);
  });
});

describe('a worker that writes nonsense', () => {
  // biome-ignore format: a table
  const FORGERIES: readonly (readonly [what: string, forge: (worker: HandWorker, own: Client, other: Client) => void])[] = [
    ['a head of negative length',         (w, own) => w.answer(own.entry, { headBytes: -1 })],
    ['a body of negative length',         (w, own) => w.answer(own.entry, { bodyBytes: -2147483648 })],
    ['a body longer than its area',       (w, own) => w.answer(own.entry, { bodyBytes: 4096 })],
    ['a head longer than its area',       (w, own) => w.answer(own.entry, { headBytes: 2147483647 })],
    ['lengths whose sum overflows 32 bit', (w, own) => w.answer(own.entry, { headBytes: 2147483647, bodyBytes: 2147483647 })],
    ['a head that is too short',          (w, own) => w.answer(own.entry, { headBytes: 2 })],
    ['a status of 0',                     (w, own) => w.answer(own.entry, { status: 0 })],
    ['a status of 101',                   (w, own) => w.answer(own.entry, { status: 101 })],
    ['a status of 1000',                  (w, own) => w.answer(own.entry, { status: 1000 })],
    ['a Content-Length beyond 2^53',      (w, own) => w.answer(own.entry, { length: [0, 0x200000] })],
    ['a part before the head',            (w, own) => w.answer(own.entry, { flags: 0, head: '', body: 'x' })],
    ['an end with a head but no flag',    (w, own) => w.answer(own.entry, { flags: ANSWER.LAST })],
    ['a slot that does not exist',        (w) => w.rings.publish(entryOf(SLOTS, 1))],
    ['the last slot there could be',      (w) => w.rings.publish(entryOf(0xfffe, 1))],
    ['an event that is none',             (w) => w.rings.publish(entryOf(COMMAND_SLOT, 77))],
    ['that it is ready, once more',       (w) => w.rings.publish(entryOf(COMMAND_SLOT, EVENT_READY))],
    ["another worker's request",          (w, _, other) => w.answer(other.entry, { body: 'stolen' })],
    ['a negative entry',                  (w) => w.rings.publish(-1)],
  ];
  for (const [what, forge] of FORGERIES) {
    test(`${what}: it is to be killed, its requests are answered 502, nobody else notices`, () => {
      const scene = new Scene();
      scene.learn(SLOW_MS);
      const [own, other] = [scene.submit('own'), scene.submit('other')];
      const [worker, neighbour] = scene.workers;
      worker!.claim();
      neighbour!.claim();
      forge(worker!, own!, other!);
      scene.poll();
      worker!.answer(own!.entry, { body: 'looks fine' });
      scene.poll();
      assert.equal(scene.mad.length, 1, scene.mad.join());
      assert.equal(scene.dispatcher.counters.mad, 1);
      assert.deepEqual(own!.got, [], 'nothing it wrote is used');
      const waiting = scene.submit('waiting');
      assert.equal(waiting.place, -1, 'it gets no more requests');

      neighbour!.answer(other!.entry, { body: 'unhurt' });
      scene.poll();
      assert.deepEqual(other!.got, [`${OK} unhurt`]);
      assert.equal(waiting.place, 1);
      scene.end(0);
      assert.deepEqual([own!.got, own!.record.status], [['APP_DIED'], 502]);
      scene.start(0);
      assert.equal(scene.submit().place, 0, 'its successor serves');
      assert.equal(scene.arena.slotsInUse, 2);
    });
  }

  test('a head in the second part: the answer is broken off', () => {
    const scene = new Scene();
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const entry = worker.claim();
    worker.answer(entry, { flags: ANSWER.HEAD, body: 'one' });
    scene.poll();
    worker.answer(entry, { flags: ANSWER.HEAD, body: 'again' });
    scene.poll();
    assert.equal(scene.mad.length, 1);
    scene.end(0);
    assert.deepEqual(client.got, [`${OK} one`, 'broken']);
  });
  test('a head that the listener cannot send: 502 instead', () => {
    const scene = new Scene();
    const client = scene.submit();
    client.onHead = () => {
      throw new TypeError('Invalid character in header content ["x"]');
    };
    const worker = scene.workers[0]!;
    worker.answer(worker.claim());
    scene.poll();
    assert.match(scene.mad[0]!, /^0: slot \d: Invalid character/);
    scene.end(0);
    assert.deepEqual([client.got, client.releases], [['APP_DIED'], 1]);
  });
  test('between the check and the use: what was checked is what is used', () => {
    const scene = new Scene();
    const client = scene.submit();
    const worker = scene.workers[0]!;
    const { slot } = client;
    let seen: AnswerHead | undefined;
    client.onHead = (head) => {
      seen = { ...head, bytes: Buffer.from(head.bytes) };
    };
    let isGone = false;
    Object.defineProperty(client, 'gone', {
      // looked at between the two: as if the worker wrote at just that moment
      get: () => {
        worker.write(slot, { headBytes: 2147483647, bodyBytes: -5, status: 3, flags: ANSWER.HEAD });
        return isGone;
      },
      set: (value: boolean) => {
        isGone = value;
      },
    });
    worker.answer(worker.claim(), { body: 'hello' });
    scene.poll();
    assert.deepEqual(client.got, [`${OK} hello`]);
    assert.deepEqual([seen!.status, String(seen!.bytes)], [200, OK]);
    assert.equal(scene.arena.slotsInUse, 0);
  });
  test('requests it gave back without having had them stay where they are', () => {
    const scene = new Scene();
    const client = scene.submit();
    const worker = scene.workers[0]!;
    worker.claim();
    const { geometry, semaphores } = scene.arena;
    for (let i = 0; i < 1000; i++) semaphores.post(geometry.workersAtWord); // its credits: as if nothing had been claimed
    scene.end(0);
    assert.equal(scene.dispatcher.inFlight + scene.dispatcher.waiting, 1 - client.got.length);
    assert.equal(scene.arena.slotsInUse, 1 - client.got.length);
  });
});

test('an entry says which slot and which generation', () => {
  const scene = new Scene(1);
  const { entry, slot } = scene.submit();
  assert.deepEqual([entry & ENTRY_SLOT_MASK, entry >>> ENTRY_SLOT_BITS], [slot, scene.arena.generationOf(slot)]);
});
