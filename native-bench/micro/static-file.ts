// What a static file costs, and what it costs an app that static files stand in front of it.
//
// src/edge/static/file-store.ts relies on it: a file in memory, looked at by one stat, is sent for a fraction of what it
//   takes to open and check it anew (the file that is one byte too long to be kept); one that need not be looked at
//   (--static-cache-paths) for less still.
// How: the server itself, loaded by wrk; processor time of it and its workers per request.
// Run: npm run build && npx tsc -p test && node build/native-bench/micro/static-file.js

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../paths.js';
import { cpuTicksOf, TICK_US } from '../proc.js';
import { table } from '../report.js';
import { freePort, ServerProcess } from '../server-process.js';
import { median } from '../statistics.js';
import { runWrk } from '../wrk.js';

const ROUNDS = 3;
const SECONDS = 2;
const CONNECTIONS = 32;
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** The longest file that is kept in memory. */
const KEPT_BYTES = 256 << 10;

const wrk = findProgram('wrk');
if (wrk === undefined) throw new Error('wrk is not installed (Debian: wrk)');
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-static-'));
const HELLO = 'hello\n';
const FILES = { small: 100, kept: KEPT_BYTES, long: KEPT_BYTES + 1 };
for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(directory, name), Buffer.alloc(bytes, 'x'));

const mapped = ['--static-map', `/static=${directory}`];
const trusting = [...mapped, '--static-cache-paths', '60'];
// biome-ignore format: a table
const CASES: readonly (readonly [what: string, args: readonly string[], path: string, bytes: number])[] = [
  ['app, nothing in front',                  [],                               '/',              HELLO.length],
  ['app, static-map for other paths',        mapped,                           '/',              HELLO.length],
  ['app, check-static looks for its path',   ['--check-static', directory],    '/app',           HELLO.length],
  ['100 bytes, looked at',                   mapped,                           '/static/small',  FILES.small],
  ['100 bytes, trusted',                     trusting,                         '/static/small',  FILES.small],
  ['256 KiB, looked at',                     mapped,                           '/static/kept',   FILES.kept],
  ['256 KiB and a byte, opened anew',        mapped,                           '/static/long',   FILES.long],
];

async function measure(args: readonly string[], path: string, bodyBytes: number) {
  const port = await freePort();
  const app = join(ROOT, 'test/apps/hello.py');
  const options = ['--http', `127.0.0.1:${port}`, '--wsgi-file', app, '--disable-logging', ...args];
  const command = [process.execPath, join(ROOT, 'dist/cli.js'), ...options];
  const server = await ServerProcess.start(command, {}, port, { path, postBytes: undefined, bodyBytes });
  try {
    const load = { connections: CONNECTIONS, path };
    await runWrk(wrk!, port, { ...load, seconds: 1 });
    const before = cpuTicksOf(server.tree());
    const { requests, requestsPerSecond } = await runWrk(wrk!, port, { ...load, seconds: SECONDS });
    return { cpuUs: ((cpuTicksOf(server.tree()) - before) * TICK_US) / requests, requestsPerSecond };
  } finally {
    await server.end('SIGTERM');
  }
}

const rows: string[][] = [];
for (const [what, args, path, bytes] of CASES) {
  const rounds: Awaited<ReturnType<typeof measure>>[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(args, path, bytes));
  const cpuUs = median(rounds.map((one) => one.cpuUs)) ?? 0;
  const perSecond = median(rounds.map((one) => one.requestsPerSecond)) ?? 0;
  rows.push([what, cpuUs.toFixed(1), String(Math.round(perSecond))]);
}
rmSync(directory, { recursive: true });
console.log(`median of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections, Node ${process.version}\n`);
console.log(table(['request', 'CPU µs/req', 'req/s'], rows).join('\n'));
