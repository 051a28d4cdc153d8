// One server, one scenario, one round: started, warmed up, loaded, weighed, ended. The result is its figures.
//
// The order matters: processor time is read right before and right after wrk, with nothing else in between; memory
//   while the server still runs, before the probe opens connections of its own.
// Decided elsewhere: which rounds there are, and what becomes of the figures (run.ts, summary.ts).

import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { LOG_FILE } from './paths.js';
import { countServed, type Served } from './probe.js';
import { cpuTicksOf, pssMibOf, TICK_US } from './proc.js';
import { requestBytes, type Scenario, wrkScript } from './scenarios.js';
import { freePort, ServerProcess } from './server-process.js';
import { commandOf, type Server } from './servers.js';
import { type Load, runUwsgiLoad, runWrk, type WrkReport } from './wrk.js';

const WARM_UP_SECONDS = 1;
/** A server with fewer connections than this has a thread for each in every scenario, so nobody can be left out. */
const PROBED_CONNECTIONS = 64;
/** A server has come to rest when it has used no processor time and started no process for this long. */
const REST_MS = 300;
const REST_LIMIT_MS = 5000;

/** What one round shows. Undefined: not measured in this scenario, or not to be known. */
export interface Figures {
  readonly readyMs: number;
  readonly processes: number;
  readonly pssMib?: number | undefined;
  readonly requests?: number;
  readonly requestsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly errors?: number;
  /** Processor time of all the server's processes. */
  readonly cpuUsPerRequest?: number | undefined;
  readonly served?: Served;
  /** Processes that did not end when they were told to. */
  readonly killed: number;
}

export interface Round {
  readonly seconds: number;
  readonly wrk: string;
  /** Whether this round also counts the connections that are served. */
  readonly probes: boolean;
}

/** Measures once. Throws `ServerFailure` when the server does not start, answer, or stay; undefined: not installed. */
export async function measure(server: Server, scenario: Scenario, round: Round): Promise<Figures | undefined> {
  const port = await freePort();
  const command = commandOf(server, scenario, port);
  if (command === undefined) return undefined;
  const { path, postBytes } = scenario;
  const expected = { path, postBytes, bodyBytes: scenario.app.bodyBytes, protocol: scenario.protocol };
  const running = await ServerProcess.start(command, server.env ?? {}, port, expected);
  let figures: Omit<Figures, 'killed'>;
  try {
    figures = await (scenario.measures === 'start' ? atRest(running) : underLoad(running, server, scenario, round));
    await running.mustRun();
  } catch (error) {
    const cause = await running.mustRun().then(
      () => error,
      (death) => death, // why wrk could not go on
    );
    await running.end('SIGKILL');
    throw cause;
  }
  const killed = await running.end(server.endSignal);
  rmSync(LOG_FILE, { force: true }); // a round may write hundreds of megabytes
  return { ...figures, killed };
}

/** Time to the first answer, and memory once every process has started and come to rest. */
async function atRest(running: ServerProcess): Promise<Omit<Figures, 'killed'>> {
  const untilMs = performance.now() + REST_LIMIT_MS;
  let last = running.tree();
  let restsSinceMs = performance.now();
  while (performance.now() - restsSinceMs < REST_MS && performance.now() < untilMs) {
    await pause(REST_MS / 10);
    const tree = running.tree();
    if (tree.length !== last.length || cpuTicksOf(tree) !== cpuTicksOf(last)) restsSinceMs = performance.now();
    last = tree;
  }
  return { readyMs: running.readyMs, processes: last.length, pssMib: pssMibOf(last) };
}

async function underLoad(
  running: ServerProcess,
  server: Server,
  scenario: Scenario,
  round: Round,
): Promise<Omit<Figures, 'killed'>> {
  const { port, readyMs } = running;
  const { connections, path } = scenario;
  const script = wrkScript(scenario);
  const load: Load = { connections, path, seconds: round.seconds, ...(script && { script }) };
  const run = scenario.protocol === 'uwsgi' ? runUwsgiLoad : (p: number, l: Load) => runWrk(round.wrk, p, l);
  const isForSpeed = scenario.measures === 'load';
  if (isForSpeed) await run(port, { ...load, seconds: WARM_UP_SECONDS });
  const ticksBefore = cpuTicksOf(running.tree());
  const report = await run(port, load);
  const tree = running.tree();
  const cpuUs = (cpuTicksOf(tree) - ticksBefore) * TICK_US;
  const pssMib = pssMibOf(tree);
  const errors = errorsOf(report, server, scenario);
  if (!isForSpeed) return { readyMs, processes: tree.length, pssMib, requests: report.requests, errors };
  const isProbed = round.probes && connections >= PROBED_CONNECTIONS && scenario.front === undefined;
  return {
    readyMs,
    processes: tree.length,
    pssMib,
    requests: report.requests,
    requestsPerSecond: report.requestsPerSecond,
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    errors,
    cpuUsPerRequest: report.requests > 0 ? cpuUs / report.requests : undefined,
    ...(isProbed && { served: await countServed(port, requestBytes(scenario), connections) }),
  };
}

/** All that went wrong; the end of a connection that is the regular end of an answer has not. */
function errorsOf({ errors, requests }: WrkReport, server: Server, scenario: Scenario): number {
  const { connect, read, write, timeout, status } = errors;
  const regularEnds = server.endsByClosing && scenario.app.isUnsized ? Math.min(read, requests) : 0;
  return connect + read - regularEnds + write + timeout + status;
}
