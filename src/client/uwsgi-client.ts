// Speaking the uwsgi protocol to a server, to see what it answers: `nuwsgi ping` and `nuwsgi curl`.
//
// Works against any server that speaks it, uWSGI included. For people who debug: what is sent and what comes back is
//   shown as it is.
// Decided elsewhere: packets (wire/uwsgi.ts), the command line (commands.ts).

import { decodePath } from '../wire/cgi.js';
import { MODIFIER, PACKET_HEADER_BYTES, packetHeader, packetOf, readPacketHeader } from '../wire/uwsgi.js';
import { dial, type PeerAddress } from './dial.js';

/** A request in the words of HTTP. */
export interface UwsgiRequest {
  readonly method: string;
  /** Path and query, escaped as in HTTP. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Variables as they are, in place of those that the request would have. */
  readonly variables?: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/**
 * Sends `data` and reads until the server closes; rejects after `timeoutMs` without a byte, and when it cannot connect.
 * A server that answers before it has read everything, and closes, has answered.
 */
function exchange(
  address: PeerAddress,
  data: Buffer,
  timeoutMs: number,
  onData: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = dial(address);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    let hasAnswer = false;
    socket.on('connect', () => socket.write(data));
    socket.on('data', (chunk) => {
      hasAnswer = true;
      onData(chunk);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (hasAnswer && (error.code === 'EPIPE' || error.code === 'ECONNRESET')) resolve();
      else reject(error);
    });
    socket.on('close', (hadError) => {
      if (!hadError) resolve();
    });
  });
}

/**
 * Asks a server whether it is there (uWSGI's ping, modifier1 100). Resolves with its warning text, '' when all is well.
 * Rejects when it does not answer, or not with a pong.
 */
export async function ping(address: PeerAddress, timeoutMs: number): Promise<string> {
  let answer = Buffer.alloc(0);
  await exchange(address, packetHeader(MODIFIER.PING, 0, 0), timeoutMs, (chunk) => {
    answer = Buffer.concat([answer, chunk]);
  });
  if (answer.length < PACKET_HEADER_BYTES) throw new Error('it closed the connection without an answer');
  const header = readPacketHeader(answer);
  if (header.modifier1 !== MODIFIER.PING || header.modifier2 !== 1) throw new Error('the answer is no pong');
  return answer.toString('utf8', PACKET_HEADER_BYTES, PACKET_HEADER_BYTES + header.bytes);
}

/** What somebody typed, as the bytes it stands for: one character each. */
const bytesOf = (text: string) => Buffer.from(text).toString('latin1');

/** The variables of `request`, as nginx's uwsgi_params would send them; one character per byte. */
export function variablesOf(request: UwsgiRequest): [name: string, value: string][] {
  const target = bytesOf(request.target);
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const headers = request.headers.map(([name, value]) => [name, bytesOf(value)] as const);
  const header = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const variables: [string, string][] = [
    ['QUERY_STRING', question < 0 ? '' : target.slice(question + 1)],
    ['REQUEST_METHOD', request.method],
    ['CONTENT_TYPE', header('content-type') ?? ''],
    ['CONTENT_LENGTH', request.body.length > 0 ? String(request.body.length) : ''],
    ['REQUEST_URI', target],
    ['PATH_INFO', decodePath(path) ?? path],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['SERVER_NAME', header('host') ?? 'localhost'],
    ['SERVER_PORT', '80'],
    ['HTTP_HOST', header('host') ?? 'localhost'],
  ];
  for (const [name, value] of headers) {
    const variable = `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
    if (variable !== 'HTTP_HOST') variables.push([variable, value]);
  }
  const own = (request.variables ?? []).map(([name, value]): [string, string] => [bytesOf(name), bytesOf(value)]);
  return [...variables.filter(([name]) => !own.some(([other]) => other === name)), ...own];
}

/** Sends `request`; `onData` gets what comes back, as it comes. Rejects as `exchange` does. */
export function send(
  address: PeerAddress,
  request: UwsgiRequest,
  timeoutMs: number,
  onData: (chunk: Buffer) => void,
): Promise<void> {
  return exchange(address, Buffer.concat([packetOf(variablesOf(request)), request.body]), timeoutMs, onData);
}
