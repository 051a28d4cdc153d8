// What the tests under load share: a server with a ledger, requests with names of their own, and the look for leaked slots.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type StartOptions, startServer, type TestServer } from '../e2e/harness.js';
import type { Ask } from './ask.js';
import { askHttp, type askUwsgi, type Outcome } from './client.js';
import { judge, Ledger, type Verdict } from './ledger.js';

let asked = 0;

/** A request with an id that no other has in this process. */
export const nextAsk = (what: Omit<Partial<Ask>, 'id'> = {}): Ask => ({ id: `r${++asked}`, ...what });

/** A server whose app keeps a ledger, and what came of the requests that were sent to it. */
export class Scene {
  readonly server: TestServer;
  readonly ledger: Ledger;
  readonly asks = new Map<string, Ask>();
  readonly outcomes = new Map<string, Outcome>();

  private constructor(server: TestServer, ledger: Ledger) {
    this.server = server;
    this.ledger = ledger;
  }

  static async start(args: readonly string[], options: StartOptions = {}): Promise<Scene> {
    const ledger = new Ledger();
    const env = { ...options.env, LEDGER: ledger.path };
    return new Scene(await startServer(['--disable-logging', ...args], { ...options, env }), ledger);
  }

  get port(): number {
    return this.server.port;
  }

  /** Notes how `ask` ended. */
  async record(ask: Ask, outcome: Promise<Outcome>): Promise<Outcome> {
    this.asks.set(ask.id, ask);
    const known = await outcome;
    this.outcomes.set(ask.id, known);
    return known;
  }

  verdict(): Verdict {
    return judge(this.outcomes, this.ledger.read());
  }

  async end(): Promise<void> {
    await this.server.stop();
    this.ledger.remove();
  }
}

/** Starts a server for the time of `use`, which must leave it in order. */
export async function withScene(
  args: readonly string[],
  use: (scene: Scene) => Promise<void>,
  options: StartOptions = {},
) {
  const scene = await Scene.start(args, options);
  try {
    await use(scene);
  } finally {
    await scene.end();
  }
}

/** Asserts that exactly `slots` requests can be inside at once: none has leaked before. */
export async function assertAllFree(scene: Scene, slots: number, ask: typeof askHttp | typeof askUwsgi = askHttp) {
  const hold = scene.ledger.hold();
  let refused = 0;
  const asks = Array.from({ length: slots + 3 }, async () => {
    const { ending, status } = await ask(scene.port, nextAsk({ hold: hold.path }));
    if (status !== 200 && ++refused === 3) hold.release(); // the others are inside
    return ending === 'status' ? status : ending;
  });
  assert.deepEqual((await Promise.all(asks)).sort(), [503, 503, 503, ...Array(slots).fill('right')]);
}

/** How many descriptors a process has open. */
export const openFilesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
