// From a configuration with `emperor` in it to a process that rules: builds the emperor, gives up root, obeys signals.
//
// Decided elsewhere: what the emperor does (emperor.ts), the end of the process (cli.ts).

import { resolve } from 'node:path';
import type { Log } from '../base/log.js';
import type { Config } from '../config/options.js';
import { SIGNAL_ECHO_MS } from '../lifecycle/triggers.js';
import { dropPrivileges } from '../process/privileges.js';
import { processPlanOf } from '../process/process-plan.js';
import { Emperor, type EmperorPlan } from './emperor.js';

/** Options of the emperor are not for its vassals: they would rule their own directories. */
const OF_EMPEROR = /^UWSGI_(?:EMPEROR|VASSALS?)_?/;

/** `program` starts nuwsgi: the interpreter and the file that runs in it. */
export function emperorPlanOf(config: Config, version: string, program: readonly [string, ...string[]]): EmperorPlan {
  const include = (paths: readonly string[]) => paths.flatMap((path) => ['--include', resolve(path)]);
  const environment = Object.entries(process.env).filter(([name]) => !OF_EMPEROR.test(name));
  return {
    monitors: config.emperor.map((monitor) => resolve(monitor.replace(/^(?:dir|glob):\/\//, ''))),
    extraExtensions: config['emperor-extra-extension'],
    scanEveryMs: config['emperor-freq'] * 1000,
    statsAddress: config['emperor-stats'],
    command: {
      program,
      before: include([...config['vassals-include-before'], ...config['vassals-inherit-before']]),
      after: [
        ...include([...config['vassals-include'], ...config['vassals-inherit']]),
        ...config['vassals-set'].flatMap(({ text }) => ['--set', text]),
      ],
      environment: Object.fromEntries(environment),
      throttle: { firstMs: config['emperor-throttle'], mostMs: config['emperor-max-throttle'] },
    },
    version,
  };
}

/** Rules until a signal says otherwise; resolves when all vassals are gone. Throws `ConfigError`. */
export async function rule(config: Config, plan: EmperorPlan, log: Log): Promise<void> {
  const emperor = new Emperor(plan, log);
  const given = config['emperor-procname'];
  if (given !== undefined) process.title = given;
  const { privileges } = processPlanOf(config);
  const dropped = dropPrivileges(privileges);
  if (dropped !== undefined) log.line(dropped);
  const stopped = obeySignals(emperor, log);
  await emperor.start();
  await stopped;
}

/** Resolves when a signal has stopped the emperor. The first one lets vassals finish, the second ends them at once. */
function obeySignals(emperor: Emperor, log: Log): Promise<void> {
  process.on('SIGHUP', () => {
    log.line('SIGHUP received: all vassals reload their apps');
    void emperor.reload();
  });
  process.on('SIGURG', () => void emperor.rescan());
  process.on('SIGUSR2', () => log.line('SIGUSR2: not obeyed, an emperor is upgraded by a restart'));
  return new Promise((resolve, reject) => {
    let toldMs: number | undefined;
    const stop = (name: string) => {
      const nowMs = performance.now();
      if (toldMs !== undefined) {
        if (nowMs - toldMs < SIGNAL_ECHO_MS) return;
        log.line(`${name} again: the vassals are ended at once`);
        emperor.abort();
        return;
      }
      toldMs = nowMs;
      log.line(`${name} received: the vassals are stopped. Once more ends them at once.`);
      emperor.stop().then(resolve, reject);
    };
    for (const name of ['SIGTERM', 'SIGINT', 'SIGQUIT']) process.on(name, () => stop(name));
  });
}
