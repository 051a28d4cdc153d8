// What the scripts that need more than dist/ share: the server, the tests and the benchmarks, compiled to build/ too.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PYTHON = join('src', 'worker', 'python');

/** Builds dist/, then build/ with everything; makes the project's directory the current one. */
export function compileAll() {
  process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  rmSync('build', { recursive: true, force: true }); // a test whose source is gone would go on
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test'], { stdio: 'inherit' });
  mkdirSync(join('build', PYTHON), { recursive: true });
  for (const file of readdirSync(PYTHON).filter((name) => name.endsWith('.py'))) {
    copyFileSync(join(PYTHON, file), join('build', PYTHON, file)); // tests of the shared memory start the bridge's parts
  }
}
