// X-Sendfile and X-Accel-Redirect: an app names a file in the head of its answer, and the server sends it.
//
// Only below the directories of --static-safe; a path elsewhere is none of ours and goes on to the proxy in front, whose
//   header fields these are. What the app said about the file (its type, its disposition) stands; the rest comes from the
//   file. What the app gives as body is dropped, and its iterable closed.
// Decided elsewhere: where the file lies and whether it may be sent (static/), when an answer is looked at
//   (edited-exchange.ts).

import { posix } from 'node:path';
import type { AnswerHead } from '../dispatch/exchange.js';
import type { Field } from './reply.js';

const FIELD = /\r\n(x-sendfile|x-accel-redirect): *([^\r\n]*)/i;

export interface NamedFile {
  /** Absolute; one character per byte. */
  readonly path: string;
  /** The app's status line and fields, without the one that names the file. */
  readonly line: string;
  readonly fields: readonly Field[];
}

/** What a file is sent with: status line and fields of the app, and of the file's `fields` those that it did not give. */
export function merge(named: NamedFile, fields: readonly Field[]): { readonly line: string; readonly fields: Field[] } {
  const given = new Set(named.fields.map(([name]) => name.toLowerCase()));
  return { line: named.line, fields: [...named.fields, ...fields.filter(([name]) => !given.has(name.toLowerCase()))] };
}

/** The file that `head` names; undefined when it names none. X-Accel-Redirect is a URI, and is unescaped. */
export function fileNamedBy(head: AnswerHead): NamedFile | undefined {
  const text = head.bytes.toString('latin1');
  const match = FIELD.exec(text);
  if (match === null) return undefined;
  const value = match[2]!.trim();
  const isUri = match[1]!.toLowerCase() === 'x-accel-redirect';
  const path = isUri
    ? value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : value;
  if (!path.startsWith('/') || path.includes('\0')) return undefined;
  const [line = '', ...lines] = text.split('\r\n');
  const fields = lines
    .map((one): Field => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 2)])
    .filter(([name]) => !/^x-(?:sendfile|accel-redirect)$/i.test(name));
  return { path: posix.normalize(path), line, fields };
}
