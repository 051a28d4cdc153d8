// Header fields that are taken out of answers and put into them: by the configuration for all, by rules for some.
//
// What is taken out is what the app gave; what is put in goes behind it, as in uWSGI.
// Decided elsewhere: which names and values are allowed (config/edge-values.ts, rules/), who makes the answers.

import type { AnswerHead, ExchangeRecord } from '../dispatch/exchange.js';
import type { Field } from './reply.js';

/** What holds for every answer. */
export interface EditsPlan {
  readonly added: readonly Field[];
  /** Lower case. */
  readonly removed: readonly string[];
}

const line = ([name, value]: Field) => `\r\n${name}: ${value}`;

export class AnswerEdits {
  readonly #plan: EditsPlan;
  #added: Field[] | undefined;
  #removed: string[] | undefined;

  constructor(plan: EditsPlan) {
    this.#plan = plan;
  }

  /** Both checked: nothing in them may end a line. */
  add(name: string, value: string): void {
    this.#added ??= [];
    this.#added.push([name, value]);
  }

  remove(name: string): void {
    this.#removed ??= [];
    this.#removed.push(name.toLowerCase());
  }

  /** The head as it is to be sent; what changes its size is noted in `record`. */
  apply(head: AnswerHead, record: ExchangeRecord): AnswerHead {
    const removed = this.#removed === undefined ? this.#plan.removed : [...this.#plan.removed, ...this.#removed];
    const added = this.#added === undefined ? this.#plan.added : [...this.#plan.added, ...this.#added];
    if (removed.length === 0 && added.length === 0) return head;
    let text = head.bytes.toString('latin1');
    let { dated } = head;
    if (removed.length > 0) {
      const lines = text.split('\r\n');
      const kept = lines.filter((one, i) => i === 0 || !removed.includes(one.slice(0, one.indexOf(':')).toLowerCase()));
      record.fields -= lines.length - kept.length;
      dated &&= !removed.includes('date');
      text = kept.join('\r\n');
    }
    for (const field of added) text += line(field);
    record.fields += added.length;
    record.headBytes = text.length;
    dated ||= added.some(([name]) => name.toLowerCase() === 'date');
    return { status: head.status, bytes: Buffer.from(text, 'latin1'), length: head.length, dated };
  }
}
