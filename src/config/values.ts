// A text becomes a value of its option's kind, or a reason why not.
//
// uWSGI reads integers with atoi, so that garbage is 0, and takes every unknown word for true. Here both are errors:
//   `processes = fuor` should not start a server with none. The spellings themselves are uWSGI's.
// Decided elsewhere: which kind an option has (options.ts), where the text came from (sources.ts).

import { parseAddress } from './address.js';
import { CRON_FORM, CRON2_FORM, parseCron, parseCron2 } from './cron.js';
import { DAEMON2_FORM, parseDaemon2, parseSmartDaemon, SMART_DAEMON_FORM } from './daemon-plan.js';
import { parseExpiry, parseHeader, parseHeaderName, parseMapping, parseTypeExpiry } from './edge-values.js';
import { HOOK_FORM, MASTER_HOOK_FORM, parseHook, parseMasterHook } from './hook.js';
import { parseEncoder, parseLogger, parseLogto, parseRoute } from './log-target.js';
import { NETWORKS_FORM, parseNetworks } from './network.js';
import type { Kind, Option, Values } from './options/table.js';
import { type Owner, parseAssign } from './pairs.js';
import { parsePattern } from './pattern.js';
import { strangers } from './plugins.js';
import { parseStatsPush, STATS_PUSH_FORM } from './stats-push.js';
import { parseTlsAddress, TLS_FORM } from './tls-address.js';

/** `wanted` is to be read behind "is not". */
export type Parsed<T> = { readonly value: T; readonly warning?: string } | { readonly wanted: string };

const FALSE = new Set(['false', 'off', 'no', '0']);
const TRUE = new Set(['true', 'on', 'yes', '1', '']);

/** uWSGI's booleans, in any case; the empty text is true, because a bare option is. Undefined: neither. */
export function parseFlag(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return TRUE.has(lower) ? true : FALSE.has(lower) ? false : undefined;
}

function parseNumber(text: string, option: Option, unit: string): Parsed<number> {
  const [least, most] = option.range ?? [0, Number.MAX_SAFE_INTEGER];
  const span = option.range === undefined ? '' : ` from ${least} to ${most}`;
  if (!/^\d+$/.test(text)) {
    const comment = /^\d+\s+[;#]/.test(text) ? '; a comment needs a line of its own' : '';
    return { wanted: `a number${unit}${span}, in decimal digits${comment}` };
  }
  const value = Number(text);
  if (value > most && option.clamps) return { value: most, warning: `${option.name} is cut down to ${most}` };
  if (value < least || value > most) return { wanted: `a number${unit}${span}` };
  return { value };
}

/** What a parser gives that knows one form only. */
function orWanted<T>(value: T | undefined, form: string): Parsed<T> {
  return value === undefined ? { wanted: `of the form ${form}` } : { value };
}

/** Octal digits, as chmod(1) and umask(1) take them. */
function parseMode(text: string): Parsed<number> {
  const wanted = 'three octal digits, such as 660';
  return /^0?[0-7]{3}$/.test(text) ? { value: Number.parseInt(text, 8) } : { wanted };
}

const OWNER = /^([^:\s]*)(?::([^:\s]*))?$/;

function parseOwner(text: string): Parsed<Owner> {
  const [, user = '', group = ''] = OWNER.exec(text) ?? [];
  return user + group === '' ? { wanted: 'USER, USER:GROUP or :GROUP' } : { value: { user, group, text } };
}

const anyText = (text: string): Parsed<string> => ({ value: text });

// biome-ignore format: a table
const PARSERS: { readonly [K in Kind]: (text: string, option: Option) => Parsed<Values[K]> } = {
  flag: (text) => {
    const value = parseFlag(text);
    return value === undefined ? { wanted: 'a boolean: true, on, yes, 1 or false, off, no, 0' } : { value };
  },
  int:     (text, option) => parseNumber(text, option, ''),
  size:    (text, option) => parseNumber(text, option, ' of bytes'),
  seconds: (text, option) => parseNumber(text, option, ' of seconds'),
  text:    anyText,
  path:    (text) => (text.includes('\0') ? { wanted: 'a path' } : { value: text }),
  choice:  (text, option) => option.choices!.includes(text) ? { value: text } : { wanted: `one of ${option.choices!.join(', ')}` },
  address: (text) => {
    const parsed = parseAddress(text);
    return 'address' in parsed ? { value: parsed.address } : parsed;
  },
  assign: (text, option) => {
    const value = parseAssign(text);
    return value === undefined ? { wanted: `of the form ${option.value ?? 'NAME=VALUE'}` } : { value };
  },
  cron:           (text) => orWanted(parseCron(text), CRON_FORM),
  cron2:          (text) => orWanted(parseCron2(text), CRON2_FORM),
  'smart-daemon': (text) => orWanted(parseSmartDaemon(text), SMART_DAEMON_FORM),
  daemon2:        (text) => orWanted(parseDaemon2(text), DAEMON2_FORM),
  hook:           (text) => orWanted(parseHook(text), HOOK_FORM),
  'master-hook':  (text) => orWanted(parseMasterHook(text), MASTER_HOOK_FORM),
  networks: (text) => orWanted(parseNetworks(text), NETWORKS_FORM),
  regexp: parsePattern,
  plugin: (text) => {
    const unknown = strangers(text);
    return unknown.length === 0 ? { value: text } : { value: text, warning: `plugin ${unknown.join(', ')} is ignored: it is not built in` };
  },
  'needed-plugin': (text) => (strangers(text).length === 0 ? { value: text } : { wanted: 'built in' }),
  'log-target': parseLogto,
  logger: parseLogger,
  'log-route': parseRoute,
  'log-encoder': parseEncoder,
  'stats-push': parseStatsPush,
  mapping:       parseMapping,
  expiry:        parseExpiry,
  'type-expiry': parseTypeExpiry,
  header:        parseHeader,
  'header-name': parseHeaderName,
  'tls-address': parseTlsAddress,
  mode: parseMode,
  owner: parseOwner,
};

/** What each kind of value is called in `--help`, and in messages that ask for one. */
export const KIND_NAMES: Readonly<Record<Kind, readonly [placeholder: string, meaning: string]>> = {
  flag: ['', 'a boolean: true, on, yes, 1 or false, off, no, 0; alone it means true'],
  int: ['N', 'a number'],
  size: ['BYTES', 'a number of bytes'],
  seconds: ['SECONDS', 'a number of seconds'],
  text: ['TEXT', 'a text'],
  path: ['PATH', 'a path'],
  choice: ['WORD', 'one word of a list'],
  address: ['ADDR', 'an address: :PORT, HOST:PORT, [IPV6]:PORT, unix:/PATH, @NAME or fd://N'],
  assign: ['NAME=VALUE', 'a name and a value'],
  cron: ['CRON', CRON_FORM],
  cron2: ['CRON', CRON2_FORM],
  'smart-daemon': [SMART_DAEMON_FORM, 'a pidfile and a command'],
  daemon2: ['KEYS', DAEMON2_FORM],
  hook: ['ACTION:ARGUMENT', HOOK_FORM],
  'master-hook': ['ACTION:ARGUMENT', MASTER_HOOK_FORM],
  networks: ['ADDR[/BITS],...', NETWORKS_FORM],
  regexp: ['REGEX', 'a regular expression'],
  plugin: ['NAME', 'the name of a plugin of uWSGI'],
  'needed-plugin': ['NAME', 'the name of a plugin of uWSGI'],
  'log-target': ['FILE|HOST:PORT', 'a file, or HOST:PORT for UDP'],
  logger: [
    '[ID] NAME:ARG',
    'a logger: file:PATH, fd:N, stdio, socket:ADDR, syslog[:IDENT[,FACILITY]], rsyslog:HOST:PORT[,IDENT]',
  ],
  'log-route': ['ID REGEX', 'the name of a logger and a regular expression'],
  'log-encoder': ['NAME[:ID] ARG', 'an encoder and its argument: prefix, suffix, nl, format or json'],
  'stats-push': ['NAME:ARG', STATS_PUSH_FORM],
  mapping: ['/PATH=DIR', 'a path and what it stands for'],
  expiry: ['REGEX SECONDS', 'a regular expression and a number of seconds'],
  'type-expiry': ['TYPE=SECONDS', 'a MIME type and a number of seconds'],
  header: ['NAME: VALUE', 'a header field'],
  'header-name': ['NAME', 'the name of a header field'],
  'tls-address': [TLS_FORM, 'an address, a certificate and its key in PEM files, ciphers, certificates for clients'],
  mode: ['MODE', 'three octal digits, such as 660'],
  owner: ['USER[:GROUP]', 'a user and a group, by name or number'],
};

/** Reads `text` as `option` wants it. */
export function parseValue(option: Option, text: string): Parsed<Values[Kind]> {
  return PARSERS[option.kind](text, option);
}

/** What goes behind "needs a value:". */
export function wantedValue(option: Option): string {
  if (option.value !== undefined) return option.value;
  return option.choices === undefined ? KIND_NAMES[option.kind][1] : option.choices.join(' or ');
}
