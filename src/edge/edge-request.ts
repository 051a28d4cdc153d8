// A request as the accept side looks at it, whatever protocol it came by: variables to be read, and edits to be made
// before an app gets it.
//
// Variables are looked up only when somebody asks for one: a request for an app costs no more than its path.
// Decided elsewhere: where the variables come from and how the edits reach the app (listeners/front-request.ts).

import type { Exchange } from '../dispatch/exchange.js';
import type { AnswerEdits } from './answer-edits.js';

export abstract class EdgeRequest {
  readonly exchange: Exchange;
  readonly isHead: boolean;
  /** PATH_INFO as it came, unescaped; one character per byte. */
  readonly path: string;
  /** What is changed in its answer; there where anything ever is (EdgePlan.edits). */
  answerEdits: AnswerEdits | undefined;
  #edits: Map<string, string> | undefined;

  constructor(exchange: Exchange, isHead: boolean, path: string) {
    this.exchange = exchange;
    this.isHead = isHead;
    this.path = path;
  }

  get method(): string {
    return this.exchange.record.method;
  }

  /** A variable as it came; undefined when there is none. */
  protected abstract lookup(name: string): string | undefined;

  /** A variable; undefined when there is none. */
  find(name: string): string | undefined {
    return this.#edits?.get(name) ?? this.lookup(name);
  }

  /** A variable; '' when there is none. */
  get(name: string): string {
    return this.find(name) ?? '';
  }

  /** Gives a variable another value, for what looks at it from now on and for the app. */
  set(name: string, value: string): void {
    this.#edits ??= new Map();
    this.#edits.set(name, value);
  }

  /** What was set, in no particular order. */
  get edits(): ReadonlyMap<string, string> | undefined {
    return this.#edits;
  }
}
