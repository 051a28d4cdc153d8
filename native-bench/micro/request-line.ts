// What a line of the request log costs to put together, as bytes and as a string.
//
// src/observe/log/line-buffer.ts relies on it.
// How: a million lines of a thousand requests, into memory, a batch at a time; once of requests that differ in nearly
//   everything, and once of requests that are alike, as in a load test or behind a health check.
// Run: npx tsc -p test && node build/native-bench/micro/request-line.js

import { ExchangeRecord } from '../../src/dispatch/exchange.js';
import { ctime } from '../../src/observe/log/calendar.js';
import { LineBuffer } from '../../src/observe/log/line-buffer.js';
import type { LoggedRequest } from '../../src/observe/log/logged-request.js';
import { defaultLine, mostBytes } from '../../src/observe/log/request-line.js';
import { table } from '../report.js';
import { median } from '../statistics.js';

const ROUNDS = 5;
const LINES = 1_000_000;
const BATCH_BYTES = 64 << 10;
const SINK = Buffer.alloc(4 * BATCH_BYTES);
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;

function request(i: number, isAlike: boolean): LoggedRequest {
  const record = Object.assign(new ExchangeRecord(), {
    method: 'GET',
    target: Buffer.from(`/items/${i}?q=abc`).toString('latin1'),
    protocol: 'HTTP/1.1',
    peer: '127.0.0.1',
    variables: 12,
    environBytes: isAlike ? 246 : 246 + (i % 7),
    status: 200,
    fields: 2,
    headBytes: 51,
    bodyBytes: 12_345 + i,
    core: isAlike ? 0 : i & 1,
    arrivedAtMs: i / 10,
  });
  const variable = () => undefined;
  const who = {
    address: record.peer,
    pid: 16_859,
    worker: 1,
    app: 0,
    ofWorker: i * 7,
    ofServer: i * 13,
    headBytes: 64,
  };
  const rest = { isAborted: false, rssBytes: 0, addressSpaceBytes: 0, variable, logVariable: variable };
  return { record, ...who, ...rest, nowMs: record.arrivedAtMs + (i % 3) };
}

type Requests = readonly LoggedRequest[];
const some = (isAlike: boolean): Requests => Array.from({ length: 1000 }, (_, i) => request(i, isAlike));

function asBytes(requests: Requests): void {
  const out = new LineBuffer(2 * BATCH_BYTES);
  const put = defaultLine(false);
  for (let i = 0; i < LINES; i++) {
    const each = requests[i % requests.length]!;
    if (out.length + mostBytes(each) > out.bytes.length) out.clear();
    put(out, each);
    out.end();
  }
}

function asString(requests: Requests): void {
  const date = ctime(new Date());
  let lines = '';
  for (let i = 0; i < LINES; i++) {
    const { record, pid, app, ofWorker, ofServer, nowMs, headBytes } = requests[i % requests.length]!;
    const target = PLAIN.test(record.target) ? record.target : JSON.stringify(record.target);
    lines +=
      `[pid: ${pid}|app: ${app}|req: ${ofWorker}/${ofServer}] ${record.peer} (${record.user}) ` +
      `{${2 * record.variables} vars in ${record.environBytes} bytes} [${date}] ${record.method} ${target} => ` +
      `generated ${record.bodyBytes} bytes in ${Math.floor(nowMs - record.arrivedAtMs)} msecs ` +
      `(${record.protocol} ${record.status}) ${record.fields} headers in ${headBytes} bytes ` +
      `(1 switches on core ${record.core})\n`;
    if (lines.length > BATCH_BYTES) {
      SINK.write(lines, 0, 'utf8');
      lines = '';
    }
  }
}

const KINDS = [
  { name: 'as bytes, different requests', run: asBytes, requests: some(false) },
  { name: 'as bytes, requests alike', run: asBytes, requests: some(true) },
  { name: 'as a string, different requests', run: asString, requests: some(false) },
].map((kind) => ({ ...kind, ns: [] as number[] }));
for (let round = 0; round < ROUNDS; round++) {
  for (const { run, requests, ns } of KINDS) {
    const before = process.cpuUsage();
    run(requests);
    const { user, system } = process.cpuUsage(before);
    ns.push(((user + system) * 1000) / LINES);
  }
}
const rows = KINDS.map(({ name, ns }) => [name, median(ns)?.toFixed(0) ?? '', Math.min(...ns).toFixed(0)]);
console.log(table(['a line', 'ns of processor time', 'the least'], rows).join('\n'));
