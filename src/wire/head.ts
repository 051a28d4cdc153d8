// The head of an app's answer, checked: the rules of PEP 3333 and RFC 9110 for JS apps, as bridge_wsgi.py has them for
// Python ones.
//
// No byte reaches a header line unchecked: a name is a token, a value has no control character, and fields that belong
//   to the connection are dropped, because the server sends its own.
// Decided elsewhere: when the head is sent (worker/js/conversation.ts).

import { STATUS_CODES } from 'node:http';

/** The app gave an answer that must not be sent. The text says which rule it broke. */
export class BrokenAnswer extends Error {
  override readonly name = 'BrokenAnswer';
}

export type Header = readonly [name: string, value: string];

/** A checked head. */
export interface Head {
  readonly status: number;
  /** "200 OK\r\nName: value..." without the last CRLF; characters up to 0xff, one byte each. */
  readonly text: string;
  /** The Content-Length that was declared, or -1. */
  readonly length: number;
  /** Whether there is a Date field. */
  readonly dated: boolean;
  /** Whether the app said the length itself. */
  readonly sized: boolean;
  readonly fields: number;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const STATUS = /^[2-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const LENGTH = /^[0-9]{1,15}$/;

type Role = 'plain' | 'length' | 'date' | 'dropped';
const ROLES: ReadonlyMap<string, Role> = new Map([
  ['content-length', 'length'],
  ['date', 'date'],
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'].map(
    (name): [string, Role] => [name, 'dropped'],
  ),
]);

/** Names checked before. Apps choose them, so they are few; their number is bounded all the same. */
const KEPT_NAMES = 1024;
const roles = new Map<string, Role>();

function roleOf(name: unknown): Role {
  if (typeof name !== 'string') throw new BrokenAnswer(`a header name must be a string, not ${typeof name}`);
  let role = roles.get(name);
  if (role === undefined) {
    if (!TOKEN.test(name)) throw new BrokenAnswer(`header name ${JSON.stringify(name.slice(0, 80))} is not a token`);
    role = ROLES.get(name.toLowerCase()) ?? 'plain';
    if (roles.size >= KEPT_NAMES) roles.clear();
    roles.set(name, role);
  }
  return role;
}

/** Checks what an app passed to startResponse. Throws `BrokenAnswer`. `onDropped` is told fields that are not sent. */
export function makeHead(status: unknown, headers: unknown, onDropped: (name: string) => void): Head {
  if (typeof status !== 'string') throw new BrokenAnswer(`the status must be a string, not ${typeof status}`);
  if (!STATUS.test(status)) {
    const found = JSON.stringify(status.slice(0, 80));
    throw new BrokenAnswer(`the status must be three digits (200 or above), a space and a reason, not ${found}`);
  }
  if (!Array.isArray(headers)) throw new BrokenAnswer('headers must be an array of [name, value] pairs');
  const code = Number(status.slice(0, 3));
  let text = status.length <= 4 ? `${code} ${STATUS_CODES[code] ?? 'Unknown'}` : status;
  let length = -1;
  let dated = false;
  let fields = 0;
  for (const header of headers as readonly unknown[]) {
    if (!Array.isArray(header) || header.length !== 2) throw new BrokenAnswer('a header must be a [name, value] pair');
    const [name, value] = header as readonly unknown[];
    const role = roleOf(name);
    if (typeof value !== 'string') {
      throw new BrokenAnswer(`the value of header ${String(name)} must be a string, not ${typeof value}`);
    }
    if (!VALUE.test(value)) {
      const found = JSON.stringify(value.slice(0, 80));
      throw new BrokenAnswer(
        `the value of header ${String(name)} has a control character, or one above 0xff: ${found}`,
      );
    }
    if (role === 'length') {
      if (!LENGTH.test(value)) throw new BrokenAnswer(`Content-Length "${value}" is not a number of bytes`);
      if (length >= 0 && length !== Number(value)) throw new BrokenAnswer('two different Content-Length');
      if (length < 0) fields++;
      length = Number(value);
      continue;
    }
    if (role === 'dropped') {
      onDropped(String(name));
      continue;
    }
    if (role === 'date') dated = true;
    text += `\r\n${String(name)}: ${value}`;
    fields++;
  }
  return { status: code, text, length, dated, sized: length >= 0, fields };
}
