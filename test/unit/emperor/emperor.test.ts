import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { HEALTHY_MS, pauseAfter } from '../../../src/emperor/throttle.js';
import { findVassals } from '../../../src/emperor/vassal-files.js';
import { next, VASSAL, type VassalState } from '../../../src/emperor/vassal-state.js';

describe('the pause of a vassal that died', () => {
  const uwsgi = { firstMs: 1000, mostMs: 180_000 };

  test('doubles from one early death to the next, up to the longest', () => {
    const pauses: number[] = [];
    for (let i = 0, pause = 0; i < 10; i++) {
      pause = pauseAfter(50, pause, uwsgi);
      pauses.push(pause);
    }
    assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 180_000, 180_000]);
  });

  test('is none after a healthy life', () => {
    assert.equal(pauseAfter(HEALTHY_MS, 64_000, uwsgi), 0);
    assert.equal(pauseAfter(50, 0, { firstMs: 0, mostMs: 0 }), 0);
  });
});

describe('the life of a vassal', () => {
  test('may end in every state, and one that is told to stop never comes back', () => {
    for (const state of Object.keys(VASSAL) as VassalState[]) {
      if (state === 'new') continue; // it is started in the same breath
      const stopped = next(state, 'told_to_stop');
      assert(stopped === 'gone' || next(stopped, 'died') === 'gone', state);
    }
  });

  test('what cannot happen is named', () => {
    assert.throws(() => next('gone', 'ready'), /a vassal that is gone cannot have "ready"/);
  });
});

describe('the files of an emperor', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-vassals-'));
  after(() => rmSync(directory, { recursive: true }));
  for (const name of ['a.ini', 'b.yaml', 'c.yml', 'd.json', 'e.xml', 'f.conf', 'notes.txt', '.hidden.ini']) {
    writeFileSync(join(directory, name), '');
  }
  mkdirSync(join(directory, 'dir.ini'));
  symlinkSync(join(directory, 'a.ini'), join(directory, 'link.ini'));
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dead.ini'));
  const idsOf = async (monitors: string[], extra: string[] = []) => [...(await findVassals(monitors, extra)).keys()];

  test('are those of a directory with the extension of a configuration, links too', async () => {
    assert.deepEqual(await idsOf([directory]), ['a.ini', 'b.yaml', 'c.yml', 'd.json', 'e.xml', 'link.ini']);
    assert.deepEqual(await idsOf([directory], ['.conf']), [
      'a.ini',
      'b.yaml',
      'c.yml',
      'd.json',
      'e.xml',
      'f.conf',
      'link.ini',
    ]);
    assert.deepEqual(await idsOf([join(directory, 'nowhere')]), []);
  });

  test('or those that fit a pattern, under their whole path', async () => {
    assert.deepEqual(
      await idsOf([`${directory}/*.y*ml`]),
      ['b.yaml', 'c.yml'].map((name) => join(directory, name)),
    );
  });

  test('have a stamp that changes when they are touched', async () => {
    const stamp = async () => (await findVassals([directory], [])).get('a.ini')!.stamp;
    const before = await stamp();
    assert.equal(await stamp(), before);
    utimesSync(join(directory, 'a.ini'), new Date(), new Date(Date.now() + 5000));
    assert.notEqual(await stamp(), before);
  });
});
