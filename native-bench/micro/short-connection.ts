// What a connection of one request costs as a socket of node:net, and without one.
//
// src/listeners/short-connections.ts relies on it: behind nginx a uwsgi request is a connection, and what node:net makes of
//   one costs more than the request itself.
// How: two servers that give everybody the same answer, one on node:net, one on the system calls, loaded in turn by a
//   client that connects for each request; processor time per request of each.
// Run: npx tsc -p test && node build/native-bench/micro/short-connection.js

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { deferAccept } from '../../src/base/native-sockets.js';
import { streamCalls } from '../../src/base/native-streams.js';
import { ShortConnections } from '../../src/listeners/short-connections.js';
import { Watch } from '../../src/listeners/watch.js';
import { cpuTicksOf, readTree, TICK_US } from '../proc.js';
import { table } from '../report.js';
import { median } from '../statistics.js';
import { runUwsgiLoad } from '../wrk.js';

const ROUNDS = 5;
const SECONDS = 3;
const CONNECTIONS = 32;
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const KINDS = ['node:net', 'system calls'] as const;
type Kind = (typeof KINDS)[number];

const self = fileURLToPath(import.meta.url);
const kind = process.argv[2];
if (kind === undefined) await compare();
else await serve(kind as Kind);

/** The server under test; prints its port. */
async function serve(kind: Kind): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(ANSWER));
  });
  server.listen(0, '127.0.0.1', 1024);
  await once(server, 'listening');
  console.log((server.address() as { port: number }).port);
  if (kind === 'system calls') withoutSockets(server);
}

function withoutSockets(server: Server): void {
  const calls = streamCalls();
  if (calls === undefined) throw new Error('koffi has no binary for this machine');
  const fd = calls.duplicate((server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd);
  server.close();
  deferAccept(fd, 1); // else most come before anything has been sent on them, and become sockets
  const connections = new ShortConnections(calls, fd, new Watch(), {
    welcome: () => true,
    onConnection(connection, start) {
      if (start.length > 0) {
        connection.sendLast(ANSWER);
        return;
      }
      const socket = connection.toSocket();
      socket.on('error', () => {}).once('data', () => socket.end(ANSWER));
    },
    onClosed: () => {},
  });
  process.once('SIGTERM', () => {
    connections.stop(0);
    process.exit(0);
  });
}

/** Loads one server once. µs of processor time per request, and requests per second. */
async function measure(kind: Kind) {
  const server = spawn(process.execPath, [self, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const load = (seconds: number) => runUwsgiLoad(Number(line), { connections: CONNECTIONS, seconds, path: '/' });
  await load(1);
  const ticks = () => cpuTicksOf(readTree(server.pid!));
  const before = ticks();
  const { requests, requestsPerSecond } = await load(SECONDS);
  const cpuUs = ((ticks() - before) * TICK_US) / requests;
  server.kill('SIGTERM');
  await once(server, 'exit');
  return { cpuUs, requestsPerSecond };
}

async function compare(): Promise<void> {
  const rounds: Record<Kind, Awaited<ReturnType<typeof measure>>[]> = { 'node:net': [], 'system calls': [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of KINDS) rounds[kind].push(await measure(kind));
  }
  const rows = KINDS.map((kind) => [
    kind,
    (median(rounds[kind].map(({ cpuUs }) => cpuUs)) ?? 0).toFixed(1),
    String(Math.round(median(rounds[kind].map(({ requestsPerSecond }) => requestsPerSecond)) ?? 0)),
  ]);
  console.log(`median of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} clients, Node ${process.version}\n`);
  console.log(table(['server', 'CPU µs/req', 'req/s'], rows).join('\n'));
}
