// src/ to dist/: TypeScript compiled, Python copied. Run by `npm run build`, and by `npm ci` through `prepare`.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = join('worker', 'python');

rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root], {
  stdio: 'inherit',
});
mkdirSync(join(root, 'dist', python), { recursive: true });
for (const file of readdirSync(join(root, 'src', python)).filter((name) => name.endsWith('.py'))) {
  copyFileSync(join(root, 'src', python, file), join(root, 'dist', python, file));
}
chmodSync(join(root, 'dist', 'cli.js'), 0o755);
