// Asking a running server for its statistics, stacks and profiles, on the address of --stats.
//
// Statistics come from a real uWSGI too: who is asked in raw form answers so. All else is asked for in HTTP.
// Decided elsewhere: what is asked for (stacks.ts, profile.ts, top/).

import { request } from 'node:http';
import { CONTROL_HEADER } from '../observe/endpoint/routes.js';
import { dial, type PeerAddress } from './dial.js';

/** Where the token comes from when it is not on the command line, where every user of the machine can read it. */
export const TOKEN_VARIABLE = 'NUWSGI_STATS_TOKEN';
export const DEFAULT_ADDRESS = '127.0.0.1:9191';
const MOST_BYTES = 256 << 20;
/** Who has not begun to answer in raw form by then waits for a request. */
const SILENT_MS = 1000;

export interface StatsPeer {
  readonly address: PeerAddress;
  readonly token: string | undefined;
}

/** How often it is tried to speak before the server does, which on a busy machine may not succeed at once. */
const TRIES = 4;

/** It answered something else than HTTP. */
class Foreign extends Error {
  override readonly message = 'it does not speak HTTP: is it the --stats address of a nuwsgi?';
}

/** Asks in HTTP. Resolves with the body; rejects with what the server said when that is an error. */
export async function ask(peer: StatsPeer, method: 'GET' | 'POST', path: string, timeoutMs: number): Promise<string> {
  for (let tried = 1; ; tried++) {
    try {
      return await askOnce(peer, method, path, timeoutMs);
    } catch (error) {
      if (!(error instanceof Foreign) || tried === TRIES) throw error;
    }
  }
}

function askOnce(peer: StatsPeer, method: 'GET' | 'POST', path: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const authorization = peer.token === undefined ? {} : { Authorization: `Bearer ${peer.token}` };
    const asking = request(
      {
        method,
        path,
        createConnection: () => dial(peer.address),
        headers: { Host: 'localhost', Connection: 'close', [CONTROL_HEADER]: '1', ...authorization },
      },
      (answer) => {
        collect(answer).then((body) => {
          if (answer.statusCode === 200) resolve(body);
          else if (answer.statusCode === 401) reject(new Error(`a token is needed: set ${TOKEN_VARIABLE}, or --token`));
          else reject(new Error(body.trim() || `the server answers ${answer.statusCode}`));
        }, reject);
      },
    );
    asking.setTimeout(timeoutMs, () => asking.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    asking.on('error', (error: NodeJS.ErrnoException) => {
      const isForeign = error.code?.startsWith('HPE_') ?? false;
      reject(isForeign ? new Foreign() : error);
    });
    asking.end();
  });
}

/** The statistics as JSON, in raw form, or where that is known to work or a token is needed, in HTTP, which is quicker. */
export function readStats(peer: StatsPeer, timeoutMs: number, isHttp = false): Promise<string> {
  if (isHttp || peer.token !== undefined) return ask(peer, 'GET', '/stats.json', timeoutMs);
  const socket = dial(peer.address);
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  const silent = setTimeout(() => socket.destroy(), SILENT_MS);
  socket.once('data', () => clearTimeout(silent));
  return collect(socket)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') return '';
      throw error;
    })
    .finally(() => clearTimeout(silent))
    .then((text) => {
      if (text.startsWith('HTTP/')) return text.slice(text.indexOf('\r\n\r\n') + 4); // a uWSGI with stats-http
      if (text !== '') return text;
      return ask(peer, 'GET', '/stats.json', timeoutMs); // it says what it needs: a token
    });
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.length > MOST_BYTES) throw new Error('the answer has no end');
  }
  return text;
}
