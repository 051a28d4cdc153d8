// What is measured from outside, once a second while somebody may look: memory of the workers, connections that wait in
// the kernel, and how late the event loop of the accept thread runs.
//
// Everything is read asynchronously and small; a figure is at most so old as the last look.
// Decided elsewhere: who shows it (uwsgi-stats.ts, own-stats.ts, metrics.ts), how memory is told (worker/process-memory.ts).

import { open } from 'node:fs/promises';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { type MemoryFigures, memoryOf as processMemory } from '../../worker/process-memory.js';
import type { WorkerView } from '../view.js';

const SAMPLE_MS = 1000;
/** Memory that was measured so lately is not measured again. */
const FRESH_MS = 200;
/** Sockets that listen stand in front in /proc/net/tcp; this is room for some hundred. */
const TCP_TABLE_BYTES = 32 << 10;
const LISTEN = '0A';
const LOOP_RESOLUTION_MS = 20;
const NO_MEMORY: MemoryFigures = { rssBytes: 0, asBytes: 0 };

/** The figures that were measured last. */
export interface Samples {
  /** Memory of a process; of its own, without the pages of the arena. */
  memoryOf(pid: number): MemoryFigures;
  /** Connections that wait to be accepted on a TCP port. */
  backlogOf(port: number): number;
  /** How late the event loop of the accept thread runs, in ms, over the last second. */
  readonly loopDelay: { readonly meanMs: number; readonly p99Ms: number; readonly maxMs: number };
  readonly server: MemoryFigures;
}

/** The memory of a worker; of a thread, what it says of its heap. */
export function memoryOf({ pid, thread, heapBytes }: WorkerView, samples: Samples): MemoryFigures {
  return thread === 0 ? samples.memoryOf(pid) : { rssBytes: heapBytes, asBytes: 0 };
}

/** A process, and how large the arenas in it are. */
export interface WatchedProcess {
  readonly pid: number;
  readonly arenaBytes: number;
}

/** Asks for what is to be measured: processes of workers, and ports. */
export interface Subjects {
  readonly processes: () => readonly WatchedProcess[];
  readonly ports: () => readonly number[];
}

export class Sampler implements Samples {
  readonly #subjects: Subjects;
  #memory = new Map<number, MemoryFigures>();
  #backlogs = new Map<number, number>();
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loopDelay = { meanMs: 0, p99Ms: 0, maxMs: 0 };
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;
  #sampledAtMs = 0;

  constructor(subjects: Subjects) {
    this.#subjects = subjects;
  }

  start(): void {
    this.#loop.enable();
    this.#timer = setInterval(() => void this.sample(), SAMPLE_MS);
    this.#timer.unref();
    void this.sample();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop.disable();
  }

  /** Measures now, unless that was done a moment ago. For who wants fresh figures. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#sampledAtMs > FRESH_MS) await this.#measure();
  }

  /** Measures, and begins to watch the event loop anew. */
  async sample(): Promise<void> {
    this.#sampleLoop();
    await this.#measure();
  }

  async #measure(): Promise<void> {
    if (this.#isBusy) return; // the kernel is slow: one look at a time
    this.#isBusy = true;
    this.#sampledAtMs = performance.now();
    const processes = this.#subjects.processes();
    const [memory, backlogs] = await Promise.all([
      readMemory(processes),
      readBacklogs(new Set(this.#subjects.ports())),
    ]);
    this.#memory = memory;
    this.#backlogs = backlogs;
    this.#isBusy = false;
  }

  /** The timer of the monitor runs every LOOP_RESOLUTION_MS; what is above that is delay. */
  #sampleLoop(): void {
    const loop = this.#loop;
    const late = (ns: number) => Math.max(0, ns / 1e6 - LOOP_RESOLUTION_MS);
    if (loop.count > 0) {
      this.loopDelay = { meanMs: late(loop.mean), p99Ms: late(loop.percentile(99)), maxMs: late(loop.max) };
    }
    loop.reset();
  }

  memoryOf(pid: number): MemoryFigures {
    return this.#memory.get(pid) ?? NO_MEMORY;
  }

  get server(): MemoryFigures {
    return this.memoryOf(process.pid);
  }

  backlogOf(port: number): number {
    return this.#backlogs.get(port) ?? 0;
  }
}

async function readMemory(processes: readonly WatchedProcess[]): Promise<Map<number, MemoryFigures>> {
  const entries = processes.map(async ({ pid, arenaBytes }) => {
    return [pid, (await processMemory(pid, arenaBytes)) ?? NO_MEMORY] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Reads how many connections wait on each of `ports`. On Linux rx_queue of a listening socket is that number. */
async function readBacklogs(ports: ReadonlySet<number>): Promise<Map<number, number>> {
  const backlogs = new Map<number, number>();
  if (ports.size === 0) return backlogs;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await firstBytes(table, TCP_TABLE_BYTES)).split('\n').slice(1)) {
      const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
      if (state !== LISTEN) continue;
      const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
      const waiting = Number.parseInt(queues.slice(queues.indexOf(':') + 1), 16);
      if (ports.has(port)) backlogs.set(port, Math.max(backlogs.get(port) ?? 0, waiting));
    }
  }
  return backlogs;
}

async function firstBytes(path: string, bytes: number): Promise<string> {
  try {
    const file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    await file.close();
    return buffer.toString('latin1', 0, bytesRead);
  } catch {
    return ''; // no such protocol, or no /proc
  }
}
