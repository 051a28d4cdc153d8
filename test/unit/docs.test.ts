// Links between the documents, and what they say about options.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findWord } from '../../src/config/vocabulary.js';

/** The tests run from build/test/unit. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'src/README.md',
  'native-bench/README.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];

describe('the documents', () => {
  test('link to files and headings that are there', () => {
    for (const page of PAGES) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      for (const [, link] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [path, heading] = link!.split('#');
        if (path!.includes('bench/results/')) continue; // saved by `npm run bench`
        const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path!);
        assert(existsSync(target), `${page} links to ${link}`);
        if (heading === undefined) continue;
        const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]!));
        assert(headings.includes(heading), `${page} links to ${link}`);
      }
    }
  });

  test('an index names every page of docs/', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    for (const page of PAGES.filter((name) => name.startsWith('docs/'))) assert(readme.includes(`(${page})`), page);
  });

  test('the pages for people from uWSGI name options that there are', () => {
    for (const page of ['docs/migrating-from-uwsgi.md', 'docs/differences.md']) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      for (const [, name] of text.matchAll(/`--([a-z0-9-]+)[ `=]/g)) assert(findWord(name!), `${page}: --${name}`);
    }
  });
});

const anchorOf = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
