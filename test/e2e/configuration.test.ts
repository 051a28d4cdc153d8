// What a person meets who brings a configuration along: started servers, messages, exit codes.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { APPS, runToEnd } from './harness.js';

describe('a configuration that cannot work', () => {
  test('a directory that is not there ends the start with its name, not with a defect', async () => {
    const { code, output } = await runToEnd(['--http', ':0', '--wsgi-file', 'hello.py', '--chdir', join(APPS, 'nope')]);
    assert.equal(code, 2);
    assert.match(output, /^nuwsgi: command line: chdir ".*nope": there is no such directory$/m);
  });
});
