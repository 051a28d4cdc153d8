// Python workers that die: their running requests get 502, their waiting ones go on elsewhere, the cause is in the log,
// another worker is forked, and nobody else notices.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, Client, FRONTS, startBehind } from './fronts.js';
import { type TestServer, until } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));
const gate = join(directory, 'gate');
execFileSync('mkfifo', [gate]);
/** Lets one request go on that waits at the gate. */
const openGate = () => writeFile(gate, '');

// biome-ignore format: a table
const DEATHS: readonly (readonly [path: string, cause: RegExp])[] = [
  ['/exits',               /it exited with code 3/],
  ['/exits-with-0',        /it exited with code 0/],
  ['/kills-itself',        /it was killed by SIGKILL/],
  ['/terminates-itself',   /it was killed by SIGTERM/],
  ['/aborts',              /it was killed by SIGABRT/],
  ['/of-a-real-time-signal', /it was killed by SIGRTMIN\+6/],
  ['/crashes',             /it was killed by SIGSEGV/],
  ['/crashes-in-a-thread', /it was killed by SIGSEGV/],
];

for (const front of FRONTS) {
  describe(`a Python worker that dies, behind ${front.name}`, () => {
    let server: TestServer;
    const get = (path: string) => ask(front, server.port, path);
    before(async () => {
      server = await startBehind(front, ['--wsgi-file', 'dies.py', '--processes', '2', '--env', `GATE=${gate}`]);
    });
    after(() => server.stop());

    for (const [path, cause] of front === FRONTS[0] ? DEATHS : DEATHS.slice(0, 1)) {
      test(`${path}: the client gets 502, the log the cause, and another worker takes the place`, async () => {
        const from = server.log.length;
        const answer = await get(path);
        assert.deepEqual([answer.status, answer.complete], [502, true]);
        assert.doesNotMatch(answer.body, /SIG|code|worker/);
        await server.waitForLog(/DAMN ! worker \d .*died/, from);
        await server.waitForLog(cause, from);
        await server.waitForLog(/Respawned uWSGI worker \d/, from);
        assert.equal((await get('/hello')).status, 200);
      });
    }

    test('a crash leaves the Python traceback of every thread in the log', async () => {
      const from = server.log.length;
      await get('/crashes');
      await server.waitForLog(
        /Fatal Python error: Segmentation fault[\s\S]*File ".*dies\.py", line \d+ in crashes/,
        from,
      );
    });

    for (const death of ['exits', 'crashes']) {
      test(`an answer that is under way is cut off: stream-${death}`, async () => {
        const client = await Client.ask(front, server.port, `/stream-${death}`);
        const answer = await client.answer();
        assert.deepEqual([answer.status, answer.body], [200, 'part']);
        if (!front.isUwsgi) assert(!answer.complete);
      });
    }

    test('a request in another worker goes on', async () => {
      const from = server.log.length;
      const held = await Client.ask(front, server.port, '/hold');
      const [, pid] = await server.waitForLog(/at the gate: (\d+)/, from);
      assert.equal((await get('/kills-itself')).status, 502);
      assert.equal((await get('/crashes')).status, 502);
      await openGate();
      const answer = await held.answer();
      assert.deepEqual([answer.status, answer.body], [200, pid]);
    });

    test('a KeyboardInterrupt, which is what SIGINT becomes, ends the worker when it has answered', async () => {
      const from = server.log.length;
      assert.equal((await get('/interrupts')).status, 500);
      await server.waitForLog(/failed: GET \/interrupts[\s\S]*KeyboardInterrupt/, from);
      await server.waitForLog(/Respawned uWSGI worker/, from);
      assert.equal((await get('/hello')).status, 200);
    });
  });
}

describe('requests that wait behind one that ends its worker', () => {
  const [front] = FRONTS;

  test('are answered by the next worker: none is lost, none is started twice', async () => {
    const server = await startBehind(front!, ['--wsgi-file', 'dies.py', '--env', `GATE=${gate}`]);
    const first = await Client.ask(front!, server.port, '/hold-and-exit');
    await server.waitForLog(/at the gate/);
    const waiting = await Promise.all(Array.from({ length: 30 }, () => Client.ask(front!, server.port, '/hello')));
    await openGate();
    assert.equal((await first.answer()).status, 502);
    const answers = await Promise.all(waiting.map((client) => client.answer()));
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
    assert.equal(new Set(answers.map((answer) => answer.body)).size, 1, 'all by the one new worker');
    await until(() => server.log.match(/GET \/hello => /g)?.length === 30, '30 requests in the log');
    await server.stop();
  });

  test('with several threads in the worker: those that ran get 502, those that waited are answered', async () => {
    const server = await startBehind(front!, ['--wsgi-file', 'dies.py', '--env', `GATE=${gate}`, '--threads', '3']);
    const running = [await Client.ask(front!, server.port, '/hold-and-exit')];
    await server.waitForLog(/at the gate/);
    const from = server.log.length;
    for (let i = 0; i < 2; i++) running.push(await Client.ask(front!, server.port, '/hold'));
    await server.waitForLog(/(?:at the gate[\s\S]*){2}/, from);
    const waiting = await Promise.all(Array.from({ length: 10 }, () => Client.ask(front!, server.port, '/hello')));
    process.kill(Number(/at the gate: (\d+)/.exec(server.log)![1]), 'SIGKILL');
    for (const client of running) assert.equal((await client.answer()).status, 502);
    for (const client of waiting) assert.equal((await client.answer()).status, 200);
    await server.stop();
  });
});

describe('a Python app whose workers die as soon as they start', () => {
  test('is tried again, slower and slower, and serves what has waited when it comes up', async () => {
    const flag = join(directory, 'broken');
    const args = ['--wsgi-file', 'dies.py', '--lazy-apps', '--env', `BROKEN_IF=${flag}`];
    const server = await startBehind(FRONTS[0]!, args);
    writeFileSync(flag, '');
    assert.equal((await ask(FRONTS[0]!, server.port, '/exits')).status, 502);
    const waiting = await Client.ask(FRONTS[0]!, server.port, '/hello');
    await server.waitForLog(/respawning too fast[\s\S]*respawning too fast/);
    const tries = server.log.match(/broken just now/g)!.length;
    assert(tries <= 4, `${tries} tries`);
    rmSync(flag);
    assert.equal((await waiting.answer()).status, 200);
    await server.stop();
  });
});
