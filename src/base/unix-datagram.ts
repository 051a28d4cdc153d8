// UNIX datagram sockets, which Node.js does not have: /dev/log is one.
//
// Every call returns at once: a daemon that does not read costs a lost line and no time.
// Decided elsewhere: what is sent, and what becomes of a failure (observe/log/datagrams.ts, process/service-manager.ts).

import { constants } from 'node:os';
import { closeQuietly } from './close-quietly.js';
import { loadNative } from './native.js';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** `sockaddr_un`: the family in two bytes, then the path, which ends with NUL. */
const PATH_AT = 2;
const ADDRESS_BYTES = 110;

interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, bytes: number): number;
  send(fd: number, data: Uint8Array, bytes: number, flags: number): number;
  errno(): number;
}

let calls: Calls | undefined;

/** Throws when koffi cannot be loaded: to be called before the first line, so that it is noticed at the start. */
export function loadUnixDatagrams(): Calls {
  if (calls !== undefined) return calls;
  const { koffi, libc } = loadNative();
  calls = {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    connect: libc.func('int connect(int fd, const void *address, uint32_t bytes)'),
    send: libc.func('intptr_t send(int fd, const void *data, size_t bytes, int flags)'),
    errno: () => koffi.errno(),
  };
  return calls;
}

function problem(c: Calls): string {
  const errno = c.errno();
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}

/** A socket connected to the one at `path`, or of an abstract name behind `@`; or the name of what went wrong. */
export function connectDatagram(path: string): number | string {
  const c = loadUnixDatagrams();
  const fd = c.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return problem(c);
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt16LE(AF_UNIX, 0);
  const isAbstract = path.startsWith('@');
  const bytes = address.write(isAbstract ? `\0${path.slice(1)}` : path, PATH_AT, 'utf8');
  if (c.connect(fd, address, isAbstract ? PATH_AT + bytes : address.length) === 0) return fd;
  const why = problem(c);
  closeQuietly(fd);
  return why;
}

/** Sends one datagram; undefined when it has left, or the name of what went wrong (EAGAIN: the reader is slow). */
export function sendDatagram(fd: number, data: Uint8Array): string | undefined {
  const c = loadUnixDatagrams();
  return c.send(fd, data, data.length, MSG_DONTWAIT_NOSIGNAL) < 0 ? problem(c) : undefined;
}
