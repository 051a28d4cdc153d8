// The ways in which a client can come: to which listener, on which connection, to which app.

import { Agent } from 'node:http';
import type { Ask } from './ask.js';
import { askHttp, askUwsgi, type Manner, type Outcome } from './client.js';

/** The listeners of a server that has every way in, in the order of its ports: uWebSockets.js, node:http, uwsgi. */
export const LISTENERS = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0'] as const;
/** Both apps, side by side. */
export const MOUNTS = ['--mount', '/py=ledger.py', '--mount', '/js=ledger.mjs'] as const;

export const APPS = ['py', 'js'] as const;
export type App = (typeof APPS)[number];

export interface WayIn {
  readonly name: string;
  /** Index of its listener in LISTENERS. */
  readonly listener: number;
  readonly isKept: boolean;
  readonly isUwsgi: boolean;
}

export const WAYS: readonly WayIn[] = [
  { name: 'uws, kept', listener: 0, isKept: true, isUwsgi: false },
  { name: 'uws, new', listener: 0, isKept: false, isUwsgi: false },
  { name: 'node, kept', listener: 1, isKept: true, isUwsgi: false },
  { name: 'node, new', listener: 1, isKept: false, isUwsgi: false },
  { name: 'uwsgi', listener: 2, isKept: false, isUwsgi: true },
];

/** One way to one app. */
export interface Way {
  readonly name: string;
  readonly app: App;
  ask(ask: Ask, manner?: Manner): Promise<Outcome>;
  close(): void;
}

/** Ways to the server that listens on `ports` (of LISTENERS) and hosts MOUNTS. */
export function waysTo(ports: readonly number[], wanted = WAYS, apps: readonly App[] = APPS): Way[] {
  return apps.flatMap((app) =>
    wanted.map(({ name, listener, isKept, isUwsgi }) => {
      // the server gives connections up that are idle: the client does so before
      const agent = isKept ? new Agent({ keepAlive: true, timeout: 5000 }) : undefined;
      const always = { mount: `/${app}`, ...(agent !== undefined && { agent }) };
      const ask = isUwsgi ? askUwsgi : askHttp;
      return {
        name: `${app}, ${name}`,
        app,
        ask: (one: Ask, manner: Manner = {}) => ask(ports[listener]!, one, { ...manner, ...always }),
        close: () => agent?.destroy(),
      };
    }),
  );
}
