// Cron jobs, attached daemons and hooks, from their texts; and when a cron job is due.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDue, parseCron, parseCron2 } from '../../../src/config/cron.js';
import { parseDaemon2, parseSmartDaemon } from '../../../src/config/daemon-plan.js';
import { parseHook } from '../../../src/config/hook.js';
import { failure, serve } from './serve.js';

const MINIMAL = ['--http', ':0', 'a.py'];
const every = { minute: -1, hour: -1, day: -1, month: -1, week: -1 };

describe('a cron job', () => {
  // biome-ignore format: a table
  const DUE: readonly (readonly [rule: Partial<typeof every>, date: string, due: boolean])[] = [
    [{},                         '2026-11-24T15:07', true],
    [{ minute: 7 },              '2026-11-24T15:07', true],
    [{ minute: 7 },              '2026-11-24T15:08', false],
    [{ minute: -5 },             '2026-11-24T15:10', true],
    [{ minute: -5 },             '2026-11-24T15:11', false],
    [{ minute: -5 },             '2026-11-24T15:00', true],
    [{ hour: 15 },               '2026-11-24T15:59', true],
    [{ hour: 15 },               '2026-11-24T16:00', false],
    [{ month: 11 },              '2026-11-24T15:07', true],
    [{ month: 10 },              '2026-11-24T15:07', false],
    [{ day: 24 },                '2026-11-24T15:07', true],
    [{ week: 2 },                '2026-11-24T15:07', true],  // a Tuesday
    [{ week: 3 },                '2026-11-24T15:07', false],
    [{ week: 0 },                '2026-11-29T15:07', true],  // a Sunday
    [{ week: 7 },                '2026-11-29T15:07', true],
    [{ day: 1, week: 2 },        '2026-11-24T15:07', true],  // as in crontab: either will do
    [{ day: 24, week: 3 },       '2026-11-24T15:07', true],
    [{ day: 1, week: 3 },        '2026-11-24T15:07', false],
    [{ minute: 59, hour: 2 },    '2026-11-24T02:59', true],
  ];
  for (const [rule, date, due] of DUE) {
    test(`with ${JSON.stringify(rule)} is ${due ? '' : 'not '}due at ${date}`, () => {
      assert.equal(isDue({ ...every, ...rule }, new Date(date)), due);
    });
  }

  test('is read from five numbers and a command', () => {
    const job = parseCron('59 2 -1 -1 -1 /usr/bin/backup "my home"  dir');
    assert.deepEqual(job?.rule, { ...every, minute: 59, hour: 2 });
    assert.equal(job?.command, '/usr/bin/backup "my home"  dir');
  });

  test('is read from keys and a command, with commas and equal signs in the command', () => {
    const job = parseCron2('minute=-10,week=7,unique=1,harakiri=5 env A=1,2 ./run x=y');
    assert.deepEqual(job, {
      rule: { ...every, minute: -10, week: 7 },
      command: 'env A=1,2 ./run x=y',
      unique: true,
      harakiriMs: 5000,
    });
    assert.deepEqual(parseCron2('./run')?.rule, every);
  });

  for (const text of ['', '1 2 3 4 5', '60 -1 -1 -1 -1 x', '-1 24 -1 -1 -1 x', '* * * * * x', '1.5 1 1 1 1 x']) {
    test(`"${text}" is none`, () => {
      assert.equal(parseCron(text), undefined);
    });
  }
  for (const text of ['minute=x y', 'minutes=5 y', 'minute=61 y', 'minute=5']) {
    test(`"${text}" is none with keys`, () => {
      const job = parseCron2(text);
      assert(job === undefined || job.command === text, JSON.stringify(job));
    });
  }

  test('that has not the form is an error with its place', () => {
    assert.match(
      failure([...MINIMAL, '--cron', '* * * * * x']),
      /^command line: cron = .* is not of the form MINUTE HOUR/,
    );
  });
});

describe('an attached daemon', () => {
  test('has a pidfile and a command, when it is smart', () => {
    const plan = parseSmartDaemon('/run/redis.pid redis-server /etc/redis.conf');
    assert.equal(plan?.pidfile, '/run/redis.pid');
    assert.equal(plan?.command, 'redis-server /etc/redis.conf');
    assert.equal(parseSmartDaemon('/run/redis.pid'), undefined);
  });

  test('has keys, and a comma that no key follows belongs to the value', () => {
    const plan = parseDaemon2('cmd=worker --queues=a,b,freq=3,stopsignal=2,chdir=/srv,control=1');
    assert.equal(plan?.command, 'worker --queues=a,b');
    assert.equal(plan?.frequencyMs, 3000);
    assert.equal(plan?.stopSignal, 'SIGINT');
    assert.equal(plan?.directory, '/srv');
    assert.equal(plan?.control, true);
  });

  for (const text of ['worker', 'cmd=x,stopsignal=99', 'cmd=x,freq=no', 'pidfile=/x', 'cmd=x,unknown=1']) {
    test(`"${text}" is none with keys`, () => {
      assert.equal(parseDaemon2(text), undefined);
    });
  }
});

describe('a hook', () => {
  test('is an action and its argument, which may have colons', () => {
    assert.deepEqual(parseHook('exec:echo a:b'), { action: 'exec', argument: 'echo a:b' });
  });

  test('with an action that nobody knows is an error that names those that are known', () => {
    assert.match(
      failure([...MINIMAL, '--hook-asap', 'mount:x']),
      /hook-asap = "mount:x" is not .* one of exec, safeexec/,
    );
  });

  test('of every stage reaches the configuration', () => {
    const { config } = serve([...MINIMAL, '--hook-as-user', 'print:hello', '--exec-pre-app', 'true']);
    assert.deepEqual(config['hook-as-user'], [{ action: 'print', argument: 'hello' }]);
    assert.deepEqual(config['exec-pre-app'], ['true']);
  });
});
