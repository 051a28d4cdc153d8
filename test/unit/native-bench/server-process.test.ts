// Starting and ending servers that misbehave, and counting whom they serve. The servers are one-liners of Node.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countServed } from '../../../native-bench/probe.js';
import { readTree } from '../../../native-bench/proc.js';
import { freePort, ServerFailure, ServerProcess } from '../../../native-bench/server-process.js';

const EXPECTED = { path: '/', postBytes: undefined, bodyBytes: 5 };
const CLOSING = `require('http').createServer((q, r) => {
  r.setHeader('Connection', 'close');
  r.end('hello');
}).listen(PORT, '127.0.0.1');`;
const HELLO = `require('http').createServer((q, r) => r.end('hello')).listen(PORT, '127.0.0.1');`;

async function start(code: string): Promise<ServerProcess> {
  const port = await freePort();
  return ServerProcess.start([process.execPath, '-e', code.replaceAll('PORT', String(port))], {}, port, EXPECTED);
}

describe('a server', () => {
  test('is ready with its first answer, and ends when told to', async () => {
    const server = await start(HELLO);
    assert(server.readyMs > 0);
    assert.equal(server.tree().length, 1);
    assert.equal(await server.end('SIGTERM'), 0);
    assert.equal(server.tree().length, 0);
  });

  test('that ends at its start is reported with its last words', async () => {
    const failing = start(`console.log('first'); console.error('no app found'); process.exit(22)`);
    await assert.rejects(failing, (error) => {
      assert(error instanceof ServerFailure);
      assert.match(error.message, /^ended with exit code 22; its last lines:\n/);
      assert.match(error.message, /no app found/);
      return true;
    });
  });

  test('that cannot be run at all is reported', async () => {
    const port = await freePort();
    await assert.rejects(ServerProcess.start(['/nonexistent/server'], {}, port, EXPECTED), ServerFailure);
  });

  test('that answers something else is not measured', async () => {
    await assert.rejects(start(HELLO.replace('hello', 'goodbye')), /answered 200 with 7 bytes instead of 200 with 5/);
  });

  test('that leaves a process behind, in a session of its own, is cleaned up after', async () => {
    const server = await start(
      `require('child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }); ${HELLO}`,
    );
    const child = server.tree().find(({ ppid }) => ppid !== process.pid);
    assert(child !== undefined);
    assert.equal(await server.end('SIGTERM'), 1);
    assert(!readTree(child.pid).some(({ pid, state }) => pid === child.pid && state !== 'Z'));
  });
});

describe('the probe', () => {
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');

  test('sees that every client is served, also by a server that closes connections', async () => {
    for (const code of [HELLO, CLOSING]) {
      const server = await start(code);
      const served = await countServed(server.port, request, 16).finally(() => server.end('SIGTERM'));
      assert.equal(served.served, 16);
      assert(served.answers.min > 1);
    }
  });

  test('sees who is left out by a server that serves one connection at a time', async () => {
    const server = await start(`let busy; require('http').createServer((q, r) => {
      if (!busy || busy.destroyed) busy = q.socket;
      if (busy === q.socket) r.end('hello');
    }).listen(PORT, '127.0.0.1');`);
    const served = await countServed(server.port, request, 4).finally(() => server.end('SIGTERM'));
    assert.equal(served.served, 1);
    assert.equal(served.answers.min, 0);
  });
});
