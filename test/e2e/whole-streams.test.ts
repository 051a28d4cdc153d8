// Every byte of an answer in parts arrives, once and in order, also where the connection takes less at a time than the app gives.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomFrom } from '../fuzz.js';
import { nextAsk, Scene } from '../load/scene.js';
import { APPS, LISTENERS, MOUNTS, waysTo } from '../load/ways.js';

const ANSWERS = 500;
const AT_ONCE = 12;

describe('answers in parts, more than a connection takes at once', () => {
  for (const app of APPS) {
    test(`${app}: are whole, whichever way they go`, { timeout: 120_000 }, async (t) => {
      const scene = await Scene.start(['-p', '2', '--threads', '2', '--async', '32', ...MOUNTS, ...LISTENERS]);
      t.after(() => scene.end());
      const ways = waysTo(scene.server.ports, undefined, [app]);
      const random = randomFrom(1);
      for (const way of ways) {
        let left = ANSWERS;
        const client = async () => {
          while (left-- > 0) {
            const ask = nextAsk({
              bytes: 100_000 + Math.floor(random() * 400_000),
              parts: 1 + Math.floor(random() * 40),
            });
            await scene.record(ask, way.ask(ask));
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, client));
        way.close();
      }
      const verdict = scene.verdict();
      assert.equal(verdict.right, verdict.asked, verdict.remarks.join('\n'));
    });
  }
});
