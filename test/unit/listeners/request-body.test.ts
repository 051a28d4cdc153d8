// A body on its way in, with real files: what stays in memory, what goes to disk, and that nothing is left when it fails.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PeerError, ServerFault } from '../../../src/base/errors.js';
import { RequestBody } from '../../../src/listeners/request-body.js';
import type { Limits } from '../../../src/listeners/site.js';
import { Watch } from '../../../src/listeners/watch.js';
import { until } from '../../e2e/harness.js';

const INLINE_BYTES = 1000;
const LIMIT_BYTES = 20 << 20;
/** More than RequestBody lets wait for the disk. */
const LARGE_BYTES = 8 << 20;
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-body-test-'));
after(() => rmSync(directory, { recursive: true }));

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

type Settled = { error?: PeerError | ServerFault; input?: Uint8Array; fd: number; bytes: number };

/** A body in the making, and whoever sends it. */
class Upload {
  readonly body: RequestBody;
  readonly settled: Promise<Settled>;
  isSettled = false;
  paused = 0;
  resumed = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limits: Partial<Limits> = {}) {
    const source = {
      pause: () => this.paused++,
      resume: () => {
        this.resumed++;
        for (const go of this.#waiting) go();
        this.#waiting.clear();
      },
    };
    const all = { inlineBodyBytes: INLINE_BYTES, bodyBytes: LIMIT_BYTES, spoolDirectory: directory, ...limits };
    let settle!: (outcome: Settled) => void;
    this.settled = new Promise((resolve) => {
      settle = resolve;
    });
    this.body = new RequestBody(all as Limits, new Watch(), source, (error, input, fd, bytes) => {
      assert(!this.isSettled, 'settled twice');
      this.isSettled = true;
      settle({ ...(error && { error }), ...(input && { input: Uint8Array.from(input) }), fd, bytes });
    });
  }

  /** Feeds `data` in chunks of `size`, as a socket that obeys `pause` does. */
  async send(data: Uint8Array, size: number): Promise<void> {
    for (let at = 0; at === 0 || at < data.length; at += size) {
      if (this.paused > this.resumed) await new Promise<void>((resolve) => this.#waiting.add(resolve));
      const chunk = Buffer.from(data.subarray(at, at + size)); // a buffer that is used again, as sockets have it
      this.body.feed(chunk, at + size >= data.length);
      if (!this.isSettled) chunk.fill(0);
    }
  }
}

const sha = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
/** Descriptors of this process that belong to files in `directory`. */
const openFiles = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false; // the one that readdir had open
    }
  });

/** What must hold after every case: nothing open, nothing in the directory. */
async function assertNothingLeft(): Promise<void> {
  const isClean = () => openFiles().length === 0 && readdirSync(directory).length === 0;
  await until(isClean, 'the spooled file is closed, and has no name'); // it may be given up while it is being opened
}

describe('a request body', () => {
  // biome-ignore format: a table
  const IN_MEMORY = [
    // bytes          chunk
    [0,               1],
    [1,               1],
    [INLINE_BYTES,    INLINE_BYTES],
    [INLINE_BYTES,    7],
    [INLINE_BYTES - 1, 1],
  ] as const;
  for (const [bytes, chunk] of IN_MEMORY) {
    test(`of ${bytes} bytes in chunks of ${chunk} stays in memory`, async () => {
      const data = randomBytes(bytes);
      const upload = new Upload();
      await upload.send(data, chunk);
      const { input, fd, error } = await upload.settled;
      assert.equal(error, undefined);
      assert.equal(fd, -1);
      assert.equal(sha(input!), sha(data));
      await assertNothingLeft();
    });
  }

  // biome-ignore format: a table
  const IN_FILE = [
    // bytes            chunk
    [INLINE_BYTES + 1,  INLINE_BYTES + 1],
    [INLINE_BYTES + 1,  1],
    [LARGE_BYTES,       LARGE_BYTES],
    [LARGE_BYTES,       65_536],
    [LARGE_BYTES,       4001],
  ] as const;
  for (const [bytes, chunk] of IN_FILE) {
    test(`of ${bytes} bytes in chunks of ${chunk} goes to a file that has no name`, async () => {
      const data = randomBytes(bytes);
      const upload = new Upload();
      await upload.send(data, chunk);
      const { input, fd, error, bytes: counted } = await upload.settled;
      assert.equal(error, undefined);
      assert.equal(input, undefined);
      assert.equal(counted, bytes);
      assert.equal(fstatSync(fd).nlink, 0);
      assert.equal(fstatSync(fd).mode & 0o777, 0o600);
      assert.equal(sha(readFileSync(`/proc/self/fd/${fd}`)), sha(data));
      closeSync(fd);
      await assertNothingLeft();
    });
  }

  test('costs about what it is long, in however small pieces it comes', async () => {
    const bodies = 20;
    const bytes = 64 << 10;
    const piece = Buffer.alloc(1);
    const usedBytes = async () => {
      // the memory of buffers, those of the tests before too, is given back some time after a collection
      for (let least = Number.POSITIVE_INFINITY; ; ) {
        for (let i = 0; i < 2; i++) collectGarbage();
        await turn();
        const { heapUsed, external } = process.memoryUsage();
        const used = heapUsed + external; // of which the contents of buffers are the second part
        if (used >= least) return least;
        least = used;
      }
    };
    const before = await usedBytes();
    const uploads = Array.from({ length: bodies }, () => new Upload({ inlineBodyBytes: bytes }));
    for (const { body } of uploads) for (let at = 0; at < bytes; at++) body.feed(piece, false);
    const perBody = ((await usedBytes()) - before) / bodies;
    // half of it would show that nothing is kept, or not counted; what else is collected meanwhile is some 20 KB in all
    assert(perBody > bytes / 2, `${perBody} bytes for a body of ${bytes}`);
    assert(perBody < 2 * bytes, `${perBody} bytes for a body of ${bytes}`);
    for (const { body } of uploads) body.discard();
  });

  test('that comes faster than the disk takes it pauses its source, and goes on later', async () => {
    const data = randomBytes(LARGE_BYTES);
    const upload = new Upload();
    await upload.send(data, 256 << 10); // without a turn of the event loop, so the disk does nothing meanwhile
    const { fd } = await upload.settled;
    assert(upload.paused > 0, 'it never paused');
    assert.equal(upload.resumed, upload.paused);
    closeSync(fd);
  });

  test('over the limit is refused at the byte that is too many, wherever it lay until then', async () => {
    for (const bodyBytes of [INLINE_BYTES / 2, 2 * INLINE_BYTES]) {
      const upload = new Upload({ bodyBytes });
      upload.body.feed(Buffer.alloc(bodyBytes), false);
      assert(!upload.isSettled);
      upload.body.feed(Buffer.alloc(1), false);
      const { error, fd } = await upload.settled;
      assert.equal(error?.code, 'PEER_BODY_TOO_LARGE');
      assert.equal(fd, -1);
      upload.body.feed(Buffer.alloc(1), true); // what is still on its way is dropped
      await assertNothingLeft();
    }
  });

  test('without a limit may be as long as it likes', async () => {
    const upload = new Upload({ bodyBytes: 0 });
    await upload.send(Buffer.alloc(LIMIT_BYTES + 1), 1 << 20);
    const { error, fd, bytes } = await upload.settled;
    assert.equal(error, undefined);
    assert.equal(bytes, LIMIT_BYTES + 1);
    closeSync(fd);
  });

  test('that is given up while it is written leaves nothing behind, and is never reported', async () => {
    for (const turns of [0, 1, 3]) {
      const upload = new Upload();
      upload.body.feed(Buffer.alloc(LARGE_BYTES), false);
      for (let i = 0; i < turns; i++) await turn();
      upload.body.discard();
      upload.body.feed(Buffer.alloc(1), true);
      await assertNothingLeft();
      assert(!upload.isSettled);
    }
  });

  test('is refused with 507 when its directory is not there', async () => {
    const upload = new Upload({ spoolDirectory: join(directory, 'missing') });
    await upload.send(Buffer.alloc(LARGE_BYTES), LARGE_BYTES);
    const { error } = await upload.settled;
    assert.equal(error?.code, 'SERVER_SPOOL');
    assert.equal(error.status, 507);
    assert.match(error.message, /missing.*ENOENT/);
  });

  test('is refused with 507 when the disk is full in the middle, and its source is not left paused', async () => {
    // a limit on the size of files has the same effect as a disk of that size, for this process alone
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
    limit(String(LARGE_BYTES / 2));
    try {
      const upload = new Upload();
      await upload.send(randomBytes(LARGE_BYTES), 65_536);
      const { error, fd } = await upload.settled;
      assert.equal(error?.status, 507);
      assert.match(error.message, /cannot keep a request body in .*EFBIG/);
      assert.equal(fd, -1);
      assert.equal(upload.resumed, upload.paused);
      await assertNothingLeft();
    } finally {
      limit('unlimited');
    }
  });
});

describe('a request body that comes slowly', () => {
  const LIMITS = { idleTimeoutMs: 10_000, minBodyRate: 100 };
  const start = performance.now();
  /** Feeds `bytes` bytes and looks at the body, as if so many seconds had gone by since it began. */
  const step = (upload: Upload, second: number, bytes: number) => {
    if (bytes > 0) upload.body.feed(Buffer.alloc(bytes), false);
    upload.body.check(start + 1000 + second * 1000); // it began a moment after `start`
  };

  test('is given up when it is below the rate over the time it has, and not for a pause in it', async () => {
    const steady = new Upload(LIMITS);
    steady.body.feed(Buffer.alloc(1), false);
    for (let second = 1; second <= 40; second++) step(steady, second, second % 8 === 0 ? 1300 : 0);
    assert(!steady.isSettled);
    const slow = new Upload(LIMITS);
    slow.body.feed(Buffer.alloc(1), false);
    for (let second = 1; second <= 20; second++) step(slow, second, 50);
    const { error } = await slow.settled;
    assert.equal(error?.code, 'PEER_SLOW');
    assert.equal(error.status, 408);
    for (const { body } of [steady, slow]) body.discard();
  });

  test('is not given up for a burst that came before: what counts is how it comes now', async () => {
    const upload = new Upload(LIMITS);
    upload.body.feed(Buffer.alloc(INLINE_BYTES), false);
    for (let second = 1; second <= 30; second++) step(upload, second, 5);
    assert.equal((await upload.settled).error?.code, 'PEER_SLOW');
  });

  test('is given up when nothing comes, whatever the rate', async () => {
    const upload = new Upload({ ...LIMITS, minBodyRate: 0 });
    upload.body.feed(Buffer.alloc(1), false);
    for (let second = 1; second <= 30; second++) step(upload, second, 1);
    assert(!upload.isSettled);
    for (let second = 31; second <= 42; second++) step(upload, second, 0);
    assert.equal((await upload.settled).error?.code, 'PEER_TIMEOUT');
  });

  test('has as much time as it needs while the disk is what is slow', async () => {
    const upload = new Upload(LIMITS);
    upload.body.feed(Buffer.alloc(LARGE_BYTES), false); // more than may wait: its source is paused
    assert.equal(upload.paused, 1);
    for (let second = 1; second <= 60; second++) upload.body.check(start + second * 1000);
    assert(!upload.isSettled);
    upload.body.discard();
    await assertNothingLeft();
  });
});
