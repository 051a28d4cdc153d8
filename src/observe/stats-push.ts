// --stats-push: figures sent to whoever wants them without being asked.
//
// A target that fails is told once, and once when it takes something again; nothing waits for it. Metrics go one per
//   datagram, as uWSGI sends them.
// statsd adds up what it gets of a counter, so it gets what has been added since the last time.
// Decided elsewhere: the targets (config/stats-push.ts), the metrics (stats/uwsgi-metrics.ts), the JSON (control-plane.ts).

import { createSocket } from 'node:dgram';
import { appendFile } from 'node:fs/promises';
import type { Log } from '../base/log.js';
import type { DatagramPush, FilePush, StatsPush } from '../config/stats-push.js';
import { METRIC_TYPES, type UwsgiMetric } from './stats/uwsgi-metrics.js';

export interface PushPlan {
  readonly frequencyMs: number;
  /** To statsd: all metrics as gauges, and those of single workers. */
  readonly allGauges: boolean;
  readonly withWorkers: boolean;
}

/** Where the figures come from. */
export interface PushSources {
  readonly metrics: () => Promise<readonly UwsgiMetric[]>;
  /** The statistics as text. */
  readonly json: () => Promise<string>;
}

/** Sends figures once; `close` ends it. */
interface Pusher {
  readonly name: string;
  push(sources: PushSources): Promise<void>;
  close(): void;
}

export class StatsPusher {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #pushers: Pusher[] = [];

  /** Begins to send. `plan` holds for all `targets`. */
  constructor(targets: readonly StatsPush[], plan: PushPlan, sources: PushSources, log: Log) {
    for (const target of targets) {
      const pusher = target.kind === 'file' ? filePusher(target) : datagramPusher(target, plan);
      const everyMs = target.kind === 'file' ? (target.frequencyMs ?? plan.frequencyMs) : plan.frequencyMs;
      this.#pushers.push(pusher);
      this.#timers.push(repeat(pusher, everyMs, sources, log));
    }
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const pusher of this.#pushers.splice(0)) pusher.close();
  }
}

function repeat(pusher: Pusher, everyMs: number, sources: PushSources, log: Log): NodeJS.Timeout {
  let isFailing = false;
  let isBusy = false;
  const push = async () => {
    if (isBusy) return; // the target is slow: one at a time
    isBusy = true;
    try {
      await pusher.push(sources);
      if (isFailing) log.line(`statistics reach ${pusher.name} again`);
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.line(`cannot send statistics to ${pusher.name}: ${(error as Error).message}`);
      isFailing = true;
    }
    isBusy = false;
  };
  const timer = setInterval(push, everyMs);
  timer.unref();
  return timer;
}

function filePusher({ path, separator }: FilePush): Pusher {
  return {
    name: path,
    push: async ({ json }) => appendFile(path, (await json()).trimEnd() + separator, { mode: 0o640 }),
    close: () => {},
  };
}

function datagramPusher({ kind, host, port, prefix }: DatagramPush, plan: PushPlan): Pusher {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.unref();
  socket.on('error', () => {}); // each send tells its own
  const send = (text: string) =>
    new Promise<void>((resolve, reject) => {
      socket.send(`${prefix}.${text}`, port, host, (error) => (error === null ? resolve() : reject(error)));
    });
  const lines = kind === 'statsd' ? statsdLines(plan) : socketLines;
  return {
    name: `${kind}:${host}:${port}`,
    push: async ({ metrics }) => {
      for (const line of lines(await metrics())) await send(line);
    },
    close: () => socket.close(),
  };
}

const socketLines = (metrics: readonly UwsgiMetric[]) =>
  metrics.map(({ name, type, value }) => `${name} ${METRIC_TYPES[type]} ${value}`);

/** What statsd is sent, from one time to the next. */
function statsdLines({ allGauges, withWorkers }: PushPlan): (metrics: readonly UwsgiMetric[]) => string[] {
  const before = new Map<string, number>();
  return (metrics) =>
    metrics
      .filter(({ name }) => withWorkers || !name.startsWith('worker.'))
      .map(({ name, type, value }) => {
        if (allGauges || type !== 'counter') return `${name}:${value}|g`;
        const added = Math.max(0, value - (before.get(name) ?? 0));
        before.set(name, value);
        return `${name}:${added}|c`;
      });
}
