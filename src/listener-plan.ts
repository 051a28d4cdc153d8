// Which listener opens each socket that the configuration asks for, on which engine, and what its requests have in common.
//
// Decided elsewhere: which sockets are asked for (config/listeners.ts), what is done with the plan (server.ts).

import { hostname } from 'node:os';
import { accountId } from './base/accounts.js';
import { ConfigError } from './base/errors.js';
import type { ListenerOption, ListenerSetting } from './config/listeners.js';
import type { Config } from './config/options.js';
import type { Resolved } from './config/resolve.js';
import type { TlsFiles } from './config/tls-address.js';
import type { SocketSettings } from './listeners/bind.js';
import type { BoundAddress } from './listeners/bound-address.js';
import type { ProxyTrust } from './listeners/client-truth.js';

export interface ListenerPlan {
  readonly place: BoundAddress;
  /** `uwsgi` is node:net. */
  readonly engine: 'uws' | 'node' | 'uwsgi';
  /** Why it is not the engine that usually serves the option. */
  readonly engineNote: string | undefined;
  readonly tls: TlsFiles | undefined;
  /** Every connection begins with a PROXY protocol header. */
  readonly hasPreface: boolean;
  /** How long nothing may come of a request, or be taken of its answer. */
  readonly idleTimeoutMs: number;
  /** It does nothing but send clients to HTTPS. */
  readonly redirects: boolean;
}

/** The engine that serves each option, unless --http-engine or --protocol says otherwise. */
const ENGINES: Readonly<Record<ListenerOption, ListenerPlan['engine']>> = {
  http: 'uws',
  'http11-socket': 'uws',
  'http-socket': 'node',
  https: 'uws',
  'https-socket': 'node',
  socket: 'uwsgi',
  'suwsgi-socket': 'uwsgi',
  'http-to-https': 'node',
};

/** In uWSGI its router serves them, and goes by options of its own. */
const ROUTER_OPTIONS: ReadonlySet<ListenerOption> = new Set(['http', 'https', 'http-to-https']);
/** What chown(2) takes for an owner that stays. */
const UNCHANGED = -1;

/** Throws `ConfigError` CONFIG_CONFLICT when an engine is asked for what it cannot do. */
export function listenersOf({ config, listeners }: Resolved): ListenerPlan[] {
  for (const setting of listeners) checkPreface(setting, config);
  return listeners.map((setting) => ({
    place: { option: `--${setting.option}`, address: setting.address },
    ...engineOf(setting, config),
    tls: setting.tls,
    hasPreface: hasPreface(setting.option, config),
    idleTimeoutMs: idleSecondsOf(setting.option, config) * 1000,
    redirects: setting.option === 'http-to-https',
  }));
}

function engineOf(setting: ListenerSetting, config: Config): Pick<ListenerPlan, 'engine' | 'engineNote'> {
  const { option } = setting;
  const usual = ENGINES[option];
  if (usual === 'uwsgi') {
    const isHttp = option === 'socket' && config.protocol === 'http';
    return { engine: isHttp ? 'node' : 'uwsgi', engineNote: undefined };
  }
  const engine = config['http-engine'] ?? usual;
  const lack = engine === 'uws' ? lackOfUws(setting, config) : undefined;
  if (lack !== undefined && config['http-engine'] === 'uws') {
    throw new ConfigError('CONFIG_CONFLICT', `${setting.at}: ${option}: ${lack}; use http-engine = node`);
  }
  return { engine: lack === undefined ? engine : 'node', engineNote: lack };
}

/** node:https shows of a connection over a UNIX socket nothing by which its header could be found again. */
function checkPreface({ option, address, tls, at }: ListenerSetting, config: Config): void {
  const isUnix = address.kind === 'unix' || address.kind === 'abstract';
  if (!hasPreface(option, config) || tls === undefined || !isUnix) return;
  throw new ConfigError('CONFIG_CONFLICT', `${at}: ${option}: TLS with the PROXY protocol needs a TCP address`);
}

function idleSecondsOf(option: ListenerOption, config: Config): number {
  const own = ROUTER_OPTIONS.has(option) ? config['http-timeout'] : undefined;
  return own ?? config['socket-timeout'];
}

/** What a listener is asked for that uWebSockets.js cannot do. */
function lackOfUws({ option, tls }: ListenerSetting, config: Config): string | undefined {
  if (tls?.needsClient) return 'uWebSockets.js cannot refuse clients that have no certificate';
  if (hasPreface(option, config)) return 'uWebSockets.js would let clients write PROXY headers of their own';
  return undefined;
}

function hasPreface(option: ListenerOption, config: Config): boolean {
  if (ROUTER_OPTIONS.has(option)) return config['http-enable-proxy-protocol'];
  return ENGINES[option] !== 'uwsgi' && config['enable-proxy-protocol'];
}

export function trustOf(config: Config): ProxyTrust | undefined {
  const networks = config['trusted-proxies'].flat();
  return networks.length === 0 ? undefined : { networks, header: config['forwarded-header'] };
}

/**
 * What should be told about listeners that anybody can reach, and that believe whoever reaches them.
 */
export function warningsOf({ place: { address, option }, engine, hasPreface }: ListenerPlan, plan: Exposure): string[] {
  if (address.kind !== 'tcp' || isLoopback(address.host)) return [];
  const place = `${option} ${address.text}`;
  if (engine === 'uwsgi' && !plan.isUwsgiGuarded)
    return [
      `${place}: whoever reaches a uwsgi socket is believed who the client is; listen on 127.0.0.1 or a UNIX socket, or say with uwsgi-allow who may connect`,
    ];
  if (hasPreface && !plan.hasTrust)
    return [`${place}: whoever reaches it may say who the client is; say with trusted-proxies who may`];
  return [];
}

/** What guards such listeners. */
export interface Exposure {
  readonly isUwsgiGuarded: boolean;
  readonly hasTrust: boolean;
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** Throws `ConfigError` CONFIG_BAD_VALUE when chown-socket names nobody. */
export function socketSettingsOf(resolved: Resolved): SocketSettings {
  const { config, origins } = resolved;
  return {
    backlog: config.listen,
    isBacklogGiven: origins.has('listen'),
    keepAlive: config['so-keepalive'],
    deferAccept: !config['no-defer-accept'],
    reusePort: config['reuse-port'],
    rights: { mode: config['chmod-socket'], ...ownerOf(resolved) },
  };
}

/** Whose the files of UNIX sockets are to be. */
function ownerOf({ config, origins }: Resolved): { uid: number; gid: number } {
  const owner = config['chown-socket'];
  const idOf = (table: 'passwd' | 'group', name: string | undefined) => {
    const id = name === undefined || name === '' ? UNCHANGED : accountId(table, name);
    if (id !== undefined) return id;
    if (owner === undefined) return UNCHANGED; // of uid and gid that is said elsewhere: process/privileges.ts
    const wanted = `known here: there is no ${table === 'passwd' ? 'user' : 'group'} of that name`;
    throw new ConfigError('CONFIG_BAD_VALUE', 'chown-socket', origins.get('chown-socket')!, name!, wanted);
  };
  // who gives up root opens the sockets first; they are the new user's all the same, as in uWSGI
  return { uid: idOf('passwd', owner?.user ?? config.uid), gid: idOf('group', owner?.group ?? config.gid) };
}

/**
 * Variables that are the same for all requests of a listener. A port that is not known yet is put into each request
 * later (listeners/http-uws.ts, http-node.ts).
 */
export function constantVariables({ place: { address }, tls }: ListenerPlan): Readonly<Record<string, string>> {
  const usualPort = tls === undefined ? '80' : '443';
  return {
    QUERY_STRING: '',
    SERVER_NAME: hostname(),
    SERVER_PORT: address.kind === 'tcp' && address.port > 0 ? String(address.port) : usualPort,
    SERVER_PROTOCOL: 'HTTP/1.1',
    ...(tls !== undefined && { HTTPS: 'on' }),
  };
}
