// Heads that an app may give, and what becomes of them, in both languages: they go to the checker of wire/head.ts and
// to that of bridge_wsgi.py (test/unit/wire/answer-heads.test.ts), and through apps of both over the wire
// (test/e2e/http-answers.test.ts).
//
// Written from PEP 3333 and RFC 9110 section 5. Everything is JSON, so that an app can be told by a request.

export interface AnswerHead {
  readonly name: string;
  readonly status: unknown;
  readonly headers: unknown;
  /**
   * What is sent: status line and fields, without those of the server; `length` as declared. Undefined: the answer is
   * a 500, and nothing of this reaches the wire.
   */
  readonly sent?: { readonly lines: readonly string[]; readonly length?: number };
}

/** In every head that is refused, so that a test can look for it on the wire. */
export const EVIL = 'evil';

const ok = 'X-Ok';
const bad = (name: string, status: unknown, headers: unknown): AnswerHead => ({ name, status, headers });
const value = (name: string, text: unknown) => bad(`a value with ${name}`, '200 OK', [['X-A', text]]);
const field = (name: string, text: unknown) => bad(`a name ${name}`, '200 OK', [[text, EVIL]]);
const status = (name: string, text: unknown) => bad(`a status ${name}`, text, [['X-A', EVIL]]);
const length = (...texts: string[]) =>
  bad(
    `Content-Length: ${texts.join(' and ')}`,
    '200 OK',
    texts.map((text) => ['Content-Length', text]),
  );

/** Every character below 0x20 but tab, and DEL. */
const CONTROLS = Array.from({ length: 33 }, (_, i) => (i === 32 ? 0x7f : i)).filter((code) => code !== 9);

export const ANSWER_HEADS: readonly AnswerHead[] = [
  // --- what is sent as it is
  { name: 'plain', status: '200 OK', headers: [[ok, 'yes']], sent: { lines: ['200 OK', 'X-Ok: yes'] } },
  { name: 'no fields', status: '404 Not Found', headers: [], sent: { lines: ['404 Not Found'] } },
  { name: 'no reason', status: '299', headers: [[ok, '']], sent: { lines: ['299 Unknown', 'X-Ok: '] } },
  { name: 'an empty reason', status: '200 ', headers: [], sent: { lines: ['200 OK'] } },
  { name: 'a reason in latin-1', status: '200 Sch\xf6n', headers: [], sent: { lines: ['200 Sch\xf6n'] } },
  { name: 'a status that nobody knows', status: '799 Odd', headers: [], sent: { lines: ['799 Odd'] } },
  {
    name: 'a value in latin-1, with tabs',
    status: '200 OK',
    headers: [[ok, 'caf\xe9\tau lait']],
    sent: { lines: ['200 OK', 'X-Ok: caf\xe9\tau lait'] },
  },
  {
    name: 'the same name twice',
    status: '200 OK',
    headers: [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ],
    sent: { lines: ['200 OK', 'Set-Cookie: a=1', 'Set-Cookie: b=2'] },
  },
  {
    name: 'every character a name may have',
    status: '200 OK',
    headers: [["!#$%&'*+-.^_`|~09Az", 'x']],
    sent: { lines: ['200 OK', "!#$%&'*+-.^_`|~09Az: x"] },
  },
  {
    name: 'a length',
    status: '200 OK',
    headers: [['content-length', '005']],
    sent: { lines: ['200 OK'], length: 5 },
  },
  {
    name: 'the same length twice',
    status: '200 OK',
    headers: [
      ['Content-Length', '5'],
      ['Content-Length', '5'],
    ],
    sent: { lines: ['200 OK'], length: 5 },
  },
  {
    name: "what is the connection's and not the answer's",
    status: '200 OK',
    headers: [
      ['Connection', EVIL],
      ['keep-alive', `timeout=1, ${EVIL}`],
      ['Proxy-Connection', EVIL],
      ['TE', EVIL],
      ['Trailer', EVIL],
      ['TRANSFER-ENCODING', 'chunked'],
      ['Upgrade', EVIL],
      [ok, 'yes'],
    ],
    sent: { lines: ['200 OK', 'X-Ok: yes'] },
  },

  // --- what is refused: T18
  ...CONTROLS.map((code) => value(`\\x${code.toString(16)}`, `a${String.fromCharCode(code)}X-${EVIL}: 1`)),
  ...CONTROLS.map((code) => field(`with \\x${code.toString(16)}`, `X-A${String.fromCharCode(code)}b`)),
  ...CONTROLS.map((code) => status(`with \\x${code.toString(16)}`, `200 O${String.fromCharCode(code)}X-${EVIL}: 1`)),
  value('CRLF and a field', `a\r\nX-${EVIL}: 1`),
  value('an answer of its own', `a\r\n\r\nHTTP/1.1 200 OK\r\nX-${EVIL}: 1`),
  value('a folded line', `a\r\n ${EVIL}`),
  value('CRLF at its end', `${EVIL}\r\n`),
  value('a character that ends in \\n when cut to a byte', `a\u010aX-${EVIL}: 1`),
  value('a character beyond latin-1', `${EVIL}\u20ac`),
  value('a character beyond 16 bits', `${EVIL}\u{1f600}`),
  value('a lone surrogate', `${EVIL}\ud800`),
  value('a number for it', 5),
  value('nothing for it', null),
  value('a list for it', [EVIL]),
  field('that is empty', ''),
  field('with a space', 'X A'),
  field('with a space at its end', 'X-A '),
  field('with a tab', 'X\tA'),
  field('with a colon', 'X-A:'),
  field('with CRLF and a field', `X-A: 1\r\nX-${EVIL}`),
  field('with a letter of latin-1', 'X-\xe9'),
  field('with a K that is none', 'X-\u212a'),
  field('in parentheses', '(X)'),
  field('in quotes', '"X"'),
  field('that is a number', 5),
  field('that is nothing', null),
  status('with CRLF and a field', `200 OK\r\nX-${EVIL}: 1`),
  status('with a character that ends in \\n when cut to a byte', `200 O\u010a${EVIL}`),
  status('beyond latin-1', '200 \u20ac'),
  status('without a number', 'OK'),
  status('that is empty', ''),
  status('with two digits', '20 OK'),
  status('with four digits', '2000 OK'),
  status('without a space', '200OK'),
  status('with a space in front', ' 200 OK'),
  status('in other digits', '\u0662\u0660\u0660 OK'),
  status('100', '100 Continue'),
  status('101', '101 Switching Protocols'),
  status('199', '199 x'),
  status('000', '000 x'),
  status('that is a number', 200),
  status('that is nothing', null),
  length('-1'),
  length('+5'),
  length('5,5'),
  length('0x5'),
  length('1_0'),
  length(' 5'),
  length('5 '),
  length('five'),
  length(''),
  length('\u0665'),
  length('9999999999999999'),
  length('5', '6'),
  bad('headers that are text', '200 OK', EVIL),
  bad('headers that are nothing', '200 OK', null),
  bad('headers that are an object', '200 OK', { [EVIL]: '1' }),
  bad('a header that is text', '200 OK', [EVIL]),
  bad('a header with three parts', '200 OK', [['X-A', 'b', EVIL]]),
  bad('a header with one part', '200 OK', [[EVIL]]),
];
