// Threads of a JavaScript app that die: their running requests get 502, their waiting ones go on elsewhere, the cause is in
// the log, and another thread takes the place.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, Client, FRONTS } from './fronts.js';
import { runToEnd, startServer, type TestServer } from './harness.js';

const FRONT = FRONTS[0]!;
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));

// biome-ignore format: a table
const ENDS: readonly (readonly [path: string, cause: RegExp])[] = [
  ['/exit',       /it exited with code 3/],
  ['/exit-later', /it exited with code 0/],
  ['/throws',     /uncaught error\n(?:.*\n)?.*TypeError: thrown where nobody catches it\n\s+at .*dies\.mjs/],
  ['/rejects',    /uncaught error\n(?:.*\n)?.*TypeError: rejected where nobody looks\n\s+at .*dies\.mjs/],
  ['/memory',     /it ran out of memory/],
];

describe('a thread of a JavaScript app that dies', () => {
  let server: TestServer;
  const get = (path: string) => ask(FRONT, server.port, path);
  before(async () => {
    const workers = ['--processes', '2', '--async', '4', '--js-heap-limit', '64'];
    server = await startServer([...FRONT.args, '--wsgi-file', 'dies.mjs', ...workers]);
  });
  after(() => server.stop());

  for (const [path, cause] of ENDS) {
    test(`${path}: the client gets 502, the log the cause, and another thread takes the place`, async () => {
      const from = server.log.length;
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.complete], [502, true]);
      await server.waitForLog(/DAMN ! worker \d .*died/, from);
      await server.waitForLog(cause, from);
      await server.waitForLog(/Respawned uWSGI worker \d/, from);
      assert.equal((await get('/hello')).status, 200);
    });
  }

  test('an answer that was under way is cut off', async () => {
    const answer = await get('/streams-and-exits');
    assert.deepEqual([answer.status, answer.complete], [200, false]);
  });

  test('what ran beside the request that ended the thread gets 502 too, what ran in another thread goes on', async () => {
    const held = await Client.ask(FRONT, server.port, '/hold');
    await server.waitForLog(/holding/);
    await get('/exit');
    await get('/exit'); // one of the two ended the thread that held
    assert.equal((await held.answer()).status, 502);
    assert.equal((await get('/hello')).status, 200);
  });

  test('an answer that is out is out, though the thread dies right behind it', async () => {
    const from = server.log.length;
    const answer = await get('/memory-and-answer');
    assert.deepEqual([answer.status, answer.body], [200, 'in time']);
    await server.waitForLog(/ran out of memory/, from);
  });
});

describe('requests that wait behind one that ends its thread', () => {
  test('go to another thread, none is lost and none is started twice', async () => {
    const server = await startServer([...FRONT.args, '--wsgi-file', 'dies.mjs', '--processes', '1', '--async', '1']);
    const first = await Client.ask(FRONT, server.port, '/exit-later');
    const waiting = await Promise.all(Array.from({ length: 20 }, () => Client.ask(FRONT, server.port, '/hello')));
    assert.equal((await first.answer()).status, 502);
    const answers = await Promise.all(waiting.map((client) => client.answer()));
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
    await server.stop();
  });
});

/** Processor time of a process in ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

describe('a JavaScript app that does not load', () => {
  test('ends the start with 22, the error and where it is', async () => {
    const broken = join(directory, 'broken.mjs');
    writeFileSync(broken, 'const x = 1;\nnull.property;\n');
    const { code, output } = await runToEnd([...FRONT.args, '--wsgi-file', broken]);
    assert.equal(code, 22);
    assert.match(output, /cannot load .*broken\.mjs/);
    assert.match(
      output,
      /TypeError: Cannot read properties of null \(reading 'property'\)\n\s+at file:.*broken\.mjs:2:6/,
    );
    assert.doesNotMatch(output, /dist\/worker|piscina/);
  });

  test('because there is no such file, or no such function, says so', async () => {
    const missing = await runToEnd([...FRONT.args, '--wsgi-file', 'nowhere.mjs']);
    assert.equal(missing.code, 22);
    assert.match(missing.output, /Cannot find module .*nowhere\.mjs/);
    const nameless = await runToEnd([...FRONT.args, '--wsgi-file', 'hello.mjs', '--callable', 'other']);
    assert.equal(nameless.code, 22);
    assert.match(
      nameless.output,
      /hello\.mjs has no function "other" \(it exports application\)\. Name it with --callable/,
    );
  });

  for (const [what, source, expected] of [
    [
      'a syntax error names the line',
      'const a = 1;\nconst b = ;\n',
      /cannot load .*:\n?.*app\.mjs:2\nconst b = ;\n +\^\nSyntaxError: /s,
    ],
    [
      'one in another file says how to find it',
      'import "./other.mjs";\n',
      /SyntaxError: .*\nIt is in a file that .*app\.mjs imports: "node --check FILE"/,
    ],
    [
      'a package that is missing says how to get it',
      'import "not-here/part";\n',
      /'not-here' .*\nIs the package .*"npm install not-here"/,
    ],
  ] as const) {
    test(`because of its code: ${what}`, async () => {
      const file = join(directory, 'app.mjs');
      writeFileSync(file, source);
      writeFileSync(join(directory, 'other.mjs'), 'const c = ;\n');
      const { code, output } = await runToEnd([...FRONT.args, '--wsgi-file', file]);
      assert.equal(code, 22);
      assert.match(output, expected);
      assert.doesNotMatch(output, /node:internal/);
    });
  }

  test('any more is tried again, slower and slower, and serves what has waited when it loads', async () => {
    const flag = join(directory, 'broken');
    const server = await startServer([...FRONT.args, '--wsgi-file', 'dies.mjs', '--env', `BROKEN_IF=${flag}`]);
    const pid = server.pid;
    writeFileSync(flag, '');
    assert.equal((await ask(FRONT, server.port, '/exit')).status, 502);
    const waiting = await Client.ask(FRONT, server.port, '/hello');
    await server.waitForLog(/the app is broken just now/);
    await server.waitForLog(/respawning too fast/);
    const startedMs = cpuMs(pid);
    const fromMs = performance.now();
    await server.waitForLog(/\((?:400|800) ms\)/);
    const share = (cpuMs(pid) - startedMs) / (performance.now() - fromMs);
    assert(share < 0.8, `it took ${Math.round(share * 100)} % of a processor while it waited`);
    rmSync(flag);
    assert.equal((await waiting.answer()).status, 200);
    await server.stop();
  });
});
