// Builds the server and everything beside it, then runs one of the programs that belong to the project:
// `node scripts/run.mjs native-bench/run ...`, as `npm run bench -- ...` does.

import { spawnSync } from 'node:child_process';
import { compileAll } from './compile.mjs';

const [program, ...args] = process.argv.slice(2);
compileAll();
const run = spawnSync(process.execPath, [`build/${program}.js`, ...args], { stdio: 'inherit' });
process.exit(run.status ?? 1);
