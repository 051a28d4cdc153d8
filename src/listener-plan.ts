// Which listener opens each socket that the configuration asks for, on which engine, and what its requests have in common.
//
// Decided elsewhere: which sockets are asked for (config/listeners.ts), what is done with the plan (server.ts).

import { hostname } from 'node:os';
import { accountId } from './base/accounts.js';
import { ConfigError } from './base/errors.js';
import type { ListenerOption } from './config/listeners.js';
import type { Config } from './config/options.js';
import type { Resolved } from './config/resolve.js';
import type { SocketOptions } from './listeners/bind.js';
import type { BoundAddress } from './listeners/listener.js';

export interface ListenerPlan {
  readonly place: BoundAddress;
  readonly engine: 'uws' | 'node' | 'uwsgi';
}

/** The engine that serves each option, unless --http-engine or --protocol says otherwise. */
const ENGINES: Readonly<Record<ListenerOption, ListenerPlan['engine']>> = {
  http: 'uws',
  'http11-socket': 'uws',
  'http-socket': 'node',
  socket: 'uwsgi',
};

/** What chown(2) takes for an owner that stays. */
const UNCHANGED = -1;

export function listenersOf({ config, listeners }: Resolved): ListenerPlan[] {
  return listeners.map(({ option, address }) => ({
    place: { option: `--${option}`, address },
    engine: engineOf(option, config),
  }));
}

function engineOf(option: ListenerOption, config: Config): ListenerPlan['engine'] {
  if (option === 'socket') return config.protocol === 'http' ? 'node' : 'uwsgi';
  return config['http-engine'] ?? ENGINES[option];
}

/** Throws `ConfigError` CONFIG_BAD_VALUE when chown-socket names nobody. */
export function socketOptionsOf(resolved: Resolved): SocketOptions {
  const { config, origins } = resolved;
  return {
    backlog: config.listen,
    isBacklogGiven: origins.has('listen'),
    keepAlive: config['so-keepalive'],
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
export function constantVariables({ place: { address } }: ListenerPlan): Readonly<Record<string, string>> {
  return {
    QUERY_STRING: '',
    SERVER_NAME: hostname(),
    SERVER_PORT: address.kind === 'tcp' && address.port > 0 ? String(address.port) : '80',
    SERVER_PROTOCOL: 'HTTP/1.1',
  };
}
