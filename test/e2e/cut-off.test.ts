// An answer whose worker dies in the middle, where nothing but the end of the connection ends it: the peer must get a reset,
// or it would take what it has for the whole.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { variablesOf } from '../../src/client/uwsgi-client.js';
import { packetOf } from '../../src/wire/uwsgi.js';
import { targetOf } from '../load/ask.js';
import { nextAsk, withScene } from '../load/scene.js';
import { APPS, until } from './harness.js';

const ASK = { bytes: 64 << 20, parts: 1000 };
const packet = () => {
  const request = { method: 'GET', target: targetOf(nextAsk(ASK)), headers: [], body: Buffer.alloc(0) };
  return packetOf(variablesOf(request));
};
const http10 = () => Buffer.from(`GET ${targetOf(nextAsk(ASK))} HTTP/1.0\r\nHost: a\r\n\r\n`);

/** Sends a request with a client in Python; calls `onBegun` when the answer has begun, and tells how it ended. */
async function readToTheEnd(port: number, request: Buffer, onBegun: () => void): Promise<string> {
  const program = join(APPS, 'read_to_the_end.py');
  const child = spawn('python3', [program, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') onBegun();
    output += text;
  });
  child.stdin.end(request);
  await once(child, 'close');
  return output.trim().split('\n').at(-1)!.split(' ')[0]!;
}

describe('an answer whose worker is killed in the middle of it', () => {
  const listeners = [
    { name: 'a uwsgi peer', args: ['--socket', '127.0.0.1:0'], request: packet },
    { name: 'an HTTP/1.0 client', args: ['--http-socket', '127.0.0.1:0'], request: http10 },
  ];
  for (const { name, args, request } of listeners) {
    test(`is reset, and does not just end: ${name}`, async () => {
      await withScene([...args, '--wsgi-file', 'ledger.py'], async ({ port, server }) => {
        for (let kills = 1; kills <= 5; kills++) {
          const pids = () => [...server.log.matchAll(/uWSGI worker 1 \((?:new )?pid: (\d+)/g)];
          await until(() => pids().length === kills, 'the worker is up');
          const pid = Number(pids().at(-1)![1]);
          const ending = await readToTheEnd(port, request(), () => process.kill(pid, 'SIGKILL'));
          assert.equal(ending, 'reset');
        }
      });
    });
  }
});
