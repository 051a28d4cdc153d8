// What the server is to be built of: plain values, worked out from the configuration.
//
// Decided elsewhere: what the options are and what must fit together (config/), what is done with the plan (server.ts).

import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Address } from './config/address.js';
import type { AppMount } from './config/apps.js';
import type { Resolved } from './config/resolve.js';
import { type EdgePlan, edgePlanOf } from './edge/plan.js';
import type { AppDefinition, Program } from './lifecycle/hosted-app.js';
import type { BoundAddress } from './listeners/listener.js';
import type { Limits } from './listeners/site.js';
import type { UwsgiOptions } from './listeners/uwsgi.js';
import { requestLogPlanOf } from './log-plan.js';
import type { RequestLogPlan } from './observe/log/request-log.js';
import { type ProcessPlan, processPlanOf } from './process/process-plan.js';

export interface ListenerPlan {
  readonly address: BoundAddress;
  readonly engine: 'uws' | 'node' | 'uwsgi';
}

export interface ServerPlan {
  readonly apps: readonly AppDefinition[];
  /** Which of them must load for the server to start. */
  readonly needApp: Resolved['needApp'];
  readonly listeners: readonly ListenerPlan[];
  readonly limits: Limits;
  /** Connections that may wait in the kernel. */
  readonly backlog: number;
  readonly uwsgi: UwsgiOptions;
  /** What is answered or edited in front of the apps; undefined: nothing. */
  readonly edge: EdgePlan | undefined;
  /** Requests that may be inside each app. */
  readonly maxInFlight: number;
  /** Size of the two parts of a slot: for a request, and for an answer or the part of one. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly responseBufferingBytes: number;
  readonly requestLog: RequestLogPlan;
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
const HEAD_TIMEOUT_MS = 30_000;
/** Longer than nginx keeps its connections to an upstream (60 s), so that it is never the server who closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** The engine that serves each HTTP option, unless --http-engine says otherwise. */
const HTTP_ENGINES = { http: 'uws', 'http11-socket': 'uws', 'http-socket': 'node' } as const;

function listenersOf(config: Resolved['config']): ListenerPlan[] {
  const http = Object.entries(HTTP_ENGINES).flatMap(([option, engine]) =>
    config[option as keyof typeof HTTP_ENGINES].map((address) => ({
      address: boundAddress(`--${option}`, address),
      engine: config['http-engine'] ?? engine,
    })),
  );
  const engine = config.protocol === 'http' ? 'node' : 'uwsgi';
  const uwsgi = config.socket.map((address) => ({ address: boundAddress('--socket', address), engine }) as const);
  return [...http, ...uwsgi];
}

export function planOf({ config, apps, given, needApp }: Resolved, version: string): ServerPlan {
  const listeners = listenersOf(config);
  return {
    apps: apps.map((app) => definitionOf(app, listeners)),
    needApp,
    listeners,
    limits: {
      headBytes: config['buffer-size'],
      bodyBytes: config['limit-post'],
      inlineBodyBytes: config['post-buffering'],
      spoolDirectory: resolve(config['body-tmpdir']),
      headTimeoutMs: HEAD_TIMEOUT_MS,
      idleTimeoutMs: config['socket-timeout'] * 1000,
      keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
    },
    backlog: config.listen,
    edge: edgePlanOf(config),
    uwsgi: { dynamicApps: config['dynamic-apps'], maxVariables: 2 * config['max-vars'] },
    maxInFlight: config['max-inflight'],
    requestBytes: ENVIRON_GROWTH * config['buffer-size'] + ENVIRON_EXTRA_BYTES + config['post-buffering'],
    answerBytes: ANSWER_BYTES,
    responseBufferingBytes: config['response-buffering'],
    requestLog: requestLogPlanOf(config),
    process: processPlanOf(config),
    version,
    given,
  };
}

function boundAddress(option: string, address: Address): BoundAddress {
  const { text } = address;
  if (address.kind === 'tcp') return { path: undefined, host: address.host, port: address.port, option, text };
  const path = address.kind === 'unix' ? address.path : `\0${address.name}`;
  return { path, host: '', port: 0, option, text };
}

function definitionOf(app: AppMount, listeners: readonly ListenerPlan[]): AppDefinition {
  const { target, path, config } = app;
  const directory = config.chdir ?? process.cwd();
  const environment = { ...process.env, ...Object.fromEntries(config.env.map(({ key, value }) => [key, value])) };
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
          lazy: config['lazy-apps'],
        };
  return {
    name: target.text,
    host: app.host,
    mount: path,
    program,
    callable: target.callable ?? config.callable,
    workers: config.processes,
    threads: config.threads ?? (target.kind === 'js' ? config.async : 1),
    heapMb: config['js-heap-limit'],
    environment,
    listeners: listeners.map((listener) => ({ SCRIPT_NAME: path, ...constantsOf(listener) })),
  };
}

/** The variables that all requests of a listener have. */
export function constantsOf({ address }: ListenerPlan): Readonly<Record<string, string>> {
  return {
    QUERY_STRING: '',
    SERVER_NAME: hostname(),
    SERVER_PORT: address.path === undefined ? String(address.port) : '80',
    SERVER_PROTOCOL: 'HTTP/1.1',
  };
}
