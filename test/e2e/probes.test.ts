// `nuwsgi stacks` and `nuwsgi profile` against running workers that are at something.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { WorkerStacks } from '../../src/observe/stats/shape.js';
import { APPS, raw, request, runToEnd, startServer, type TestServer } from './harness.js';
import { freePort } from './nginx.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-probes-'));
after(() => rmSync(directory, { recursive: true, force: true }));

interface Subject {
  readonly server: TestServer;
  readonly stats: string;
  readonly statsPort: number;
  /** Lets the app come to the end of what it is at. */
  release(): void;
  stop(): Promise<void>;
}

let subjects = 0;

/** Worker 1 is the Python app's, worker 2 the JavaScript app's. */
async function startSubject(args: readonly string[] = []): Promise<Subject> {
  const statsPort = await freePort();
  const stats = `127.0.0.1:${statsPort}`;
  const flag = join(directory, `over-${++subjects}`);
  const mounts = ['--mount', '/=stuck.py', '--mount', '/js=stuck.mjs'];
  const all = ['--http-socket', '127.0.0.1:0', ...mounts, '--threads', '2', '--stats', stats, ...args];
  const server = await startServer(all, { env: { STUCK_UNTIL: flag } });
  const release = () => writeFileSync(flag, '');
  const stop = () => {
    release();
    return server.stop();
  };
  return { server, stats, statsPort, release, stop };
}

/** Asks the server for the stacks, as `nuwsgi stacks --json` does, until `isSeen` says that they show what is waited for. */
async function stacksUntil(statsPort: number, isSeen: (stacks: WorkerStacks[]) => boolean): Promise<void> {
  const head = 'GET /stacks HTTP/1.1\r\nHost: localhost\r\nX-Nuwsgi-Control: 1\r\n\r\n';
  const deadline = performance.now() + 20_000;
  for (;;) {
    const [answer] = (await raw(statsPort, head, { answers: 1 })).answers;
    if (isSeen(JSON.parse(answer!.body) as WorkerStacks[])) return;
    assert(performance.now() < deadline, answer!.body);
  }
}

const functionsOf = (stacks: WorkerStacks[], worker: number) =>
  stacks.find((each) => each.worker === worker)!.threads.flatMap(({ frames }) => frames.map((frame) => frame.function));

describe('stacks', () => {
  test('of a Python worker say what each thread is at, with its request, and which one waits', async () => {
    const { server, stats, statsPort, release, stop } = await startSubject();
    try {
      const answers = [request(server.port, '/spin'), request(server.port, '/nap')];
      await stacksUntil(statsPort, (stacks) => {
        const functions = functionsOf(stacks, 1);
        return functions.includes('spin') && functions.includes('nap');
      });
      const { code, output } = await runToEnd(['stacks', stats]);
      assert.equal(code, 0, output);
      assert.match(output, /^worker 1 \(pid \d+, busy\): stuck\.py$/m);
      for (const [path, name] of [
        ['/spin', 'spin'],
        ['/nap', 'nap'],
      ]) {
        const block = new RegExp(
          `^ {2}core [01], GET ${path}, for \\d+ ms\\n(?: {4}.*\\n)*? {4}${name} +\\S*stuck\\.py:\\d+\\n {4}application +\\S*stuck\\.py:\\d+$`,
          'm',
        );
        assert.match(output, block);
      }
      assert.doesNotMatch(output, /bridge|threading\.py/, 'nothing of the server itself');
      release();
      for (const answer of answers) assert.equal((await answer).status, 200);
      assert.match(
        (await runToEnd(['stacks', stats, '--worker', '1'])).output,
        /core 0: waits for a request\n {2}core 1: waits for a request\n$/,
      );
    } finally {
      await stop();
    }
  });

  test('of a worker that holds the GIL are taken without its help', async () => {
    const { server, statsPort, stop } = await startSubject();
    try {
      const answer = request(server.port, '/hold');
      await stacksUntil(statsPort, (stacks) => {
        const { note } = stacks.find(({ worker }) => worker === 1)!;
        if (!note.startsWith('it holds the GIL')) return false;
        assert.match(note, /File "\S*stuck\.py", line \d+ in hold_the_gil/);
        return true;
      });
      assert.equal((await answer).status, 200, 'it goes on');
    } finally {
      await stop();
    }
  });

  test('of a JavaScript worker come also out of a loop that lets nothing else run', async () => {
    const { server, stats, statsPort, release, stop } = await startSubject();
    try {
      const answer = request(server.port, '/js/spin');
      await stacksUntil(statsPort, (stacks) => functionsOf(stacks, 2).includes('application'));
      const { output } = await runToEnd(['stacks', stats, '--worker', '2']);
      assert.match(output, /^worker 2 \(pid \d+, busy\): stuck\.mjs$/m);
      assert.match(output, /^ {2}core 0, GET \/js\/spin, for \d+ ms$/m);
      assert.match(output, /^ {4}application +\S*stuck\.mjs:\d+$/m); // V8 may have made one function of the two
      release();
      assert.equal((await answer).status, 200, 'it goes on');
      assert.equal((await request(server.port, '/js')).status, 200);
      await stacksUntil(statsPort, (stacks) => functionsOf(stacks, 2).length === 0);
    } finally {
      await stop();
    }
  });
});

describe('stacks of a loop that V8 has optimized while it ran', () => {
  test('are those of the app too, and it goes on', async () => {
    const { server, statsPort, stop } = await startSubject();
    try {
      const answer = request(server.port, '/js/count');
      await stacksUntil(statsPort, (stacks) => functionsOf(stacks, 2).includes('application'));
      assert.equal((await answer).status, 200);
      assert.equal((await request(server.port, '/js')).status, 200);
    } finally {
      await stop();
    }
  });
});

describe('a profile', () => {
  test('of a Python worker is a file for speedscope that names what took the time', async () => {
    const { server, stats, stop } = await startSubject();
    const file = join(directory, 'profile.json');
    try {
      const answer = request(server.port, '/spin');
      const { code, output } = await runToEnd(['profile', stats, '--worker', '1', '--seconds', '1', '-o', file]);
      assert.equal(code, 0, output);
      const profile = JSON.parse(readFileSync(file, 'utf8'));
      assert.equal(profile.$schema, 'https://www.speedscope.app/file-format-schema.json');
      const names = profile.shared.frames.map(({ name }: { name: string }) => name);
      const [spinning, waiting] = ['spin', '(waiting for a request)'].map((name) =>
        profile.profiles.some(({ samples }: SampledProfile) => {
          const share = samples.filter((stack) => names[stack[1] ?? stack[0]!] === name).length / samples.length;
          return share > 0.8;
        }),
      );
      assert.deepEqual([spinning, waiting], [true, true], 'one thread spins, one waits');
      for (const { type, unit, samples, weights, endValue } of profile.profiles as SampledProfile[]) {
        assert.deepEqual([type, unit, samples.length], ['sampled', 'seconds', weights.length]);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        assert(Math.abs(total - endValue) < 0.01 && total > 0.9 && total < 3, String(total));
      }
      void answer;
    } finally {
      await stop();
    }
  });

  test('of a JavaScript worker is a file for the DevTools that names what took the time', async () => {
    const { server, stats, stop } = await startSubject();
    const file = join(directory, 'profile.cpuprofile');
    try {
      void request(server.port, '/js/spin');
      const { code, output } = await runToEnd(['profile', stats, '--worker', '2', '--seconds', '1', '-o', file]);
      assert.equal(code, 0, output);
      const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
      assert.equal(samples.length, timeDeltas.length);
      const byId = new Map(nodes.map((node: CpuNode) => [node.id, node.callFrame.functionName]));
      const spinning = samples.filter((id: number) => /^(spin|application)$/.test(String(byId.get(id)))).length;
      assert(spinning > 0.5 * samples.length, `${spinning} of ${samples.length}`);
    } finally {
      await stop();
    }
  });

  test('is refused with a reason: no such worker, no such time, one already at it', async () => {
    const { stats, statsPort, stop } = await startSubject();
    try {
      const missing = await runToEnd(['profile', stats, '--worker', '9']);
      assert.deepEqual([missing.code, /no worker 9/.test(missing.output)], [1, true]);
      assert.equal((await runToEnd(['profile', stats, '--worker', '1', '--seconds', '1000'])).code, 2);
      const ask = (seconds: number) => {
        const lines = `POST /profile?worker=1&seconds=${seconds} HTTP/1.1\r\nHost: localhost\r\nX-Nuwsgi-Control: 1\r\n\r\n`;
        return raw(statsPort, lines, { answers: 1 });
      };
      const statuses = (await Promise.all([ask(1), ask(1)])).map(({ answers }) => answers[0]!.status);
      assert.deepEqual(statuses.sort(), [200, 400]);
      assert.equal((await ask(0)).answers[0]!.status, 400);
    } finally {
      await stop();
    }
  });
});

describe('who may look into workers', () => {
  test('is whoever has the token; no page can make a browser do it', async () => {
    const { stats, statsPort, stop } = await startSubject(['--stats-token', 'secret']);
    try {
      const ask = async (lines: string) =>
        (await raw(statsPort, `GET /stacks HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`, { answers: 1 })).answers[0]!
          .status;
      assert.equal(await ask('X-Nuwsgi-Control: 1\r\n'), 401);
      assert.equal(await ask('Authorization: Bearer secret\r\n'), 403, 'the header is missing');
      assert.equal(await ask('Authorization: Bearer secret\r\nX-Nuwsgi-Control: 1\r\n'), 200);
      const without = await runToEnd(['stacks', stats]);
      assert.deepEqual([without.code, /a token is needed: set NUWSGI_STATS_TOKEN/.test(without.output)], [1, true]);
      const withIt = await runToEnd(['stacks', stats], { env: { NUWSGI_STATS_TOKEN: 'secret' } });
      assert.deepEqual([withIt.code, /^worker 1/.test(withIt.output)], [0, true]);
    } finally {
      await stop();
    }
  });

  test('is nobody where others can connect and there is no token', async () => {
    const port = await freePort();
    const server = await startServer([
      '--http-socket',
      '127.0.0.1:0',
      '--wsgi-file',
      'stuck.py',
      '--stats',
      `0.0.0.0:${port}`,
    ]);
    try {
      const { code, output } = await runToEnd(['stacks', `127.0.0.1:${port}`]);
      assert.deepEqual([code, /needs --stats-token where others can connect/.test(output)], [1, true], output);
    } finally {
      await server.stop();
    }
  });

  test('learns from the tools what is wrong', async () => {
    const port = await freePort();
    const gone = await runToEnd(['stacks', `127.0.0.1:${port}`]);
    assert.deepEqual([gone.code, /ECONNREFUSED/.test(gone.output)], [1, true]);
    assert.match((await runToEnd(['profile', '--help'])).output, /^usage: nuwsgi profile/);
    assert.equal((await runToEnd(['stacks', '--nonsense'], { cwd: APPS })).code, 2);
  });
});

interface SampledProfile {
  readonly type: string;
  readonly unit: string;
  readonly samples: readonly (readonly number[])[];
  readonly weights: readonly number[];
  readonly endValue: number;
}
interface CpuNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string };
}
