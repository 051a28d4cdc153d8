// The statistics in uWSGI's form, key by key and unit by unit, for what reads uWSGI's: uwsgitop, exporters, scripts.
//
// uWSGI's keys come first, in its order; what only this server can tell stands under `nuwsgi` (own-stats.ts).
// Not all of uWSGI's: `vars` of a running request are a few that say what it is. uWSGI shows all, cookies and passwords
//   included.
// Decided elsewhere: where the figures come from (view.ts, ledger.ts, sampler.ts), who gets them (endpoint.ts).

import type { CronView, DaemonView, RunningRequest, ServerView, SocketView, WorkerView } from '../view.js';
import type { Ledger, WorkerLedger } from './ledger.js';
import { memoryOf, type Samples } from './sampler.js';

/** uWSGI's locks, which this server has no use for; a reader may look for them. */
const LOCKS = ['user 0', 'signal', 'filemon', 'timer', 'rbtimer', 'cron', 'rpc', 'snmp'];
const micros = (ms: number) => Math.round(ms * 1000);
const seconds = (ms: number) => Math.floor(ms / 1000);

export function uwsgiStats(view: ServerView, ledger: Ledger, samples: Samples, withCores: boolean) {
  const queues = view.sockets.map((socket) => samples.backlogOf(socket.port));
  const waiting = Math.max(0, ...queues);
  return {
    version: view.version,
    listen_queue: waiting,
    listen_queue_errors: 0,
    signal_queue: 0,
    load: waiting,
    pid: process.pid,
    uid: process.getuid!(),
    gid: process.getgid!(),
    cwd: process.cwd(),
    ...(view.daemons.length > 0 && { daemons: view.daemons.map(daemonStats) }),
    locks: LOCKS.map((name) => ({ [name]: 0 })),
    sockets: view.sockets.map((socket, i) => socketStats(socket, queues[i]!)),
    workers: view.workers.map((worker) => workerStats(worker, view, ledger, samples, withCores)),
    ...(view.crons.length > 0 && { crons: view.crons.map(cronStats) }),
  };
}

function daemonStats({ command, pid, respawns }: DaemonView) {
  return { cmd: command, pid, respawns };
}

/** uWSGI says -1 for the process of a job that does not run. */
function cronStats({ rule, command, unique, pid, startedAtS }: CronView) {
  return { ...rule, command, unique: unique ? 1 : 0, legion: '', pid: pid || -1, started_at: startedAtS };
}

function socketStats(socket: SocketView, queue: number) {
  return { name: socket.name, proto: socket.proto, queue, max_queue: socket.maxQueue, shared: 0, can_offload: 0 };
}

/** uWSGI has no word for a worker on its way in or out. */
const STATUS = {
  idle: 'idle',
  busy: 'busy',
  pause: 'pause',
  starting: 'idle',
  leaving: 'busy',
  cheap: 'cheap',
  dead: 'cheap',
} as const;

function workerStats(worker: WorkerView, view: ServerView, ledger: Ledger, samples: Samples, withCores: boolean) {
  const counts = ledger.worker(worker.id, worker.app);
  const app = view.apps[worker.app]!;
  const memory = memoryOf(worker, samples);
  return {
    id: worker.id,
    pid: worker.pid,
    accepting: worker.accepting ? 1 : 0,
    requests: counts.requests,
    delta_requests: worker.answered,
    exceptions: counts.exceptions,
    harakiri_count: worker.harakiri,
    signals: worker.signals,
    signal_queue: 0,
    status: STATUS[worker.status],
    rss: memory.rssBytes,
    vsz: memory.asBytes,
    running_time: micros(counts.runningMs),
    last_spawn: seconds(worker.lastSpawnAtMs),
    respawn_count: worker.spawns,
    tx: counts.txBytes,
    avg_rt: micros(counts.averageMs),
    apps: [
      {
        id: app.index,
        modifier1: 0,
        mountpoint: app.mount,
        startup_time: app.startupSeconds,
        requests: counts.requests,
        exceptions: counts.exceptions,
        chdir: app.directory,
      },
    ],
    ...(withCores && { cores: coresOf(worker, view, counts) }),
  };
}

function coresOf(worker: WorkerView, view: ServerView, counts: WorkerLedger) {
  const mine = view.running.filter((request) => request.worker === worker.id && request.isStarted);
  return Array.from({ length: worker.cores }, (_, id) => {
    const request = mine.find((candidate) => candidate.core === id);
    return {
      id,
      requests: counts.requestsByCore[id]!,
      static_requests: 0,
      routed_requests: 0,
      offloaded_requests: 0,
      write_errors: counts.writeErrorsByCore[id]!,
      read_errors: 0,
      in_request: request === undefined ? 0 : 1,
      vars: request === undefined ? [] : variablesOf(request),
      req_info: request === undefined ? {} : { request_start: seconds(Date.now() - request.runsMs) },
    };
  });
}

/** What says which request it is, as `KEY=VALUE`, with an empty text at the end as uWSGI has it. */
function variablesOf(request: RunningRequest): string[] {
  const query = request.target.indexOf('?');
  // biome-ignore format: a table
  const variables = [
    ['REQUEST_METHOD',  request.method],
    ['REQUEST_URI',     request.target],
    ['PATH_INFO',       query < 0 ? request.target : request.target.slice(0, query)],
    ['SERVER_PROTOCOL', request.protocol],
    ['REMOTE_ADDR',     request.peer],
    ['REMOTE_USER',     request.user],
    ['HTTP_HOST',       request.host],
    ['HTTP_USER_AGENT', request.userAgent],
    ['CONTENT_LENGTH',  request.contentLength],
  ] as const;
  return [...variables.filter(([, value]) => value !== '').map(([name, value]) => `${name}=${value}`), ''];
}
