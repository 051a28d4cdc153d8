// The tests of route-if and route-if-not: one row each, with how its arguments are read.
//
// Decided elsewhere: how a test is made (edge/rules/conditions.ts), in which order rules are tried (routes.ts).

import { type IpNetwork, parseNetwork } from './network.js';
import { parsePattern } from './pattern.js';
import { parseTemplate, type Template } from './template.js';

/** What a text is compared with. */
export type TextTest = 'equal' | 'startswith' | 'endswith' | 'contains';
/** What a number is compared with. */
export type NumberTest = 'higher' | 'higher-or-equal' | 'lower' | 'lower-or-equal';
/** What a path is. */
export type PathTest = 'exists' | 'isfile' | 'isdir' | 'islink' | 'isexec';

export type Condition =
  | { readonly kind: 'always' }
  /** A variable matches: the rules that are named after one. */
  | { readonly kind: 'match'; readonly variable: string; readonly pattern: RegExp }
  | { readonly kind: 'regexp'; readonly subject: Template; readonly pattern: RegExp }
  | { readonly kind: 'text'; readonly test: TextTest; readonly left: Template; readonly right: Template }
  | { readonly kind: 'number'; readonly test: NumberTest; readonly left: Template; readonly right: Template }
  | { readonly kind: 'path'; readonly test: PathTest; readonly path: Template }
  | { readonly kind: 'empty'; readonly subject: Template }
  | { readonly kind: 'network'; readonly subject: Template; readonly network: IpNetwork };

type Result = Condition | { readonly problem: string };
type Read = (text: string) => Result;

/** Reads `LEFT;RIGHT` as two templates. */
function pair(text: string, make: (left: Template, right: Template) => Condition): Result {
  const semicolon = text.indexOf(';');
  if (semicolon < 0) return { problem: 'it takes two texts with a ";" between them' };
  const left = parseTemplate(text.slice(0, semicolon));
  const right = parseTemplate(text.slice(semicolon + 1));
  if ('problem' in left) return left;
  return 'problem' in right ? right : make(left, right);
}

/** Reads a single template. */
function single(text: string, make: (subject: Template) => Condition): Result {
  const subject = parseTemplate(text);
  return 'problem' in subject ? subject : make(subject);
}

const text =
  (test: TextTest): Read =>
  (args) =>
    pair(args, (left, right) => ({ kind: 'text', test, left, right }));
const number =
  (test: NumberTest): Read =>
  (args) =>
    pair(args, (left, right) => ({ kind: 'number', test, left, right }));
const path =
  (test: PathTest): Read =>
  (args) =>
    single(args, (subject) => ({ kind: 'path', test, path: subject }));

function regexp(args: string): Result {
  const semicolon = args.indexOf(';');
  if (semicolon < 0) return { problem: 'it takes a text and a regular expression with a ";" between them' };
  const pattern = parsePattern(args.slice(semicolon + 1));
  if ('wanted' in pattern) return { problem: `"${args.slice(semicolon + 1)}" is not ${pattern.wanted}` };
  return single(args.slice(0, semicolon), (subject) => ({ kind: 'regexp', subject, pattern: pattern.value }));
}

const network =
  (family: IpNetwork['family']): Read =>
  (args) => {
    const semicolon = args.indexOf(';');
    const parsed = semicolon < 0 ? undefined : parseNetwork(args.slice(semicolon + 1));
    if (parsed?.family !== family) return { problem: `it takes an address, a ";" and an ${family} network` };
    return single(args.slice(0, semicolon), (subject) => ({ kind: 'network', subject, network: parsed }));
  };

// biome-ignore format: a table
export const CONDITIONS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['exists',     path('exists')],
  ['isfile',     path('isfile')],
  ['isdir',      path('isdir')],
  ['islink',     path('islink')],
  ['isexec',     path('isexec')],
  ['equal',      text('equal')],
  ['eq',         text('equal')],
  ['==',         text('equal')],
  ['startswith', text('startswith')],
  ['endswith',   text('endswith')],
  ['contains',   text('contains')],
  ['contain',    text('contains')],
  ['regexp',     regexp],
  ['re',         regexp],
  ['empty',      (args) => single(args, (subject) => ({ kind: 'empty', subject }))],
  ['ipv4in',     network('ipv4')],
  ['ipv6in',     network('ipv6')],
  ['>',          number('higher')],
  ['>=',         number('higher-or-equal')],
  ['<',          number('lower')],
  ['<=',         number('lower-or-equal')],
]);
