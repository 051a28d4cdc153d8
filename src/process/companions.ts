// The programs beside the server: attached daemons and cron jobs, from its start to its end.
//
// Decided elsewhere: each of them (daemon.ts, cron-table.ts), when they start and stop (server.ts).

import type { Log } from '../base/log.js';
import { CronTable } from './cron-table.js';
import { AttachedDaemon } from './daemon.js';
import type { ProcessPlan } from './process-plan.js';

export class Companions {
  readonly daemons: readonly AttachedDaemon[];
  readonly crons: CronTable;

  /** `onControlEnded`: a daemon has ended with which the server is to stop. */
  constructor(plan: ProcessPlan, log: Log, onControlEnded: () => void) {
    this.daemons = plan.daemons.map((daemon, i) => new AttachedDaemon(daemon, i + 1, log, onControlEnded));
    this.crons = new CronTable(plan.crons, log);
  }

  /** Starts the daemons: before the apps, which may need them. */
  async startDaemons(): Promise<void> {
    await Promise.all(this.daemons.map((daemon) => daemon.start()));
  }

  /** Tells the daemons that ask for it that the server reloads. */
  reload(): void {
    for (const daemon of this.daemons) daemon.reload();
  }

  /** Ends all of them; resolves when they have. */
  async stop(): Promise<void> {
    await Promise.all([this.crons.stop(), ...this.daemons.map((daemon) => daemon.stop())]);
  }
}
