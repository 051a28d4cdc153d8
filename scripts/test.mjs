// Compiles the tests to build/ and runs them on node:test: `npm test`, or `npm test -- unit cgi` for the files whose
// path contains one of the words. The server under test is dist/, so it is built first.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compileAll } from './compile.mjs';

compileAll();

const words = process.argv.slice(2);
const files = ['unit', 'e2e']
  .flatMap((kind) =>
    readdirSync(join('build/test', kind), { recursive: true }).map((name) => join('build/test', kind, name)),
  )
  .filter((name) => name.endsWith('.test.js') && (words.length === 0 || words.some((word) => name.includes(word))))
  .sort();
// One file at a time: the end-to-end tests measure delays and memory, which a busy neighbour would spoil. A failed test may
// leave something behind that keeps its file alive; that is to end the run too.
const MOST_MS_PER_FILE = 300_000;
const options = ['--test', '--test-reporter=spec', '--test-concurrency=1', `--test-timeout=${MOST_MS_PER_FILE}`];
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
