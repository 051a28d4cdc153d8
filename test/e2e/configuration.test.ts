// What a person meets who brings a configuration along: started servers, messages, exit codes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { APPS, ROOT, runToEnd, until } from './harness.js';

const CLI = join(ROOT, 'dist/cli.js');

describe('a configuration from standard input', () => {
  for (const [option, text] of [
    ['--ini', '[uwsgi]\nhttp = :0\nmodule = site\nprocesses = 3\n'],
    ['--yaml', 'uwsgi:\n  http: :0\n  module: site\n  processes: 3\n'],
    ['--json', '{"uwsgi": {"http": ":0", "module": "site", "processes": 3}}'],
    ['--xml', '<uwsgi><http>:0</http><module>site</module><processes>3</processes></uwsgi>'],
  ] as const) {
    test(`is read by ${option} -`, () => {
      const run = spawnSync(process.execPath, [CLI, option, '-', '--show-config'], { input: text, encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      assert.match(run.stdout, /^; standard input(?::\d+)?\n(?:.*\n)*processes = 3$/m);
    });
  }

  test('is remembered for a reload, for an upgrade and in the background', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-input-'));
    const [log, pidfile, socket] = ['log', 'pid', 'http.sock'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const lines = [
      '[uwsgi]',
      `http-socket = ${socket}`,
      'wsgi-file = hello.py',
      `daemonize = ${log}`,
      `pidfile = ${pidfile}`,
      'umask = 077',
    ];
    const run = spawnSync(process.execPath, [CLI, '--ini', '-'], {
      input: lines.join('\n'),
      encoding: 'utf8',
      cwd: APPS,
    });
    const pid = () => Number(readFileSync(pidfile, 'utf8'));
    t.after(() => {
      process.kill(pid(), 'SIGKILL');
      rmSync(directory, { recursive: true });
    });
    assert.equal(run.status, 0, run.stderr);
    const hasSaid = (pattern: RegExp) =>
      until(() => pattern.test(readFileSync(log, 'utf8')), `the log matches ${pattern}`);
    process.kill(pid(), 'SIGHUP');
    await hasSaid(/reloaded in \d+ ms \(SIGHUP\)/);
    process.kill(pid(), 'SIGUSR2');
    await hasSaid(/upgraded in \d+ ms/);
    const before = pid();
    process.kill(before, 'SIGHUP');
    await hasSaid(/reloaded in [\s\S]*upgraded in [\s\S]*reloaded in \d+ ms \(SIGHUP\)/);
    assert.equal(statSync(log).mode & 0o777, 0o600, 'the umask holds for the log');
  });
});

describe('nuwsgi check and digest', () => {
  test('the exit code of a check says whether something is wrong', async () => {
    const good = await runToEnd(['check', '--http', ':0', 'hello.py'], { cwd: APPS });
    assert.deepEqual([good.code, good.output], [0, 'command line: ok: hello.py on /, http :0\n']);
    const bad = await runToEnd(['check', '--htp', ':0', 'hello.py', '--processes', 'many'], { cwd: APPS });
    assert.equal(bad.code, 2);
    assert.match(
      bad.output,
      /^command line: 2 problems\n {2}error: .*no option is called "htp".*\n {2}error: .*processes/,
    );
  });

  test('a digest is the same for the same meaning, and another one for another', async () => {
    const digest = async (...args: string[]) =>
      (await runToEnd(['digest', '--http', ':0', 'hello.py', ...args])).output;
    assert.match(await digest(), /^[0-9a-f]{64}\n[0-9a-f]{64}\n$/);
    assert.equal(await digest('-p', '2'), await digest('--workers=2'));
    assert.notEqual(await digest('-p', '2'), await digest('-p', '3'));
    const [two, three, other] = [await digest('-p', '2'), await digest('-p', '3'), await digest('--http', ':1')];
    assert.equal(two.split('\n')[1], three.split('\n')[1], 'a reload applies a number of processes');
    assert.notEqual(two.split('\n')[1], other.split('\n')[1], 'and no address');
  });
});

describe('a configuration that cannot work', () => {
  // biome-ignore format: a table
  const MISTAKES: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['--pidfile', '/no/such/x.pid'],       2, /^nuwsgi: pidfile: "\/no\/such\/x\.pid" cannot be written: ENOENT/m],
    [['--daemonize', '/no/such/x.log'],     2, /^nuwsgi: daemonize: the log "\/no\/such\/x\.log" cannot be opened: ENOENT/m],
    [['--static-map', '/a=.', '--mimefile', 'hello.py'], 2, /^nuwsgi: hello\.py:\d+: a line is a MIME type and extensions$/m],
    [['--health', 'live'],                  2, /^nuwsgi: command line: health = "live" is not a path such as \/health/m],
    [['--fs-reload', '/no/such/directory'], 2, /^nuwsgi: .*fs-reload.*\/no\/such\/directory/m],
  ];
  for (const [args, code, message] of MISTAKES) {
    test(`${args.join(' ')} ends the start with what is wrong`, async () => {
      const run = await runToEnd(['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py', ...args]);
      assert.match(run.output, message);
      assert.equal(run.code, code);
    });
  }

  test('a directory that is not there ends the start with its name, not with a defect', async () => {
    const { code, output } = await runToEnd(['--http', ':0', '--wsgi-file', 'hello.py', '--chdir', join(APPS, 'nope')]);
    assert.equal(code, 2);
    assert.match(output, /^nuwsgi: command line: chdir ".*nope": there is no such directory$/m);
  });
});
