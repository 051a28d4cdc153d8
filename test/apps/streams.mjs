// Bodies of any size, in and out, as streams.py has them.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const BLOCK = Buffer.alloc(
  65536,
  Uint8Array.from({ length: 256 }, (_, i) => i),
);
let started = 0;

async function digestOf(input) {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of input) {
    hash.update(chunk);
    size += chunk.length;
  }
  return `${size} ${hash.digest('hex')}`;
}

async function* blocks(count) {
  let given = 0;
  try {
    for (; given < count; given++) yield BLOCK;
  } finally {
    console.log(`closed after ${given} blocks`);
  }
}

export async function application(env, startResponse) {
  const query = new URLSearchParams(env.QUERY_STRING);
  const count = Number(query.get('count'));
  const fields = query.has('length') ? [['Content-Length', String(count * BLOCK.length)]] : [];
  const path = env.PATH_INFO;
  let body = 'hello\n';
  if (path === '/sha') body = await digestOf(env['wsgi.input']);
  else if (path === '/hold') {
    console.log('holding');
    await readFile(process.env.GATE); // a FIFO: the test writes to it
  } else if (path === '/count') started++;
  else if (path === '/started') body = String(started);
  else if (path === '/pid') body = String(process.pid);
  startResponse('200 OK', [['Content-Type', 'text/plain'], ...fields]);
  return path === '/blocks' ? blocks(count) : body;
}
