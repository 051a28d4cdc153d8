// What happened: reloads, which the server remembers, and what changed between two readings. Pure.
//
// Decided elsewhere: where it is shown (page.ts).

import type { Live, ReloadStats } from '../stats/shape.js';
import { duration } from './figures.js';

export interface Event {
  /** On the clock of Date.now(). */
  readonly atMs: number;
  readonly level: 'bad' | 'note';
  readonly text: string;
}

type Worker = Live['workers'][number];

/** What changed from `before` to `live`, which was read at `atMs`. */
export function changes(before: Live, live: Live, atMs: number): Event[] {
  if (before.pid !== live.pid || before.nuwsgi.started_at !== live.nuwsgi.started_at) {
    return [{ atMs, level: 'note', text: `The server was started anew, as pid ${live.pid}` }];
  }
  const events: Event[] = [];
  const why = reasonsBetween(before, live);
  const note = (level: Event['level'], text: string) => events.push({ atMs, level, text });
  for (const worker of live.workers) {
    const was = before.workers.find(({ id }) => id === worker.id);
    if (was === undefined) note('note', `Worker ${worker.id} (${process(live, worker)}) has come`);
    else if (process(before, was) === process(live, worker)) continue;
    else if (was.pid === 0) note('note', `Worker ${worker.id} is back, as ${process(live, worker)}`);
    else {
      const successor = worker.pid === 0 ? '' : `; ${process(live, worker)} took its place`;
      const text = `Worker ${worker.id} (${process(before, was)}) ${why || 'has ended'}${successor}`;
      note(why === '' ? 'note' : 'bad', text);
    }
  }
  for (const was of before.workers) {
    if (!live.workers.some(({ id }) => id === was.id)) {
      note('note', `Worker ${was.id} (${process(before, was)}) has gone`);
    }
  }
  return events;
}

/** "pid 123", or for a worker that is a thread of the server "thread 3". */
export function process(live: Live, worker: Worker): string {
  const thread = live.nuwsgi.workers.find(({ id }) => id === worker.id)?.thread ?? 0;
  return thread > 0 ? `thread ${thread}` : `pid ${worker.pid}`;
}

/** What the server calls the end of a worker that it had asked to end. */
const ASKED = 'left';

/** How workers ended meanwhile, as in "was killed by SIGSEGV"; '' when none did but those that were asked to. */
function reasonsBetween(before: Live, live: Live): string {
  const reasons = live.nuwsgi.apps.flatMap((app) => {
    const was = before.nuwsgi.apps.find(({ id }) => id === app.id)?.worker_ends ?? {};
    return Object.entries(app.worker_ends).flatMap(([why, count]) =>
      why !== ASKED && count > (was[why] ?? 0) ? [why] : [],
    );
  });
  return reasons.join(', or ');
}

/** The reloads that the server remembers, as events. */
export function reloads({ nuwsgi }: Live): Event[] {
  return nuwsgi.apps.flatMap((app) =>
    app.reloads.map((reload) => ({
      atMs: reload.started_at * 1000,
      level: reload.result === 'failed' ? 'bad' : 'note',
      text: `${app.name}: ${reloadText(reload)}`,
    })),
  );
}

function reloadText({ kind, reason, result, duration_ms, detail }: ReloadStats): string {
  const outcome = result === 'running' ? `runs for ${duration(duration_ms)}` : `${result} in ${duration(duration_ms)}`;
  return `${kind} (${reason}) ${outcome}${detail === '' ? '' : `: ${detail}`}`;
}
