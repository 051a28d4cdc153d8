// Values of the options for static files and header fields: mount points, times to expire, fields.
//
// Decided elsewhere: which options take them (options/static.ts, options/edits.ts), what they do (edge/).

import { parsePattern } from './pattern.js';

/** `/PATH=FILE OR DIRECTORY`. */
export interface Mapping {
  /** '' or '/path', without a slash at the end. */
  readonly prefix: string;
  readonly target: string;
}

/** What matches stays fresh for so many seconds. */
export interface Expiry {
  readonly pattern: RegExp;
  readonly seconds: number;
}

/** `NAME: VALUE` of an answer. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

type Result<T> = { readonly value: T } | { readonly wanted: string };

export function parseMapping(text: string): Result<Mapping> {
  const equals = text.indexOf('=');
  const prefix = text.slice(0, Math.max(0, equals)).trim().replace(/\/+$/, '');
  const target = text.slice(equals + 1).trim();
  if (equals < 1 || !text.startsWith('/') || target === '' || target.includes('\0')) {
    return { wanted: 'of the form /PATH=DIRECTORY or /PATH=FILE' };
  }
  return { value: { prefix, target } };
}

/** `REGEX SECONDS`, or with a `=` before the seconds. */
export function parseExpiry(text: string): Result<Expiry> {
  const match = /^(\S.*?)\s*[\s=]\s*(\d{1,9})$/s.exec(text);
  if (match === null) return { wanted: 'a regular expression, a space and a number of seconds' };
  const pattern = parsePattern(match[1]!);
  return 'wanted' in pattern ? pattern : { value: { pattern: pattern.value, seconds: Number(match[2]) } };
}

/** `TYPE=SECONDS`, where the type has to match as a whole. */
export function parseTypeExpiry(text: string): Result<Expiry> {
  const match = /^([\w.+*-]+\/[\w.+*-]+)\s*[\s=]\s*(\d{1,9})$/.exec(text);
  if (match === null) return { wanted: 'of the form TYPE=SECONDS, such as text/css=3600' };
  const pattern = new RegExp(`^${match[1]!.replace(/[.+*]/g, '\\$&')}$`, 'i');
  return { value: { pattern, seconds: Number(match[2]) } };
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Fields that frame the answer or belong to the connection: they are the server's own. */
const OWN: ReadonlySet<string> = new Set(
  'connection content-length keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(' '),
);

export function parseHeaderName(text: string): Result<string> {
  if (!TOKEN.test(text)) return { wanted: 'the name of a header field' };
  if (OWN.has(text.toLowerCase())) return { wanted: 'a field that may be edited: the server frames answers itself' };
  return { value: text };
}

export function parseHeader(text: string): Result<HeaderField> {
  const colon = text.indexOf(':');
  if (colon < 1) return { wanted: 'of the form "NAME: VALUE"' };
  const name = parseHeaderName(text.slice(0, colon));
  if ('wanted' in name) return name;
  const value = Buffer.from(text.slice(colon + 1).trim()).toString('latin1');
  if (!VALUE.test(value)) return { wanted: 'a header field: its value has a control character' };
  return { value: { name: name.value, value } };
}
