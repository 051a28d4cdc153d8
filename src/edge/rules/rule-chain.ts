// The rules of --route and its kin, compiled once into a chain of functions, and run for every request.
//
// A rule that waits for nothing is done at once; the chain gives a promise only from the first one that waits.
// Decided elsewhere: what rules say (config/routes.ts), what the server does by their verdict (listeners/front.ts).

import type { Condition } from '../../config/route-conditions.js';
import type { Routes } from '../../config/routes.js';
import type { EdgeRequest } from '../edge-request.js';
import { run, type Steps, wait } from '../steps.js';
import { type Act, type ActionHost, compileAction, type Outcome, type Verdict } from './actions.js';
import { compileCondition, type Test } from './conditions.js';
import { type Form, formOf, type RuleContext } from './fill.js';

interface Step {
  readonly test: Test;
  readonly isNegated: boolean;
  readonly act: Act;
}

export class RuleChain {
  readonly #steps: readonly Step[];

  /** Throws `ConfigError` where a rule names a file that cannot be read. */
  constructor({ rules, labels }: Routes, host: ActionHost) {
    const slow = new Set<string>();
    this.#steps = rules.map(({ when, isNegated, action, at }) => {
      const onSlow = (ms: number) => {
        if (slow.has(at)) return;
        slow.add(at);
        host.warn(`WARNING: ${at}: the regular expression of this rule took ${Math.round(ms)} ms: it backtracks`);
      };
      const place = { captureForm: captureFormOf(when), labels, at };
      return { test: compileCondition(when, onSlow), isNegated, act: compileAction(action, place, host) };
    });
  }

  /** What becomes of `request`; undefined: it goes on, with what the rules have set. Never rejects. */
  run(request: EdgeRequest): Verdict | undefined | Promise<Verdict | undefined> {
    return run(this.#run({ request, captures: null, isAuthenticated: false }));
  }

  *#run(context: RuleContext): Steps<Verdict | undefined> {
    for (let i = 0; i < this.#steps.length; ) {
      const { test, isNegated, act } = this.#steps[i]!;
      context.captures = null;
      const holds = yield* wait(test(context));
      const outcome: Outcome = holds === isNegated ? undefined : yield* wait(act(context));
      if (outcome === undefined) i++;
      else if (outcome === 'last') return undefined;
      else if (typeof outcome === 'number') i = outcome;
      else return outcome;
    }
    return undefined;
  }
}

/** How the text came that `$1` is a part of. */
function captureFormOf(when: Condition): Form {
  if (when.kind === 'match') return formOf(when.variable);
  if (when.kind !== 'regexp' || when.subject.length !== 1) return 'text';
  const [subject] = when.subject;
  if (typeof subject !== 'object') return 'text';
  return subject.kind === 'variable' ? formOf(subject.name) : subject.kind === 'query' ? 'uri' : 'text';
}
