// The examples of docs/static-and-routing.md: each configuration is started, each line of its table is asked.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { OPTIONS } from '../../src/config/options.js';
import { ACTIONS } from '../../src/config/route-actions.js';
import { CONDITIONS } from '../../src/config/route-conditions.js';
import { ROOT, request, startServer } from './harness.js';

const DOCUMENT = readFileSync(join(ROOT, 'docs/static-and-routing.md'), 'utf8');
const EXAMPLES = [...DOCUMENT.matchAll(/^```ini\n([\s\S]*?)^```\n\n((?:^\|.*\n)+)/gm)];
const FROM_APP = /, from the app$/;

/** `| request | answer |`, without the two lines of the head. */
const rowsOf = (table: string) =>
  table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim()),
    );
const quoted = (text: string) => [...text.matchAll(/`([^`]*)`/g)].map((match) => match[1]!);

describe('docs/static-and-routing.md', () => {
  test('has examples', () => assert.equal(EXAMPLES.length, 3));

  for (const [index, [, configuration, table]] of EXAMPLES.entries()) {
    test(`example ${index + 1} answers as its table says`, async () => {
      const file = join(tmpdir(), `nuwsgi-docs-${process.pid}-${index}.ini`);
      writeFileSync(file, configuration!.replace(/^http = .*$/m, ''));
      const server = await startServer([file, '--http', '127.0.0.1:0'], { cwd: join(ROOT, 'examples') });
      for (const [asked, answer] of rowsOf(table!) as [string, string][]) {
        const [[method, path] = [], ...headers] = quoted(asked).map((text, i) => (i === 0 ? text.split(' ') : text));
        const got = await request(server.port, path as string, {
          method: method as string,
          headers: headers as string[],
        });
        assert.equal(got.status, Number(answer.slice(0, 3)), asked);
        for (const field of quoted(answer)) {
          const [name, value] = field.split(/: (.*)/s) as [string, string];
          assert.equal(got.headers[name.toLowerCase()], value, `${asked}: ${name}`);
        }
        assert.equal(/Hello|no such report/.test(got.body), FROM_APP.test(answer), `${asked}: ${got.body}`);
      }
      await server.stop();
      rmSync(file);
    });
  }

  test('knows every action, every test and every option that there is', () => {
    const names = quoted(DOCUMENT)
      .join(' ')
      .match(/[a-z0-9><=-]+/g)!;
    const known = new Set(names);
    for (const name of [...ACTIONS.keys(), ...CONDITIONS.keys()]) assert(known.has(name), name);
    for (const { name } of OPTIONS) if (/^route/.test(name)) assert(known.has(name), name);
  });
});
