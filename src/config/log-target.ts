// Where log lines go, as uWSGI writes it: --logto FILE|HOST:PORT, --logger [ID] NAME:ARGUMENT, --log-route ID REGEX.
//
// A name that uWSGI knows and this server does not serve is refused with what serves instead: a server whose log goes
//   nowhere is noticed on the day the log is needed.
// Decided elsewhere: what is written there (observe/log/).

import { parseAddress } from './address.js';
import { parsePattern } from './pattern.js';

export interface FileLogTarget {
  readonly kind: 'file';
  readonly path: string;
  /** The file is rotated when it is larger; 0: never. */
  readonly maxBytes: number;
  /** What a rotated file is called; undefined: its name with the time behind it. */
  readonly backupName: string | undefined;
  /** What is in the file at the start is dropped. */
  readonly truncate: boolean;
}
/** An open descriptor: 1 or 2. */
export interface DescriptorLogTarget {
  readonly kind: 'fd';
  readonly fd: number;
}
/** Datagrams, one per line: UDP, or a UNIX socket. `syslog` puts a line into the form of RFC 3164. */
export interface DatagramLogTarget {
  readonly kind: 'datagram';
  readonly to: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Goes in front of each line. */
  readonly prefix: string;
  readonly syslog: { readonly ident: string; readonly priority: number } | undefined;
}
export type LogTarget = FileLogTarget | DescriptorLogTarget | DatagramLogTarget;

/** `id`: takes only the lines that a route sends there. */
export interface Logger {
  readonly id: string | undefined;
  readonly target: LogTarget;
}
export interface LogRoute {
  readonly id: string;
  readonly pattern: RegExp;
}
/** How a line is rewritten before it goes to a logger. */
export interface LogEncoder {
  readonly name: (typeof ENCODERS)[number];
  /** For this logger only. */
  readonly id: string | undefined;
  readonly argument: string;
}

type Read<T> = { readonly value: T } | { readonly wanted: string };

const DEV_LOG = '/dev/log';
const SYSLOG_PORT = 514;
/** LOG_INFO of RFC 3164; facilities by their names, `daemon` as uWSGI has it. */
const INFO = 6;
const DAEMON = 'daemon';
const FACILITIES: readonly string[] = (
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock ' +
  'local0 local1 local2 local3 local4 local5 local6 local7'
).split(' ');
const ENCODERS = ['prefix', 'suffix', 'nl', 'format', 'json'] as const;
const LOGGERS =
  'file:PATH, fd:N, stdio, socket:HOST:PORT or socket:/PATH, syslog[:IDENT[,FACILITY]], rsyslog:HOST:PORT[,IDENT]';

export const plainFile = (path: string): FileLogTarget => ({
  kind: 'file',
  path,
  maxBytes: 0,
  backupName: undefined,
  truncate: false,
});

/** --logto: a path, or `host:port` for UDP. */
export function parseLogto(text: string): Read<LogTarget> {
  if (!text.startsWith('/') && !text.startsWith('.') && /:\d+$/.test(text)) return socketTarget(text);
  return { value: plainFile(text) };
}

/** --logger: `[ID] NAME:ARGUMENT`. */
export function parseLogger(text: string): Read<Logger> {
  const match = /^(?:(\w+) )?([a-z0-9]+)(?::(.*))?$/.exec(text);
  if (match === null) return { wanted: `a logger: [ID] and one of ${LOGGERS}` };
  const [, id, name, argument = ''] = match;
  const target = targetOf(name!, argument);
  return 'wanted' in target ? target : { value: { id, target: target.value } };
}

function targetOf(name: string, argument: string): Read<LogTarget> {
  switch (name) {
    case 'file':
      return fileTarget(argument);
    case 'fd':
      if (argument === '1' || argument === '2') return { value: { kind: 'fd', fd: Number(argument) } };
      return { wanted: 'a logger: fd:1 or fd:2' };
    case 'stdio':
      return { value: { kind: 'fd', fd: 1 } };
    case 'socket':
      return socketTarget(argument);
    case 'syslog':
      return syslogTarget({ path: DEV_LOG }, argument.split(','));
    case 'rsyslog': {
      const [address = '', ...rest] = argument.split(',');
      const to = udpAddress(address, SYSLOG_PORT);
      return to === undefined ? { wanted: 'a logger: rsyslog:HOST:PORT[,IDENT]' } : syslogTarget(to, rest);
    }
    default:
      return { wanted: `a logger: one of ${LOGGERS}` };
  }
}

/** A path, or `logfile=PATH,maxsize=BYTES,backupname=PATH`. */
function fileTarget(argument: string): Read<LogTarget> {
  if (argument === '') return { wanted: 'a logger: file:PATH' };
  if (!argument.startsWith('logfile=')) return { value: plainFile(argument) };
  const keys = new Map(argument.split(',').map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
  const unknown = [...keys.keys()].find((key) => !['logfile', 'maxsize', 'backupname'].includes(key));
  const maxBytes = keys.get('maxsize') ?? '0';
  if (unknown !== undefined || !/^\d+$/.test(maxBytes)) {
    return { wanted: 'a logger: file:logfile=PATH,maxsize=BYTES,backupname=PATH' };
  }
  const path = keys.get('logfile')!;
  return { value: { ...plainFile(path), maxBytes: Number(maxBytes), backupName: keys.get('backupname') } };
}

/** UDP or a UNIX datagram socket; what follows a comma goes in front of each line. */
function socketTarget(argument: string): Read<LogTarget> {
  const comma = argument.indexOf(',');
  const address = comma < 0 ? argument : argument.slice(0, comma);
  const prefix = comma < 0 ? '' : `${argument.slice(comma + 1)} `;
  const to = address.startsWith('/') ? { path: address } : udpAddress(address, undefined);
  if (to === undefined) return { wanted: 'an address for datagrams: HOST:PORT or /PATH' };
  return { value: { kind: 'datagram', to, prefix, syslog: undefined } };
}

function syslogTarget(
  to: DatagramLogTarget['to'],
  [ident = '', facility = DAEMON]: readonly string[],
): Read<LogTarget> {
  const code = FACILITIES.indexOf(facility);
  if (code < 0) return { wanted: `a logger: the facility is one of ${FACILITIES.join(' ')}` };
  const syslog = { ident: ident || 'nuwsgi', priority: code * 8 + INFO };
  return { value: { kind: 'datagram', to, prefix: '', syslog } };
}

/** `HOST:PORT`, for datagrams; `port` where the text has none. Undefined: it is no such address. */
export function udpAddress(text: string, port: number | undefined): { host: string; port: number } | undefined {
  const parsed = parseAddress(port !== undefined && !/:\d+$/.test(text) ? `${text}:${port}` : text);
  if (!('address' in parsed) || parsed.address.kind !== 'tcp') return undefined;
  const { host, port: number } = parsed.address;
  return { host: text.startsWith(':') ? '127.0.0.1' : host, port: number };
}

/** --log-route: `ID REGEX`. */
export function parseRoute(text: string): Read<LogRoute> {
  const space = text.indexOf(' ');
  if (space < 1) return { wanted: 'of the form ID REGEX' };
  const pattern = parsePattern(text.slice(space + 1));
  return 'wanted' in pattern ? pattern : { value: { id: text.slice(0, space), pattern: pattern.value } };
}

/** --log-encoder: `NAME[:LOGGER] ARGUMENT`. */
export function parseEncoder(text: string): Read<LogEncoder> {
  const match = /^(\w+)(?::(\w+))?(?: (.*))?$/s.exec(text);
  const name = ENCODERS.find((known) => known === match?.[1]);
  if (name === undefined)
    return { wanted: `an encoder: NAME[:LOGGER] ARGUMENT, the name one of ${ENCODERS.join(', ')}` };
  return { value: { name, id: match![2], argument: match![3] ?? '' } };
}
