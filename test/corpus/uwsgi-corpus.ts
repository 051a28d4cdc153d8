// Reads test/corpus/uwsgi/*.md, the packets that are also the specification (its README has the notation).

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What becomes of a packet. */
export type Expectation =
  | {
      readonly kind: 'app';
      /** '*' as a value: any. */
      readonly variables: readonly (readonly [name: string, value: string])[];
      readonly absent: readonly string[];
      readonly bodyBytes: number | undefined;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly why: RegExp }
  | { readonly kind: 'pong' }
  | { readonly kind: 'closed' };

export interface PacketCase {
  /** File and heading. */
  readonly name: string;
  readonly packet: Buffer;
  readonly body: Buffer;
  readonly limits: { readonly bufferBytes: number; readonly maxVars: number; readonly limitPost: number };
  readonly expect: Expectation;
}

const DIRECTORY = join(dirname(fileURLToPath(import.meta.url)), '../../../test/corpus/uwsgi');
const TOKEN = /"([^"]*)"(?:\*(\d+))?|([0-9a-f]{2}(?:[0-9a-f]{2})*)|(SIZE)|\|/g;

/** Every case of every file. */
export function packetCases(): PacketCase[] {
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.md') && name !== 'README.md');
  return files.flatMap((file) => {
    const sections = readFileSync(join(DIRECTORY, file), 'utf8').split(/^## /m).slice(1);
    return sections.map((section) => parseCase(`${file}: ${section.slice(0, section.indexOf('\n'))}`, section));
  });
}

function parseCase(name: string, section: string): PacketCase {
  const field = (key: string) => new RegExp(`^    ${key}\\b ?(.*)$`, 'm').exec(section)?.[1]?.trim();
  const limits = Object.fromEntries((field('limits') ?? '').split(' ').map((pair) => pair.split('=')));
  const expect = field('expect');
  const packet = field('packet');
  assert(expect !== undefined && packet !== undefined, `${name} has no packet or no expectation`);
  return {
    name,
    packet: parseBytes(packet),
    body: parseBytes(field('body') ?? ''),
    limits: {
      bufferBytes: Number(limits['buffer-size'] ?? 4096),
      maxVars: Number(limits['max-vars'] ?? 64),
      limitPost: Number(limits['limit-post'] ?? 0),
    },
    expect: parseExpectation(name, expect),
  };
}

function parseBytes(text: string): Buffer {
  const parts: Buffer[] = [];
  let sizeAt = -1;
  assert.equal(text.replace(TOKEN, '').trim(), '', `cannot read the bytes of: ${text}`);
  for (const [, quoted, times, hex, size] of text.matchAll(TOKEN)) {
    if (quoted !== undefined) parts.push(Buffer.from(quoted.repeat(Number(times ?? 1)), 'latin1'));
    else if (hex !== undefined) parts.push(Buffer.from(hex, 'hex'));
    else if (size !== undefined) {
      sizeAt = Buffer.concat(parts).length;
      parts.push(Buffer.alloc(2));
    }
  }
  const bytes = Buffer.concat(parts);
  if (sizeAt >= 0) bytes.writeUInt16LE(bytes.length - 4, sizeAt);
  return bytes;
}

function parseExpectation(name: string, text: string): Expectation {
  if (text === 'pong' || text === 'closed') return { kind: text };
  const refused = /^refused (\d+) \/(.*)\/$/.exec(text);
  if (refused !== null) return { kind: 'refused', status: Number(refused[1]), why: new RegExp(refused[2]!) };
  assert(text.startsWith('app'), `${name}: cannot read "${text}"`);
  const [variables = '', ...notes] = text
    .slice('app'.length)
    .split(';')
    .map((part) => part.trim());
  const body = notes.find((note) => note.startsWith('body '));
  const without = notes.find((note) => note.startsWith('without '));
  return {
    kind: 'app',
    variables: variables
      .split(', ')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const equals = pair.indexOf('=');
        const value = pair
          .slice(equals + 1)
          .replaceAll('\\r', '\r')
          .replaceAll('\\n', '\n');
        return [pair.slice(0, equals), Buffer.from(value, 'utf8').toString('utf8')] as const;
      }),
    absent: without === undefined ? [] : without.slice('without '.length).split(', '),
    bodyBytes: body === undefined ? undefined : Number(body.slice('body '.length)),
  };
}
