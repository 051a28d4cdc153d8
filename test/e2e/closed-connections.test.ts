// What a connection took is given back when it is closed, whoever closes it: each would cost half a kilobyte for ever.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packetOf } from '../../src/wire/uwsgi.js';
import { raw, request, startServer, type TestServer } from './harness.js';

const CONNECTIONS = 5000;
const AT_ONCE = 32;
/** What garbage that is not collected yet may make of it, in one round. */
const MOST_BYTES = 200;
const MOST_ROUNDS = 3;

/** By which listener, and a request by which the connection ends: for HTTP its first words and its Connection. */
// biome-ignore format: a table
const WAYS = [
  ['uws',   'an answer in one piece',                      'GET',  '/whole',    'close'],
  ['uws',   'an answer in one piece, told in other words', 'GET',  '/whole',    'Close, TE'],
  ['uws',   'an answer without a body',                    'HEAD', '/whole',    'close'],
  ['uws',   'an answer in parts',                          'GET',  '/measured', 'close'],
  ['node',  'an answer in one piece',                      'GET',  '/whole',    'close'],
  ['uwsgi', 'an answer in one piece',                      'GET',  '/whole',    ''],
  ['uwsgi', 'an answer in parts',                          'GET',  '/measured', ''],
] as const;

const httpText = (method: string, path: string, connection: string) =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`;

const uwsgiPacket = (method: string, path: string) =>
  packetOf([
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', path],
    ['PATH_INFO', path],
    ['QUERY_STRING', ''],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['SERVER_NAME', 'a'],
    ['SERVER_PORT', '80'],
  ]);

/** Sends `bytes` on so many connections, and reads each to its end. */
async function manyTimes(port: number, bytes: string | Uint8Array): Promise<void> {
  let left = CONNECTIONS;
  const client = async () => {
    while (left-- > 0) assert.match((await raw(port, bytes)).bytes, /^HTTP\/1\.1 200 OK\r\n/);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

/** What a connection adds to the memory that the server has in use: of so many rounds the least, if all add much. */
async function bytesPerConnection(server: TestServer, port: number, bytes: string | Uint8Array): Promise<number> {
  const used = async () => Number((await request(server.port, '/used')).body);
  await manyTimes(port, bytes); // until heaps have found their size
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < MOST_ROUNDS && least >= MOST_BYTES; round++) {
    const before = await used();
    await manyTimes(port, bytes);
    least = Math.min(least, ((await used()) - before) / CONNECTIONS);
  }
  return least;
}

describe('memory of closed connections', () => {
  for (const [engine, name, method, path, connection] of WAYS) {
    test(`${engine}: ${name}: is given back`, async (t) => {
      const asked = engine === 'uwsgi' ? ['--socket', '127.0.0.1:0'] : ['--http-engine', engine];
      const options = ['--http', '127.0.0.1:0', ...asked, '--wsgi-file', 'memory.mjs', '--disable-logging'];
      const server = await startServer(options);
      t.after(() => server.stop());
      const bytes = engine === 'uwsgi' ? uwsgiPacket(method, path) : httpText(method, path, connection);
      const grown = await bytesPerConnection(server, server.ports.at(-1)!, bytes);
      t.diagnostic(`${grown.toFixed(0)} bytes a connection`);
      assert(grown < MOST_BYTES, `${grown} bytes a connection`);
    });
  }
});
