// The same as ledger.py, in JavaScript.

import { existsSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

const ledger = process.env.LEDGER === undefined ? -1 : openSync(process.env.LEDGER, 'a');

function pattern(name, size) {
  const line = `${name}\n`;
  return Buffer.alloc(size, line, 'latin1');
}

async function* inParts(body, count) {
  const size = Math.ceil(body.length / count);
  try {
    for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
  } finally {
    if (ledger >= 0) writeSync(ledger, 'closed\n');
  }
}

export async function application(env, startResponse) {
  const query = new URLSearchParams(env.QUERY_STRING);
  const name = query.get('id');
  if (ledger >= 0) writeSync(ledger, `${name}\n`);
  if (query.has('die')) process.exit(3);
  const post = Number(query.get('post') ?? 0);
  if (post > 0 && !pattern(name, post).equals(await env['wsgi.input'].bytes())) {
    startResponse('422 Unprocessable Content', [['Content-Type', 'text/plain']]);
    return 'the body is not what was sent';
  }
  if (query.has('ms')) await sleep(Number(query.get('ms')));
  while (existsSync(query.get('hold') ?? '')) await sleep(5);
  const body = pattern(name, Number(query.get('bytes') ?? name.length + 1));
  const headers = [
    ['Content-Type', 'text/plain'],
    ['X-Id', name],
    ['X-Pid', `thread ${threadId}`],
  ];
  const parts = Number(query.get('parts') ?? 0);
  startResponse('200 OK', parts === 0 ? [...headers, ['Content-Length', String(body.length)]] : headers);
  return parts === 0 ? body : inParts(body, parts);
}
