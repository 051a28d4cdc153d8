// What Node has no call for and a listener needs all the same: abstract names of their exact length, socket files that
// stay when the socket is closed, descriptors that children do not inherit, options of a socket that uWebSockets.js has
// opened.
//
// libuv deletes the file of a socket that it has bound when it closes it: wrong where a successor listens on it.
// An abstract name (unix(7)) is as long as the address that was passed to the kernel. Here that is the name and nothing
//   else, as systemd, curl and socat have it. uWSGI adds a NUL; Node and HAProxy (abns@) fill up sun_path with them.
// Decided elsewhere: when koffi is loaded (base/native.ts), who needs these (bind.ts, uws-socket.ts, client/).

import { constants } from 'node:os';
import { loadNative } from './native.js';

const AF_UNIX = 1;
/** sun_family and all of sun_path. */
const SOCKADDR_UN_BYTES = 2 + 108;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_SETFL = 4;
const O_RDWR_NONBLOCK = 2 | 0o4000;
const O_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_ACCEPTCONN = 30;
const IPPROTO_TCP = 6;
const TCP_DEFER_ACCEPT = 9;
const TCP_NOTSENT_LOWAT = 25;
const ON = 1;

interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, bytes: number): number;
  connect(fd: number, address: Uint8Array, bytes: number): number;
  listen(fd: number, backlog: number): number;
  setsockopt(fd: number, level: number, option: number, value: Int32Array, bytes: number): number;
  getsockopt(fd: number, level: number, option: number, value: Int32Array, bytes: Int32Array): number;
  fcntl(fd: number, command: number, type: 'int', value: number): number;
  dup3(from: number, to: number, flags: number): number;
  close(fd: number): number;
  errno(): number;
}

let calls: Calls | undefined;

function load(): Calls {
  if (calls) return calls;
  const { koffi, libc } = loadNative();
  calls = {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    bind: libc.func('int bind(int fd, const void *address, uint32_t bytes)'),
    connect: libc.func('int connect(int fd, const void *address, uint32_t bytes)'),
    listen: libc.func('int listen(int fd, int backlog)'),
    setsockopt: libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t bytes)'),
    getsockopt: libc.func('int getsockopt(int fd, int level, int option, _Out_ int *value, _Inout_ int *bytes)'),
    fcntl: libc.func('int fcntl(int fd, int command, ...)'),
    dup3: libc.func('int dup3(int from, int to, int flags)'),
    close: libc.func('int close(int fd)'),
    errno: () => koffi.errno(),
  };
  return calls;
}

/** Fails as Node's own calls do: an error with a `code` such as EADDRINUSE. */
function must(c: Calls, call: string, result: number): number {
  if (result !== -1) return result;
  const errno = c.errno();
  const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  throw Object.assign(new Error(`${call}: ${code}`), { code });
}

/** `struct sockaddr_un` of an abstract name, exactly as long as the name makes it. */
function abstractAddress(name: string): Buffer {
  return Buffer.concat([Uint8Array.of(AF_UNIX, 0, 0), Buffer.from(name)]);
}

/** `struct sockaddr_un` of a file. */
function pathAddress(path: string): Buffer {
  return Buffer.concat([Uint8Array.of(AF_UNIX, 0), Buffer.from(path), Uint8Array.of(0)]);
}

function unixSocket(use: (c: Calls, fd: number) => void): number {
  const c = load();
  const fd = must(c, 'socket', c.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0));
  try {
    use(c, fd);
  } catch (error) {
    c.close(fd);
    throw error;
  }
  return fd;
}

function listenOn(address: Buffer, backlog: number): number {
  return unixSocket((c, fd) => {
    must(c, 'bind', c.bind(fd, address, address.length));
    must(c, 'listen', c.listen(fd, backlog));
  });
}

/** A socket that listens on the abstract `name` (without the `@`). Throws errors with a `code`. */
export const listenAbstract = (name: string, backlog: number): number => listenOn(abstractAddress(name), backlog);

/** A socket that listens at `path`, where it makes a file. Throws errors with a `code`. */
export const listenPath = (path: string, backlog: number): number => listenOn(pathAddress(path), backlog);

/** A socket that is connected to the abstract `name`, in whichever of the ways it is bound. Throws errors with a `code`. */
export function connectAbstract(name: string): number {
  const exact = abstractAddress(name);
  const padding = Buffer.alloc(SOCKADDR_UN_BYTES - exact.length);
  const ways = [exact, Buffer.concat([exact, padding.subarray(0, 1)]), Buffer.concat([exact, padding])];
  return unixSocket((c, fd) => {
    if (!ways.some((address) => c.connect(fd, address, address.length) === 0)) must(c, 'connect', -1);
  });
}

/** Keeps `fd` from the processes that are started from now on. */
export function closeOnExec(fd: number): void {
  const c = load();
  must(c, 'fcntl', c.fcntl(fd, F_SETFD, 'int', FD_CLOEXEC));
}

/** Lets descriptor `to` stand for what `from` stands for, without blocking; what it stood for is closed. */
export function putInPlaceOf(to: number, from: number): void {
  const c = load();
  must(c, 'fcntl', c.fcntl(from, F_SETFL, 'int', O_RDWR_NONBLOCK));
  must(c, 'dup3', c.dup3(from, to, O_CLOEXEC));
}

/** Whether `fd` is a socket that listens. */
export function isListening(fd: number): boolean {
  const value = Int32Array.of(0);
  const bytes = Int32Array.of(Int32Array.BYTES_PER_ELEMENT);
  return load().getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, bytes) === 0 && value[0] === ON;
}

/** Sets the backlog of a socket that listens already. */
export function setBacklog(fd: number, backlog: number): void {
  const c = load();
  must(c, 'listen', c.listen(fd, backlog));
}

/** Sets SO_KEEPALIVE, which the connections of a listening socket take over from it. */
export function setKeepAlive(fd: number): void {
  setOption(fd, SOL_SOCKET, SO_KEEPALIVE, ON);
}

/** Sets SO_RCVBUF, which the connections of a listening socket take over from it, to twice `bytes`. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  setOption(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

/**
 * Sets TCP_NOTSENT_LOWAT, which the connections of a listening socket take over from it: the kernel takes `bytes` more
 * than it can send at once, and says that a connection is writable when half of them are gone.
 */
export function setMostUnsent(fd: number, bytes: number): void {
  setOption(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

/**
 * Sets TCP_DEFER_ACCEPT: a connection is there to be accepted once something has come on it, or nothing has for about
 * `seconds`; 0: at once. A socket that has no such option is left as it is.
 */
export function deferAccept(fd: number, seconds: number): void {
  load().setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, Int32Array.of(seconds), Int32Array.BYTES_PER_ELEMENT);
}

function setOption(fd: number, level: number, option: number, value: number): void {
  const c = load();
  must(c, 'setsockopt', c.setsockopt(fd, level, option, Int32Array.of(value), Int32Array.BYTES_PER_ELEMENT));
}
