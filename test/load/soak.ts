// Mixed load for as long as one likes: clients of every kind by every way to both apps, while workers are killed.
//
// What must hold at the end: every answer belonged to its request, none was started twice, none is unaccounted for but those
//   that ran in a worker that was killed, no slot and no descriptor is held by nobody, and memory has not grown.
// Decided elsewhere: what counts as what (ledger.ts), the ways (ways.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { descendants, ROOT } from '../e2e/harness.js';
import { randomFrom } from '../fuzz.js';
import type { Ask } from './ask.js';
import type { Manner } from './client.js';
import type { Verdict } from './ledger.js';
import { growth, type MemorySample, sampleMemory } from './memory.js';
import { nextAsk, openFilesOf, Scene } from './scene.js';
import { type AppStats, readStats } from './stats.js';
import { LISTENERS, type Way, waysTo } from './ways.js';

export interface SoakPlan {
  readonly seconds: number;
  /** How long each client rests between two requests, in ms on average. */
  readonly restMs: number;
  readonly seed: number;
  /** Told once a second. */
  onSample?(sample: SoakSample): void;
}

export interface SoakSample extends MemorySample {
  readonly asked: number;
  readonly slotsInUse: number;
  readonly kills: number;
}

export interface SoakResult {
  readonly verdict: Verdict;
  readonly samples: readonly SoakSample[];
  readonly kills: { readonly py: number; readonly js: number; readonly zygote: number; readonly reloads: number };
  /** After all clients have gone: per app. */
  readonly stats: readonly AppStats[];
  readonly problems: readonly string[];
}

/** As soak.yaml has them: workers of each app, and what one of them runs at once. */
const WORKERS = 3;
const THREADS = 2;
const ASYNC = 32;
const SAMPLE_MS = 1000;
/** From one death to the next. */
const KILL_EVERY_MS = 3000;
/** A request that failed this long after a death may have run there. */
const BLAME_MS = 2000;
/** Of requests that failed without such a reason, so many are told in words. */
const MOST_REMARKS = 8;
/** What memory may grow by, in MiB per minute, where the run is long enough to tell. */
const MOST_GROWTH = { mainRssMib: 1, treePssMib: 2 };
const LONG_ENOUGH_SECONDS = 300;
const KIB = 1024;
const MIB = 1 << 20;

/** A kind of client: what it asks for, and in which manner. */
interface Kind {
  readonly name: string;
  readonly clients: number;
  make(random: () => number): readonly [Omit<Ask, 'id'>, Manner?];
}

const between = (random: () => number, low: number, high: number) => Math.floor(low + random() * (high - low));

// biome-ignore format: a table
const KINDS: readonly Kind[] = [
  { name: 'fast',      clients: 4, make: () => [{}] },
  { name: 'slow',      clients: 4, make: (r) => [{ ms: between(r, 20, 300) }] },
  { name: 'big',       clients: 1, make: (r) => [{ bytes: between(r, 100 * KIB, 2 * MIB) }] },
  { name: 'streaming', clients: 1, make: (r) => [{ bytes: between(r, 1, MIB), parts: between(r, 1, 40) }] },
  { name: 'upload',    clients: 1, make: (r) => [{ postBytes: between(r, 1, 300 * KIB) }, { pieceBytes: 20_000 }] },
  { name: 'both',      clients: 1, make: (r) => [{ postBytes: between(r, 1, 100 * KIB), bytes: between(r, 1, 300 * KIB), parts: 3 }] },
  { name: 'leaving',   clients: 1, make: (r) => [{ ms: between(r, 0, 30), bytes: MIB, parts: 20 }, { leaveAfterBytes: between(r, 0, MIB) }] },
  { name: 'gone',      clients: 1, make: (r) => [{ ms: 20, postBytes: between(r, 1, 200 * KIB) }, { leaveAfterBytes: 0 }] },
];

/** Runs `plan` from the start of a server to its end. */
export async function soak(plan: SoakPlan): Promise<SoakResult> {
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-soak-'));
  const statsPath = join(directory, 'stats');
  const scene = await Scene.start([join(ROOT, 'test/load/soak.yaml'), ...LISTENERS, '--stats', statsPath]);
  const ways = waysTo(scene.server.ports);
  try {
    return await new Soak(plan, scene, ways, statsPath).run();
  } finally {
    for (const way of ways) way.close();
    await scene.end();
    rmSync(directory, { recursive: true });
  }
}

class Soak {
  readonly #plan: SoakPlan;
  readonly #scene: Scene;
  readonly #ways: readonly Way[];
  readonly #statsPath: string;
  readonly #random: () => number;
  readonly #samples: SoakSample[] = [];
  readonly #kills = { py: 0, js: 0, zygote: 0, reloads: 0 };
  /** When something was killed, when the server was told to reload, and which requests failed. */
  readonly #killedAtMs: number[] = [];
  readonly #reloadedAtMs: number[] = [];
  readonly #failed: { readonly atMs: number; readonly what: string }[] = [];
  readonly #endAtMs: number;

  constructor(plan: SoakPlan, scene: Scene, ways: readonly Way[], statsPath: string) {
    this.#plan = plan;
    this.#scene = scene;
    this.#ways = ways;
    this.#statsPath = statsPath;
    this.#random = randomFrom(plan.seed);
    this.#endAtMs = performance.now() + plan.seconds * 1000;
  }

  get #isOver(): boolean {
    return performance.now() >= this.#endAtMs;
  }

  async run(): Promise<SoakResult> {
    for (const way of this.#ways) await this.#ask(way, {}); // what is opened once is open now
    const filesBefore = await filesAtRest(this.#scene.server.pid);
    const clients = this.#ways.flatMap((way) =>
      KINDS.flatMap((kind) => Array.from({ length: kind.clients }, () => this.#client(way, kind))),
    );
    await Promise.all([...clients, this.#killer(), this.#sampler()]);
    const stats = await this.#statsAtRest();
    const verdict = this.#scene.verdict();
    const problems = this.#problems(verdict, stats);
    for (const way of this.#ways) way.close(); // connections that clients kept are not the server's to close
    const files = await filesAtRest(this.#scene.server.pid);
    if (files > filesBefore) problems.push(`${files} descriptors are open, ${filesBefore} before`);
    return { verdict, samples: this.#samples, kills: this.#kills, stats, problems };
  }

  async #ask(way: Way, what: Omit<Ask, 'id'>, manner?: Manner): Promise<void> {
    const ask = nextAsk(what);
    const { ending, status, why } = await this.#scene.record(ask, way.ask(ask, manner));
    if (ending === 'lost' || status === 502) {
      this.#failed.push({ atMs: performance.now(), what: `${JSON.stringify(ask)} (${way.name}): ${why}` });
    }
  }

  async #client(way: Way, kind: Kind): Promise<void> {
    const random = this.#random;
    await pause(random() * 500);
    while (!this.#isOver) {
      const [what, manner] = kind.make(random);
      await this.#ask(way, what, manner);
      await pause(random() * 2 * this.#plan.restMs);
    }
  }

  /** Ends something every few seconds: Python workers, JS workers, now and then the zygote; and reloads. */
  async #killer(): Promise<void> {
    for (let turn = 0; ; turn++) {
      await pause(Math.min(KILL_EVERY_MS, Math.max(0, this.#endAtMs - performance.now())));
      if (this.#isOver) return;
      if (turn % 7 === 5) this.#killZygote();
      else if (turn % 7 === 3) this.#reload();
      else if (turn % 2 === 0) this.#killWorker();
      else await this.#killThread();
    }
  }

  #killWorker(): void {
    const { server } = this.#scene;
    const pids = new Set([...server.log.matchAll(/uWSGI worker \d+ \((?:new )?pid: (\d+), cores/g)].map((m) => m[1]));
    const workers = descendants(server.pid).filter((pid) => pids.has(String(pid)));
    if (workers.length === 0) return; // the zygote has just been killed
    process.kill(workers[Math.floor(this.#random() * workers.length)]!, 'SIGKILL');
    this.#kills.py++;
    this.#killedAtMs.push(performance.now());
  }

  async #killThread(): Promise<void> {
    this.#kills.js++;
    this.#killedAtMs.push(performance.now());
    await this.#ask(this.#ways.find(({ app }) => app === 'js')!, { die: true });
  }

  #killZygote(): void {
    const zygotes = [...this.#scene.server.log.matchAll(/zygote pid (\d+)/g)].map((match) => Number(match[1]));
    const living = descendants(this.#scene.server.pid).filter((pid) => zygotes.includes(pid));
    if (living.length === 0) return;
    process.kill(living.at(-1)!, 'SIGKILL');
    this.#kills.zygote++;
    this.#killedAtMs.push(performance.now());
  }

  #reload(): void {
    this.#scene.server.child.kill('SIGHUP');
    this.#kills.reloads++;
    this.#reloadedAtMs.push(performance.now());
  }

  async #sampler(): Promise<void> {
    while (!this.#isOver) {
      await pause(SAMPLE_MS);
      const apps = await readStats(this.#statsPath);
      const { py, js, zygote } = this.#kills;
      const sample = {
        ...sampleMemory(this.#scene.server.pid),
        asked: this.#scene.outcomes.size,
        slotsInUse: apps.reduce((sum, { slots_in_use }) => sum + slots_in_use, 0),
        kills: py + js + zygote,
      };
      this.#samples.push(sample);
      this.#plan.onSample?.(sample);
    }
  }

  /** The statistics once nothing is inside any more; as they are, if that does not come to be. */
  async #statsAtRest(): Promise<readonly AppStats[]> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const apps = await readStats(this.#statsPath);
      const isAtRest = apps.every((app) => app.slots_in_use + app.in_flight + app.waiting === 0);
      if (isAtRest || performance.now() > deadline) return apps;
      await pause(50);
    }
  }

  #problems(verdict: Verdict, stats: readonly AppStats[]): string[] {
    const never = ['wrong', 'twice', 'ghost', 'refused', 'other'] as const;
    const problems = never.filter((what) => verdict[what] > 0).map((what) => `${verdict[what]} ${what}`);
    const { py, js, zygote } = this.#kills;
    const most = py * THREADS + zygote * WORKERS * THREADS + js * ASYNC;
    const failed = verdict.failed + verdict.lost;
    if (failed > most) problems.push(`${failed} failed or cut off, where at most ${most} ran in what was killed`);
    problems.push(...this.#unexplained());
    for (const { name, slots_in_use, in_flight, waiting, counters } of stats) {
      if (slots_in_use + in_flight + waiting > 0) {
        problems.push(`${name}: ${slots_in_use} slots are in use, ${in_flight} in flight, ${waiting} wait, by nobody`);
      }
      if (counters.late! + counters.mad! > 0) problems.push(`${name}: ${counters.late} late, ${counters.mad} mad`);
    }
    if (this.#plan.seconds >= LONG_ENOUGH_SECONDS) problems.push(...grown(this.#samples));
    return problems;
  }

  /** Requests that failed although nothing in which they could have run had just been killed. */
  #unexplained(): string[] {
    const isExplained = (atMs: number) =>
      this.#killedAtMs.some((killedAtMs) => atMs >= killedAtMs && atMs <= killedAtMs + BLAME_MS);
    const unexplained = this.#failed.filter(({ atMs }) => !isExplained(atMs));
    if (unexplained.length === 0) return [];
    const remarks = unexplained.slice(0, MOST_REMARKS).map(({ atMs, what }) => {
      const when = `deaths: ${since(this.#killedAtMs, atMs)}, reloads: ${since(this.#reloadedAtMs, atMs)}`;
      return `failed while nothing had been killed (${when}): ${what}`;
    });
    return [`${unexplained.length} failed while nothing had been killed`, ...remarks];
  }
}

/** How long before `atMs` the last of these times was, in words. */
function since(timesMs: readonly number[], atMs: number): string {
  const last = timesMs.findLast((timeMs) => timeMs <= atMs);
  return last === undefined ? 'before any' : `${Math.round(atMs - last)} ms after one`;
}

/** What has grown more than it may. */
function grown(samples: readonly MemorySample[]): string[] {
  const figures = ['mainRssMib', 'treePssMib'] as const;
  return figures.flatMap((figure) => {
    const { perMinute, first, last } = growth(samples, figure);
    if (perMinute <= MOST_GROWTH[figure]) return [];
    return [`${figure} grows by ${perMinute.toFixed(2)} MiB a minute, from ${first.toFixed(1)} to ${last.toFixed(1)}`];
  });
}

/** The descriptors of a process, once their number stays the same for a moment. */
async function filesAtRest(pid: number): Promise<number> {
  for (let seen = openFilesOf(pid), same = 0; ; ) {
    await pause(100);
    const now = openFilesOf(pid);
    same = now === seen ? same + 1 : 0;
    if (same === 5) return now;
    seen = now;
  }
}
