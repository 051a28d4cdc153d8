// A client that did not read for a while gets all that the app has given so far, though nothing more comes.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ENGINES, startOn, until } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-rests-'));
after(() => rmSync(directory, { recursive: true }));

const PART_BYTES = 9000;
/** One client each: up to what no connection takes at once. */
const COUNTS = Array.from({ length: 24 }, (_, i) => 60 + 23 * i);

/** A client that reads nothing until it is told to. */
class Stalled {
  bytes = 0;
  readonly #socket;

  constructor(port: number, count: number) {
    this.#socket = connect(port, '127.0.0.1', () => {
      this.#socket.write(`GET /?count=${count}&bytes=${PART_BYTES} HTTP/1.1\r\nHost: a\r\n\r\n`);
    });
    this.#socket.on('error', () => {});
  }

  read(): void {
    this.#socket.on('data', (chunk) => {
      this.bytes += chunk.length;
    });
  }

  end(): void {
    this.#socket.destroy();
  }
}

describe('what a stalled client has not read', () => {
  for (const engine of ENGINES) {
    for (const app of ['rests.mjs', 'rests.py']) {
      test(`comes when it reads on, and does not wait for more (${engine}, ${app})`, async (t) => {
        const gate = join(directory, `${engine}-${app}`);
        const room = ['--response-buffering', String(1 << 24)]; // the app gives all there is
        const atOnce = app.endsWith('.py') ? ['--threads', '24'] : ['--async', '24'];
        const env = { RESTS_UNTIL: gate };
        const server = await startOn(engine, ['--wsgi-file', app, ...atOnce, ...room], { env });
        t.after(() => server.stop());
        const clients = COUNTS.map((count) => new Stalled(server.port, count));
        t.after(() => clients.forEach((client) => client.end()));
        const resting = () => server.log.match(/rests after/g)?.length === COUNTS.length;
        await until(resting, 'all apps rest');
        for (const client of clients) client.read();
        const missing = () => clients.filter(({ bytes }, i) => bytes < COUNTS[i]! * PART_BYTES);
        await until(() => missing().length === 0, 'all has come').catch((error) => {
          assert.fail(`${missing().length} of ${clients.length} clients wait for the rest: ${error.message}`);
        });
        writeFileSync(gate, '');
      });
    }
  }
});
