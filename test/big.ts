// Large transfers at full size, with figures: 1 GiB up and down on every front, for Python and JavaScript, and a client that
// reads 10 KB/s of 100 MiB for half a minute. Too long for npm test, which has the same with less (e2e/streams.test.ts).
//
//   npm run big            everything
//   npm run big -- up      only what has the word in its name

import { setTimeout as delay } from 'node:timers/promises';
import { ask, FRONTS, type Front } from './e2e/fronts.js';
import type { TestServer } from './e2e/harness.js';
import { BLOCK_BYTES, Download, growing, MIB, STREAM_APPS, startStreams, upload } from './e2e/transfers.js';

const GIB = 1024 * MIB;
const GROWTH_BYTES = 64 * MIB;
const SLOW_GROWTH_BYTES = 16 * MIB;
const SLOW_SECONDS = 30;
const SLOW_BYTES_PER_SECOND = 10_000;
const SLOW_BLOCKS = (100 * MIB) / BLOCK_BYTES;

/** Does the transfer; gives what is to be done when memory is no longer watched. */
type Transfer = (front: Front, server: TestServer) => Promise<(() => Promise<void>) | undefined>;

const TRANSFERS: readonly (readonly [name: string, growthBytes: number, transfer: Transfer])[] = [
  ['up 1 GiB', GROWTH_BYTES, (front, server) => uploadAll(front, server)],
  ['down 1 GiB', GROWTH_BYTES, (front, server) => download(front, server, false)],
  ['down 1 GiB with a length', GROWTH_BYTES, (front, server) => download(front, server, true)],
  ['slow', SLOW_GROWTH_BYTES, (front, server) => readSlowly(front, server, false)],
  ['slow with a length', SLOW_GROWTH_BYTES, (front, server) => readSlowly(front, server, true)],
];

async function uploadAll(front: Front, server: TestServer): Promise<undefined> {
  await upload(front, server, GIB);
}

async function download(front: Front, server: TestServer, withLength: boolean): Promise<undefined> {
  await (await Download.start(front, server, GIB / BLOCK_BYTES, withLength)).finish(GIB / BLOCK_BYTES);
}

/** Reads at 10 KB/s, longer than any engine's patience, while others ask; then reads the rest, which must be whole. */
async function readSlowly(front: Front, server: TestServer, withLength: boolean): Promise<() => Promise<void>> {
  const slow = await Download.start(front, server, SLOW_BLOCKS, withLength);
  await slow.stall();
  let slowestMs = 0;
  for (let second = 0; second < SLOW_SECONDS; second++) {
    slow.sip(SLOW_BYTES_PER_SECOND);
    for (let i = 0; i < 20; i++) {
      const startedMs = performance.now();
      await ask(front, server.port, '/hello');
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await delay(50);
    }
  }
  process.stdout.write(
    `    ${slow.bytes} bytes in ${SLOW_SECONDS} s, the others waited ${slowestMs.toFixed(1)} ms at most\n`,
  );
  return () => slow.finish(SLOW_BLOCKS);
}

async function run(front: Front, app: string, words: readonly string[]): Promise<number> {
  let failures = 0;
  const { server, pids } = await startStreams(front, app);
  for (const [name, growthBytes, transfer] of TRANSFERS) {
    const title = `${name}, ${app}, ${front.name}`;
    if (!words.every((word) => title.includes(word))) continue;
    const startedMs = performance.now();
    try {
      // a thread of the server and the server itself are one process
      const limit = pids.length === 1 ? 2 * growthBytes : growthBytes;
      let rest: (() => Promise<void>) | undefined;
      const shown = await growing(pids, limit, async () => {
        rest = await transfer(front, server);
      });
      await rest?.();
      const seconds = (performance.now() - startedMs) / 1000;
      process.stdout.write(`ok      ${title}: ${seconds.toFixed(1)} s, grew by ${shown} MiB\n`);
    } catch (error) {
      failures++;
      process.stdout.write(`FAILED  ${title}: ${(error as Error).message}\n`);
    }
  }
  await server.stop();
  return failures;
}

let failures = 0;
for (const front of FRONTS) {
  for (const app of STREAM_APPS) failures += await run(front, app, process.argv.slice(2));
}
process.exitCode = failures > 0 ? 1 : 0;
