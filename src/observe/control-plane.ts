// The addresses on which the server tells of itself: --stats and --metrics, apart from the traffic.
//
// Without them nothing is measured beyond what the request log needs, and nothing listens.
// Decided elsewhere: the paths (endpoint/routes.ts), what is told (stats/, metrics.ts), where the figures come from (view.ts).

import type { Log } from '../base/log.js';
import type { Address } from '../config/address.js';
import { type Heritage, NO_HERITAGE, type OpenSocket } from '../config/heritage.js';
import type { StatsPush } from '../config/stats-push.js';
import type { MemoryFigures } from '../worker/process-memory.js';
import { Access } from './endpoint/access.js';
import { pageRoutes } from './endpoint/pages.js';
import { json, plain, type Route, requestListener, shared } from './endpoint/routes.js';
import { isLocal, onLoopback, StatsServer } from './endpoint/stats-server.js';
import { SecondClock } from './log/calendar.js';
import { Metrics } from './metrics.js';
import { type FindProbe, probeRoutes, reactionsOf } from './probes.js';
import { History } from './stats/history.js';
import type { Ledger } from './stats/ledger.js';
import { ownStats } from './stats/own-stats.js';
import { Sampler, type WatchedProcess } from './stats/sampler.js';
import type { Live } from './stats/shape.js';
import { type UwsgiMetric, uwsgiMetrics } from './stats/uwsgi-metrics.js';
import { uwsgiStats } from './stats/uwsgi-stats.js';
import { type PushPlan, StatsPusher } from './stats-push.js';
import type { ServerView } from './view.js';

export interface ControlPlan {
  readonly stats: Address | undefined;
  /** Where Prometheus alone is served; it is on the address of the statistics too. */
  readonly metrics: Address | undefined;
  /** Always waits for an HTTP request, as --stats-http says. */
  readonly isHttp: boolean;
  readonly isMinified: boolean;
  readonly withCores: boolean;
  readonly token: string | undefined;
  /** Memory is wanted in the request log; and metrics of uWSGI. */
  readonly reportsMemory: boolean;
  readonly logsMetrics: boolean;
  /** To whom figures are sent without being asked, and how. */
  readonly pushes: readonly StatsPush[];
  readonly push: PushPlan;
}

/** What the control plane sees of the server. */
export interface Watched {
  view(): ServerView;
  /** 'ready' when requests can be served, otherwise why not. */
  health(): string;
  readonly probe: FindProbe;
}

/** Whether `plan` asks for anything that has to be measured. */
export const isWatched = ({ stats, metrics, pushes, logsMetrics }: ControlPlan): boolean =>
  stats !== undefined || metrics !== undefined || pushes.length > 0 || logsMetrics;

/** The server and the workers that are processes. */
function processesOf({ apps, workers }: ServerView): WatchedProcess[] {
  const arenas = apps.reduce((sum, { arenaBytes }) => sum + arenaBytes, 0);
  const own = workers.filter(({ pid, thread }) => pid > 0 && thread === 0);
  const others = own.map(({ pid, app }) => ({ pid, arenaBytes: apps[app]!.arenaBytes }));
  return [{ pid: process.pid, arenaBytes: arenas }, ...others];
}

export class ControlPlane {
  readonly #plan: ControlPlan;
  readonly #server: Watched;
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #sampler: Sampler;
  readonly #history: History;
  readonly #servers: StatsServer[] = [];
  #heritage = NO_HERITAGE;
  #pusher: StatsPusher | undefined;
  readonly #metricsByName = new SecondClock(
    () => new Map(this.#uwsgiMetrics().map(({ name, value }) => [name, value])),
  );

  constructor(plan: ControlPlan, server: Watched, ledger: Ledger, log: Log) {
    this.#plan = plan;
    this.#server = server;
    const view = () => server.view();
    this.#ledger = ledger;
    this.#log = log;
    this.#sampler = new Sampler({
      processes: () => processesOf(view()),
      ports: () => view().sockets.map(({ port }) => port),
    });
    this.#history = new History(view, ledger, this.#sampler);
  }

  /** Opens the addresses, `heritage` being sockets that are open already, and begins to measure. Throws `ConfigError` CONFIG_BIND. */
  async open(heritage: Heritage): Promise<void> {
    this.#heritage = heritage;
    if (isWatched(this.#plan) || this.#plan.reportsMemory) this.#sampler.start();
    if (!isWatched(this.#plan)) return;
    this.#history.start();
    const { stats, metrics } = this.#plan;
    if (stats !== undefined) await this.#openStats(stats);
    if (metrics !== undefined) await this.#openMetrics(metrics);
    this.#startPushing();
  }

  #startPushing(): void {
    const { pushes, push } = this.#plan;
    const fresh = <T>(read: () => T) => {
      return async () => {
        await this.#sampler.refresh();
        return read();
      };
    };
    const sources = { json: fresh(() => this.#stats()), metrics: fresh(() => this.#uwsgiMetrics()) };
    this.#pusher = new StatsPusher(pushes, push, sources, this.#log);
  }

  #uwsgiMetrics(): UwsgiMetric[] {
    return uwsgiMetrics({ view: this.#server.view(), ledger: this.#ledger, samples: this.#sampler });
  }

  /** A metric of uWSGI by its name, at most a second old; undefined: there is none of that name. */
  metricOf(name: string): number | undefined {
    return this.#metricsByName.at(performance.now()).get(name);
  }

  /** The listening sockets, for a successor. */
  get sockets(): readonly OpenSocket[] {
    return this.#servers.flatMap(({ socket }) => socket ?? []);
  }

  /** Leaves the listening sockets to a successor, and what is pushed. */
  release(): void {
    this.#pusher?.close();
    for (const server of this.#servers) server.release();
  }

  close(): void {
    this.#sampler.stop();
    this.#history.stop();
    this.#pusher?.close();
    for (const server of this.#servers) server.close();
  }

  /** The memory of a process when it was looked at last. */
  memoryOf(pid: number): MemoryFigures {
    return this.#sampler.memoryOf(pid);
  }

  /** The statistics as text: uWSGI's keys, and `nuwsgi` behind them. */
  #stats(): string {
    const view = this.#server.view();
    const stats = {
      ...uwsgiStats(view, this.#ledger, this.#sampler, this.#plan.withCores),
      nuwsgi: ownStats(view, this.#ledger, this.#sampler, this.#history),
    };
    return `${JSON.stringify(stats, undefined, this.#plan.isMinified ? undefined : '\t')}\n`;
  }

  /** What the dashboard shows, without the samples, for whoever looks at this time. */
  async #liveStats(): Promise<Omit<Live, 'history'>> {
    await this.#sampler.refresh();
    const view = this.#server.view();
    const { pid, sockets, workers } = uwsgiStats(view, this.#ledger, this.#sampler, false);
    return { pid, sockets, workers, nuwsgi: ownStats(view, this.#ledger, this.#sampler, this.#history) };
  }

  /** What --health tells beside the apps (listeners/health.ts), here too. */
  #healthRoutes(): Route[] {
    const ready = () => {
      const health = this.#server.health();
      return plain(health === 'ready' ? 200 : 503, health);
    };
    const route = (path: string, answer: Route['answer']): Route => {
      return { path, method: 'GET', isOpen: true, isControl: false, answer };
    };
    return [route('/health', ready), route('/health/ready', ready), route('/health/live', () => plain(200, 'live'))];
  }

  #metricsRoute(): Route {
    const metrics = new Metrics(async () => {
      const view = this.#server.view();
      const [reactions] = await Promise.all([reactionsOf(view, this.#server.probe), this.#sampler.refresh()]);
      return { view, ledger: this.#ledger, samples: this.#sampler, reactions };
    });
    const text = shared(() => metrics.text());
    const answer = async () => ({ status: 200, type: metrics.contentType, body: await text() });
    return { path: '/metrics', method: 'GET', isOpen: false, isControl: false, answer };
  }

  #dashboardRoute(live: () => Promise<string>): Route {
    const answer: Route['answer'] = async (query) => {
      const since = Number(query.get('since') ?? 0);
      if (Number.isNaN(since)) throw new RangeError('since is a time in milliseconds since 1970');
      return json(`${(await live()).slice(0, -1)},"history":${JSON.stringify(this.#history.since(since))}}`);
    };
    return { path: '/dashboard.json', method: 'GET', isOpen: false, isControl: false, answer };
  }

  async #openStats(given: Address): Promise<void> {
    const { isHttp, token } = this.#plan;
    const text = shared(async () => {
      await this.#sampler.refresh();
      return this.#stats();
    });
    const route = (path: string): Route => {
      return { path, method: 'GET', isOpen: false, isControl: false, answer: async () => json(await text()) };
    };
    const live = shared(async () => JSON.stringify(await this.#liveStats()));
    const routes = [
      ...pageRoutes(),
      route('/'),
      route('/stats.json'),
      this.#dashboardRoute(live),
      this.#metricsRoute(),
      ...this.#healthRoutes(),
      ...probeRoutes(() => this.#server.view(), this.#server.probe),
    ];
    const mayBeSilent = !isHttp && (token === undefined || given.kind !== 'tcp');
    const where = await this.#serve('--stats', given, routes, mayBeSilent ? text : undefined);
    this.#log.line(`*** Stats server enabled on ${where} ***`);
  }

  async #openMetrics(given: Address): Promise<void> {
    const where = await this.#serve('--metrics', given, [this.#metricsRoute(), ...this.#healthRoutes()], undefined);
    this.#log.line(`*** Metrics for Prometheus on ${where}, path /metrics ***`);
  }

  /** Opens an address for `routes`; returns how it is called. */
  async #serve(
    option: string,
    given: Address,
    routes: readonly Route[],
    silentAnswer: (() => Promise<string>) | undefined,
  ): Promise<string> {
    const address = onLoopback(given);
    const { token } = this.#plan;
    const isForUs = isLocal(address);
    const onRequest = requestListener(routes, new Access(token, isForUs), isForUs);
    const server = new StatsServer({ option, address, heritage: this.#heritage, onRequest, silentAnswer });
    this.#servers.push(server);
    const port = await server.listen();
    const where = address.kind === 'tcp' ? `${address.host}:${port}` : address.text;
    if (!isForUs && token === undefined) {
      this.#log.line(`WARNING: ${option}: anybody who can reach ${where} can read it; see --stats-token`);
    }
    return where;
  }
}
