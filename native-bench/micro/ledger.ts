// What counting a request costs the accept thread, when the statistics or the metrics are switched on.
//
// How: a million requests into one ledger; statistics count endpoints too, so it matters how many targets there are.
// Run: npx tsc -p test && node build/native-bench/micro/ledger.js

import { ExchangeRecord } from '../../src/dispatch/exchange.js';
import type { LoggedRequest } from '../../src/observe/log/logged-request.js';
import { Ledger } from '../../src/observe/stats/ledger.js';
import { table } from '../report.js';
import { median } from '../statistics.js';

const ROUNDS = 5;
const REQUESTS = 1_000_000;
const TARGETS = 1000;

/** Targets come fresh from the socket, as strings that have never been looked up. */
function fresh(targets: number): LoggedRequest[] {
  return Array.from({ length: 10_000 }, (_, i) => {
    const record = Object.assign(new ExchangeRecord(), {
      method: 'GET',
      target: Buffer.from(`/items/${i % targets}?page=2`).toString('latin1'),
      status: 200,
      bodyBytes: 1234,
      queueMs: (i % 7) / 10,
      appMs: (i % 50) / 3,
    });
    const who = {
      address: '',
      pid: 1,
      worker: 1,
      app: 0,
      ofWorker: 1,
      ofServer: 1,
      headBytes: 64,
      nowMs: (i % 60) / 2,
    };
    const rest = { isAborted: false, rssBytes: 0, addressSpaceBytes: 0, variable: () => undefined };
    return { record, ...who, ...rest, logVariable: () => undefined };
  });
}

const KINDS = [
  { name: 'for metrics', endpoints: undefined, requests: fresh(TARGETS) },
  { name: 'for statistics, one target', endpoints: [], requests: fresh(1) },
  { name: `for statistics, ${TARGETS} targets`, endpoints: [], requests: fresh(TARGETS) },
  { name: 'for statistics, ever new targets', endpoints: [], requests: fresh(10_000) },
].map((kind) => ({ ...kind, ns: [] as number[] }));

for (let round = 0; round < ROUNDS; round++) {
  for (const { endpoints, requests, ns } of KINDS) {
    const ledger = new Ledger(1, endpoints, () => 2);
    const before = process.cpuUsage();
    for (let i = 0; i < REQUESTS; i++) ledger.add(requests[i % requests.length]!);
    const { user, system } = process.cpuUsage(before);
    ns.push(((user + system) * 1000) / REQUESTS);
  }
}
const rows = KINDS.map(({ name, ns }) => [name, median(ns)?.toFixed(0) ?? '', Math.min(...ns).toFixed(0)]);
console.log(table(['a request', 'ns of processor time', 'the least'], rows).join('\n'));
