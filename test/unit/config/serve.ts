// Shorthands for tests that read a whole command line.

import assert from 'node:assert/strict';
import { type Code, ConfigError } from '../../../src/base/errors.js';
import { readCommandLine } from '../../../src/config/command-line.js';
import type { Resolved } from '../../../src/config/resolve.js';

/** Reads a command line that starts the server. */
export function serve(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Resolved {
  const command = readCommandLine(argv, env);
  assert.equal(command.kind, 'serve');
  return (command as Extract<typeof command, { kind: 'serve' }>).resolved;
}

/** The text of the error with which a command line ends, which is that of `code`; the shell learns of it by exit code 2. */
export function failure(argv: readonly string[], env: NodeJS.ProcessEnv = {}, code?: Code): string {
  try {
    readCommandLine(argv, env);
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    assert.equal(error.exit, 2);
    if (code !== undefined) assert.equal(error.code, code);
    return error.message;
  }
  assert.fail(`no error: ${argv.join(' ')}`);
}

/** What every start needs, for tests that are about something else. */
export const MINIMAL = ['--http', ':0', '--wsgi-file', 'foobar.py'] as const;
