// A Python app's workers: a zygote per generation, and the certainty that the dead are dead.
//
// Workers die with their zygote (bridge.py), but the kernel does not say when they have. Until their processes are gone
//   they may still write to the arena, so `onGone` is told only then.
// Decided elsewhere: when workers are started and replaced (lifecycle/).

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Arena } from '../../arena/arena.js';
import { AppSignals } from '../app-signals.js';
import type { Generation, HostEvents, WorkerHost } from '../host.js';
import type { WorkerProbe } from '../probe.js';
import { PythonProbe } from './python-probe.js';
import { type PythonApp, Zygote } from './zygote.js';

/** How often it is looked whether a process is gone. */
const LOOK_MS = 5;
/** How long a hung-up zygote may take to end before it is killed. */
const END_MS = 3000;

export class PythonHost implements WorkerHost {
  readonly ownProcesses = true;
  /** What the next `load` loads. */
  app: PythonApp;
  #loads = 0;
  readonly #arena: Arena;
  readonly #doorbellFd: number;
  readonly #events: HostEvents;

  constructor(app: PythonApp, arena: Arena, doorbellFd: number, events: HostEvents) {
    this.app = app;
    this.#arena = arena;
    this.#doorbellFd = doorbellFd;
    this.#events = events;
  }

  async load(): Promise<Generation> {
    const { python } = this.app;
    /** The worker processes that live, by place. */
    const pids = new Map<number, number>();
    const signals = new AppSignals();
    let generation: ZygoteGeneration | undefined;
    let isEnding = false;
    const zygote = await Zygote.start(this.app, this.#loads++ > 0, this.#arena, this.#doorbellFd, {
      onForked: (place, pid) => {
        pids.set(place, pid);
        this.#events.onStarted(place, pid);
      },
      onEnded: (place, why) => {
        pids.delete(place);
        this.#events.onEnded(place, why);
      },
      onOutput: (place, text) => this.#events.onOutput(place, text),
      onSaid: (place, said) => {
        if (!signals.hear(said)) this.#events.onOutput(place, `signals: ${JSON.stringify(said)} cannot be done\n`);
      },
      onAsked: (about) => this.#events.onAsked(about),
      onGone: async (why) => {
        while ([...pids.values()].some(isAlive)) await delay(LOOK_MS);
        if (!isEnding) this.#events.onGone(generation!, `the zygote (${python}) ${why}`);
      },
    });
    const probe = (place: number) => {
      const pid = pids.get(place);
      return pid === undefined ? undefined : new PythonProbe(this.#arena, place, pid, () => zygote.dump(place));
    };
    const onEnd = () => {
      isEnding = true;
    };
    generation = new ZygoteGeneration(zygote, signals, probe, onEnd);
    return generation;
  }
}

class ZygoteGeneration implements Generation {
  readonly #zygote: Zygote;
  readonly signals: AppSignals;
  readonly probe: (place: number) => WorkerProbe | undefined;
  readonly #onEnd: () => void;

  constructor(
    zygote: Zygote,
    signals: AppSignals,
    probe: (place: number) => WorkerProbe | undefined,
    onEnd: () => void,
  ) {
    this.#zygote = zygote;
    this.signals = signals;
    this.probe = probe;
    this.#onEnd = onEnd;
  }

  get description(): string {
    const { pythonVersion, pid, loadMs } = this.#zygote;
    return `Python ${pythonVersion}, zygote pid ${pid}, loaded in ${Math.round(loadMs)} ms`;
  }

  spawn(place: number, workerId: number): void {
    this.#zygote.fork(place, workerId);
  }

  kill(place: number): void {
    this.#zygote.kill(place);
  }

  breakOff(): void {
    // its watcher was woken (bridge_watch.py)
  }

  showStacks(place: number): void {
    this.#zygote.showStacks(place);
  }

  async end(): Promise<void> {
    this.#onEnd();
    const timer = setTimeout(() => this.#zygote.destroy(), END_MS);
    await this.#zygote.end();
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
