// docs/security.md against the tests it speaks of: every row has tests that name it, every test that names a row names
// one that exists, and the limits of uWebSockets.js are those that are tested.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../../e2e/harness.js';
import { UWS_LIMITS } from '../../e2e/uws-limits.js';

const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
const LAST_ROW = 37;

/** The cells of the table rows whose first cell matches. */
const rowsOf = (first: RegExp) =>
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
    .filter(([cell]) => first.test(cell!));

const contract = rowsOf(/^T\d+$/);
const limits: readonly string[] = rowsOf(/^`[^`]+`$/).map(([cell]) => cell!.slice(1, -1));
/** Rows that a text speaks of: "T5", "T1 to T4". */
function rowsIn(text: string): Set<number> {
  const rows = new Set<number>();
  for (const [, from, to] of text.matchAll(/\bT(\d+)\b(?: to T(\d+)\b)?/g)) {
    for (let row = Number(from); row <= Number(to ?? from); row++) rows.add(row);
  }
  return rows;
}

describe('docs/security.md', () => {
  test('has every row once, in order', () => {
    assert.deepEqual(
      contract.map(([row]) => row),
      Array.from({ length: LAST_ROW }, (_, i) => `T${i + 1}`),
    );
  });

  for (const [row, , , , tests] of contract) {
    test(`names tests of ${row} that name it in turn`, () => {
      const files = tests!.split(', ');
      assert(files.length > 0);
      for (const file of files) {
        const path = join(ROOT, 'test', file);
        assert(existsSync(path), `test/${file} does not exist`);
        const text = readFileSync(path, 'utf8');
        assert(rowsIn(text).has(Number(row!.slice(1))), `test/${file} does not speak of ${row}`);
      }
    });
  }

  test('knows every row that a test is named after', () => {
    const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.(?:ts|md)$/.test(name))) {
      const text = readFileSync(join(ROOT, 'test', file), 'utf8');
      for (const [, row] of text.matchAll(/(?:test\(\s*['"`]|describe\(\s*['"`]|^## )T(\d+)[:,]/gm)) {
        assert(Number(row) <= LAST_ROW, `test/${file} is about T${row}`);
      }
    }
  });

  test('lists the limits of uWebSockets.js that are tested, and refers to no other', () => {
    assert.deepEqual(limits, UWS_LIMITS as readonly string[]);
    for (const [row, , , uws] of contract) {
      const named = [...uws!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
      for (const name of named) assert(limits.includes(name), `${row} speaks of the limit ${name}`);
      if (named.length === 0) assert.match(uws!, /^(?:as the row|–)$/, `${row}`);
    }
  });

  test('links to headings and files that exist', () => {
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, target] of page.matchAll(/\]\(([^)]+)\)/g)) {
      if (target!.startsWith('#')) assert(anchors.includes(target!.slice(1)), `no heading for ${target}`);
      else assert(existsSync(join(ROOT, 'docs', target!)), `${target} does not exist`);
    }
  });
});
