// Where --stats-push sends figures, as uWSGI writes it: NAME:ARGUMENT. Pure.
//
//   file:path=FILE,separator=TEXT,freq=SECONDS    or file:FILE
//   socket:ADDR[,PREFIX]                          a datagram `PREFIX.NAME TYPE VALUE` per metric
//   statsd:ADDR[,PREFIX]                          a datagram `PREFIX.NAME:VALUE|c` or `|g` per metric
//
// Decided elsewhere: what is sent (observe/stats-push.ts).

import { udpAddress } from './log-target.js';

export interface FilePush {
  readonly kind: 'file';
  readonly path: string;
  /** Stands behind each JSON text. */
  readonly separator: string;
  /** Undefined: as often as --stats-pusher-default-freq says. */
  readonly frequencyMs: number | undefined;
}
export interface DatagramPush {
  readonly kind: 'socket' | 'statsd';
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
}
export type StatsPush = FilePush | DatagramPush;

export const STATS_PUSH_FORM =
  'file:PATH or file:path=PATH,separator=TEXT,freq=SECONDS, socket:HOST:PORT[,PREFIX], statsd:HOST:PORT[,PREFIX]';
const DEFAULT_FILE = 'uwsgi.stats';
const DEFAULT_SEPARATOR = '\n\n';
const DEFAULT_PREFIX = 'uwsgi';
const STATSD_PORT = 8125;

/** --stats-push: `NAME:ARGUMENT`. */
export function parseStatsPush(text: string): { readonly value: StatsPush } | { readonly wanted: string } {
  const [, name = '', argument = ''] = /^([a-z]+)(?::(.*))?$/s.exec(text) ?? [];
  const value = name === 'file' ? filePush(argument) : datagramPush(name, argument);
  return value === undefined ? { wanted: `of the form ${STATS_PUSH_FORM}` } : { value };
}

function filePush(argument: string): FilePush | undefined {
  const usual = { kind: 'file', path: DEFAULT_FILE, separator: DEFAULT_SEPARATOR, frequencyMs: undefined } as const;
  if (argument === '') return usual;
  if (!/^\w+=/.test(argument)) return { ...usual, path: argument };
  const keys = new Map(argument.split(',').map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
  if ([...keys.keys()].some((key) => !['path', 'separator', 'freq'].includes(key))) return undefined;
  const seconds = keys.get('freq');
  if (seconds !== undefined && !/^[1-9]\d{0,4}$/.test(seconds)) return undefined;
  return {
    kind: 'file',
    path: keys.get('path') || DEFAULT_FILE,
    separator: keys.get('separator') ?? DEFAULT_SEPARATOR,
    frequencyMs: seconds === undefined ? undefined : Number(seconds) * 1000,
  };
}

function datagramPush(name: string, argument: string): DatagramPush | undefined {
  if (name !== 'socket' && name !== 'statsd') return undefined;
  const comma = argument.indexOf(',');
  const to = udpAddress(comma < 0 ? argument : argument.slice(0, comma), name === 'statsd' ? STATSD_PORT : undefined);
  if (to === undefined) return undefined;
  return { kind: name, ...to, prefix: (comma < 0 ? '' : argument.slice(comma + 1)) || DEFAULT_PREFIX };
}
