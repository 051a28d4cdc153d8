// src/ to dist/: TypeScript compiled, for Node.js and for the browser; what is not TypeScript copied. Run by `npm run build`, and by `npm ci` through `prepare`.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = join('worker', 'python');
const dashboard = join('observe', 'dashboard');

rmSync(join(root, 'dist'), { recursive: true, force: true });
for (const project of [root, join(root, 'src', dashboard)]) {
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project], {
    stdio: 'inherit',
  });
}
copy(python, ['.py']);
copy(dashboard, ['.html', '.css', '.svg']);
chmodSync(join(root, 'dist', 'cli.js'), 0o755);

// `npx nuwsgi` in this directory: without it npx would build the package anew, in its cache, before it starts anything.
const commands = join(root, 'node_modules', '.bin');
mkdirSync(commands, { recursive: true });
rmSync(join(commands, 'nuwsgi'), { force: true });
symlinkSync('../../dist/cli.js', join(commands, 'nuwsgi'));

/** Copies the files of a directory of src/ that end in one of `kinds`. */
function copy(directory, kinds) {
  mkdirSync(join(root, 'dist', directory), { recursive: true });
  for (const file of readdirSync(join(root, 'src', directory))) {
    if (kinds.some((kind) => file.endsWith(kind))) {
      copyFileSync(join(root, 'src', directory, file), join(root, 'dist', directory, file));
    }
  }
}
