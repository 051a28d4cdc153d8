// The emperor: looks which configuration files there are, and sees to it that each has its server.
//
// A composition root of its own. It serves nothing, so a fault of a vassal cannot reach the others through it; each is a
//   process of its own that goes on when the emperor reads its files anew.
// Decided elsewhere: how one vassal lives (vassal.ts), which files count (vassal-files.ts).

import type { Server as NetServer } from 'node:net';
import type { Log } from '../base/log.js';
import type { Address } from '../config/address.js';
import { emperorStats, serveStats } from './stats.js';
import { Vassal, type VassalCommand } from './vassal.js';
import { findVassals } from './vassal-files.js';

export interface EmperorPlan {
  /** Directories and patterns. */
  readonly monitors: readonly string[];
  readonly extraExtensions: readonly string[];
  readonly scanEveryMs: number;
  readonly statsAddress: Address | undefined;
  readonly command: VassalCommand;
  readonly version: string;
}

/** How long vassals may take to stop before they are killed: longer than they may take for their own workers. */
const STOP_MERCY_MS = 150_000;

export class Emperor {
  readonly #plan: EmperorPlan;
  readonly #log: Log;
  /** By the paths of their files. */
  readonly #vassals = new Map<string, Vassal>();
  #stats: NetServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #scan: Promise<void> | undefined;
  #onAllGone: (() => void) | undefined;
  #isStopping = false;

  constructor(plan: EmperorPlan, log: Log) {
    this.#plan = plan;
    this.#log = log;
  }

  /** Starts a vassal for every file there is, and goes on looking. Throws `ConfigError`. */
  async start(): Promise<void> {
    const { statsAddress, monitors } = this.#plan;
    if (statsAddress !== undefined) {
      this.#stats = await serveStats(statsAddress, () => this.stats);
      const bound = this.#stats.address();
      const isChosen = statsAddress.kind === 'tcp' && statsAddress.port === 0;
      const port = isChosen && typeof bound === 'object' && bound !== null ? ` (port ${bound.port})` : '';
      this.#log.line(`*** Emperor stats server enabled on ${statsAddress.text}${port} ***`);
    }
    this.#log.line(`*** starting the emperor of ${monitors.join(', ')} ***`);
    await this.rescan();
  }

  get stats(): string {
    return emperorStats(this.#plan.version, this.#plan.monitors, this.#vassals.values());
  }

  /** Looks at once which files there are; after that again and again. */
  rescan(): Promise<void> {
    clearTimeout(this.#timer);
    this.#scan ??= this.#look().finally(() => {
      this.#scan = undefined;
      if (!this.#isStopping) this.#timer = setTimeout(() => void this.rescan(), this.#plan.scanEveryMs);
    });
    return this.#scan;
  }

  async #look(): Promise<void> {
    const found = await findVassals(this.#plan.monitors, this.#plan.extraExtensions);
    if (this.#isStopping) return;
    for (const vassal of this.#vassals.values()) {
      if (found.has(vassal.file.path) || vassal.state === 'stopping') continue;
      this.#log.line(`[emperor] vassal ${vassal.id} has lost its file: it is stopped`);
      vassal.stop();
    }
    for (const [path, file] of found) {
      const vassal = this.#vassals.get(path);
      if (vassal === undefined) this.#add(new Vassal(file, this.#plan.command, this.#log, () => this.#onGone(path)));
      else if (vassal.file.stamp !== file.stamp) vassal.change(file);
    }
  }

  #add(vassal: Vassal): void {
    this.#vassals.set(vassal.file.path, vassal);
    vassal.start();
  }

  #onGone(path: string): void {
    this.#vassals.delete(path);
    if (this.#vassals.size === 0) this.#onAllGone?.();
  }

  /** Loads the apps of all vassals anew, and looks which files there are. */
  async reload(): Promise<void> {
    for (const vassal of this.#vassals.values()) vassal.reload();
    await this.rescan();
  }

  /** Stops all vassals in order; resolves when they are gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#stats?.close();
    const gone = new Promise<void>((resolve) => {
      this.#onAllGone = resolve;
    });
    for (const vassal of [...this.#vassals.values()]) vassal.stop();
    if (this.#vassals.size === 0) return;
    const timer = setTimeout(() => this.abort(), STOP_MERCY_MS);
    await gone;
    clearTimeout(timer);
  }

  /** Ends all vassals at once. */
  abort(): void {
    for (const vassal of this.#vassals.values()) vassal.kill();
  }
}
