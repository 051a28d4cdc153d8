// What stands out: sentences made of the figures, so that nobody has to know which of them to look at.
//
// Rules in a table, each from a reading, and the one before, to sentences. Pure.
// Decided elsewhere: where they are shown (page.ts).

import type { AppStats, Live } from '../stats/shape.js';
import { counted, duration, percent } from './figures.js';

export interface Finding {
  /** 'bad': requests fail or soon will; 'slow': they take longer than they need to. */
  readonly level: 'bad' | 'slow' | 'note';
  readonly text: string;
}

/** A request that runs for longer is worth a look. */
const LONG_MS = 5000;
const MOST_LONG = 3;
/** The accept thread has no room for more above this. */
const BUSY_SHARE = 0.9;
const FULL_SHARE = 0.8;
const ERROR_SHARE = 0.05;
/** An endpoint that takes so much of the time, and is so few of the requests, is where to look first. */
const HEAVY_SHARE = 0.5;
/** Fewer requests than this say nothing about an endpoint. */
const ENOUGH_REQUESTS = 20;

type Rule = (live: Live, before: Live | undefined) => Finding[];
const nameOf = ({ name, mountpoint }: AppStats) => (mountpoint === '' ? name : `${name} (${mountpoint})`);

const RULES: readonly Rule[] = [
  function notLoaded({ nuwsgi }) {
    return nuwsgi.apps
      .filter(({ loaded }) => !loaded)
      .map((app) => ({ level: 'bad', text: `${nameOf(app)} is not loaded: ${app.load_error}` }));
  },
  function stopping({ nuwsgi }) {
    return nuwsgi.draining ? [{ level: 'note', text: 'The server is about to stop: it finishes what it has.' }] : [];
  },
  function crowded({ nuwsgi }) {
    return nuwsgi.apps
      .filter(({ waiting }) => waiting > 0)
      .map((app) => {
        const crew = nuwsgi.workers.filter((worker) => worker.app === app.id);
        const busy = crew.filter(({ status }) => status === 'busy').length;
        const text = `${counted(app.waiting, 'request waits', 'requests wait')} for a worker of ${nameOf(app)}: ${busy} of ${crew.length} are busy`;
        return { level: 'slow', text };
      });
  },
  function longRunning({ nuwsgi }) {
    const long = nuwsgi.running
      .filter(({ started, runs_ms }) => started && runs_ms >= LONG_MS)
      .sort((a, b) => b.runs_ms - a.runs_ms);
    const found = long.slice(0, MOST_LONG).map(({ worker, method, uri, runs_ms }): Finding => {
      return { level: 'slow', text: `Worker ${worker} has run ${method} ${uri} for ${duration(runs_ms)}` };
    });
    if (long.length > MOST_LONG)
      found.push({ level: 'slow', text: `and ${long.length - MOST_LONG} more run for so long` });
    return found;
  },
  function fullQueue({ sockets }) {
    return sockets
      .filter(({ queue, max_queue }) => max_queue > 0 && queue >= max_queue * FULL_SHARE)
      .map(({ name, queue, max_queue }) => {
        return { level: 'bad', text: `The listen queue of ${name} is full: ${queue} of ${max_queue}` };
      });
  },
  function refused({ nuwsgi }, before) {
    const count = nuwsgi.without_app.refused - (before?.nuwsgi.without_app.refused ?? nuwsgi.without_app.refused);
    return count > 0
      ? [{ level: 'bad', text: `${counted(count, 'request was', 'requests were')} refused just now` }]
      : [];
  },
  function failing({ nuwsgi: { now } }) {
    if (now === null || now.errors_per_second <= now.requests_per_second * ERROR_SHARE) return [];
    const all = Math.max(now.requests_per_second, now.errors_per_second);
    return [{ level: 'bad', text: `${percent(now.errors_per_second / all)} of the answers are errors` }];
  },
  function busyAcceptThread({ nuwsgi: { now } }) {
    if (now === null || now.accept_thread_busy < BUSY_SHARE) return [];
    return [{ level: 'slow', text: `The accept thread is ${percent(now.accept_thread_busy)} busy` }];
  },
  function lostLines({ nuwsgi }, before) {
    const count = nuwsgi.log_lines_lost - (before?.nuwsgi.log_lines_lost ?? nuwsgi.log_lines_lost);
    return count > 0
      ? [{ level: 'bad', text: `${counted(count, 'line', 'lines')} of the log were lost just now` }]
      : [];
  },
  function heavyEndpoint({ nuwsgi }) {
    return nuwsgi.apps.flatMap((app) =>
      app.endpoints
        .filter(({ share, requests }) => share >= HEAVY_SHARE && requests <= app.requests * (1 - HEAVY_SHARE))
        .filter(() => app.requests >= ENOUGH_REQUESTS)
        .map(({ endpoint, share, requests }): Finding => {
          const part = percent(requests / app.requests);
          return {
            level: 'note',
            text: `${endpoint} takes ${percent(share)} of the time with ${part} of the requests`,
          };
        }),
    );
  },
];

/** What stands out in `live`, the worst first; `before` is the reading before. */
export function findings(live: Live, before: Live | undefined): Finding[] {
  const found = RULES.flatMap((rule) => rule(live, before));
  const order = ['bad', 'slow', 'note'];
  return found.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}
