// What uWebSockets.js does otherwise, limit by limit as docs/security.md lists them. These tests do not say that it is
// right: they say that the document is true, and that none of it lets one request smuggle another past the server
// unless the document says so. Most of them concern row T3, T5 or T17.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { open, raw, startOn } from './harness.js';
import { type Entry, JournalServer, SMUGGLED } from './http-contract.js';
import { UWS_LIMITS, type UwsLimit } from './uws-limits.js';

/** It looks after its connections every four seconds, and gives up those that are silent for ten. */
const PATIENCE_MS = 16_000;

const get = (fields: string, target = '/g') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (fields: string, body = '') => `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);

let journal: JournalServer;
const paths = (entries: readonly Entry[]) => entries.map((entry) => entry.PATH_INFO);

/** Sends `bytes` and asserts that the answer is uWebSockets.js's own, and that the app saw nothing. */
async function assertOwnRefusal(bytes: string, status: number): Promise<void> {
  const { answers, entries, closed, from } = await journal.send(bytes);
  assert(closed);
  assert.deepEqual([answers.length, answers[0]?.status, entries], [1, status, []]);
  assert.deepEqual(journal.refusals(from), []);
}

const LIMITS: Readonly<Record<UwsLimit, () => Promise<void>>> = {
  async 'chunk-syntax'() {
    const lax = ['5\nhello\r\n0\r\n\r\n', '5 \r\nhello\r\n0\r\n\r\n', '5\r\nhelloXX0\r\n\r\n'];
    for (const body of lax) {
      const { entries, closed, answers } = await journal.send(chunked(body));
      assert.equal(entries[0]?.body, 'hello');
      assert(closed, 'a chunked request is the last one of its connection');
      assert.equal(answers[0]?.headers.connection, 'close');
    }
    for (const body of ['g\r\nhello\r\n0\r\n\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n']) {
      const { entries, closed } = await journal.offer(chunked(body));
      assert.deepEqual([entries, closed], [[], false]);
    }
    for (const end of [`0\r\nXX${SMUGGLED}`, `0\r\nX:${SMUGGLED}`]) {
      const { entries, closed } = await journal.send(chunked(end));
      assert.deepEqual([entries, closed], [[], true]);
    }
  },

  async trailers() {
    await assertOwnRefusal(chunked('5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n'), 505);
  },

  async 'empty-name'() {
    const { entries } = await journal.send(get(': a\r\nX: hidden\r\n'), { answers: 1 });
    assert(!('HTTP_X' in entries[0]!));
    // and if what is hidden is a length, its body is the next request: why this engine must not stand behind a proxy
    const socket = await open(journal.server.port);
    socket.write(post(`: a\r\nContent-Length: ${SMUGGLED.length}\r\n`));
    await once(socket, 'data');
    socket.write(SMUGGLED);
    await once(socket, 'data');
    socket.destroy();
    assert.deepEqual(paths(await journal.entries('127.0.0.1')), ['/p', '/smuggled']);
  },

  async 'stripped-bytes'() {
    const { entries } = await journal.send(get('X: Jos\xe9\r\nY: \xc3\xa9\r\nZ: a\xc3\xa9z\r\n'), { answers: 1 });
    const { HTTP_X, HTTP_Y, HTTP_Z } = entries[0]!;
    assert.deepEqual([HTTP_X, HTTP_Y, HTTP_Z], ['Jos', '', 'a\xc3\xa9z']);
  },

  async 'bare-cr'() {
    for (const bytes of [get('X: a\rb\r\n'), 'GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const { entries, bytes: got, closed } = await journal.offer(bytes);
      assert.deepEqual([entries, got, closed], [[], '', false]);
    }
  },

  async 'empty-line'() {
    const { entries, bytes, closed } = await journal.offer(`\r\n${get('')}`);
    assert.deepEqual([entries, bytes, closed], [[], '', false]);
  },

  async 'own-refusals'() {
    await assertOwnRefusal(get('X Y: 1\r\n'), 400);
    await assertOwnRefusal(get(`X: ${'a'.repeat(20_000)}\r\n`), 431);
    await assertOwnRefusal('GET /g HTTP/3.0\r\nHost: a\r\n\r\n', 505);
    const { bytes } = await journal.send(get('X Y: 1\r\n'));
    assert.match(bytes, /uWebSockets\/20/, 'it says its name');
  },

  async 'no-status'() {
    const { bytes, closed, entries, from } = await journal.send(get('Expect: x\r\n') + SMUGGLED);
    assert.deepEqual([bytes, closed, entries], ['', true, []]);
    assert.match(await journal.refusal(from), /^417/);
  },

  async 'http-1.0'() {
    await assertOwnRefusal('GET / HTTP/1.0\r\nHost: a\r\n\r\n', 505);
  },

  async 'target-forms'() {
    await assertOwnRefusal(get('', 'http://a/x'), 505);
    await assertOwnRefusal('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 505);
  },

  async pipelining() {
    const { answers, closed } = await journal.send(get('') + get(''));
    assert.deepEqual([answers, closed], [[], true]);
  },

  async 'half-close'() {
    const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-half-close-'));
    const isOver = join(directory, 'over');
    const server = await startOn('uws', ['--wsgi-file', 'stuck.py', '--env', `STUCK_UNTIL=${isOver}`]);
    const { bytes, closed } = await raw(server.port, get('', '/nap'), { halfClose: true }); // FIN comes before its answer
    assert.deepEqual([bytes, closed], ['', true]);
    writeFileSync(isOver, '');
    await server.stop();
    rmSync(directory, { recursive: true });
  },

  async 'continue-first'() {
    const tooLong = post('Expect: 100-continue\r\nContent-Length: 1000000\r\n');
    const statuses = async (bytes: string) => (await journal.send(bytes)).answers.map((answer) => answer.status);
    assert.deepEqual(await statuses(tooLong), [100, 413]);
    const { answers } = await journal.send(post('Expect: 100-Continue\r\nContent-Length: 1\r\n', 'x'), { answers: 1 });
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200],
      'it knows the expectation in small letters only',
    );
  },

  async 'field-count'() {
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
    assert.equal((await journal.send(get(fields(97)), { answers: 1 })).answers[0]?.status, 200); // and Host
    await assertOwnRefusal(get(fields(98)), 431);
  },

  async 'proxy-header'() {
    // version 2, from 192.0.2.7
    const header = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000207c0000201dc0401bb', 'hex').toString('latin1');
    const socket = await open(journal.server.port);
    for (const bytes of [get(''), header + get('')]) {
      socket.write(bytes, 'latin1');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/);
    }
    socket.destroy();
    const skipped = await journal.send(header + get(''), { answers: 1 });
    assert.deepEqual(paths(skipped.entries), ['/g']);
    assert.match(skipped.entries[0]!.REMOTE_ADDR!, /^127\./);
    await assertOwnRefusal(`PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n${get('')}`, 505);
  },

  async timers() {
    const drips = 'GET / HTTP/1.1\r\nX: ';
    const ends = ['', 'GET / HT', drips].map(async (start) => {
      const socket = await open(journal.server.port);
      socket.on('error', () => {}); // it may be a reset
      let bytes = '';
      socket.on('data', (chunk) => {
        bytes += chunk.toString('latin1');
      });
      socket.write(start);
      const drip = start === drips ? setInterval(() => socket.write('a'), 1000) : undefined; // too little to be kept
      const startedMs = performance.now();
      await once(socket, 'close');
      clearInterval(drip);
      return { bytes, ms: performance.now() - startedMs };
    });
    for (const { bytes, ms } of await Promise.all(ends)) {
      assert.equal(bytes, '');
      assert(ms > 5000 && ms < PATIENCE_MS, `closed after ${ms} ms, whatever --http-headers-timeout says`);
    }
  },
};

describe('uWebSockets.js', () => {
  before(async () => {
    journal = await JournalServer.start('uws', ['--limit-post', '100000']);
  });
  after(() => journal.stop());

  for (const limit of UWS_LIMITS) test(`${limit} is as docs/security.md says`, () => LIMITS[limit]());
});
