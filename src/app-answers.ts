// What apps are told when they ask by `import uwsgi`: uwsgi.workers(), total_requests(), listen_queue().
//
// An app is told of its own workers only: it may know no more of its neighbours than a stranger does.
// Decided elsewhere: how the question comes and the answer goes (worker/python/bridge_server.py), the types that Python
//   gets (worker/python/bridge_uwsgi.py).

import type { Seat } from './lifecycle/crew.js';
import type { HostedApp } from './lifecycle/hosted-app.js';
import type { Ledger } from './observe/stats/ledger.js';

/** The answer to a question of the app, as plain data; null: there is no such question. */
export function answerFor(about: string, app: HostedApp, index: number, ledger: Ledger): unknown {
  const { crew } = app.supervisor;
  switch (about) {
    case 'workers':
      return crew.seats.map((seat) => workerFigures(app, index, seat, ledger));
    case 'total_requests':
      return crew.seats.reduce((sum, seat) => sum + crew.answeredBy(seat), 0);
    case 'listen_queue':
      return app.dispatcher.waiting;
    default:
      return null;
  }
}

/** One worker by uWSGI's keys. Times and bytes sent are counted where statistics are switched on, and 0 otherwise. */
function workerFigures(
  { supervisor, signals, definition, startupMs }: HostedApp,
  app: number,
  seat: Seat,
  ledger: Ledger,
) {
  const { crew } = supervisor;
  const { current } = seat;
  const counts = ledger.worker(seat.id, app);
  const requests = crew.answeredBy(seat);
  return {
    id: seat.id,
    pid: current?.port.taskId ?? 0,
    requests,
    delta_requests: current?.port.answered ?? 0,
    signals: signals.handledBy(seat.id),
    exceptions: counts.exceptions,
    status: current === undefined ? 'cheap' : current.port.inFlight > 0 ? 'busy' : 'idle',
    rss: current?.memory.rssBytes ?? 0,
    vsz: current?.memory.asBytes ?? 0,
    running_time: Math.round(counts.runningMs * 1000),
    last_spawn: Math.floor(seat.lastSpawnAtMs / 1000),
    respawn_count: seat.spawns,
    tx: counts.txBytes,
    avg_rt: Math.round(counts.averageMs * 1000),
    apps: [
      {
        id: app,
        modifier1: 0,
        mountpoint: definition.mount,
        startup_time: Math.round(startupMs / 1000),
        requests,
        exceptions: counts.exceptions,
        chdir: definition.program.kind === 'python' ? definition.program.directory : '',
      },
    ],
  };
}
