// What it costs a request to ask uWebSockets.js whose connection it came on.
//
// src/listeners/peer-addresses.ts relies on it: asking costs so much that a listener whose connections all come from
//   one address is better off to remember it.
// How: two servers that differ in that one call, loaded in turn by wrk; processor time per request of each.
// Run: npx tsc -p test && node build/native-bench/micro/peer-address.js

import { fileURLToPath } from 'node:url';
import { loadUws } from '../../src/listeners/uws-module.js';
import { findProgram } from '../paths.js';
import { cpuTicksOf, TICK_US } from '../proc.js';
import { table } from '../report.js';
import { freePort, ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import { runWrk } from '../wrk.js';

const ROUNDS = 5;
const SECONDS = 3;
const CONNECTIONS = 64;
const HEAD_BYTES = 4096;
const BODY = 'Hello, world!\n';
const KINDS = ['does not ask', 'asks'] as const;
type Kind = (typeof KINDS)[number];

const [, self, kind, port] = process.argv;
if (kind === undefined) await compare();
else serve(kind as Kind, Number(port));

/** The server under test. What it is told goes into the answer's status text, so that the call cannot be left out. */
function serve(kind: Kind, port: number): void {
  const uws = loadUws(HEAD_BYTES);
  if (typeof uws === 'string') throw new Error(uws);
  const app = uws.App();
  if (kind === 'asks') {
    app.any('/*', (res) => {
      const peer = Buffer.from(res.getRemoteAddressAsText()).toString('latin1');
      res.writeStatus(peer === '' ? '500 Nobody' : '200 OK').end(BODY);
    });
  } else {
    app.any('/*', (res) => {
      res.writeStatus('200 OK').end(BODY);
    });
  }
  app.listen('127.0.0.1', port, (socket) => {
    if (!socket) process.exit(1);
  });
}

/** Loads one server once. µs of processor time per request, and requests per second. */
async function measure(kind: Kind, wrk: string) {
  const port = await freePort();
  const command = [process.execPath, self ?? fileURLToPath(import.meta.url), kind, String(port)];
  const server = await ServerProcess.start(command, {}, port, {
    path: '/',
    postBytes: undefined,
    bodyBytes: BODY.length,
  });
  try {
    const load = { connections: CONNECTIONS, path: '/' };
    await runWrk(wrk, port, { ...load, seconds: 1 });
    const before = cpuTicksOf(server.tree());
    const { requests, requestsPerSecond } = await runWrk(wrk, port, { ...load, seconds: SECONDS });
    return { cpuUs: ((cpuTicksOf(server.tree()) - before) * TICK_US) / requests, requestsPerSecond };
  } finally {
    await server.end('SIGTERM');
  }
}

async function compare(): Promise<void> {
  const wrk = findProgram('wrk');
  if (wrk === undefined) throw new Error('wrk is not installed (Debian: wrk)');
  const rounds: Record<Kind, Awaited<ReturnType<typeof measure>>[]> = { 'does not ask': [], asks: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of KINDS) rounds[kind].push(await measure(kind, wrk));
  }
  const cpuUs = (kind: Kind) => rounds[kind].map((one) => one.cpuUs);
  const difference = median(cpuUs('asks').map((asking, round) => asking - cpuUs('does not ask')[round]!)) ?? 0;
  const rows = KINDS.map((kind) => [
    kind,
    (median(cpuUs(kind)) ?? 0).toFixed(2),
    String(Math.round(median(rounds[kind].map((one) => one.requestsPerSecond)) ?? 0)),
  ]);
  console.log(`median of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections, Node ${process.version}\n`);
  console.log(
    table(['server', 'CPU µs/req', 'req/s'], [...rows, ['difference', difference.toFixed(2), '']]).join('\n'),
  );
}
