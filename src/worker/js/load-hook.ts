// A loader hook that tells of every file that is loaded as a module; it changes nothing. Runs in a thread of Node's own.
//
// Decided elsewhere: who wants to know (report-files.ts).

import type { LoadHook } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

let port: MessagePort | undefined;

export function initialize(data: { readonly port: MessagePort }): void {
  port = data.port;
}

export const load: LoadHook = (url, context, nextLoad) => {
  if (url.startsWith('file:')) port?.postMessage(url);
  return nextLoad(url, context);
};
