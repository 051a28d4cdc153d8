// The writer against real descriptors: files, pipes whose reader is slow or gone, and a disk that is full.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { LineWriter, type WriterEvents } from '../../../src/observe/log/line-writer.js';
import { LogFile } from '../../../src/observe/log/log-file.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-log-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const SILENT: WriterEvents = {
  onFailing: (problem) => assert.fail(problem),
  onRecovered: () => undefined,
};
const target = (path: string, maxBytes = 0) =>
  ({ kind: 'file', path, maxBytes, backupName: undefined, truncate: false }) as const;
const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1);

/** Waits for a condition that a callback of the writer makes true. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    assert(performance.now() < deadline, 'not within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('a writer of lines', () => {
  test('writes every line once, in order, whatever the size of the batches', async () => {
    const path = join(directory, 'order');
    const fd = openSync(path, 'w');
    const writer = new LineWriter(fd, SILENT);
    const wanted: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      const line = `${i} ${'é'.repeat(i % 97)}`;
      wanted.push(line);
      writer.line(line);
      if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await writer.drain(10_000);
    assert.deepEqual(linesOf(path), wanted);
    assert.equal(writer.lost, 0);
    closeSync(fd);
  });

  test('lets nobody wait for a pipe that is full, and goes on when it is read', async () => {
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const writer = new LineWriter(fd, SILENT);
    const line = 'x'.repeat(999);
    for (let i = 0; i < 1000; i++) writer.line(line); // a pipe holds 64 KiB of these 1000 KiB
    const buffer = Buffer.alloc(1 << 20);
    let bytes = 0;
    await until(() => {
      try {
        bytes += readSync(reader, buffer);
      } catch {
        // nothing there yet
      }
      return bytes === 1_000_000;
    });
    closeSync(reader);
    closeSync(fd);
  });

  test('drops and counts what a reader does not take, beyond what it keeps', () => {
    const path = join(directory, 'stuck');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const writer = new LineWriter(fd, SILENT);
    const line = 'x'.repeat(9999);
    for (let i = 0; i < 10_000; i++) writer.line(line); // 100 MB
    assert(writer.lost > 5000 && writer.lost < 10_000, String(writer.lost));
    const before = performance.now();
    writer.flushSync();
    assert(performance.now() - before < 5000, 'the end of the process does not wait for the reader either');
    writer.giveUp();
    closeSync(reader);
    closeSync(fd);
  });

  test('says once that the reader has gone, and goes on without one', async () => {
    const path = join(directory, 'head');
    execFileSync('mkfifo', [path]);
    const child = spawn('head', ['-n', '1', path], { stdio: 'ignore' });
    const fd = openSync(path, 'w'); // waits for head
    const told: string[] = [];
    const writer = new LineWriter(fd, { onFailing: (problem) => told.push(problem), onRecovered: () => undefined });
    writer.line('one');
    await once(child, 'exit');
    writer.line('two');
    await until(() => told.length > 0);
    assert.match(told[0]!, /EPIPE/);
    writer.giveUp();
    writer.line('three');
    assert.equal(writer.lost, 2);
    assert.equal(told.length, 1);
    closeSync(fd);
  });
});

describe('a log file', () => {
  test('on a full disk: nobody waits, the loss is told once, and no line is broken when there is room again', async () => {
    const disk = join(directory, 'disk');
    execFileSync('mkdir', [disk]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk]);
    try {
      const path = join(disk, 'log');
      execFileSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=1000', 'count=900'], { stdio: 'ignore' });
      const told: string[] = [];
      const file = new LogFile(target(path), undefined, (text) => told.push(text));
      const wanted: string[] = [];
      for (let i = 0; i < 100_000; i++) {
        const line = `line ${i} ${'x'.repeat(200)}`;
        wanted.push(line);
        file.writer.line(line); // 21 MB, of which 8 MiB are kept and 1 MiB fits
        if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => told.length === 1);
      assert.match(told[0]!, /^cannot write to the log .*ENOSPC/);
      const { lost } = file.writer;
      assert(lost > 10_000, String(lost));
      execFileSync('mount', ['-o', 'remount,size=64m', disk]);
      await until(() => told.length === 2);
      assert.match(told[1]!, new RegExp(`is written again, ${lost} lines were lost meanwhile`));
      file.writer.line('after');
      await file.writer.drain(10_000);
      const lines = linesOf(path);
      const known = new Set(wanted);
      const own = lines.filter((line) => !known.has(line));
      assert.deepEqual(own, [told[1], 'after']);
      assert.equal(lines.length, wanted.length - lost + 2);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  test('is rotated between two lines: none is lost, none is in both, none is broken', async () => {
    const path = join(directory, 'rotated');
    const file = new LogFile(target(path, 50_000), undefined, (text) => assert.fail(text));
    const wanted = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 40)}`);
    const names = () => readdirSync(directory).filter((name) => name.startsWith('rotated'));
    for (const [i, line] of wanted.entries()) {
      file.writer.line(line);
      if (i % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (i % 3000 === 1500) {
        const before = names().length;
        file.rotate();
        file.reopen(); // in the middle of it
        await until(() => names().length > before);
      }
      if (i % 4500 === 0) file.reopen();
    }
    await file.writer.drain(10_000);
    const files = names();
    assert(files.length > 7, files.join(' ')); // seven by hand, and by size
    const lines = files.flatMap((name) => linesOf(join(directory, name)));
    const ours = lines.filter((line) => line.startsWith('line '));
    assert.deepEqual(new Set(ours), new Set(wanted));
    assert.equal(ours.length, wanted.length);
    const others = lines.filter((line) => !line.startsWith('line '));
    for (const line of others)
      assert.match(line, /^(logsize: \d+, triggering rotation to |log rotated: |log reopened: )/);
  });

  test('that somebody else has moved away is found again under its name', async () => {
    const path = join(directory, 'moved');
    const file = new LogFile(target(path), undefined, (text) => assert.fail(text));
    file.writer.line('before');
    await file.writer.drain(1000);
    execFileSync('mv', [path, `${path}.1`]);
    file.writer.line('between');
    await file.writer.drain(1000);
    file.reopen();
    file.writer.line('behind');
    await until(() => linesOf(`${path}.1`).length === 2);
    await file.writer.drain(1000);
    assert.deepEqual(linesOf(`${path}.1`), ['before', 'between']);
    await until(() => linesOf(path).includes('behind'));
  });

  test('that cannot be rotated goes on, and says why', async () => {
    const path = join(directory, 'gone', 'log');
    execFileSync('mkdir', [join(directory, 'gone')]);
    const file = new LogFile(target(path), undefined, (text) => assert.fail(text));
    file.writer.line('before');
    await file.writer.drain(1000);
    execFileSync('ln', [path, join(directory, 'kept')]);
    rmSync(join(directory, 'gone'), { recursive: true });
    file.rotate();
    await until(() => linesOf(join(directory, 'kept')).length === 2);
    file.writer.line('behind');
    await file.writer.drain(1000);
    const [before, why, behind] = linesOf(join(directory, 'kept'));
    assert.deepEqual([before, behind], ['before', 'behind']);
    assert.match(why!, /^cannot rotate the log .*ENOENT/);
  });
});
