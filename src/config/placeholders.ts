// What stands for something else in a value: `$(HOME)` for a variable of the environment, `@(file)` for the text of a
// file, `%(name)` for an option or placeholder, `%(name + 1)` for an expression of them.
//
// As in uWSGI: the three are replaced in that order, and a name or variable that nobody set stays as it is written,
//   because a log format is full of %(addr). In an expression it is empty, or 0.
// Beyond uWSGI: what a name stands for is expanded as well, however the two are ordered in the file.
// `@(exec://...)` and `@(http://...)` are refused: a configuration says what is so, it does not run or fetch things.
// Decided elsewhere: what a name stands for when it is set several times (collect.ts).

import { readFileSync } from 'node:fs';

const ENVIRONMENT = /\$\(([^)]+)\)/g;
const FILE = /@\(([^)]+)\)/g;
const NAMED = /%\(([^)]+)\)/g;
const NUMBER = /^-?\d+$/;
const OPERATORS: ReadonlySet<string> = new Set(['+', '-', '*', '/', '++', '--']);
const SCHEME = /^[a-z0-9]+:\/\//i;

/** The names that `text` refers to, those in expressions too. */
export function namesIn(text: string): string[] {
  return Array.from(text.matchAll(NAMED), (match) => match[1]!.split(' '))
    .flat()
    .filter((token) => token !== '' && !OPERATORS.has(token) && !NUMBER.test(token));
}

/** What the text of a name is, as it was written; undefined: nobody set it. */
export type Definitions = (name: string) => string | undefined;

/** Replaces what can be replaced in `text`. Throws an `Error` that says which file cannot be read, and why. */
export function expand(text: string, env: NodeJS.ProcessEnv, definitions: Definitions): string {
  return expandWithin(text, env, definitions, []);
}

/** `inside`: the names whose texts are being expanded, so that one that refers to itself comes to an end. */
function expandWithin(
  text: string,
  env: NodeJS.ProcessEnv,
  definitions: Definitions,
  inside: readonly string[],
): string {
  const textOf: Definitions = (name) => {
    const written = inside.includes(name) ? undefined : definitions(name);
    return written === undefined ? undefined : expandWithin(written, env, definitions, [...inside, name]);
  };
  return text
    .replace(ENVIRONMENT, (whole, name: string) => env[name] ?? whole)
    .replace(FILE, (whole, path: string) => contentOf(path, whole))
    .replace(NAMED, (whole, inner: string) => (inner.includes(' ') ? evaluate(inner, textOf) : textOf(inner)) ?? whole);
}

/** The text of a file, without the line end behind it. */
function contentOf(path: string, whole: string): string {
  if (SCHEME.test(path)) throw new Error(`${whole} is not read: only files are, no commands and no URLs`);
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(`${whole} cannot be read: ${(error as Error).message}`);
  }
}

/** The number at the start of `text`, as C's strtoll reads it; 0 where there is none. */
const integerOf = (text: string) => BigInt(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);

/** From left to right: names and numbers are joined, unless an operator stands between them. */
function evaluate(expression: string, textOf: Definitions): string {
  let value = '';
  let operator = '';
  for (const token of expression.split(' ').filter((part) => part !== '')) {
    if (token === '++' || token === '--') {
      value = String(integerOf(value) + (token === '++' ? 1n : -1n));
      operator = '';
    } else if (OPERATORS.has(token)) {
      operator = token;
    } else {
      value = combine(value, operator, NUMBER.test(token) ? token : (textOf(token) ?? ''));
      operator = '';
    }
  }
  return value;
}

function combine(left: string, operator: string, right: string): string {
  const [a, b] = [integerOf(left), integerOf(right)];
  switch (operator) {
    case '+':
      return String(a + b);
    case '-':
      return String(a - b);
    case '*':
      return String(a * b);
    case '/':
      return String(b === 0n ? 0n : a / b);
    default:
      return left + right;
  }
}
