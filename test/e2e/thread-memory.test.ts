// The memory of a JS worker that has been replaced goes back to the kernel: else each reload could leave a heap behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, rssBytes, startServer, until } from './harness.js';

const MIB = 1 << 20;
/** What /fill of memory.mjs keeps, in buffers. */
const FILLED_BYTES = 100 * MIB;

test('what a JS worker had goes back to the kernel when it is replaced', async (t) => {
  const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', 'memory.mjs', '--master']);
  t.after(() => server.stop());
  assert.equal((await request(server.port, '/whole')).status, 200);
  const before = rssBytes(server.pid);
  assert.equal((await request(server.port, '/fill')).status, 200);
  const filled = rssBytes(server.pid);
  assert(filled - before > 0.9 * FILLED_BYTES, `it has grown by ${(filled - before) / MIB} MiB`);
  server.child.kill('SIGHUP');
  const isBack = () => rssBytes(server.pid) < filled - 0.8 * FILLED_BYTES;
  await until(isBack, 'memory goes back').catch((error) => {
    throw new Error(`${(rssBytes(server.pid) - before) / MIB} MiB more than before`, { cause: error });
  });
  t.diagnostic(`${((rssBytes(server.pid) - before) / MIB).toFixed(0)} MiB more than before`);
});
