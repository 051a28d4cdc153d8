// Mutated uwsgi packets against the parser: `npm run fuzz -- --packets 1000000 --seed 1`. With --http, mutated HTTP
// requests against live servers instead: see fuzz-http.ts.
//
// Starts from the valid packets of test/corpus/uwsgi/, changes bytes, lengths and order at random, cuts the result at
// random places, and checks what must hold for every input: no exception, one outcome, and where a request comes out of
// it, variables that a worker takes apart into exactly those that the parser counted, none of them forbidden.
// Decided elsewhere: a live server under such packets (test/e2e/uwsgi.test.ts).

import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { PeerError } from '../src/base/errors.js';
import { PacketFacts, PacketReader, preparePayload } from '../src/wire/uwsgi.js';
import { packetCases } from './corpus/uwsgi-corpus.js';

const BUFFER_BYTES = 4096;
const MAX_VARIABLES = 128;
const FORBIDDEN = /^(?:u?wsgi\.|HTTP_(?:PROXY|CONTENT_TYPE|CONTENT_LENGTH)$|UWSGI_(?!SCHEME$)|$)|[^\x21-\x7e]/;

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A packet made from `seeds`: changed in one to eight places. */
export function mutate(seeds: readonly Buffer[], random: () => number): Buffer {
  const below = (n: number) => Math.floor(random() * n);
  let bytes = Buffer.from(seeds[below(seeds.length)]!);
  for (let changes = 1 + below(8); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    switch (below(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = below(256);
        break;
      case 1:
        if (at + 2 <= bytes.length) bytes.writeUInt16LE([0, 1, 255, 256, 4096, 65535][below(6)]!, at);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(below(20), below(256)), bytes.subarray(at)]);
        break;
      case 4: {
        const other = seeds[below(seeds.length)]!;
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length))]);
        break;
      }
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - below(40)))]);
        break;
      default:
        if (bytes.length >= 4) bytes.writeUInt16LE(Math.min(65535, bytes.length - 4), 1); // sound again, as far as it goes
    }
    if (bytes.length === 0) bytes = Buffer.from([0]);
  }
  return bytes;
}

/** What a packet came to; throws when something holds that must not. */
export function tryPacket(packet: Buffer, random: () => number): string {
  const reader = new PacketReader(BUFFER_BYTES);
  let rest = Buffer.from(packet);
  while (rest.length > 0) {
    const cut = random() < 0.5 ? rest.length : 1 + Math.floor(random() * rest.length);
    const outcome = reader.feed(rest.subarray(0, cut));
    rest = rest.subarray(cut);
    if (outcome.kind === 'more') continue;
    if (outcome.kind !== 'request') {
      if (outcome.kind === 'fault') assert(outcome.error instanceof PeerError);
      return outcome.kind;
    }
    return tryPayload(outcome.payload);
  }
  return 'more';
}

function tryPayload(payload: Buffer): string {
  const facts = new PacketFacts();
  const error = preparePayload(payload, facts, MAX_VARIABLES);
  if (error !== undefined) return error.code;
  assert(facts.bytes <= payload.length);
  assert(Number.isSafeInteger(facts.contentLength) && facts.contentLength >= 0);
  const parts = payload.subarray(0, facts.bytes).toString('latin1').split('\0\0');
  assert.equal(parts.length, facts.variables === 0 ? 1 : 1 + 2 * facts.variables, 'a worker sees other variables');
  for (let i = 1; i < parts.length; i += 2) assert(!FORBIDDEN.test(parts[i]!), `"${parts[i]}" came through`);
  return 'request';
}

/** Runs `packets` of them; returns how often each outcome came. */
export function fuzz(packets: number, seed: number): Map<string, number> {
  const random = randomFrom(seed);
  const seeds = packetCases()
    .map((c) => c.packet)
    .filter((packet) => packet.length > 0);
  const outcomes = new Map<string, number>();
  for (let i = 0; i < packets; i++) {
    const packet = mutate(seeds, random);
    let outcome: string;
    try {
      outcome = tryPacket(packet, random);
    } catch (error) {
      throw new Error(`packet ${i} of seed ${seed}, ${packet.toString('hex')}: ${(error as Error).message}`);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

if (process.argv[1]?.endsWith('fuzz.js')) {
  const { values } = parseArgs({
    options: {
      packets: { type: 'string', default: '1000000' },
      http: { type: 'boolean', default: false },
      requests: { type: 'string', default: '50000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const startedMs = performance.now();
  const seed = Number(values.seed);
  const outcomes = values.http
    ? await (await import('./fuzz-http.js')).fuzzHttp(['uws', 'node'], Number(values.requests), randomFrom(seed))
    : fuzz(Number(values.packets), seed);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const what = values.http ? `${values.requests} requests` : `${values.packets} packets`;
  console.log(`${what} from seed ${seed} in ${seconds} s, none broke a rule:`);
  for (const [outcome, count] of [...outcomes].sort((a, b) => b[1] - a[1]))
    console.log(`  ${String(count).padStart(9)} ${outcome}`);
}
