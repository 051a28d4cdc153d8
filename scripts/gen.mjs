// Writes what is derived from the tables of options, triggers and metrics: `npm run gen`. A test compares the files with the table.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
const { optionsPage, withDifferences } = await import(join(root, 'dist/config/reference.js'));
const { optionsSchema } = await import(join(root, 'dist/config/schema.js'));

const { withFigures } = await import(join(root, 'dist/observe/reference.js'));
const { withTriggers } = await import(join(root, 'dist/lifecycle/reference.js'));

const files = {
  'docs/options.md': () => optionsPage(),
  'docs/differences.md': (page) => withDifferences(page),
  'docs/operating.md': (page) => withTriggers(page),
  'docs/observability.md': (page) => withFigures(page),
  'configs/nuwsgi.schema.json': () => optionsSchema(),
};
for (const [path, write] of Object.entries(files)) {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const after = write(before);
  if (after !== before) writeFileSync(path, after);
  console.log(`${path}: ${after === before ? 'up to date' : 'written'}`);
}
