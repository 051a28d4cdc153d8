// Heads of apps against both checkers, that of JS apps (wire/head.ts) and that of Python ones (bridge_wsgi.py): the
// corpus of test/corpus/answer-heads.ts, and heads made at random, on which the two must agree (rows T18 and T19 of
// docs/security.md).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeHead } from '../../../src/wire/head.js';
import { ANSWER_HEADS } from '../../corpus/answer-heads.js';
import { ROOT } from '../../e2e/harness.js';
import { randomFrom } from '../../fuzz.js';

type Checked =
  | {
      readonly status: number;
      readonly text: string;
      readonly length: number;
      readonly dated: boolean;
      readonly fields: number;
    }
  | { readonly refused: string };
type Asked = readonly [status: unknown, headers: unknown];

function checkJs([status, headers]: Asked): Checked {
  try {
    const { status: code, text, length, dated, fields } = makeHead(status, headers, () => {});
    return { status: code, text, length, dated, fields };
  } catch (error) {
    assert.equal((error as Error).name, 'BrokenAnswer', String(error));
    return { refused: (error as Error).message };
  }
}

function checkPython(heads: readonly Asked[]): Checked[] {
  const script = join(ROOT, 'test/unit/wire/check_heads.py');
  const input = heads.map((head) => `${JSON.stringify(head)}\n`).join('');
  const output = execFileSync('python3', [script, join(ROOT, 'dist/worker/python')], { input, maxBuffer: 1 << 30 });
  return output
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What must be equal: whether it is refused, and else all of it but the reason that the server adds to "200". */
function comparable(checked: Checked, [status]: Asked): unknown {
  if ('refused' in checked) return 'refused';
  if ((status as string).length > 4) return checked;
  return { ...checked, text: checked.text.replace(/^(\d{3})[^\r]*/, '$1') };
}

describe('heads of apps', () => {
  const asked = ANSWER_HEADS.map(({ status, headers }): Asked => [status, headers]);
  const python = checkPython(asked);
  for (const [language, results] of [
    ['JavaScript', asked.map(checkJs)],
    ['Python', python],
  ] as const) {
    test(`are taken and refused as the corpus says, in ${language}`, () => {
      for (const [i, { name, sent }] of ANSWER_HEADS.entries()) {
        const checked = results[i]!;
        if (sent === undefined) {
          assert('refused' in checked, `${name} is taken`);
          assert.match(checked.refused, /^[^\0-\x1f]*$/, 'it goes to the log');
        } else {
          assert(!('refused' in checked), `${name}: ${JSON.stringify(checked)}`);
          assert.deepEqual(checked.text.split('\r\n').slice(1), sent.lines.slice(1), name);
          assert.equal(checked.length, sent.length ?? -1, name);
        }
      }
    });
  }

  test('made at random mean the same in both languages', () => {
    const random = randomFrom(3);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const names = ['X-A', 'Date', 'Content-Length', 'content-length', 'Connection', 'TE', 'Set-Cookie', 'X_B', ''];
    const pieces = [
      'a',
      ' ',
      '\t',
      '\r',
      '\n',
      '\0',
      '\x7f',
      '\x80',
      '\xe9',
      '\xff',
      '\u0100',
      '\u212a',
      '5',
      '0',
      ':',
      ',',
      '-',
    ];
    const text = (start: readonly string[], most: number) => {
      let made = pick(start);
      while (random() < 0.3 && made.length < most) made += pick(pieces);
      return made;
    };
    const head = (): Asked => {
      const status = text(['200 OK', '200', '404', '204 ', '2', ' 200', '999 x', '199 x', '300 Sch\xf6n'], 20);
      const headers = Array.from({ length: Math.floor(random() * 4) }, () => [
        text(names, 20),
        text(['', '5', '05', 'x', 'yes'], 20),
      ]);
      return [status, headers];
    };
    const heads = Array.from({ length: 20_000 }, head);
    let taken = 0;
    for (const [i, checked] of checkPython(heads).entries()) {
      const own = checkJs(heads[i]!);
      assert.deepEqual(comparable(own, heads[i]!), comparable(checked, heads[i]!), JSON.stringify(heads[i]));
      if (!('refused' in own)) {
        taken++;
        assert.match(own.text, /^[2-9]\d\d [\t\x20-\x7e\x80-\xff]*(?:\r\n[^\r\n\0: ]+: [\t\x20-\x7e\x80-\xff]*)*$/);
      }
    }
    assert(taken > 1000 && taken < heads.length - 1000, `${taken} of ${heads.length} were taken`);
  });
});
