// wrk at full load for as long as it is wanted, with a look into every answer.
//
// Why not a client of our own: on few cores a slow client is no load. wrk tells a connection that was reset or closed before
//   its answer was whole as a read error, and connects again where the server has said that it will close.
// Decided elsewhere: what is counted (wrk-bodies.lua).

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { endWithTests, ROOT } from '../e2e/harness.js';

export interface WrkTold {
  /** How often each answer came, as `200 body`: the first 200 bytes. */
  readonly answers: ReadonlyMap<string, number>;
  /** Connections that could not be had, were reset or cut, and requests without an answer for 10 s. */
  readonly errors: number;
}

/** It is ended long before. */
const LONGEST_SECONDS = 7200;

export class Wrk {
  readonly #child;
  readonly #output;

  constructor(port: number, path: string, connections: number) {
    const script = join(ROOT, 'test/load/wrk-bodies.lua');
    const size = ['-t1', '-c', String(connections), '-d', `${LONGEST_SECONDS}s`, '--timeout', '10s'];
    this.#child = spawn('wrk', [...size, '-s', script, `http://127.0.0.1:${port}${path}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#output = text(this.#child.stdout);
    endWithTests(this.#child);
  }

  /** Ends it. Requests that wait for their answers at that moment are given up by the client, and counted nowhere. */
  async end(): Promise<WrkTold> {
    this.#child.ref();
    this.#child.kill('SIGINT');
    const report = await this.#output;
    const errors = /^errors\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(report);
    if (errors === null) throw new Error(`wrk tells no errors:\n${report}`);
    const answers = new Map<string, number>();
    for (const [, count, answer] of report.matchAll(/^answer\t(\d+)\t(.*)$/gm)) {
      answers.set(answer!, (answers.get(answer!) ?? 0) + Number(count));
    }
    return { answers, errors: errors.slice(1).reduce((sum, one) => sum + Number(one), 0) };
  }
}
