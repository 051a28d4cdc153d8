// An emperor and its vassals, as a user runs them: files come, change and go.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { APPS, isAlive, request, runToEnd, startServer, type TestServer, until } from './harness.js';

/** A directory for vassals, with two apps in it. */
function vassalDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-emperor-'));
  after(() => rmSync(directory, { recursive: true }));
  for (const app of ['hello.py', 'hello.mjs']) copyFileSync(join(APPS, app), join(directory, app));
  return directory;
}

const INI = '[uwsgi]\nhttp = 127.0.0.1:0\nwsgi-file = hello.py\n';
const YAML = 'uwsgi:\n  http: 127.0.0.1:0\n  app: hello.mjs\n';

async function emperorOf(directory: string, ...more: string[]): Promise<TestServer> {
  const emperor = await startServer(['--emperor', directory, '--emperor-freq', '1', ...more]);
  await emperor.waitForLog(/\*\*\* starting the emperor of /);
  return emperor;
}

/** Waits until the vassal listens, and gives its port. */
async function portOf(emperor: TestServer, vassal: string, from = 0): Promise<number> {
  const open = await emperor.waitForLog(new RegExp(`^\\[${vassal}\\] --http .*\\(port (\\d+)\\) is open`, 'm'), from);
  return Number(open[1]);
}
const pidOf = async (emperor: TestServer, vassal: string, from = 0) =>
  Number((await emperor.waitForLog(new RegExp(`vassal ${vassal} has been spawned \\(pid: (\\d+)\\)`), from))[1]);

/** What the stats address says. */
function stats(
  port: number,
): Promise<{ vassals: { id: string; state: string; respawns: number }[]; blacklist: unknown[] }> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (data) => (text += data))
      .on('error', reject)
      .on('end', () => resolve(JSON.parse(text)));
  });
}

describe('an emperor', () => {
  test('starts a server for every file, changes it with the file, and stops it when the file has gone', async () => {
    const directory = vassalDirectory();
    writeFileSync(join(directory, 'shop.ini'), INI);
    writeFileSync(join(directory, 'site.yaml'), YAML);
    const emperor = await emperorOf(directory, '--emperor-stats', '127.0.0.1:0');
    try {
      assert.equal((await request(await portOf(emperor, 'shop.ini'), '/')).body, 'hello\n');
      assert.equal((await request(await portOf(emperor, 'site.yaml'), '/')).body, 'hello\n');

      writeFileSync(join(directory, 'late.ini'), INI);
      assert.equal((await request(await portOf(emperor, 'late.ini'), '/')).status, 200);

      const before = emperor.log.length;
      const pid = await pidOf(emperor, 'shop.ini');
      appendFileSync(join(directory, 'shop.ini'), 'buffer-size = 8192\n');
      await emperor.waitForLog(/vassal shop\.ini has a new configuration that needs another process/, before);
      assert.equal((await request(await portOf(emperor, 'shop.ini', before), '/')).status, 200);
      assert(!isAlive(pid));

      const statsPort = Number(/Emperor stats server enabled on .* \(port (\d+)\)/.exec(emperor.log)![1]);
      assert.deepEqual(
        (await stats(statsPort)).vassals.map(({ id, state, respawns }) => [id, state, respawns]).sort(),
        [
          ['late.ini', 'serving', 0],
          ['shop.ini', 'serving', 1],
          ['site.yaml', 'serving', 0],
        ],
      );

      const late = await pidOf(emperor, 'late.ini');
      rmSync(join(directory, 'late.ini'));
      await emperor.waitForLog(/\[emperor\] vassal late\.ini is removed: it exited with code 0/);
      assert(!isAlive(late));
    } finally {
      await emperor.stop();
    }
    assert.match(emperor.log, /vassal site\.yaml is removed: it exited with code 0/);
  });

  test('reloads a vassal whose file is touched, or changed in what a reload can apply, in the process that there is', async () => {
    const directory = vassalDirectory();
    writeFileSync(join(directory, 'shop.ini'), INI);
    const emperor = await emperorOf(directory);
    try {
      const port = await portOf(emperor, 'shop.ini');
      await emperor.waitForLog(/shop\.ini is ready/);
      const pid = await pidOf(emperor, 'shop.ini');
      appendFileSync(
        join(directory, 'hello.py'),
        'def application(e, start):\n    start("200 OK", [])\n    return [b"new"]\n',
      );
      utimesSync(join(directory, 'shop.ini'), new Date(), new Date(Date.now() + 5000));
      await emperor.waitForLog(/vassal shop\.ini is reloaded: its file was touched/);
      await emperor.waitForLog(/\[shop\.ini\] .*reloaded in \d+ ms \(SIGHUP\)/);
      assert.equal((await request(port, '/')).body, 'new');
      assert(isAlive(pid));
      let before = emperor.log.length;
      appendFileSync(join(directory, 'shop.ini'), 'processes = 2\n');
      await emperor.waitForLog(/\[shop\.ini\] the configuration has changed: processes/, before);
      await emperor.waitForLog(/\[shop\.ini\] spawned uWSGI worker 2 /, before);
      assert(isAlive(pid), 'a number of workers needs no other process');
      await emperor.waitForLog(/\[shop\.ini\] .*reloaded in \d+ ms \(SIGHUP\)/, before);
      before = emperor.log.length;
      emperor.child.kill('SIGHUP');
      await emperor.waitForLog(/\[shop\.ini\] .*reloaded in \d+ ms \(SIGHUP\)/, before);
    } finally {
      await emperor.stop();
    }
  });

  test('keeps the old server when the new configuration is wrong, and says what is', async () => {
    const directory = vassalDirectory();
    writeFileSync(join(directory, 'shop.ini'), INI);
    const emperor = await emperorOf(directory);
    try {
      const port = await portOf(emperor, 'shop.ini');
      await emperor.waitForLog(/shop\.ini is ready/);
      appendFileSync(join(directory, 'shop.ini'), 'proceses = 2\n');
      await emperor.waitForLog(
        /vassal shop\.ini has a new configuration that is wrong: the old one goes on serving\n.*shop\.ini:4: no option is called "proceses"; did you mean "processes"\?/,
      );
      assert.equal((await request(port, '/')).status, 200);
    } finally {
      await emperor.stop();
    }
  });

  test('lets a vassal that dies rest, longer each time, and starts it at once when its file changes', async () => {
    const directory = vassalDirectory();
    writeFileSync(join(directory, 'bad.ini'), '[uwsgi]\nhttp = 127.0.0.1:0\nmodule = nothing_of_that_name\n');
    writeFileSync(join(directory, 'shop.ini'), INI);
    const emperor = await emperorOf(directory, '--emperor-throttle', '1500', '--emperor-stats', '127.0.0.1:0');
    try {
      assert.equal((await request(await portOf(emperor, 'shop.ini'), '/')).status, 200);
      await emperor.waitForLog(/bad\.ini died while starting: it exited with code 22; it is started again in 1500 ms/);
      await emperor.waitForLog(/bad\.ini died while starting: it exited with code 22; it is started again in 3000 ms/);
      const statsPort = Number(/Emperor stats server enabled on .* \(port (\d+)\)/.exec(emperor.log)![1]);
      assert.deepEqual((await stats(statsPort)).blacklist, [{ id: 'bad.ini', throttle_level: 3000 }]);
      const before = emperor.log.length;
      writeFileSync(join(directory, 'bad.ini'), INI);
      assert.equal((await request(await portOf(emperor, 'bad.ini', before), '/')).status, 200);
    } finally {
      await emperor.stop();
    }
  });

  test('starts a vassal again that was killed, and the vassals stop when the emperor is killed', async () => {
    const directory = vassalDirectory();
    writeFileSync(join(directory, 'shop.ini'), INI);
    const emperor = await emperorOf(directory, '--emperor-throttle', '0');
    const first = await pidOf(emperor, 'shop.ini');
    await portOf(emperor, 'shop.ini');
    const before = emperor.log.length;
    process.kill(first, 'SIGKILL');
    await emperor.waitForLog(/shop\.ini died while serving: it was killed by SIGKILL/, before);
    const second = await pidOf(emperor, 'shop.ini', before);
    await portOf(emperor, 'shop.ini', before);
    await emperor.end('SIGKILL');
    await until(() => !isAlive(second), 'the vassal ends with its emperor');
  });

  test('gives vassals templates and settings, and reads files with other extensions as INI', async () => {
    const directory = vassalDirectory();
    mkdirSync(join(directory, 'vassals'));
    writeFileSync(join(directory, 'template.ini'), '[uwsgi]\nwsgi-file = ../%(site)\nprocesses = 2\n');
    writeFileSync(join(directory, 'vassals/one.conf'), '[uwsgi]\nhttp = 127.0.0.1:0\nname = hello\n');
    const emperor = await emperorOf(
      join(directory, 'vassals'),
      ...['--emperor-extra-extension', '.conf', '--vassals-set', 'site=%(name).py'],
      ...['--vassals-include', join(directory, 'template.ini'), '--emperor-pidfile', join(directory, 'pid')],
    );
    try {
      assert.equal((await request(await portOf(emperor, 'one.conf'), '/')).body, 'hello\n');
      await emperor.waitForLog(/\[one\.conf\] spawned uWSGI worker 2 /);
      assert.equal(readFileSync(join(directory, 'pid'), 'utf8'), `${emperor.pid}\n`);
    } finally {
      await emperor.stop();
    }
    assert(!existsSync(join(directory, 'pid')));
  });

  test('serves nothing itself, and is not made of options it does not have', async () => {
    const { code, output } = await runToEnd(['--emperor', APPS, '--http', ':0']);
    assert.equal(code, 2);
    assert.match(output, /an emperor serves nothing itself: put http \(command line\) into a vassal's file/);
    assert.match((await runToEnd(['--emperor', APPS, '--emperor-tyrant'])).output, /start one emperor per user/);
  });
});
