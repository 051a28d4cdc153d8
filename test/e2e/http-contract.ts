// What the tests of the security contract on HTTP share: a server whose app keeps a journal, and clients that each come
// from an address of their own, so that many can be at work at once and what the server did for each can be told apart.
//
// docs/security.md is the contract; the T numbers in the names of the tests are its rows.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type Engine, type RawOptions, type RawResult, raw, request, startOn, type TestServer } from './harness.js';
import type { UwsLimit } from './uws-limits.js';

/** A request as the app saw it: its environ, as far as it is text, and its body. */
export type Entry = Readonly<Record<string, string>> & { readonly body: string };

/** How much of an error is shown when one of many cases fails. */
const MESSAGE_CHARS = 300;
/** Connections that are at work at once in a table of cases. */
const AT_ONCE = 24;

let clients = 0;
/** An address of 127.0.0.0/8 that no other client has. */
export function freshAddress(): string {
  clients++;
  return `127.${1 + (clients >> 16)}.${(clients >> 8) & 255}.${clients & 255}`;
}

/** What one client sent, and what became of it. */
export interface Outcome extends RawResult {
  readonly from: string;
  /** The requests that the app saw of it. */
  readonly entries: readonly Entry[];
}

/** A server with test/apps/journal.py. */
export class JournalServer {
  readonly engine: Engine;
  readonly server: TestServer;

  constructor(engine: Engine, server: TestServer) {
    this.engine = engine;
    this.server = server;
  }

  static async start(engine: Engine, args: readonly string[] = []): Promise<JournalServer> {
    return new JournalServer(engine, await startOn(engine, ['--wsgi-file', 'journal.py', ...args]));
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** What the app saw of the client at `from`. What was handed to it before this call is in it: it has one worker. */
  async entries(from: string): Promise<Entry[]> {
    return JSON.parse((await request(this.server.port, `/journal?${from}`)).body);
  }

  /** Waits until the log says that something of the client at `from` was refused. */
  async refusal(from: string): Promise<string> {
    const [, status, why] = await this.server.waitForLog(new RegExp(`^refused (\\d{3}) ${from}: (.*)$`, 'm'));
    return `${status} ${why}`;
  }

  /** What the log says so far about refusals of the client at `from`. */
  refusals(from: string): string[] {
    const line = new RegExp(`^refused (\\d{3}) ${from}: (.*)$`, 'gm');
    return [...this.server.log.matchAll(line)].map(([, status, why]) => `${status} ${why}`);
  }

  /** Sends `bytes` (text is latin-1) and reads until the server closes, or until there are `options.answers`. */
  async send(bytes: string | Uint8Array, options: RawOptions = {}): Promise<Outcome> {
    const from = options.from ?? freshAddress();
    const result = await raw(this.server.port, bytes, { ...options, from });
    return { ...result, from, entries: await this.entries(from) };
  }

  /**
   * Sends `bytes` and asks what became of them when the server has had every chance to read them, whether it answers
   * or not: it has answered two requests that came later.
   */
  async offer(bytes: string | Uint8Array): Promise<Outcome> {
    const from = freshAddress();
    const socket = connect({ port: this.server.port, host: '127.0.0.1', localAddress: from });
    let got = '';
    let closed = false;
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    socket.on('close', () => {
      closed = true;
    });
    socket.on('error', () => {}); // 'close' follows
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve) => socket.write(data, () => resolve()));
    await this.entries(from);
    const entries = await this.entries(from);
    socket.destroy();
    return { from, answers: [], bytes: got, closed, entries };
  }
}

/** Runs `check` for every item, some at once; every one that fails is named. */
export async function forEach<T extends { readonly name: string }>(
  items: readonly T[],
  check: (item: T) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await check(item);
      } catch (error) {
        failures.push(`${item.name}: ${(error as Error).message.slice(0, MESSAGE_CHARS)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assert.deepEqual(failures, []);
}

/** Something that no request may hold. */
export interface BadRequest {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  /** The status that the client is to see, or several that are right. */
  readonly status: number | readonly number[];
  /** What the log is to say. */
  readonly why?: RegExp;
  /**
   * What uWebSockets.js makes of it instead:
   * - `itself`: it refuses it before the server sees it, with a status of its own and without a line in the log;
   * - `closes`: it gives the connection up, because more came behind the request, and the status is not seen;
   * - otherwise the name of a limit in docs/security.md, with what happens instead.
   */
  readonly uws?: 'itself' | 'closes' | { readonly limit: UwsLimit; readonly instead: 'hangs' | 'closes' | 'taken' };
}

/** A request that must never be run, to be put behind another one. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

/** Asserts that a bad request is refused, that the app saw none of it, and that the log says why. */
export async function assertRefused(journal: JournalServer, bad: BadRequest): Promise<void> {
  const deviation = journal.engine === 'uws' ? bad.uws : undefined;
  if (typeof deviation === 'object') {
    await assertLimit(journal, bad, deviation.instead);
    return;
  }
  const { from, closed, answers, entries, bytes } = await journal.send(bad.bytes);
  assert(closed, 'the connection stays open');
  assert.deepEqual(entries, [], 'the app was called');
  if (deviation === 'closes') {
    assert.equal(bytes, '');
  } else if (deviation === 'itself') {
    assert.equal(answers.length, 1, bytes);
    assert([400, 431, 505].includes(answers[0]!.status), bytes);
    return;
  } else {
    const [answer] = answers;
    assert.equal(answers.length, 1, bytes);
    assert([bad.status].flat().includes(answer!.status), `status ${answer!.status}`);
    assert(answer!.complete, bytes);
    assert.equal(answer!.headers.connection, 'close');
  }
  const refusal = await journal.refusal(from);
  assert.match(refusal, new RegExp(`^(?:${[bad.status].flat().join('|')}) .*${bad.why?.source ?? ''}`));
  assert.deepEqual(journal.refusals(from), [refusal], 'the log says it more than once');
}

async function assertLimit(
  journal: JournalServer,
  bad: BadRequest,
  instead: 'hangs' | 'closes' | 'taken',
): Promise<void> {
  const { closed, entries } = await journal.offer(bad.bytes);
  assert(!entries.some((entry) => entry.PATH_INFO === '/smuggled'), 'a smuggled request was run');
  assert.equal(entries.length, instead === 'taken' ? 1 : 0);
  if (instead === 'hangs') assert(!closed, 'it is closed: no limit any more?');
  if (instead === 'closes') assert(closed, 'it is open: another limit than docs/security.md says?');
}
