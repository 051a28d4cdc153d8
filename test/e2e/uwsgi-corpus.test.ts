// The corpus of test/corpus/uwsgi/ against a live listener: what a peer sees, and what the app gets.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PacketCase, packetCases } from '../corpus/uwsgi-corpus.js';
import { parseAnswers, type RawResult, raw, startServer, type TestServer } from './harness.js';

const LIMITS = (c: PacketCase) => [
  '--buffer-size',
  String(c.limits.bufferBytes),
  '--max-vars',
  String(c.limits.maxVars),
  '--limit-post',
  String(c.limits.limitPost),
];

/** The peer sends everything and hangs up, so that what is not whole is noticed. */
async function send(server: TestServer, pieces: readonly Buffer[]): Promise<RawResult> {
  return raw(server.port, Buffer.concat(pieces), { halfClose: true });
}

async function check(server: TestServer, c: PacketCase, result: RawResult, logFrom: number): Promise<void> {
  const { expect } = c;
  assert(result.closed, 'the connection stays open');
  if (expect.kind === 'closed') {
    assert.equal(result.bytes, '');
  } else if (expect.kind === 'pong') {
    assert.equal(Buffer.from(result.bytes, 'latin1').toString('hex'), '64000001');
  } else if (expect.kind === 'refused') {
    assert.equal(result.answers[0]?.status, expect.status, JSON.stringify(result.bytes));
    await server.waitForLog(expect.why, logFrom);
  } else {
    const [answer] = parseAnswers(result.bytes, false, true);
    assert.equal(answer?.status, 200, JSON.stringify(result.bytes));
    const seen = JSON.parse(answer.body) as { environ: Record<string, string>; bodyBytes: number };
    for (const [name, value] of expect.variables) {
      assert(name in seen.environ, `${name} is missing`);
      if (value !== '*') assert.equal(seen.environ[name], value, name);
    }
    for (const name of expect.absent) assert(!(name in seen.environ), `${name} came through`);
    if (expect.bodyBytes !== undefined) assert.equal(seen.bodyBytes, expect.bodyBytes);
  }
}

const groups = new Map<string, PacketCase[]>();
for (const c of packetCases()) {
  const key = LIMITS(c).join(' ');
  groups.set(key, [...(groups.get(key) ?? []), c]);
}

describe('the corpus of uwsgi packets, against a live listener', () => {
  for (const cases of groups.values()) {
    describe(LIMITS(cases[0]!).join(' '), () => {
      let server: TestServer;
      before(async () => {
        server = await startServer(['--socket', '127.0.0.1:0', '--wsgi-file', 'inspect.py', ...LIMITS(cases[0]!)]);
      });
      after(() => server.stop());

      for (const c of cases) {
        test(c.name, async () => {
          const logFrom = server.log.length;
          await check(server, c, await send(server, [c.packet, c.body]), logFrom);
        });
      }

      for (const c of cases.filter(({ expect }) => expect.kind === 'app')) {
        test(`${c.name}, cut in two at every byte`, async () => {
          const cuts = Array.from({ length: Math.min(c.packet.length, 400) - 1 }, (_, i) => i + 1);
          for (let i = 0; i < cuts.length; i += 25) {
            await Promise.all(cuts.slice(i, i + 25).map((cut) => sendCut(server, c, cut)));
          }
        });
      }
    });
  }
});

/** Sends the packet in two writes; the second follows when the kernel has taken the first, so they are two segments. */
async function sendCut(server: TestServer, c: PacketCase, cut: number): Promise<void> {
  const { connect } = await import('node:net');
  const bytes = await new Promise<string>((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(c.packet.subarray(0, cut), () => socket.end(Buffer.concat([c.packet.subarray(cut), c.body])));
  });
  await check(server, c, { answers: [], bytes, closed: true }, 0);
}
