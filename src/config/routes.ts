// The rules of --route and its kin, read into what they mean, in the order in which they were given.
//
// A rule is `REGEX ACTION`, `TEST ACTION` or `ACTION`, and an action `NAME` or `NAME:ARGUMENT`: as in uWSGI, the first
//   space ends what is tested. Everything is checked here, at start: a rule that cannot be read may be what protects a
//   path, so it ends the start. What it says is repeated in errors without passwords.
// Decided elsewhere: which actions and tests there are (route-actions.ts, route-conditions.ts), what runs them (edge/).

import { ConfigError } from '../base/errors.js';
import { parsePattern } from './pattern.js';
import { ACTIONS, type Action, UNSERVED_ACTIONS } from './route-actions.js';
import { CONDITIONS, type Condition } from './route-conditions.js';
import { nearest } from './suggest.js';

export interface Rule {
  readonly when: Condition;
  /** The test must not hold. */
  readonly isNegated: boolean;
  readonly action: Action;
  /** Where it stands: `app.ini:12`. */
  readonly at: string;
}

/** The chain of rules, and where in it labels stand: in front of the rule of that index. */
export interface Routes {
  readonly rules: readonly Rule[];
  readonly labels: ReadonlyMap<string, number>;
}

/** A rule as the user wrote it. */
export interface RouteLine {
  readonly option: string;
  readonly text: string;
  readonly at: string;
}

/** The variable that each option matches. */
const SUBJECTS: ReadonlyMap<string, string> = new Map([
  ['route', 'PATH_INFO'],
  ['route-host', 'HTTP_HOST'],
  ['route-uri', 'REQUEST_URI'],
  ['route-qs', 'QUERY_STRING'],
  ['route-remote-addr', 'REMOTE_ADDR'],
  ['route-remote-user', 'REMOTE_USER'],
  ['route-user-agent', 'HTTP_USER_AGENT'],
  ['route-referer', 'HTTP_REFERER'],
]);
export const isRouteOption = (option: string) => SUBJECTS.has(option) || /^route-(?:if|if-not|run|label)$/.test(option);

const ALWAYS: Condition = { kind: 'always' };

/** A rule's text without what must not be told: passwords. */
export const withoutSecrets = (text: string) => text.replace(/(basicauth(?:-next)?:[^,]*,[^:]*:).+/s, '$1***');

/** Reads the rules; what is wrong with them goes to `problems`. */
export function routesOf(lines: readonly RouteLine[], problems: ConfigError[]): Routes {
  const rules: Rule[] = [];
  const labels = new Map<string, number>();
  for (const { option, text, at } of lines) {
    if (option === 'route-label') {
      if (labels.has(text))
        problems.push(wrong(option, text, at, 'a label of its own: there is another one so called'));
      labels.set(text, rules.length);
      continue;
    }
    const rule = ruleOf(option, text, at);
    if ('problem' in rule) problems.push(wrong(option, text, at, rule.problem));
    else rules.push(rule);
  }
  for (const [index, { action, at }] of rules.entries()) {
    if (action.kind !== 'goto') continue;
    const target = labels.get(action.label);
    if (target === undefined) problems.push(new ConfigError('CONFIG_FILE', at, `no route-label is "${action.label}"`));
    else if (target <= index) {
      const problem = `goto:${action.label} leads back, and would do so forever: a label stands behind its goto`;
      problems.push(new ConfigError('CONFIG_FILE', at, problem));
    }
  }
  return { rules, labels };
}

const wrong = (option: string, text: string, at: string, wanted: string) =>
  new ConfigError('CONFIG_BAD_VALUE', option, at, withoutSecrets(text), wanted);

function ruleOf(option: string, text: string, at: string): Rule | { readonly problem: string } {
  if (option === 'route-run') {
    const action = actionOf(text);
    return 'problem' in action ? action : { when: ALWAYS, isNegated: false, action, at };
  }
  const space = text.indexOf(' ');
  if (space < 1) return { problem: option.startsWith('route-if') ? 'a test, a space and an action' : FORM };
  const when = SUBJECTS.has(option) ? matchOf(option, text.slice(0, space)) : testOf(text.slice(0, space));
  if ('problem' in when) return when;
  const action = actionOf(text.slice(space + 1).trim());
  return 'problem' in action ? action : { when, isNegated: option === 'route-if-not', action, at };
}

const FORM = 'a regular expression, a space and an action';

function matchOf(option: string, regexp: string): Condition | { readonly problem: string } {
  const pattern = parsePattern(regexp);
  if ('wanted' in pattern) return { problem: `a rule: "${regexp}" is not ${pattern.wanted}` };
  return { kind: 'match', variable: SUBJECTS.get(option)!, pattern: pattern.value };
}

/** `NAME:ARGUMENT` taken apart. */
function split(text: string): readonly [name: string, argument: string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function testOf(text: string): Condition | { readonly problem: string } {
  const [name, argument] = split(text);
  const read = CONDITIONS.get(name);
  if (read === undefined)
    return { problem: `a rule: there is no test "${name}"; there are ${listed(CONDITIONS, name)}` };
  const test = read(argument);
  return 'problem' in test ? { problem: `a rule: ${name}: ${test.problem}` } : test;
}

function actionOf(text: string): Action | { readonly problem: string } {
  const [name, argument] = split(text);
  const read = ACTIONS.get(name);
  if (read !== undefined) {
    const action = read(argument);
    return 'problem' in action ? { problem: `a rule: ${name}: ${action.problem}` } : action;
  }
  const what = UNSERVED_ACTIONS.has(name) ? 'is known from uWSGI and not supported' : 'is no action';
  return { problem: `a rule: "${name}" ${what}; there are ${listed(ACTIONS, name)}` };
}

/** The names of a table, the one that was probably meant in front. */
function listed(table: ReadonlyMap<string, unknown>, name: string): string {
  const meant = nearest(name, table.keys());
  const names = [...table.keys()].filter((other) => other !== meant);
  return (meant === undefined ? names : [meant, ...names]).join(', ');
}
