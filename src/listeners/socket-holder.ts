// Which process listens on an address already: for the message that says it is taken.
//
// Read from /proc: the kernel's tables of sockets give the inode, and /proc/PID/fd the process that has it open. Of
//   another user's processes only root sees the descriptors; then the message goes without.
// Read at start only, without returning to the event loop. Decided elsewhere: the message (bind.ts).

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Address } from '../config/address.js';

const LISTENING = '0A';
/** __SO_ACCEPTCON of the flags in /proc/net/unix. */
const ACCEPTS = 0x10000;

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** Inodes of the TCP sockets in `tables` (/proc/net/tcp and tcp6) that listen on `port`. */
export function listeningOnPort(port: number, tables: readonly string[]): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return tables.flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(wanted) && state === LISTENING && inode !== undefined ? [inode] : [];
  });
}

/** Inodes of the UNIX sockets in `table` (/proc/net/unix) that listen on `name`: a path, or `@` and an abstract name. */
export function listeningOnName(name: string, table: readonly string[]): string[] {
  return table.flatMap((line) => {
    const match = /^\S+ \S+ \S+ ([0-9A-F]{8}) \S+ \S+ +(\d+) (.*)$/.exec(line);
    if (match === null || (Number.parseInt(match[1]!, 16) & ACCEPTS) === 0) return [];
    const bound = match[3]!.startsWith('@') ? match[3]!.replace(/@+$/, '') : match[3]!; // NULs show as @
    return bound === name ? [match[2]!] : [];
  });
}

/** The inodes of the sockets that listen on `address`. */
export function listeningInodes(address: Address): string[] {
  if (address.kind === 'tcp') {
    return listeningOnPort(address.port, [...linesOf('/proc/net/tcp'), ...linesOf('/proc/net/tcp6')]);
  }
  if (address.kind === 'fd') return [];
  return listeningOnName(address.kind === 'unix' ? address.path : `@${address.name}`, linesOf('/proc/net/unix'));
}

/** The sockets of process `pid` (or 'self'): the inode of each, by its descriptor. */
export function socketsOf(pid: string): ReadonlyMap<number, string> {
  const sockets = new Map<number, string>();
  let names: string[] = [];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    // it has ended, or is another user's
  }
  for (const name of names) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) sockets.set(Number(name), inode);
    } catch {
      // closed meanwhile
    }
  }
  return sockets;
}

const hasOneOf = (pid: string, inodes: readonly string[]) =>
  [...socketsOf(pid).values()].some((inode) => inodes.includes(inode));

/** `pid 123 (nginx)`, the process that listens on `address`; undefined when it cannot be told. */
export function holderOf(address: Address): string | undefined {
  const inodes = listeningInodes(address);
  if (inodes.length === 0) return undefined;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const pid = pids
    .map(Number)
    .sort((a, b) => a - b)
    .find((candidate) => hasOneOf(String(candidate), inodes));
  if (pid === undefined) return undefined;
  return pid === process.pid ? 'this server itself, by another option' : `pid ${pid} (${commandOf(pid)})`;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trimEnd();
  } catch {
    return 'it has ended';
  }
}
