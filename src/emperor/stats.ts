// `--emperor-stats`: what the vassals do, as JSON in uWSGI's schema, to whoever connects.
//
// Beyond uWSGI's keys: `state` and `pause_ms` of each vassal. `blacklist` holds those that rest.
// Decided elsewhere: how a vassal lives (vassal.ts).

import { unlink } from 'node:fs/promises';
import { createServer, type ListenOptions, type Server } from 'node:net';
import type { Address } from '../config/address.js';
import { bindError, checkPath } from '../listeners/bind.js';
import type { Vassal } from './vassal.js';

const seconds = (ms: number) => Math.floor(ms / 1000);
/** How long a client that does not read may keep its connection. */
const IDLE_MS = 10_000;

/** The text that a client gets. `monitors`: what the emperor looks at. */
export function emperorStats(version: string, monitors: readonly string[], vassals: Iterable<Vassal>): string {
  const all = [...vassals];
  return `${JSON.stringify(
    {
      version,
      pid: process.pid,
      uid: process.getuid!(),
      gid: process.getgid!(),
      cwd: process.cwd(),
      emperor: monitors,
      emperor_tyrant: 0,
      throttle_level: Math.max(0, ...all.map(({ pauseMs }) => pauseMs)),
      vassals: all.map(vassalStats),
      blacklist: all
        .filter(({ state }) => state === 'resting')
        .map(({ id, pauseMs }) => ({ id, throttle_level: pauseMs })),
    },
    undefined,
    '\t',
  )}\n`;
}

function vassalStats(vassal: Vassal) {
  const isReady = Number(vassal.state === 'serving');
  return {
    id: vassal.id,
    pid: vassal.pid,
    born: seconds(vassal.bornAtMs),
    last_mod: seconds(vassal.file.modifiedAtMs),
    last_heartbeat: 0,
    loyal: isReady,
    ready: isReady,
    accepting: isReady,
    last_loyal: seconds(vassal.lastReadyAtMs),
    last_ready: seconds(vassal.lastReadyAtMs),
    last_accepting: seconds(vassal.lastReadyAtMs),
    first_run: seconds(vassal.firstRunAtMs),
    last_run: seconds(vassal.lastRunAtMs),
    cursed: Number(vassal.state === 'changing' || vassal.state === 'stopping'),
    zerg: 0,
    on_demand: '',
    uid: process.getuid!(),
    gid: process.getgid!(),
    monitor: vassal.file.monitor,
    respawns: Math.max(0, vassal.respawns),
    state: vassal.state,
    pause_ms: vassal.state === 'resting' ? vassal.pauseMs : 0,
  };
}

/** Listens at `address` and answers each connection with `text()`. Throws `ConfigError` CONFIG_BIND. */
export async function serveStats(address: Address, text: () => string): Promise<Server> {
  const place = { address, option: '--emperor-stats' };
  if ((await checkPath(place)) === 'a stale socket' && address.kind === 'unix') await unlink(address.path);
  const server = createServer((socket) => {
    socket.on('error', () => {}); // the client went away
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.end(text());
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(bindError(place, error)));
    server.listen(listenOptions(address), () => resolve(server));
  });
}

function listenOptions(address: Address): ListenOptions {
  if (address.kind === 'tcp') return { host: address.host, port: address.port };
  if (address.kind === 'unix') return { path: address.path };
  if (address.kind === 'abstract') return { path: `\0${address.name}` };
  return { fd: Number(address.socket) } as ListenOptions; // which the published types lack
}
