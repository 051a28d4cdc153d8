// A load generator that speaks the uwsgi protocol: a number of clients, each of which connects, sends the packet that
// nginx would send, reads the answer to its end, and begins anew. wrk knows only HTTP.
//
// A process of its own, so that its processor time is not the benchmark's: `uwsgi-load PORT CONNECTIONS SECONDS PATH`
//   prints its report as JSON, in wrk's terms (wrk.ts). A connection per request is the protocol's way, so what the
//   kernel takes for connecting and closing is in every figure, the same for all servers.

import { connect } from 'node:net';
import { packetOf } from '../../src/wire/uwsgi.js';
import type { WrkReport } from '../wrk.js';

const [port, connections, seconds, path] = process.argv.slice(2) as [string, string, string, string];
const STATUS_OK = Buffer.from('HTTP/1.1 2');

/** What nginx's uwsgi_params send for a GET without a body. */
const PACKET = packetOf([
  ['QUERY_STRING', ''],
  ['REQUEST_METHOD', 'GET'],
  ['CONTENT_TYPE', ''],
  ['CONTENT_LENGTH', ''],
  ['REQUEST_URI', path],
  ['PATH_INFO', path],
  ['DOCUMENT_ROOT', '/usr/share/nginx/html'],
  ['SERVER_PROTOCOL', 'HTTP/1.1'],
  ['REQUEST_SCHEME', 'http'],
  ['REMOTE_ADDR', '127.0.0.1'],
  ['REMOTE_PORT', '40000'],
  ['SERVER_PORT', '80'],
  ['SERVER_NAME', 'localhost'],
  ['HTTP_HOST', 'localhost'],
  ['HTTP_USER_AGENT', 'uwsgi-load'],
]);

const latenciesMs: number[] = [];
const errors = { connect: 0, read: 0, write: 0, timeout: 0, status: 0 };
const startedMs = performance.now();
const untilMs = startedMs + Number(seconds) * 1000;

function ask(): Promise<void> {
  return new Promise((resolve) => {
    const beginMs = performance.now();
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
    let first: Buffer | undefined;
    let failed = false;
    socket.on('connect', () => socket.write(PACKET));
    socket.on('data', (data) => {
      first ??= data;
    });
    socket.on('error', () => {
      failed = true;
      if (first === undefined) errors.connect++;
      else errors.read++;
    });
    socket.on('close', () => {
      if (!failed) {
        // a status line in any version of HTTP: uWSGI echoes the request's
        if (first === undefined || first.compare(STATUS_OK, 8, 10, 8, 10) !== 0) errors.status++;
        else latenciesMs.push(performance.now() - beginMs);
      }
      resolve();
    });
  });
}

async function client(): Promise<void> {
  while (performance.now() < untilMs) await ask();
}

await Promise.all(Array.from({ length: Number(connections) }, client));
const elapsedSeconds = (performance.now() - startedMs) / 1000;
latenciesMs.sort((a, b) => a - b);
const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0;
const report: WrkReport = {
  requests: latenciesMs.length,
  requestsPerSecond: latenciesMs.length / elapsedSeconds,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  errors,
};
console.log(JSON.stringify(report));
