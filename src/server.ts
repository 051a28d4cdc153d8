// The composition root: builds apps and listeners from the configuration, starts them, and stops them in order.
//
// Order of a start: every app is loaded and its workers are up before the first listener opens, so an open port means
//   a ready server; only with --uid or --gid the listeners come first, because they may need the rights given up then.
// Order of a stop: no new connections, then the requests inside are answered, then the workers end, then the
//   connections close.
// Decided elsewhere: what the options mean (config/), everything that happens to a request (listeners/, dispatch/).

import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { answerFor } from './app-answers.js';
import { allowProcAccess } from './arena/shared-pages.js';
import { AppError, type Code, LoadError, type NuwsgiError } from './base/errors.js';
import { printable } from './base/log.js';
import { type Heritage, NO_HERITAGE, type OpenSocket } from './config/heritage.js';
import { PipeDoorbell } from './dispatch/doorbell.js';
import type { Exchange } from './dispatch/exchange.js';
import { Pump } from './dispatch/pump.js';
import { RequestVariables } from './dispatch/request-variables.js';
import { Unavailable } from './dispatch/unavailable.js';
import type { WorkerPort } from './dispatch/worker-port.js';
import { type AppDefinition, coresOf, type HostedApp, hostApp, type Surroundings } from './lifecycle/hosted-app.js';
import type { ReloadKind } from './lifecycle/reload-history.js';
import { constantVariables } from './listener-plan.js';
import { ListenerSet } from './listener-set.js';
import { ConnectionLimit } from './listeners/connection-limit.js';
import { Front } from './listeners/front.js';
import type { FrontRequest } from './listeners/front-request.js';
import { type Health, HealthReceiver } from './listeners/health.js';
import { byPrecedence, type Mount, type Site } from './listeners/site.js';
import { Watch } from './listeners/watch.js';
import { ControlPlane, isWatched as isWatchedBy } from './observe/control-plane.js';
import type { ServerLog } from './observe/log/open-log.js';
import { requestLog } from './observe/log/request-log.js';
import { Observer } from './observe/observer.js';
import { Ledger } from './observe/stats/ledger.js';
import { statusLines } from './observe/status-lines.js';
import type { ServerView } from './observe/view.js';
import type { ServerPlan } from './plan.js';
import { Companions } from './process/companions.js';
import { Hooks } from './process/hooks.js';
import { applyLimits } from './process/limits.js';
import type { Pidfiles } from './process/pidfiles.js';
import { dropPrivileges, willDrop } from './process/privileges.js';
import { serverView } from './server-view.js';
import type { WorkerProbe } from './worker/probe.js';

/** What a server tells while it runs. */
export interface ServerEvents {
  /** Something that it depends on has ended, or nobody needs it any more; `reason` is the option that wants it so. */
  onMustStop(reason: string): void;
  /** A JS app is made of this file; undefined: nobody wants to know. */
  readonly onSourceFile: ((file: string) => void) | undefined;
}

/** What a server takes over from one that it succeeds. */
export interface Succession {
  /** Its listening sockets. */
  readonly heritage: Heritage;
  /** What asked for the upgrade. */
  readonly reason: string;
}

/** How often it is looked whether all requests have been answered. */
const STOP_POLL_MS = 2;
/** How long nothing may come before connections are cut: a client told nothing yet may be sending its next request. */
const STOP_QUIET_MS = 20;
/** The same, and whether all connections have closed, which may take a while. */
const RETIRE_POLL_MS = 20;

export class Server {
  readonly #plan: ServerPlan;
  readonly #log: ServerLog;
  readonly #pump = new Pump();
  readonly #observer: Observer;
  readonly #ledger: Ledger;
  readonly #controlPlane: ControlPlane;
  readonly #startedAtMs = Date.now();
  readonly #variables: RequestVariables[] = [];
  readonly #apps: HostedApp[] = [];
  readonly #listeners: ListenerSet;
  readonly #mounts: Mount[] = [];
  readonly #front: Front | undefined;
  readonly #site: Site & { draining: boolean };
  readonly #hooks: Hooks;
  readonly #companions: Companions;
  readonly #pidfiles: Pidfiles;
  readonly #onIdle: () => void;
  readonly #onSourceFile: ServerEvents['onSourceFile'];
  /** Undefined: it starts by itself. */
  readonly #succession: Succession | undefined;
  #doorbell: PipeDoorbell | undefined;
  #lastWorkerId = 0;
  #isUp = false;
  #isLeaving = false;

  /** `pidfiles` gets those that are written in the course of a start. `succession`: undefined when it starts by itself. */
  constructor(
    plan: ServerPlan,
    log: ServerLog,
    pidfiles: Pidfiles,
    events: ServerEvents,
    succession: Succession | undefined,
  ) {
    this.#plan = plan;
    this.#log = log;
    const ledger = new Ledger(plan.apps.length, plan.control.stats === undefined ? undefined : plan.endpoints, (app) =>
      coresOf(plan.apps[app]!),
    );
    this.#ledger = ledger;
    const isWatched = isWatchedBy(plan.control);
    const watched = {
      view: () => this.#view(),
      health: () => this.health,
      probe: (worker: number) => this.#probe(worker),
    };
    this.#controlPlane = new ControlPlane(plan.control, watched, ledger, log);
    const memoryOf = plan.control.reportsMemory ? (pid: number) => this.#controlPlane.memoryOf(pid) : undefined;
    const logRequest = requestLog(plan.requestLog, log.requests, (name) => this.#controlPlane.metricOf(name));
    this.#observer = new Observer(logRequest, isWatched ? ledger : undefined, memoryOf);
    this.#hooks = new Hooks(plan.process.hooks, log);
    this.#companions = new Companions(plan.process, log, () => events.onMustStop('attach-control-daemon'));
    this.#onIdle = () => {
      if (this.#apps.every(({ cheaper }) => cheaper.isIdle)) events.onMustStop('die-on-idle');
    };
    this.#onSourceFile = events.onSourceFile;
    this.#succession = succession;
    this.#pidfiles = pidfiles;
    this.#front = this.#makeFront();
    this.#site = {
      mounts:
        this.#front === undefined ? this.#mounts : [...this.#healthMounts([]), { path: '', receiver: this.#front }],
      limits: plan.limits,
      draining: false,
      connections: new ConnectionLimit((text) => log.line(text)),
      watch: new Watch(),
      unsent: new Set(),
      warn: (text) => log.line(text),
      onRefused: (peer, error) => this.#onRefused(peer, error),
    };
    const { listeners: plans, uwsgi, trust, inheritedFds } = plan;
    const sockets = { ...plan.sockets, heritage: succession?.heritage ?? NO_HERITAGE };
    const onRedirected = (exchange: Exchange, request: FrontRequest) => this.#onServed(exchange, request);
    this.#listeners = new ListenerSet({
      plans,
      site: this.#site,
      sockets,
      uwsgi,
      trust,
      inheritedFds,
      log,
      onRedirected,
    });
  }

  /** What stands between the listeners and the apps, if anything has to. */
  #makeFront(): Front | undefined {
    const { edge, listeners } = this.#plan;
    if (edge === undefined) return undefined;
    for (const warning of edge.warnings) this.#log.line(`WARNING: ${warning}`);
    return new Front(edge, {
      mounts: this.#mounts,
      constants: listeners.map(constantVariables),
      onAnswered: (exchange, request) => this.#onServed(exchange, request),
      onRefused: (peer, error) => this.#onRefused(peer, error),
      warn: (text) => this.#log.line(text),
    });
  }

  /** Where health is told: on every host that has an app of its own, and on all others. */
  #healthMounts(mounts: readonly Mount[]): Mount[] {
    const { healthPath: path } = this.#plan;
    if (path === undefined) return [];
    const receiver = new HealthReceiver(path, () => this.health);
    return [...new Set([undefined, ...mounts.map(({ host }) => host)])].map((host) => ({ host, path, receiver }));
  }

  /** Whether requests can be served, and if not, why. */
  get health(): Health {
    if (this.#isLeaving) return 'draining';
    if (!this.#isUp) return 'starting';
    const serving = this.#apps.filter((app) => app.failure === undefined);
    const isWell = serving.length > 0 && serving.every(({ dispatcher }) => dispatcher.workers.some((w) => w.accepting));
    return isWell ? 'ready' : 'unavailable';
  }

  /**
   * Loads the apps, starts their workers, opens the listeners. Throws `AppError` or `ConfigError`. A successor leaves
   * daemons and cron jobs to its predecessor until `startCompanions`.
   */
  async start(): Promise<void> {
    const plan = this.#plan;
    if (plan.apps.some((app) => app.program.kind === 'python')) this.#doorbell = new PipeDoorbell(this.#pump.wake);
    for (const [index, definition] of plan.apps.entries()) {
      this.#apps.push(hostApp(definition, this.#surroundings(), index, () => ++this.#lastWorkerId));
      this.#variables.push(new RequestVariables(this.#apps[index]!.dispatcher.arena, definition.listeners));
    }
    for (const { definition, dispatcher } of this.#apps) {
      this.#mounts.push({ host: definition.host, path: definition.mount, receiver: dispatcher });
    }
    if (this.#front === undefined) this.#mounts.push(...this.#healthMounts(this.#mounts));
    this.#mounts.sort(byPrecedence);
    if (plan.process.title !== undefined) process.title = plan.process.title;
    applyLimits(plan.process.limits);
    await this.#hooks.run('asap');
    await this.#listeners.check(); // what cannot be had is told before the apps are loaded, which may take a while
    // Who gives up root opens the sockets first: requests that come before the apps are up wait for them, inside.
    // A successor has them, and cannot get others: there is no root to give up.
    const opensFirst = this.#succession === undefined && willDrop(plan.process.privileges);
    if (opensFirst) await this.#listeners.open();
    await this.#hooks.run('as-root');
    this.#dropPrivileges();
    this.#pidfiles.write('pidfile2', plan.process.pidfiles.afterDrop);
    await this.#hooks.run('as-user');
    await this.#controlPlane.open(this.#succession?.heritage ?? NO_HERITAGE); // before the apps are up: whoever asks for its health learns that it starts
    if (this.#succession === undefined) await this.#companions.startDaemons();
    await this.#hooks.run('pre-app');
    this.#log.line(`spawned uWSGI master process (pid: ${process.pid})`);
    await this.#hooks.run('master-start');
    await this.#startApps();
    await this.#hooks.run('post-app');
    if (!opensFirst) await this.#listeners.open();
    this.#site.connections.measure();
    if (this.#succession === undefined) this.#companions.crons.start();
    else this.#recordUpgrade(this.#succession);
    this.#isUp = true;
    this.#pidfiles.write('safe-pidfile', plan.process.pidfiles.whenReady);
    await this.#hooks.run('accepting-once');
  }

  /** Puts down how this process came into its place, and closes what the new configuration has no use for. */
  #recordUpgrade({ heritage, reason }: Succession): void {
    heritage.discard();
    for (const { supervisor } of this.#apps) {
      const { reloads } = supervisor;
      reloads.end(reloads.begin('upgrade', reason, performance.now()), 'done', '');
    }
  }

  /** Starts daemons and cron jobs of a successor, now that those of its predecessor have ended. */
  async startCompanions(): Promise<void> {
    this.#companions.crons.start();
    await this.#companions.startDaemons();
  }

  #dropPrivileges(): void {
    const done = dropPrivileges(this.#plan.process.privileges);
    if (done !== undefined) this.#log.line(done);
    if (done !== undefined && this.#doorbell !== undefined) allowProcAccess(); // workers read long bodies by /proc
  }

  /** Starts all apps at once. Throws the `AppError` of one that does not load, where `needApp` wants it. */
  async #startApps(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#apps.map((app) => this.#startApp(app)));
    const failed = this.#apps.filter((app) => app.failure !== undefined);
    const { needApp } = this.#plan;
    for (const outcome of outcomes) {
      const isFatal = needApp === 'all' || (needApp === 'some' && failed.length === this.#apps.length);
      const isDefect = outcome.status === 'rejected' && !(outcome.reason instanceof AppError);
      if (outcome.status === 'rejected' && (isFatal || isDefect)) throw outcome.reason;
    }
    for (const app of failed) this.#withdraw(app);
  }

  /** The others serve without it. */
  #withdraw(app: HostedApp): void {
    const { name, host, mount } = app.definition;
    const place = `${host ?? ''}${mount || '/'}`;
    this.#log.line(
      `${app.failure!.message}\n*** ${name} is not loaded: ${place} answers 503; the other apps serve ***`,
    );
    const index = this.#mounts.findIndex(({ receiver }) => receiver === app.dispatcher);
    const receiver = new Unavailable(name, (exchange, error) => this.#onRefused(exchange.record.peer, error));
    this.#mounts[index] = { ...this.#mounts[index]!, receiver };
    app.dispatcher.refuseWaiting(new LoadError('LOAD_APP_FAILED', name));
  }

  async #startApp(app: HostedApp): Promise<void> {
    const startedMs = performance.now();
    try {
      await app.start();
    } catch (error) {
      if (error instanceof AppError) app.failure = error;
      throw error;
    }
    app.startupMs = performance.now() - startedMs;
    const seconds = Math.round(app.startupMs / 1000);
    const { host, mount, name } = app.definition;
    const index = this.#apps.indexOf(app);
    this.#log.line(`WSGI app ${index} (mountpoint='${host ?? ''}${mount}') ready in ${seconds} seconds: ${name}`);
  }

  #surroundings(): Surroundings {
    const plan = this.#plan;
    return {
      log: this.#log,
      pump: this.#pump,
      doorbellFd: this.#doorbell?.writeFd ?? -1,
      maxInFlight: plan.maxInFlight,
      requestBytes: plan.requestBytes,
      answerBytes: plan.answerBytes,
      responseBufferingBytes: plan.responseBufferingBytes,
      bufferBytes: plan.limits.headBytes,
      probed: isWatchedBy(plan.control),
      version: plan.version,
      hostname: hostname(),
      options: plan.given,
      onSourceFile: this.#onSourceFile,
      onAsked: (app, about) => answerFor(about, this.#apps[app]!, app, this.#ledger),
      onIdle: this.#onIdle,
      onRefused: (exchange, error) => this.#onRefused(exchange.record.peer, error),
      onAbandoned: (app, exchange) => this.#observer.onAbandoned(exchange, app, this.#variables[app]!),
      onAnswered: (app, exchange, worker, nowMs) => this.#onAnswered(app, exchange, worker, nowMs),
    };
  }

  #probe(worker: number): WorkerProbe | undefined {
    const seats = this.#apps.flatMap(({ supervisor }) => supervisor.crew.seats);
    const current = seats.find(({ id }) => id === worker)?.current;
    return current?.generation.probe(current.port.place);
  }

  #view(): ServerView {
    const { version, listeners, sockets } = this.#plan;
    return serverView({
      version,
      startedAtMs: this.#startedAtMs,
      maxQueue: sockets.backlog,
      isDraining: this.#site.draining,
      apps: this.#apps,
      variables: this.#variables,
      listeners,
      ports: this.#listeners.ports,
      engines: this.#listeners.engines,
      companions: this.#companions,
      logLinesLost: this.#log.lost,
    });
  }

  /** The ports that the listeners got, in the order of the plan. */
  get ports(): readonly number[] {
    return this.#listeners.ports;
  }

  /** Requests inside, waiting or running. */
  get inside(): number {
    const atEdge = this.#front?.inside ?? 0;
    return this.#apps.reduce((sum, { dispatcher }) => sum + dispatcher.inFlight + dispatcher.waiting, atEdge);
  }

  /** Gives the apps that are served, by their mounts, what their configuration says now; a reload brings it to effect. */
  reconfigure(definitions: readonly AppDefinition[]): void {
    for (const app of this.#apps) {
      const { host, mount, program } = app.definition;
      const next = definitions.find((d) => d.host === host && d.mount === mount && d.program.kind === program.kind);
      if (next !== undefined) app.reconfigure(next);
    }
  }

  /**
   * Replaces the workers of all apps; resolves when that is done, with whether it was for all of them. `mercyMs`: how
   * long the old workers may take to finish their requests; undefined: as long as at any other time.
   */
  async reload(kind: ReloadKind, reason: string, mercyMs?: number): Promise<boolean> {
    this.#companions.reload();
    await this.#listeners.renewCertificates();
    if (this.#plan.reopensLog) this.#log.reopen();
    const results = await Promise.all(
      this.#apps.map((app) => {
        return app.failure === undefined ? app.supervisor.reload(kind, reason, mercyMs) : this.#tryAgain(app);
      }),
    );
    return results.every((done) => done);
  }

  /** Starts one worker more of each app, or lets one of each leave. */
  changeWorkers(change: 1 | -1): void {
    for (const { cheaper } of this.#apps) cheaper.step(change);
  }

  /** Lets all workers leave; the next request starts them again. */
  goCheap(): void {
    for (const { cheaper } of this.#apps) cheaper.goCheap();
  }

  /** The listening sockets, for a successor. Throws the error of `loadNative`. */
  get sockets(): readonly OpenSocket[] {
    return [...this.#listeners.sockets, ...this.#controlPlane.sockets];
  }

  /** Puts an attempt to start a successor into the history of every app. The result is to be told when it failed. */
  beginUpgrade(reason: string): (detail: string) => void {
    const ends = this.#apps.map(({ supervisor: { reloads } }) => {
      const entry = reloads.begin('upgrade', reason);
      return (detail: string) => reloads.end(entry, 'failed', detail);
    });
    return (detail) => {
      for (const end of ends) end(detail);
    };
  }

  /** Starts an app that did not load before. */
  async #tryAgain(app: HostedApp): Promise<boolean> {
    const { host, mount: path } = app.definition;
    app.failure = undefined;
    try {
      await this.#startApp(app);
    } catch (error) {
      this.#log.line((error as Error).message);
      return false;
    }
    const index = this.#mounts.findIndex((mount) => mount.host === host && mount.path === path);
    this.#mounts[index] = { ...this.#mounts[index]!, receiver: app.dispatcher };
    return true;
  }

  /** Lets requests wait inside, or no longer. */
  set paused(paused: boolean) {
    for (const { dispatcher } of this.#apps) dispatcher.paused = paused;
  }

  /** What each worker is doing, a line each. */
  get statusLines(): readonly string[] {
    return statusLines(this.#view());
  }

  /** Ends daemons and cron jobs, so that a successor can start its own; resolves when they have ended. */
  stopCompanions(): Promise<void> {
    return this.#companions.stop();
  }

  /**
   * Leaves the sockets to a successor, and stops when the connections that are open have come to their end: each gets
   * the answer to what it asks, and then closes, and an idle one closes when it always would. Takes at most `graceMs`, and
   * as much for the workers; from `hurry` on, only requests inside are waited for.
   */
  async retire(graceMs: number, hurry: AbortSignal): Promise<void> {
    this.paused = false;
    this.#site.draining = true;
    this.#listeners.release();
    this.#controlPlane.release();
    const deadline = performance.now() + graceMs;
    const isBusy = async () => this.#unfinished > 0 || (!hurry.aborted && (await this.#listeners.connections()) > 0);
    while (performance.now() < deadline && (await isBusy())) await pause(RETIRE_POLL_MS);
    await this.#end(graceMs);
  }

  /** Stops in order. Takes at most `graceMs` for the requests inside, and as much for the workers. */
  async stop(graceMs: number): Promise<void> {
    this.#isLeaving = true;
    this.paused = false; // what waits is to be answered
    const { stopDelayMs } = this.#plan;
    if (stopDelayMs > 0) {
      this.#log.line(`serving for another ${stopDelayMs / 1000} seconds while health says no (stop-delay)`);
      await pause(stopDelayMs);
    }
    this.#site.draining = true;
    this.#listeners.stopAccepting();
    const deadline = performance.now() + graceMs;
    await this.#quiet(deadline);
    await this.#end(graceMs);
    await this.#companions.stop();
    await this.#hooks.run('as-user-atexit');
  }

  /** Waits until no request has been here for a moment; at most until `deadline`, on the clock of performance.now(). */
  async #quiet(deadline: number): Promise<void> {
    let busyAtMs = performance.now();
    for (let nowMs = busyAtMs; nowMs < deadline; nowMs = performance.now()) {
      if (this.#unfinished > 0) busyAtMs = nowMs;
      else if (nowMs - busyAtMs >= STOP_QUIET_MS) return;
      await pause(STOP_POLL_MS);
    }
  }

  /** Requests on their way in, inside, or whose answers are on their way out. */
  get #unfinished(): number {
    return this.#site.watch.requests + this.inside + this.#site.unsent.size;
  }

  /** Ends the workers, and whatever is still open. */
  async #end(graceMs: number): Promise<void> {
    if (this.inside === 0) this.#listeners.close(); // nothing may come any more that nobody would answer
    const loaded = this.#apps.filter((app) => app.failure === undefined);
    await Promise.all(loaded.map((app) => app.stop(graceMs)));
    this.#listeners.close();
    this.#controlPlane.close();
    this.#doorbell?.close();
  }

  /** Ends everything at once. */
  abort(): void {
    this.#listeners.close();
  }

  #onAnswered(app: number, exchange: Exchange, worker: WorkerPort, nowMs: number): void {
    const pid = this.#plan.apps[app]!.program.kind === 'python' ? worker.taskId : process.pid;
    const { workerId, answered } = worker;
    this.#observer.onAnswered(exchange, app, workerId, pid, answered, this.#variables[app]!, nowMs);
  }

  /** A request was answered in front of the apps, or after an app had its say: with a file that it named. */
  #onServed(exchange: Exchange, asked: FrontRequest): void {
    this.#observer.onServed(exchange, asked.exchange.record, (name) => asked.find(name));
  }

  #onRefused(peer: string, error: NuwsgiError<Code>): void {
    if (error.code === 'PEER_ANSWERED') return; // by a rule, and its line is written
    this.#observer.onRefused();
    this.#log.line(`refused ${error.status} ${printable(peer) || 'unix'}: ${printable(error.message)}`);
  }
}
