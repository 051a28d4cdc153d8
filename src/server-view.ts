// What the statistics see of the server: figures of apps, workers and sockets, put together when somebody looks.
//
// Decided elsewhere: what is shown of it (observe/).

import type { Exchange } from './dispatch/exchange.js';
import type { RequestVariables } from './dispatch/request-variables.js';
import type { WorkerPort } from './dispatch/worker-port.js';
import type { Seat } from './lifecycle/crew.js';
import { coresOf, type HostedApp } from './lifecycle/hosted-app.js';
import type { ListenerPlan } from './listener-plan.js';
import type { AppView, RunningRequest, ServerView, SocketView, WorkerStatus, WorkerView } from './observe/view.js';
import type { Companions } from './process/companions.js';

/** What the view is made of. */
export interface Visible {
  readonly version: string;
  readonly startedAtMs: number;
  readonly maxQueue: number;
  readonly isDraining: boolean;
  readonly apps: readonly HostedApp[];
  /** Per app. */
  readonly variables: readonly RequestVariables[];
  readonly listeners: readonly ListenerPlan[];
  /** Ports and engines of the listeners, in the same order; shorter while not all are open. */
  readonly ports: readonly number[];
  readonly engines: readonly string[];
  readonly companions: Companions;
  readonly logLinesLost: number;
}

export function serverView(visible: Visible): ServerView {
  const { apps, version, startedAtMs } = visible;
  return {
    version,
    startedAtMs,
    isDraining: visible.isDraining,
    apps: apps.map((app, i) => appView(app, i)),
    workers: apps.flatMap((app, i) => app.supervisor.crew.seats.map((seat) => workerView(app, i, seat))),
    sockets: visible.listeners.map((listener, i) => socketView(listener, i, visible)),
    daemons: visible.companions.daemons.map(({ plan, pid, respawns }) => ({ command: plan.command, pid, respawns })),
    crons: visible.companions.crons.states.map(({ job, pid, startedAtS }) => {
      return { rule: job.rule, command: job.command, unique: job.unique, pid, startedAtS };
    }),
    running: apps.flatMap((app, i) => runningRequests(app, visible.variables[i]!)),
    logLinesLost: visible.logLinesLost,
  };
}

function appView({ definition, dispatcher, supervisor, startupMs, failure }: HostedApp, index: number): AppView {
  const { name, host, mount, program, threads } = definition;
  const { arena } = dispatcher;
  return {
    index,
    name,
    mount,
    host,
    failure: failure?.message.split('\n')[0], // the traceback is for the log
    language: program.kind,
    threads,
    directory: program.kind === 'python' ? program.directory : '',
    startupSeconds: Math.round(startupMs / 1000),
    inFlight: dispatcher.inFlight,
    waiting: dispatcher.waiting,
    slots: arena.slots,
    slotsInUse: arena.slotsInUse,
    arenaBytes: arena.geometry.totalBytes,
    serviceMs: dispatcher.serviceMs,
    counters: dispatcher.counters,
    reloads: supervisor.reloads.entries,
    reloadCounts: supervisor.reloads.counts,
    ends: supervisor.crew.ends,
  };
}

function workerView({ definition, dispatcher, signals }: HostedApp, app: number, seat: Seat): WorkerView {
  const { current } = seat;
  const isProcess = definition.program.kind === 'python';
  const cores = coresOf(definition);
  const common = {
    id: seat.id,
    app,
    cores,
    spawns: seat.spawns,
    lastSpawnAtMs: seat.lastSpawnAtMs,
    harakiri: seat.harakiris,
    signals: signals.handledBy(seat.id),
  };
  if (current === undefined || current.port.taskId === 0) {
    const status = seat.isWanted ? 'dead' : 'cheap';
    return { ...common, pid: 0, thread: 0, status, accepting: false, inFlight: 0, answered: 0, heapBytes: 0 };
  }
  const { port } = current;
  return {
    ...common,
    pid: isProcess ? port.taskId : process.pid,
    thread: isProcess ? 0 : port.taskId,
    status: dispatcher.paused && port.inFlight === 0 ? 'pause' : statusOf(port),
    accepting: port.accepting,
    inFlight: port.inFlight,
    answered: port.answered,
    heapBytes: isProcess ? 0 : current.memory.rssBytes,
  };
}

function statusOf(port: WorkerPort): WorkerStatus {
  switch (port.state) {
    case 'serving':
      return port.inFlight > 0 ? 'busy' : 'idle';
    case 'starting':
    case 'standby':
      return 'starting';
    case 'dead':
      return 'dead';
    default:
      return 'leaving';
  }
}

function socketView({ place, engine }: ListenerPlan, index: number, visible: Visible): SocketView {
  const port = visible.ports[index] ?? 0;
  const { address } = place;
  const name = address.kind === 'tcp' && port > 0 ? `${address.host}:${port}` : address.text;
  return {
    name,
    proto: engine === 'uwsgi' ? 'uwsgi' : 'http',
    engine: visible.engines[index] ?? '',
    port,
    maxQueue: visible.maxQueue,
  };
}

function runningRequests({ dispatcher, definition }: HostedApp, variables: RequestVariables): RunningRequest[] {
  const nowMs = performance.now();
  const isProcess = definition.program.kind === 'python';
  return dispatcher.outstanding().map(({ exchange, worker, core }) => {
    const { record } = exchange;
    const isStarted = core >= 0 || !isProcess; // a JS thread begins whatever it gets
    const read = (name: string) => variables.get(exchange.slot, exchange.entry, name) ?? '';
    return {
      worker: worker.workerId,
      core: Math.max(0, core),
      isStarted,
      method: record.method,
      target: record.target,
      peer: record.peer,
      protocol: record.protocol,
      user: record.user,
      host: read('HTTP_HOST'),
      userAgent: read('HTTP_USER_AGENT'),
      contentLength: read('CONTENT_LENGTH'),
      runsMs: isStarted ? nowMs - beganMs(exchange, worker, core) : 0,
      ageMs: nowMs - record.arrivedAtMs,
    };
  });
}

/** When its thread was free for a request, as far as that can be told from outside. */
function beganMs(exchange: Exchange, worker: WorkerPort, core: number): number {
  const thread = worker.answers[Math.max(0, core)]!;
  return Math.max(exchange.record.completeAtMs, core < 0 ? 0 : thread.freeSinceMs);
}
