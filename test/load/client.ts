// Clients that ask, and say exactly how it ended: right, wrong, not at all. HTTP on node:http, and the uwsgi protocol.

import { type Agent, request } from 'node:http';
import { connect } from 'node:net';
import { variablesOf } from '../../src/client/uwsgi-client.js';
import { packetOf } from '../../src/wire/uwsgi.js';
import { type Ask, BodyCheck, patternOf, targetOf } from './ask.js';

export type Ending =
  /** The answer that belongs to the request, whole. */
  | 'right'
  /** A 200 that is not this request's answer, or has other bytes than it should. */
  | 'wrong'
  /** An answer of the server's own: `status` says which. */
  | 'status'
  /** No connection. */
  | 'refused'
  /** A connection, and no whole answer. */
  | 'lost'
  /** The client left before the answer was there, as it was told to. */
  | 'left';

export interface Outcome {
  readonly ending: Ending;
  readonly status: number;
  /** What went wrong, for people. */
  readonly why: string;
  /** Its connection had carried a request before, and may have been on its way to be closed. */
  readonly reused?: boolean;
}

export interface Manner {
  /** Where the app is mounted. */
  readonly mount?: string;
  /** Keeps connections; without it each request has one of its own. */
  readonly agent?: Agent;
  /** Leave when so much of the answer has come; 0: as soon as the request is sent. */
  readonly leaveAfterBytes?: number;
  /** Send the request's body in pieces of this size, a turn of the event loop apart. */
  readonly pieceBytes?: number;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

const outcome = (ending: Ending, status = 0, why = ''): Outcome => ({ ending, status, why });

/** How an error of the connection counts. `ECONNREFUSED` and the like: the server had never taken it. */
const ofError = (error: NodeJS.ErrnoException): Outcome =>
  outcome(
    error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'refused' : 'lost',
    0,
    error.code ?? error.message,
  );

function judge(status: number, id: string | undefined, ask: Ask, check: BodyCheck): Outcome {
  if (status !== 200) return outcome('status', status, `${status}`);
  if (id !== ask.id) return outcome('wrong', status, `the answer to ${id} came to ${ask.id}`);
  return check.fault === undefined ? outcome('right', status) : outcome('wrong', status, check.fault);
}

/** Asks over HTTP. Never rejects. */
export function askHttp(port: number, ask: Ask, manner: Manner = {}): Promise<Outcome> {
  const { mount = '', agent, leaveAfterBytes, timeoutMs = TIMEOUT_MS } = manner;
  return new Promise((resolve) => {
    const { postBytes = 0 } = ask;
    const headers = { ...(postBytes > 0 && { 'Content-Length': postBytes }), ...(!agent && { Connection: 'close' }) };
    const client = request(
      {
        host: '127.0.0.1',
        port,
        path: targetOf(ask, mount),
        method: postBytes > 0 ? 'POST' : 'GET',
        headers,
        agent: agent ?? false,
        timeout: timeoutMs,
      },
      (answer) => {
        const check = new BodyCheck(ask);
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          if (answer.statusCode === 200) check.feed(chunk);
          bytes += chunk.length;
          if (leaveAfterBytes !== undefined && bytes >= leaveAfterBytes) leave();
        });
        answer.on('error', (error) => resolve(ofError(error)));
        answer.on('end', () => {
          const id = answer.headers['x-id'];
          if (!answer.complete) resolve(outcome('lost', answer.statusCode, 'cut off'));
          else resolve(judge(answer.statusCode!, typeof id === 'string' ? id : undefined, ask, check));
        });
      },
    );
    const leave = () => {
      resolve(outcome('left'));
      client.destroy();
    };
    client.on('timeout', () => client.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    client.on('error', (error) => resolve({ ...ofError(error), reused: client.reusedSocket }));
    void sendBody(ask, manner, (data, done) => client.write(data, done)).then(() => {
      if (leaveAfterBytes === 0) client.end(leave);
      else client.end();
    });
  });
}

async function sendBody(ask: Ask, manner: Manner, write: (data: Buffer, done: () => void) => void): Promise<void> {
  const { postBytes = 0 } = ask;
  if (postBytes === 0) return;
  const body = patternOf(ask.id, postBytes);
  const { pieceBytes = postBytes } = manner;
  for (let at = 0; at < postBytes; at += pieceBytes) {
    await new Promise<void>((resolve) => write(body.subarray(at, at + pieceBytes), resolve));
  }
}

/** Asks over the uwsgi protocol: a TCP port, or the path of a socket. Never rejects. */
export function askUwsgi(where: number | string, ask: Ask, manner: Manner = {}): Promise<Outcome> {
  const { mount = '', leaveAfterBytes, timeoutMs = TIMEOUT_MS } = manner;
  return new Promise((resolve) => {
    const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
    const body = patternOf(ask.id, ask.postBytes ?? 0);
    const method = body.length > 0 ? 'POST' : 'GET';
    const packet = packetOf(variablesOf({ method, target: targetOf(ask, mount), headers: [], body }));
    const check = new BodyCheck(ask);
    let head: string | undefined;
    let got = Buffer.alloc(0);
    let bodyBytes = 0;
    const onBody = (chunk: Buffer) => {
      bodyBytes += chunk.length;
      if (statusOf(head!) === 200) check.feed(chunk);
      if (leaveAfterBytes !== undefined && bodyBytes >= leaveAfterBytes) leave();
    };
    const leave = () => {
      resolve(outcome('left'));
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on('connect', () => {
      socket.write(packet);
      if (leaveAfterBytes === 0) socket.write(body, leave);
      else socket.write(body);
    });
    socket.on('data', (chunk) => {
      if (head !== undefined) {
        onBody(chunk);
        return;
      }
      got = Buffer.concat([got, chunk]);
      const end = got.indexOf('\r\n\r\n');
      if (end < 0) return;
      head = got.toString('latin1', 0, end);
      if (got.length > end + 4) onBody(got.subarray(end + 4));
    });
    socket.on('error', (error) => resolve(ofError(error)));
    socket.on('end', () => {
      const length = /^content-length: (\d+)$/im.exec(head ?? '')?.[1];
      if (head === undefined) resolve(outcome('lost', 0, 'closed without an answer'));
      // libuv tells a reset that comes together with the last bytes as an end, so without a length the one cannot be told
      // from the other here; test/e2e/cut-off.test.ts looks at that with other means
      else if (length === undefined ? check.isCutOff : bodyBytes < Number(length)) {
        resolve(outcome('lost', statusOf(head), 'cut off'));
      } else resolve(judge(statusOf(head), /^x-id: (\S+)$/im.exec(head)?.[1], ask, check));
      socket.end();
    });
  });
}

const statusOf = (head: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
