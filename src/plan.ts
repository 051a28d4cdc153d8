// What the server is to be built of: plain values, worked out from the configuration.
//
// Decided elsewhere: what the options are and what must fit together (config/), what is done with the plan (server.ts).

import { join, resolve } from 'node:path';
import { ConfigError } from './base/errors.js';
import type { AppMount } from './config/apps.js';
import { INHERITANCE_VARIABLES } from './config/inherited.js';
import type { Config } from './config/options.js';
import type { Resolved } from './config/resolve.js';
import { type EdgePlan, edgePlanOf } from './edge/plan.js';
import { careOf } from './lifecycle/care.js';
import type { AppDefinition, Program } from './lifecycle/hosted-app.js';
import { constantVariables, type ListenerPlan, listenersOf, socketSettingsOf, trustOf } from './listener-plan.js';
import type { SocketSettings } from './listeners/bind.js';
import type { ProxyTrust } from './listeners/client-truth.js';
import type { Limits } from './listeners/site.js';
import type { UwsgiOptions } from './listeners/uwsgi.js';
import { requestLogPlanOf } from './log-plan.js';
import type { ControlPlan } from './observe/control-plane.js';
import type { RequestLogPlan } from './observe/log/request-log.js';
import { type ProcessPlan, processPlanOf } from './process/process-plan.js';
import { environmentOf, pythonSettingsOf } from './python-plan.js';

export interface ServerPlan {
  readonly apps: readonly AppDefinition[];
  /** Which of them must load for the server to start. */
  readonly needApp: Resolved['needApp'];
  readonly listeners: readonly ListenerPlan[];
  readonly limits: Limits;
  /** How the listeners' sockets are opened. */
  readonly sockets: SocketSettings;
  /** Descriptors that were handed over and that no process is to inherit from here. */
  readonly inheritedFds: readonly number[];
  readonly uwsgi: UwsgiOptions;
  /** Proxies that are believed who the client is; undefined: none. */
  readonly trust: ProxyTrust | undefined;
  /** What is answered or edited in front of the apps; undefined: nothing. */
  readonly edge: EdgePlan | undefined;
  /** Requests that may be inside each app. */
  readonly maxInFlight: number;
  /** Size of the two parts of a slot: for a request, and for an answer or the part of one. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly responseBufferingBytes: number;
  readonly requestLog: RequestLogPlan;
  /** Log files are opened anew at each reload. */
  readonly reopensLog: boolean;
  /** What the server tells of itself, and where. */
  readonly control: ControlPlan;
  /** Where health is told beside the apps; undefined: nowhere. */
  readonly healthPath: string | undefined;
  /** How long a stop waits before anything is stopped. */
  readonly stopDelayMs: number;
  /** Patterns of paths that are counted together. */
  readonly endpoints: readonly string[];
  /** The server as a process among others. */
  readonly process: ProcessPlan;
  readonly version: string;
  /** What the user set, for Python's `uwsgi.opt`. */
  readonly given: Readonly<Record<string, string | boolean | readonly string[]>>;
}

/** The largest part of an answer that travels at once. A longer answer goes in several. */
const ANSWER_BYTES = 65536;
/**
 * The environ of a request can be longer than its head: the target comes three times (REQUEST_URI, PATH_INFO,
 * QUERY_STRING), each field name with HTTP_ in front, and a few variables are the server's.
 */
const ENVIRON_GROWTH = 3;
const ENVIRON_EXTRA_BYTES = 1024;
/** What systemd tells this process is not for its workers: those who start processes look for it too. */
const WITHOUT_INHERITANCE = Object.fromEntries(INHERITANCE_VARIABLES.map((name) => [name, undefined]));
/** What uWSGI's `http-keepalive = 1` stands for: longer than nginx keeps its connections to an upstream, 60 s. */
const USUAL_KEEP_ALIVE_SECONDS = 75;

function keepAliveMsOf(config: Config): number {
  const seconds = config['http-keepalive'];
  return (seconds === 1 ? USUAL_KEEP_ALIVE_SECONDS : seconds) * 1000;
}

/** Throws `ConfigError` for what only this machine can tell. */
export function planOf(resolved: Resolved, version: string): ServerPlan {
  const { config, apps, given, needApp, inherited } = resolved;
  const listeners = listenersOf(resolved);
  return {
    apps: definitionsOf(apps, resolved),
    needApp,
    listeners,
    limits: {
      headBytes: config['buffer-size'],
      bodyBytes: config['limit-post'],
      allowUnderscores: config['underscore-headers'],
      inlineBodyBytes: config['post-buffering'],
      spoolDirectory: resolve(config['body-tmpdir']),
      headTimeoutMs: config['http-headers-timeout'] * 1000,
      idleTimeoutMs: config['socket-timeout'] * 1000,
      minBodyRate: config['min-body-rate'],
      keepAliveTimeoutMs: keepAliveMsOf(config),
    },
    sockets: socketSettingsOf(resolved),
    inheritedFds: inherited.map(({ fd }) => fd),
    edge: edgePlanOf(config, resolved.routes),
    uwsgi: {
      dynamicApps: config['dynamic-apps'],
      maxVariables: 2 * config['max-vars'],
      ignoresScriptName: config['ignore-script-name'],
      allowed: config['uwsgi-allow'].flat(),
    },
    trust: trustOf(config),
    maxInFlight: config['max-inflight'],
    requestBytes: ENVIRON_GROWTH * config['buffer-size'] + ENVIRON_EXTRA_BYTES + config['post-buffering'],
    answerBytes: ANSWER_BYTES,
    responseBufferingBytes: config['response-buffering'],
    requestLog: requestLogPlanOf(config),
    reopensLog: config['log-reopen'],
    control: controlPlanOf(config),
    healthPath: healthPathOf(resolved),
    stopDelayMs: config['stop-delay'] * 1000,
    endpoints: config.endpoint,
    process: processPlanOf(config),
    version,
    given,
  };
}

/** Throws `ConfigError` for a path that hides an app, or is none. */
function healthPathOf({ config, apps, origins }: Resolved): string | undefined {
  const given = config.health;
  if (given === undefined) return undefined;
  const path = given.replace(/\/+$/, '');
  const at = origins.get('health') ?? 'health';
  if (!/^\/[\x21-\x24\x26-\x3e\x40-\x7e]+$/.test(path)) {
    throw new ConfigError(
      'CONFIG_BAD_VALUE',
      'health',
      at,
      given,
      'a path such as /health, with nothing to be unescaped',
    );
  }
  const app = apps.find((candidate) => candidate.path === path);
  if (app !== undefined)
    throw new ConfigError('CONFIG_CONFLICT', `${at}: health ${path} is where ${app.target.text} is mounted`);
  return path;
}

function controlPlanOf(config: Config): ControlPlan {
  return {
    stats: config.stats,
    metrics: config.metrics,
    isHttp: config['stats-http'],
    isMinified: config['stats-minified'],
    withCores: !config['stats-no-cores'],
    token: config['stats-token'],
    reportsMemory: config['memory-report'],
    logsMetrics: config['log-format']?.includes('%(metric.') ?? false,
    pushes: config['stats-push'],
    push: {
      frequencyMs: config['stats-pusher-default-freq'] * 1000,
      allGauges: config['statsd-all-gauges'],
      withWorkers: !config['statsd-no-workers'],
    },
  };
}

/** The apps, behind the listeners of `resolved`. Throws `ConfigError` for what only this machine can tell. */
export function definitionsOf(apps: readonly AppMount[], resolved: Resolved): AppDefinition[] {
  const listeners = listenersOf(resolved);
  return apps.map((app) => definitionOf(app, listeners));
}

function definitionOf(app: AppMount, listeners: readonly ListenerPlan[]): AppDefinition {
  const { target, path, config } = app;
  const directory = config.chdir ?? process.cwd();
  const environment: NodeJS.ProcessEnv = { ...environmentOf(config, directory), ...WITHOUT_INHERITANCE };
  const venv = config.virtualenv === undefined ? undefined : resolve(directory, config.virtualenv);
  if (venv !== undefined) {
    environment.VIRTUAL_ENV = venv;
    environment.PATH = `${join(venv, 'bin')}:${environment.PATH ?? ''}`;
  }
  const python = config.python ?? (venv === undefined ? 'python3' : join(venv, 'bin', 'python'));
  const program: Program =
    target.kind === 'js'
      ? { kind: 'js', file: resolve(directory, target.path) }
      : {
          kind: 'python',
          python,
          directory,
          target: target.kind === 'python-file' ? { file: target.path } : { module: target.module },
          pythonPath: config.pythonpath,
          settings: pythonSettingsOf(config),
          lazy: config['lazy-apps'],
        };
  return {
    name: target.text,
    host: app.host,
    mount: path,
    program,
    callable: target.callable ?? config.callable,
    workers: config.processes,
    mercyMs: config['worker-reload-mercy'] * 1000,
    ...careOf(config),
    threads: config.threads ?? (target.kind === 'js' ? config.async : 1),
    heapMb: config['js-heap-limit'],
    environment,
    listeners: listeners.map((listener) => ({ SCRIPT_NAME: path, ...constantVariables(listener) })),
  };
}
