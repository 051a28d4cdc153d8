// Builds the server and everything beside it, then runs one of the programs that belong to the project:
// `node scripts/run.mjs native-bench/run ...`, as `npm run bench -- ...` does.

import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const [program, ...args] = process.argv.slice(2);
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test'], { stdio: 'inherit' });
const run = spawnSync(process.execPath, [`build/${program}.js`, ...args], { stdio: 'inherit' });
process.exit(run.status ?? 1);
