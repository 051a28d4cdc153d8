// What is written from the options table is what the table says. Where a test here fails: npm run gen.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { OPTIONS } from '../../src/config/options.js';
import { BEGIN, optionsPage, withDifferences } from '../../src/config/reference.js';
import { optionsSchema } from '../../src/config/schema.js';
import { withTriggers } from '../../src/lifecycle/reference.js';
import { withFigures } from '../../src/observe/reference.js';
import { ROOT } from './harness.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const STALE = 'it does not say what the options table says: npm run gen';

describe('what is written from the options table', () => {
  test('docs/options.md has every option', () => {
    assert(read('docs/options.md') === optionsPage(), `docs/options.md: ${STALE}`);
    for (const { name } of OPTIONS) assert(optionsPage().includes(`\`--${name}\``), name);
  });

  test('docs/differences.md has every option that differs', () => {
    const page = read('docs/differences.md');
    assert(page === withDifferences(page), `docs/differences.md: ${STALE}`);
    assert.throws(() => withDifferences('# no marks'), new RegExp(BEGIN));
  });

  test('docs/operating.md has every signal, letter and file that tells the server something', () => {
    const page = read('docs/operating.md');
    assert(page === withTriggers(page), `docs/operating.md: ${STALE.replace('options', 'triggers')}`);
  });

  test('docs/observability.md has every variable of a request line, and every metric', () => {
    const page = read('docs/observability.md');
    assert(page === withFigures(page), `docs/observability.md: ${STALE.replace('options', 'metrics')}`);
    assert.throws(() => withFigures('# no marks'), /no part/);
  });

  test('configs/nuwsgi.schema.json', () => {
    assert(read('configs/nuwsgi.schema.json') === optionsSchema(), `configs/nuwsgi.schema.json: ${STALE}`);
  });
});
