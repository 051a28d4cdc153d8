// What each worker is doing, as lines for the log (SIGUSR1), for who has no statistics address open.
//
// Decided elsewhere: where the figures come from (view.ts).

import { printable } from '../base/log.js';
import type { ServerView } from './view.js';

/** A line per app, per worker, and per request that is being run. */
export function statusLines(view: ServerView): string[] {
  return view.apps.flatMap((app) => [
    `app ${app.index} (mountpoint='${app.mount}') ${app.name}: ${app.inFlight} requests with workers, ` +
      `${app.waiting} waiting, ${app.slotsInUse} of ${app.slots} slots in use`,
    ...view.workers
      .filter((worker) => worker.app === app.index)
      .flatMap((worker) => [
        `worker ${worker.id} (pid: ${worker.pid}${worker.thread > 0 ? `, thread: ${worker.thread}` : ''}) ` +
          `${worker.status}: ${worker.answered} requests answered, ${worker.inFlight} in hand, started ${worker.spawns} times`,
        ...view.running
          .filter((request) => request.worker === worker.id && request.isStarted)
          .map(
            ({ core, peer, method, target, runsMs }) =>
              `  [core ${core}] ${printable(peer)} - ${printable(method)} ${printable(target)} for ${Math.round(runsMs)} ms`,
          ),
      ]),
  ]);
}
