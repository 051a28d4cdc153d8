// What a connection took is given back when it is closed, whoever closes it: each would cost half a kilobyte for ever.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ENGINES, raw, request, startOn } from './harness.js';

const CONNECTIONS = 6000;
const AT_ONCE = 32;
/** What garbage that is not collected yet may make of it. */
const MOST_BYTES = 200;

const used = async (port: number) => Number((await request(port, '/used')).body);

/** Sends `text` on so many connections, and reads each to its end. */
async function manyTimes(port: number, text: string): Promise<void> {
  let left = CONNECTIONS;
  const client = async () => {
    while (left-- > 0) {
      const { bytes } = await raw(port, text);
      assert.match(bytes, /^HTTP\/1\.1 200 OK\r\n/);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

const WAYS = [
  ['an answer in one piece', 'GET /whole', 'close'],
  ['an answer in one piece, told in other words', 'GET /whole', 'Close, TE'],
  ['an answer without a body', 'HEAD /whole', 'close'],
  ['an answer in parts', 'GET /measured', 'close'],
] as const;

for (const engine of ENGINES) {
  describe(`memory of closed connections (${engine})`, () => {
    for (const [name, line, connection] of WAYS) {
      test(`${name}: is given back`, async (t) => {
        const server = await startOn(engine, ['--wsgi-file', 'memory.mjs', '--disable-logging']);
        t.after(() => server.stop());
        const text = `${line} HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`;
        await manyTimes(server.port, text); // until heaps have found their size
        const before = await used(server.port);
        await manyTimes(server.port, text);
        const grown = ((await used(server.port)) - before) / CONNECTIONS;
        t.diagnostic(`${grown.toFixed(0)} bytes a connection`);
        assert(grown < MOST_BYTES, `${grown} bytes a connection`);
      });
    }
  });
}
