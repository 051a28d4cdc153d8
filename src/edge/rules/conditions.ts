// The tests of rules, compiled once: each is a function of the request.
//
// Only the tests that look at a disk give a promise, and run in libuv's threads; all others answer at once.
// Decided elsewhere: how a test is written (config/route-conditions.ts).

import { access, constants, lstat, stat } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import type { Condition, NumberTest, PathTest, TextTest } from '../../config/route-conditions.js';
import { isFixed, type Template } from '../../config/template.js';
import { isServable } from '../static/paths.js';
import { fillText, type RuleContext } from './fill.js';

export type Test = (context: RuleContext) => boolean | Promise<boolean>;

/** A pattern that takes this long is told: it backtracks, and whoever sends the right text can hold the server up. */
const SLOW_MS = 20;

/** `onSlow` is told how long a pattern took. */
export function compileCondition(condition: Condition, onSlow: (ms: number) => void): Test {
  switch (condition.kind) {
    case 'always':
      return () => true;
    case 'match': {
      const { variable, pattern } = condition;
      return timed(pattern, ({ request }) => request.get(variable), onSlow);
    }
    case 'regexp':
      return timed(condition.pattern, fillText(condition.subject), onSlow);
    case 'text': {
      const [left, right, test] = [fillText(condition.left), fillText(condition.right), TEXT_TESTS[condition.test]];
      return (context) => test(left(context), right(context));
    }
    case 'number': {
      const [left, right, test] = [fillText(condition.left), fillText(condition.right), NUMBER_TESTS[condition.test]];
      return (context) => test(integer(left(context)), integer(right(context)));
    }
    case 'empty': {
      const subject = fillText(condition.subject);
      return (context) => subject(context) === '';
    }
    case 'network': {
      const subject = fillText(condition.subject);
      const { family, address, prefixBits } = condition.network;
      const list = new BlockList();
      list.addSubnet(address, prefixBits, family);
      const version = family === 'ipv4' ? 4 : 6;
      return (context) => {
        const peer = subject(context);
        return isIP(peer) === version && list.check(peer, family);
      };
    }
    case 'path':
      return pathTest(condition.path, PATH_TESTS[condition.test]);
  }
}

function timed(pattern: RegExp, subject: (context: RuleContext) => string, onSlow: (ms: number) => void): Test {
  return (context) => {
    const text = subject(context);
    const started = performance.now();
    context.captures = pattern.exec(text);
    const ms = performance.now() - started;
    if (ms > SLOW_MS) onSlow(ms);
    return context.captures !== null;
  };
}

const TEXT_TESTS: Readonly<Record<TextTest, (left: string, right: string) => boolean>> = {
  equal: (left, right) => left === right,
  startswith: (left, right) => left.startsWith(right),
  endswith: (left, right) => left.endsWith(right),
  contains: (left, right) => left.includes(right),
};

const NUMBER_TESTS: Readonly<Record<NumberTest, (left: number, right: number) => boolean>> = {
  higher: (left, right) => left > right,
  'higher-or-equal': (left, right) => left >= right,
  lower: (left, right) => left < right,
  'lower-or-equal': (left, right) => left <= right,
};

/** As C's strtol reads it. */
const integer = (text: string) => Number.parseInt(text, 10) || 0;

const PATH_TESTS: Readonly<Record<PathTest, (path: Buffer) => Promise<boolean>>> = {
  exists: async (path) => (await stat(path)) !== undefined,
  isfile: async (path) => (await stat(path)).isFile(),
  isdir: async (path) => (await stat(path)).isDirectory(),
  islink: async (path) => (await lstat(path)).isSymbolicLink(),
  isexec: async (path) => {
    await access(path, constants.X_OK);
    return true;
  },
};

/** A path that a request leads elsewhere by `..` is no path. */
function pathTest(template: Template, test: (path: Buffer) => Promise<boolean>): Test {
  const fill = fillText(template);
  const isTrusted = isFixed(template);
  return async (context) => {
    const path = fill(context);
    if (!isTrusted && !isServable(path, true)) return false;
    try {
      return await test(Buffer.from(path, 'latin1'));
    } catch {
      return false;
    }
  };
}
