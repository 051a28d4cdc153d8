// Row T37 of docs/security.md: what a client sends never costs more time than its length, in none of the expressions
// that read it; and no name of a client's reaches an object as a property that means something there.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { escaped } from '../../../src/base/log.js';
import { decodePath, HeadReader, isTarget, isToken, parseTarget } from '../../../src/wire/cgi.js';
import { forwardedHops, xForwardedHops } from '../../../src/wire/forwarded.js';
import { makeHead } from '../../../src/wire/head.js';
import { makeEnviron, makeEnvironFromPacket } from '../../../src/worker/js/environ.js';
import { InputSource } from '../../../src/worker/js/input.js';

/** The longest head that can be allowed. */
const LONGEST_CHARS = 65_535;
/** Far more than any of these takes, far less than what grows with the square of the length would. */
const MOST_MS = 100;

/** Texts on which a careless expression goes back and forth; each is as long as a head may be. */
function* worstTexts(): Generator<string> {
  const pieces = [
    'a',
    ' ',
    '\t',
    ',',
    ' ,',
    ';',
    '=',
    '"',
    '\\',
    '%',
    '%4',
    '%41',
    '/',
    '..',
    '://',
    'close ',
    '[',
    ':',
    '[::',
    '1.',
    '\xe9',
  ];
  for (const piece of pieces) {
    const many = piece.repeat(Math.floor(LONGEST_CHARS / piece.length) - 1);
    yield many;
    yield `${many}\x01`; // a mismatch at the very end
    yield `a=${many}"`;
    yield `http://${many}`;
  }
}

const reads: readonly (readonly [what: string, read: (text: string) => void])[] = [
  ...['Host', 'Connection', 'Expect', 'Transfer-Encoding', 'Content-Length', 'X'].map(
    (name) =>
      [
        `the field ${name}`,
        (text: string) => {
          const head = new HeadReader();
          head.begin(true);
          head.field('Upgrade', 'x');
          head.field(name, text);
          head.complete();
          assert.equal(typeof head.wantsClose, 'boolean');
          assert.equal(typeof head.wantsUpgrade, 'boolean');
        },
      ] as const,
  ),
  [
    'a field name',
    (text) => {
      const head = new HeadReader();
      head.begin(true);
      head.field(text, 'x');
    },
  ],
  ['a target', (text) => parseTarget(text, 'GET')],
  ['a path', (text) => decodePath(text)],
  ['a request line', (text) => [isTarget(text), isToken(text)]],
  ['Forwarded', (text) => forwardedHops(text)],
  ['X-Forwarded-For', (text) => xForwardedHops(text, text)],
  ['a line of the log', (text) => escaped(text)],
  [
    'the head of an answer',
    (text) => {
      for (const head of [() => makeHead(text, [], () => {}), () => makeHead('200 OK', [[text, text]], () => {})]) {
        try {
          head();
        } catch (error) {
          assert.equal((error as Error).name, 'BrokenAnswer');
        }
      }
    },
  ],
];

describe('T37: what a client sends', () => {
  for (const [what, read] of reads) {
    test(`costs no more time than its length as ${what}`, () => {
      for (const text of worstTexts()) {
        let bestMs = Number.POSITIVE_INFINITY; // of three: a busy machine is no fault of the expression
        for (let i = 0; i < 3 && bestMs > MOST_MS; i++) {
          const startedMs = performance.now();
          read(text);
          bestMs = Math.min(bestMs, performance.now() - startedMs);
        }
        assert(bestMs <= MOST_MS, `${bestMs} ms for ${text.slice(0, 20)}...`);
      }
    });
  }

  test('reaches the environ of a JavaScript app as a property of its own, or not at all', () => {
    const source = new InputSource(new Uint8Array(0), -1);
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'HTTP_X'];
    const block = [names.join('\0'), names.map(() => 'evil').join('\0')] as const;
    const packet = names.map((name) => `\0\0${name}\0\0evil`).join('');
    for (const environ of [makeEnviron({}, ...block, source), makeEnvironFromPacket({}, packet, source)]) {
      assert.equal(environ.HTTP_X, 'evil');
      assert.equal(Object.getPrototypeOf(Object.getPrototypeOf(environ)), Object.prototype, 'another prototype');
    }
    assert.equal(({} as Record<string, unknown>).HTTP_X, undefined);
    assert.equal(typeof {}.toString, 'function');
  });
});
