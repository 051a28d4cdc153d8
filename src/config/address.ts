// Where a socket listens, as uWSGI writes it: `:9090`, `host:9090`, `[::1]:9090`, a path, `@abstract`, `fd://3`.
//
// A text that uWSGI would take for a UNIX socket by accident (`9090`, `http://...`) is refused with what was probably
//   meant: a server that listens where nobody looks is worse than one that does not start.
// Decided elsewhere: which options take an address (options.ts), binding (listeners/).

interface Written {
  /** As the user wrote it, for the log and for messages. */
  readonly text: string;
}
export interface TcpAddress extends Written {
  readonly kind: 'tcp';
  /** A name, or an IPv4 or IPv6 address without brackets. */
  readonly host: string;
  /** 0: the kernel chooses one. */
  readonly port: number;
}
export interface UnixAddress extends Written {
  readonly kind: 'unix';
  readonly path: string;
}
/** A UNIX socket without a file: Linux keeps the name apart from the file system. */
export interface AbstractAddress extends Written {
  readonly kind: 'abstract';
  /** Without the leading `@`. */
  readonly name: string;
}
/** A socket that whoever started the server has opened: systemd, a supervisor. */
export interface FdAddress extends Written {
  readonly kind: 'fd';
  /** Its number, or the name that systemd gave it (FileDescriptorName=). */
  readonly socket: number | string;
}
export type Address = TcpAddress | UnixAddress | AbstractAddress | FdAddress;

/** Or why a text is no address, to be read behind "is not". */
export type ParsedAddress = { readonly address: Address } | { readonly wanted: string };

const FORMS = 'an address: :PORT, HOST:PORT, [IPV6]:PORT, unix:/PATH, @NAME or fd://N';
const ANY_IPV4 = '0.0.0.0';
const MOST_PORT = 65535;
/** `sun_path` of Linux has 108 bytes: a file name needs a NUL behind it, an abstract one a NUL in front. */
const UNIX_PATH_BYTES = 107;

const IPV6 = /^\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]:(.*)$/;
const HOST_AND_PORT = /^([^:]*):([^:]*)$/;
const HOST = /^[A-Za-z0-9._-]+$/;
/** A number, or a name as systemd allows it (systemd.socket(5), FileDescriptorName=), without the colon. */
const DESCRIPTOR = /^(?:\d{1,6}|[\x21-\x39\x3b-\x7e]{1,255})$/;

/** Reads an address. Never throws. */
export function parseAddress(text: string): ParsedAddress {
  if (text.startsWith('unix:')) return unix(text, text.slice('unix:'.length));
  if (text.startsWith('@')) return abstract(text);
  if (text.startsWith('fd://')) return descriptor(text, text.slice('fd://'.length));
  if (/^\d+$/.test(text)) return { wanted: `${FORMS}; for a port write :${text}` };
  if (/^[a-z0-9+.-]+:\/\//i.test(text)) return { wanted: `${FORMS}; write it without the scheme` };
  if (text.startsWith('=')) return { wanted: `${FORMS}; shared sockets are not supported` };
  if (text.startsWith('/') || !text.includes(':')) return unix(text, text);

  const match = IPV6.exec(text) ?? HOST_AND_PORT.exec(text);
  if (match === null) return { wanted: `${FORMS}; an IPv6 address stands in brackets` };
  const host = match[1] === '' || match[1] === '*' ? ANY_IPV4 : match[1]!;
  const port = match[2]!;
  if (!text.startsWith('[') && !HOST.test(host)) return { wanted: FORMS };
  if (!/^\d+$/.test(port) || Number(port) > MOST_PORT) return { wanted: `${FORMS}; a port is 0 to ${MOST_PORT}` };
  return { address: { kind: 'tcp', host, port: Number(port), text } };
}

function unix(text: string, path: string): ParsedAddress {
  if (path === '' || path.includes('\0')) return { wanted: FORMS };
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES) {
    return { wanted: `a path that fits in a socket address: at most ${UNIX_PATH_BYTES} bytes` };
  }
  return { address: { kind: 'unix', path, text } };
}

function abstract(text: string): ParsedAddress {
  const name = text.slice(1);
  if (name === '') return { wanted: FORMS };
  if (Buffer.byteLength(name) > UNIX_PATH_BYTES) {
    return { wanted: `a name that fits in a socket address: at most ${UNIX_PATH_BYTES} bytes` };
  }
  return { address: { kind: 'abstract', name, text } };
}

function descriptor(text: string, socket: string): ParsedAddress {
  if (!DESCRIPTOR.test(socket)) return { wanted: `${FORMS}; behind fd:// stands the number or the name of a socket` };
  return { address: { kind: 'fd', socket: /^\d+$/.test(socket) ? Number(socket) : socket, text } };
}

/** Equal for two addresses that cannot both be bound. Undefined: the kernel chooses a port, so nothing collides. */
export function bindingKey(address: Address): string | undefined {
  if (address.kind === 'unix') return `unix:${address.path}`;
  if (address.kind === 'abstract') return `@${address.name}`;
  if (address.kind === 'fd') return `fd:${address.socket}`;
  return address.port === 0 ? undefined : `${address.host}:${address.port}`;
}
