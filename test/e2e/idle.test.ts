// A server that nobody asks leaves the processor alone: no loop of any of its processes goes round for nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { descendants, request, startServer } from './harness.js';

/** Processor time that a server and all below it have taken, in hundredths of a second. */
function ticks(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, one) => {
    const stat = readFileSync(`/proc/${one}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + Number(fields[11]) + Number(fields[12]); // utime, stime
  }, 0);
}

const second = () => new Promise((resolve) => setTimeout(resolve, 1000));

describe('a server that nobody asks takes no processor time', () => {
  for (const app of ['hello.py', 'hello.mjs']) {
    for (const isLazy of [false, true]) {
      test(`with ${app}${isLazy ? ', lazy-apps' : ''}`, async (t) => {
        const args = ['--http', '127.0.0.1:0', '--wsgi-file', app, '-p', '3', '--threads', '2'];
        const server = await startServer([...args, ...(isLazy ? ['--lazy-apps'] : [])]);
        t.after(() => server.stop());
        assert.equal((await request(server.port, '/')).status, 200);
        await second(); // what comes after a start
        const before = ticks(server.pid);
        await second();
        const taken = ticks(server.pid) - before;
        assert(taken <= 10, `${taken} hundredths of a second in one second`);
      });
    }
  }
});
