// What every worker is doing right now, and where the time of one goes: asked for by `nuwsgi stacks` and `nuwsgi profile`.
//
// Decided elsewhere: how a worker is looked into (worker/probe.ts), who may ask (endpoint/routes.ts).

import type { Profile, Stacks, WorkerProbe } from '../worker/probe.js';
import type { Answer, Route } from './endpoint/routes.js';
import { json } from './endpoint/routes.js';
import type { WorkerStacks } from './stats/shape.js';
import type { ServerView, WorkerView } from './view.js';

/** Finds a worker's probe; undefined: there is no such worker, or it cannot be asked. */
export type FindProbe = (worker: number) => WorkerProbe | undefined;

const SECONDS = { least: 0.1, most: 300, usual: 10 };
const HZ = { least: 1, most: 1000, usual: 100 };

/** Looks into all workers of `view` at once, or into the one with this number. */
export async function stacksOf(view: ServerView, find: FindProbe, only: number | undefined): Promise<WorkerStacks[]> {
  const workers = view.workers.filter(({ id, pid }) => pid > 0 && (only === undefined || id === only));
  if (only !== undefined && workers.length === 0) throw new RangeError(`there is no worker ${only}`);
  // one after the other where they are threads: each look attaches to all of them
  const result: WorkerStacks[] = [];
  for (const worker of workers) result.push(await stacksOfOne(worker, view, find));
  return result;
}

async function stacksOfOne(worker: WorkerView, view: ServerView, find: FindProbe): Promise<WorkerStacks> {
  const running = view.running.filter((request) => request.worker === worker.id && request.isStarted);
  const stacks = await (find(worker.id)?.stacks() ?? Promise.reject(new Error('it cannot be asked'))).catch(
    (error: Error): Stacks => ({ threads: [], note: error.message }),
  );
  return {
    worker: worker.id,
    app: view.apps[worker.app]!.name,
    pid: worker.pid,
    status: worker.status,
    requests: running.map(({ core, method, target, runsMs }) => ({
      core,
      request: `${method} ${target}`,
      runsMs: Math.round(runsMs),
    })),
    ...stacks,
  };
}

/** How long each worker took until it listened, in ms; workers of which it is not known are left out. */
export async function reactionsOf(view: ServerView, find: FindProbe): Promise<ReadonlyMap<number, number>> {
  const asked = view.workers.map(
    async ({ id }) =>
      [
        id,
        await find(id)
          ?.reactionMs()
          .catch(() => undefined),
      ] as const,
  );
  return new Map(
    (await Promise.all(asked)).filter((entry): entry is readonly [number, number] => entry[1] !== undefined),
  );
}

/** The paths under which this is asked for. */
export function probeRoutes(view: () => ServerView, find: FindProbe): Route[] {
  const profiled = new Set<number>();
  return [
    {
      path: '/stacks',
      method: 'GET',
      isOpen: false,
      isControl: true,
      async answer(query) {
        const only = query.has('worker') ? numberIn(query, 'worker', { least: 1, most: 1e6, usual: 0 }) : undefined;
        return json(`${JSON.stringify(await stacksOf(view(), find, only), undefined, '\t')}\n`);
      },
    },
    {
      path: '/profile',
      method: 'POST',
      isOpen: false,
      isControl: true,
      async answer(query, request) {
        const worker = numberIn(query, 'worker', { least: 1, most: 1e6, usual: 1 });
        const seconds = numberIn(query, 'seconds', SECONDS);
        const hz = numberIn(query, 'hz', HZ);
        const probe = find(worker);
        if (probe === undefined) throw new RangeError(`there is no worker ${worker} that can be looked into`);
        if (profiled.has(worker)) throw new RangeError(`worker ${worker} is being looked into already`);
        request.socket.setTimeout(0); // it takes as long as it was asked to
        profiled.add(worker);
        try {
          return profileAnswer(worker, await probe.profile(seconds * 1000, hz));
        } finally {
          profiled.delete(worker);
        }
      },
    },
  ];
}

function profileAnswer(worker: number, { format, content }: Profile): Answer {
  const file = `nuwsgi-worker-${worker}.${format}`;
  return { ...json(content), fields: { 'Content-Disposition': `attachment; filename="${file}"` } };
}

/** A number of the query. Throws `RangeError` when it is none, or out of range. */
function numberIn(query: URLSearchParams, name: string, range: { least: number; most: number; usual: number }): number {
  const text = query.get(name);
  if (text === null) return range.usual;
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < range.least || value > range.most) {
    throw new RangeError(`${name} is a number from ${range.least} to ${range.most}`);
  }
  return value;
}
