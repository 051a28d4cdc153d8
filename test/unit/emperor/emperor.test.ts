import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Log } from '../../../src/base/log.js';
import { HEALTHY_MS, pauseAfter } from '../../../src/emperor/throttle.js';
import { Vassal } from '../../../src/emperor/vassal.js';
import { findVassals } from '../../../src/emperor/vassal-files.js';
import { next, VASSAL, type VassalState } from '../../../src/emperor/vassal-state.js';

const uwsgi = { firstMs: 1000, mostMs: 180_000 };

describe('the pause of a vassal that died', () => {
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

describe('a vassal', () => {
  test('that the machine cannot start rests, and goes when it is told to', () => {
    const file = { id: 'a', path: '/a', directory: '/', name: 'a.ini', stamp: '', modifiedAtMs: 0, monitor: '/' };
    const command = { program: ['no\0program'], before: [], after: [], environment: {}, throttle: uwsgi } as const;
    const said: string[] = [];
    let isGone = false;
    const log = { line: (text: string) => said.push(text) } as unknown as Log;
    const vassal = new Vassal(file, command, log, () => (isGone = true));
    vassal.start();
    assert.equal(vassal.state, 'resting');
    assert.match(said.join(), /vassal a died while starting: it cannot be started: .*; it is started again in 1000 ms/);
    vassal.stop();
    assert(isGone);
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
  const idsOf = async (monitors: string[], extra: string[] = []) =>
    Array.from((await findVassals(monitors, extra)).values(), ({ id }) => id);

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

  test('are told apart by their paths where two directories have one of the same name', async () => {
    const other = join(directory, 'other');
    mkdirSync(other);
    for (const name of ['a.ini', 'z.ini']) writeFileSync(join(other, name), '');
    assert.deepEqual(await idsOf([directory, other]), [
      ...[join(directory, 'a.ini'), 'b.yaml', 'c.yml', 'd.json', 'e.xml', 'link.ini'],
      ...[join(other, 'a.ini'), 'z.ini'],
    ]);
  });

  test('count once, however many directories and patterns find them', async () => {
    assert.deepEqual(await idsOf([directory, `${directory}/*.yaml`, directory]), await idsOf([directory]));
  });

  test('have a stamp that changes when they are touched', async () => {
    const stamp = async () => (await findVassals([directory], [])).get(join(directory, 'a.ini'))!.stamp;
    const before = await stamp();
    assert.equal(await stamp(), before);
    utimesSync(join(directory, 'a.ini'), new Date(), new Date(Date.now() + 5000));
    assert.notEqual(await stamp(), before);
  });
});
