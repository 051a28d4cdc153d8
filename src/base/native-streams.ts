// The system calls of a connection that lives too shortly for a socket of node:net: accept it, read it, answer it, close it.
//
// Why: a connection that carries one request costs node:net 69 µs (a handle, a stream, an object for each write and for
//   the end, and the events of all of them), and the same by these calls 27 µs (native-bench/micro/short-connection.ts).
// None of them waits: they say EAGAIN, and node:net takes over.
// Decided elsewhere: when they are used (listeners/short-connections.ts).

import { SocketAddress } from 'node:net';
import { constants } from 'node:os';
import { loadNative } from './native.js';

const SOCK_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_DONTWAIT_NOSIGNAL = 0x4040;
const F_DUPFD_CLOEXEC = 1030;
const AF_INET = 2;
const AF_INET6 = 10;
/** `struct sockaddr_storage`. */
const ADDRESS_BYTES = 128;

/** What `koffi.node.poll` gives. */
export interface Poll {
  start(options: { readable: boolean }, onReadable: () => void): void;
  stop(): void;
  close(): void;
}

/** The calls; each gives -1 when it fails, and `errno` says why. */
export interface StreamCalls {
  /** Calls `onReadable` in the event loop while `fd` is readable; not from within Node's own callbacks: see `ShortConnections`. */
  poll(fd: number, onReadable: () => void): Poll;
  /** A connection that waits on the listening socket `fd`. Its peer's address is in `peer()` until the next call. */
  accept(fd: number): number;
  /** The IP address of the peer of the last accepted connection; '' on a UNIX socket. */
  peer(): string;
  /** Reads into `buffer`; 0: the peer sends no more. */
  receive(fd: number, buffer: Buffer): number;
  /** How many bytes the kernel took. */
  send(fd: number, bytes: Buffer): number;
  close(fd: number): void;
  /** Which of `fds`, by index, have a peer that neither reads nor writes any more: it has reset the connection, or closed it. */
  hungUp(fds: readonly number[]): number[];
  /** Another descriptor for what `fd` stands for. */
  duplicate(fd: number): number;
  errno(): number;
}

/** Nothing is there, or nothing more is taken. */
export const WOULD_BLOCK = constants.errno.EAGAIN;
/** What accept(2) says of one connection, and not of the socket that listens: the next may be accepted all the same. */
export const WENT_AWAY: ReadonlySet<number> = new Set(
  (['ECONNABORTED', 'EINTR', 'EPROTO', 'EPERM', 'ENETDOWN', 'ENETUNREACH', 'EHOSTUNREACH', 'ENOPROTOOPT'] as const).map(
    (name) => constants.errno[name],
  ),
);

let calls: StreamCalls | undefined;

/** Undefined when koffi has no binary for this machine, or cannot poll. */
export function streamCalls(): StreamCalls | undefined {
  try {
    calls ??= load();
  } catch {
    // then it is done with node:net
  }
  return calls;
}

function load(): StreamCalls {
  const { koffi, libc } = loadNative();
  const { poll } = koffi.node;
  if (typeof poll !== 'function') throw new Error('koffi cannot poll');
  const accept4 = libc.func('int accept4(int fd, void *address, void *bytes, int flags)');
  const recv = libc.func('int64_t recv(int fd, void *buffer, size_t bytes, int flags)');
  const send = libc.func('int64_t send(int fd, const void *buffer, size_t bytes, int flags)');
  const close = libc.func('int close(int fd)');
  const pollAll = libc.func('int poll(void *fds, unsigned long count, int timeoutMs)');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const address = Buffer.alloc(ADDRESS_BYTES);
  const addressBytes = new Int32Array(1);
  return {
    poll: (fd, onReadable) => poll(fd, { readable: true }, onReadable),
    accept(fd) {
      addressBytes[0] = ADDRESS_BYTES;
      return accept4(fd, address, addressBytes, SOCK_NONBLOCK_CLOEXEC);
    },
    peer: () => addressText(address),
    receive: (fd, buffer) => Number(recv(fd, buffer, buffer.length, MSG_DONTWAIT)),
    send: (fd, bytes) => Number(send(fd, bytes, bytes.length, MSG_DONTWAIT_NOSIGNAL)),
    close: (fd) => close(fd),
    hungUp(fds) {
      // struct pollfd: an int for the descriptor, a short for what is asked, here nothing, a short for the answer
      const polled = new Int32Array(2 * fds.length);
      fds.forEach((fd, i) => {
        polled[2 * i] = fd;
      });
      if (pollAll(polled, fds.length, 0) <= 0) return [];
      return fds.flatMap((_, i) => (polled[2 * i + 1] === 0 ? [] : [i]));
    },
    duplicate: (fd) => fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0),
    errno: () => koffi.errno(),
  };
}

/** The IP address in a `struct sockaddr`; '' when it is of another family. */
function addressText(address: Buffer): string {
  const family = address.readUInt16LE(0);
  if (family === AF_INET) return address.subarray(4, 8).join('.');
  if (family !== AF_INET6) return '';
  const groups = address.subarray(8, 24).toString('hex').match(/.{4}/g)!.join(':');
  return new SocketAddress({ address: groups, family: 'ipv6' }).address;
}
