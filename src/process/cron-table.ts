// Runs the cron jobs of the configuration.
//
// A job that is due is started even if its last run goes on, unless it is unique.
// Decided elsewhere: when it is looked (base/minute-clock.ts), when a job is due (config/cron.ts), how a command runs
//   (shell.ts).

import type { Log } from '../base/log.js';
import { MinuteClock } from '../base/minute-clock.js';
import { type CronJob, isDue } from '../config/cron.js';
import { runShell, type ShellProcess } from './shell.js';

/** How long a job may take to end when the server stops, before it is killed. */
const STOP_MS = 2000;

/** What runs of a job, for the stats. */
export interface CronState {
  readonly job: CronJob;
  /** Of the run that was started last and goes on; 0: none does. */
  pid: number;
  startedAtS: number;
}

export class CronTable {
  readonly states: readonly CronState[];
  readonly #log: Log;
  readonly #running = new Map<ShellProcess, CronState>();
  readonly #clock = new MinuteClock((now) => this.#onMinute(now));

  constructor(jobs: readonly CronJob[], log: Log) {
    this.states = jobs.map((job) => ({ job, pid: 0, startedAtS: 0 }));
    this.#log = log;
  }

  /** From now on jobs run. */
  start(): void {
    if (this.states.length === 0) return;
    this.#clock.start();
  }

  /** Starts what is due at `now`; for tests. */
  tick(now: Date): void {
    this.#clock.tick(now);
  }

  #onMinute(now: Date): void {
    this.states.forEach((state, i) => {
      if (isDue(state.job.rule, now)) this.#run(state, i, now);
    });
  }

  #run(state: CronState, index: number, now: Date): void {
    const { job } = state;
    const mark = `uwsgi-cron ${index + 1}`;
    if (job.unique && state.pid !== 0) {
      this.#log.line(`[${mark}] not started again: pid ${state.pid} is still running`);
      return;
    }
    const child = runShell(job.command, mark, this.#log);
    this.#running.set(child, state);
    state.pid = child.pid;
    state.startedAtS = Math.floor(now.getTime() / 1000);
    this.#log.line(`[${mark}] running "${job.command}" (pid ${child.pid})`);
    const late = () => {
      this.#log.line(`[${mark}] HARAKIRI: pid ${child.pid} has been running for ${job.harakiriMs / 1000} s`);
      child.kill('SIGKILL');
    };
    const timer = job.harakiriMs > 0 ? setTimeout(late, job.harakiriMs) : undefined;
    void child.ended.then((why) => {
      clearTimeout(timer);
      this.#running.delete(child);
      if (state.pid === child.pid) state.pid = 0;
      if (why !== 'exited with code 0') this.#log.line(`[${mark}] pid ${child.pid} ${why}`);
    });
  }

  /** Starts nothing more, and ends what runs. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#clock.stop();
    const children = [...this.#running.keys()];
    for (const child of children) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL');
    }, STOP_MS);
    await Promise.all(children.map((child) => child.ended));
    clearTimeout(timer);
  }
}
