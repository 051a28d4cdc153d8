// What the configuration says about the server as a process among others: plain values for the rest of this directory.

import type { CronJob } from '../config/cron.js';
import { type DaemonPlan, plainDaemon } from '../config/daemon-plan.js';
import { type Hook, type HookAction, STAGES, type Stage } from '../config/hook.js';
import type { Config } from '../config/options.js';
import type { Limits } from './limits.js';
import type { Privileges } from './privileges.js';
import { titlesOf } from './titles.js';

export interface ProcessPlan {
  /** What the server is called in the list of processes; undefined: as it was started. */
  readonly title: string | undefined;
  readonly limits: Limits;
  /** Where the process id is written, when root has been given up, and when the server is ready. */
  readonly pidfiles: { readonly afterDrop: string | undefined; readonly whenReady: string | undefined };
  readonly privileges: Privileges;
  readonly hooks: readonly Hook[];
  readonly crons: readonly CronJob[];
  readonly daemons: readonly DaemonPlan[];
}

export function processPlanOf(config: Config): ProcessPlan {
  const harakiriMs = config['cron-harakiri'] * 1000;
  const withHarakiri = (job: CronJob): CronJob => (job.harakiriMs > 0 ? job : { ...job, harakiriMs });
  return {
    title: titlesOf(config).master,
    limits: { niceness: config.prio, openFiles: config['max-fd'] },
    pidfiles: { afterDrop: config.pidfile2, whenReady: config['safe-pidfile'] },
    privileges: {
      user: config.uid,
      group: config.gid,
      additionalGroups: config['add-gid'],
      initGroups: !config['no-initgroups'],
    },
    hooks: STAGES.flatMap((stage) => [
      ...actionsOf(config, stage).map((action) => ({ stage, ...action })),
      ...commandsOf(config, stage).map((argument) => ({ stage, action: 'exec', argument }) as const),
    ]),
    crons: [
      ...config.cron.map(withHarakiri),
      ...config.cron2.map(withHarakiri),
      ...config['unique-cron'].map((job) => withHarakiri({ ...job, unique: true })),
    ],
    daemons: [
      ...config['attach-daemon'].map((command) => plainDaemon(command, false)),
      ...config['attach-control-daemon'].map((command) => plainDaemon(command, true)),
      ...config['attach-daemon2'],
      ...config['smart-attach-daemon'],
    ],
  };
}

function actionsOf(config: Config, stage: Stage): readonly HookAction[] {
  if (stage !== 'master-start') return config[`hook-${stage}`];
  return config['hook-master-start'].flatMap((hook) => ('stopsBy' in hook ? [] : hook));
}

/** The commands of `--exec-STAGE`; uWSGI has none for some of the stages. */
function commandsOf(config: Config, stage: Stage): readonly string[] {
  return stage === 'accepting-once' || stage === 'master-start' ? [] : config[`exec-${stage}`];
}
