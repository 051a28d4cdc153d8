// uwsgidecorators.postfork and uwsgi.post_fork_hook: called once in each worker, before its first request.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { request, runToEnd, startServer } from './harness.js';

const ARGS = ['--http', '127.0.0.1:0', '--wsgi-file', 'postfork.py', '--processes', '2'];

describe('@postfork', () => {
  for (const [more, answer] of [
    [[], 'True False'],
    [['--lazy-apps'], 'True True'],
  ] as const) {
    test(`is called in each worker, also in one that comes later ${more}`, async (t) => {
      const server = await startServer([...ARGS, ...more]);
      t.after(() => server.stop());
      for (let i = 0; i < 4; i++) assert.equal((await request(server.port, '/')).body, answer);
      server.child.kill('SIGHUP');
      await server.waitForLog(/reloaded in/);
      for (let i = 0; i < 4; i++) assert.equal((await request(server.port, '/')).body, answer);
    });
  }

  test('that fails is a failed start, with its traceback', async () => {
    const { code, output } = await runToEnd(ARGS, { env: { FAIL_POSTFORK: '1' } });
    assert.equal(code, 22);
    assert.match(output, /RuntimeError: no database/);
  });
});
