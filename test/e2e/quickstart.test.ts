// The commands of the README and of the user's text, each against the same app and the same assertions.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, request, runToEnd, startServer } from './harness.js';

const EXAMPLES = join(ROOT, 'examples');
const GREETING = 'Hello, uwsgi_file_foobar\n';

describe('the quick start', () => {
  for (const option of ['--http', '--http-socket', '--http11-socket']) {
    test(`${option} serves foobar.py as it is printed in the user's text`, async () => {
      const args = [
        option,
        ':0',
        '--wsgi-file',
        'foobar.py',
        '--processes',
        '4',
        '--threads',
        '2',
        '--chdir',
        EXAMPLES,
      ];
      const server = await startServer(args);
      try {
        const answer = await request(server.port, '/');
        assert.equal(answer.status, 200);
        assert.equal(answer.body, GREETING);
        assert.equal(answer.headers['content-type'], 'text/html');
      } finally {
        await server.stop();
      }
    });
  }

  test('--socket serves the same to a uwsgi peer', async () => {
    const how = ['--wsgi-file', 'foobar.py', '--processes', '4', '--threads', '2', '--chdir', EXAMPLES];
    const server = await startServer(['--socket', ':0', ...how]);
    const { code, output } = await runToEnd(['curl', `:${server.port}`, '/', '-i']);
    assert.equal(code, 0);
    assert.match(output, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(output, /\r\ncontent-type: text\/html\r\n/i);
    assert(output.endsWith(`\r\n\r\n${GREETING}`), output);
    await server.stop();
  });

  test('a JavaScript module is served by the same option', async () => {
    const server = await startServer(['--http', ':0', '--wsgi-file', 'hello.mjs', '--processes', '2'], {
      cwd: EXAMPLES,
    });
    try {
      assert.match((await request(server.port, '/there')).body, /^Hello from JavaScript, you asked for \/there\n$/);
    } finally {
      await server.stop();
    }
  });

  test('configs/quickstart.yaml serves a Python app on / and a JavaScript app on /js', async () => {
    const server = await startServer(['configs/quickstart.yaml', '--http', ':0'], { cwd: ROOT });
    try {
      const port = server.ports.at(-1)!;
      assert.equal((await request(port, '/')).body, GREETING);
      assert.match((await request(port, '/js')).body, /^Hello from JavaScript/);
      assert.equal((await request(port, '/jsx')).body, GREETING, 'a mount point matches only at a slash');
    } finally {
      await server.stop();
    }
  });
});
