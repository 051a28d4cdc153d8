// The statistics of a running server, as far as the checks under load look at them.

import { connect } from 'node:net';

/** One app, as the server sees it. */
export interface AppStats {
  readonly name: string;
  readonly in_flight: number;
  readonly waiting: number;
  readonly slots_in_use: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** What the server listening for statistics on the UNIX socket `path` says of its apps. Rejects when it does not answer. */
export function readStats(path: string): Promise<readonly AppStats[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      try {
        resolve((JSON.parse(text) as { nuwsgi: { apps: AppStats[] } }).nuwsgi.apps);
      } catch (error) {
        reject(error);
      }
    });
  });
}
