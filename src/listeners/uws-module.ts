// Loading uWebSockets.js: the newer binary where there is one for this Node, else the older one, else the reason why
// there is none.
//
// Its limit for a request head is read from the environment when the binary is loaded, so it is set here, first.
// Decided elsewhere: what happens without it (server.ts falls back to node:http and says so).

import { createRequire } from 'node:module';

export type Uws = typeof import('uws-node20');

/** Silences the `uWebSockets: 20` header (uWebSockets.js has no named option for it). */
const NO_MARK = '999999990007';

let loaded: Uws | string | undefined;

/** The module, or a sentence that says why it cannot be loaded. `headBytes` counts only the first time. */
export function loadUws(headBytes: number): Uws | string {
  if (loaded !== undefined) return loaded;
  process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(headBytes);
  const require = createRequire(import.meta.url);
  const reasons: string[] = [];
  for (const name of Number(process.versions.node.split('.')[0]) >= 22
    ? ['uws-node24', 'uws-node20']
    : ['uws-node20']) {
    try {
      loaded = require(name) as Uws;
      (loaded as Uws & { _cfg(key: string): void })._cfg(NO_MARK);
      return loaded;
    } catch (error) {
      reasons.push((error as Error).message.split('\n')[0]!);
    }
  }
  loaded = reasons.at(-1)!;
  return loaded;
}
