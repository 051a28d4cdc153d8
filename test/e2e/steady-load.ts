// Clients that ask all the time, and note every answer: for tests of what clients must not notice.
//
// Each keeps its connection as long as the server lets it, as browsers and proxies do. A connection that the server closes
//   behind an answer is no failure; a request without an answer is one.

import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface LoadResult {
  /** How often each body came with status 200. */
  readonly bodies: Readonly<Record<string, number>>;
  /** Everything that was no such answer. */
  readonly failures: readonly string[];
  /** The longest time in ms in which no answer came. */
  readonly longestGapMs: number;
}

export type Expectation = (body: string) => string | undefined;

export class SteadyLoad {
  readonly #agent: Agent;
  readonly #bodies: Record<string, number> = {};
  readonly #failures: string[] = [];
  readonly #clients: Promise<void>[];
  #isOver = false;
  #lastAnswerMs = performance.now();
  #longestGapMs = 0;
  #answers = 0;
  readonly #waiting: { answers: number; resolve: () => void }[] = [];

  /**
   * `expect` is called before each request, and what it gives with the body: what is wrong with it, if anything is. Each
   * client rests for `restMs` behind an answer.
   */
  constructor(
    port: number,
    path = '/',
    connections = 8,
    expect: () => Expectation = () => () => undefined,
    restMs = 0,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#clients = Array.from({ length: connections }, () => this.#ask(port, path, expect, restMs));
  }

  async #ask(port: number, path: string, expect: () => Expectation, restMs: number): Promise<void> {
    while (!this.#isOver) {
      const expectation = expect();
      const outcome = await ask(this.#agent, port, path);
      const fault = 'body' in outcome ? expectation(outcome.body) : undefined;
      if (fault !== undefined) this.#failures.push(fault);
      if ('body' in outcome) {
        this.#bodies[outcome.body] = (this.#bodies[outcome.body] ?? 0) + 1;
        this.#answers++;
        const now = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAnswerMs);
        this.#lastAnswerMs = now;
      } else {
        this.#failures.push(outcome.failure);
      }
      if (restMs > 0) await pause(restMs);
      for (const waiting of this.#waiting) if (this.#answers >= waiting.answers) waiting.resolve();
    }
  }

  /** Resolves when so many more answers have come. */
  more(answers: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ answers: this.#answers + answers, resolve }));
  }

  /** Lets the last answers come. */
  async end(): Promise<LoadResult> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
    return { bodies: this.#bodies, failures: this.#failures, longestGapMs: this.#longestGapMs };
  }
}

type Outcome = { readonly body: string } | { readonly failure: string };

function ask(agent: Agent, port: number, path: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const asked = request({ agent, host: '127.0.0.1', port, path }, (answer) => {
      let body = '';
      answer.setEncoding('latin1');
      answer.on('data', (chunk) => {
        body += chunk;
      });
      answer.on('error', (error) => resolve({ failure: `${error.message} behind ${body.length} bytes` }));
      answer.on('end', () => {
        resolve(answer.statusCode === 200 ? { body } : { failure: `${answer.statusCode} ${body}` });
      });
    });
    asked.on('error', (error) => resolve({ failure: error.message }));
    asked.end();
  });
}
