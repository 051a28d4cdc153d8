// A Python app's workers: a zygote, started again when it has ended, and the certainty that the dead are dead.
//
// Workers die with their zygote (bridge.py), but the kernel does not say when they have. Until their processes are gone
//   they may still write to the arena, so `onGone` is told only then.
// Decided elsewhere: when workers are started and replaced (lifecycle/supervisor.ts).

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Arena } from '../../arena/arena.js';
import type { HostEvents, WorkerHost } from '../host.js';
import { type PythonApp, Zygote } from './zygote.js';

/** How often it is looked whether a process is gone. */
const LOOK_MS = 5;
/** How long a hung-up zygote may take to end before it is killed. */
const END_MS = 3000;

export class PythonHost implements WorkerHost {
  readonly ownProcesses = true;
  readonly #app: PythonApp;
  readonly #arena: Arena;
  readonly #doorbellFd: number;
  readonly #events: HostEvents;
  readonly #pids = new Map<number, number>();
  #zygote: Zygote | undefined;

  constructor(app: PythonApp, arena: Arena, doorbellFd: number, events: HostEvents) {
    this.#app = app;
    this.#arena = arena;
    this.#doorbellFd = doorbellFd;
    this.#events = events;
  }

  async start(): Promise<void> {
    this.#pids.clear();
    this.#zygote = await Zygote.start(this.#app, this.#arena, this.#doorbellFd, {
      onForked: (worker, pid) => {
        this.#pids.set(worker, pid);
        this.#events.onStarted(worker, pid);
      },
      onEnded: (worker, why) => {
        this.#pids.delete(worker);
        this.#events.onEnded(worker, why);
      },
      onOutput: (worker, text) => this.#events.onOutput(worker, text),
      onGone: (why) => void this.#onGone(why),
    });
  }

  async #onGone(why: string): Promise<void> {
    const { python } = this.#app;
    while ([...this.#pids.values()].some(isAlive)) await delay(LOOK_MS);
    this.#events.onGone(`the zygote (${python}) ${why}`);
  }

  get description(): string {
    const zygote = this.#zygote;
    if (zygote === undefined) return this.#app.python;
    return `Python ${zygote.pythonVersion}, zygote pid ${zygote.pid}, loaded in ${Math.round(zygote.loadMs)} ms`;
  }

  spawn(worker: number): void {
    this.#zygote?.fork(worker);
  }

  kill(worker: number): void {
    this.#zygote?.kill(worker);
  }

  async end(): Promise<void> {
    const zygote = this.#zygote;
    if (zygote === undefined) return;
    const timer = setTimeout(() => zygote.destroy(), END_MS);
    await zygote.end();
    clearTimeout(timer);
  }
}

/** Whether a process exists and is no zombie. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2]!);
  } catch {
    return false;
  }
}
