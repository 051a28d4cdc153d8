// What every listener needs to know: the apps behind it, the limits in front of them, and whom to tell.
//
// Decided elsewhere: which listener reads which protocol (http-uws.ts, http-node.ts), what the values are
//   (config/options.ts).

import type { Code, NuwsgiError } from '../base/errors.js';
import type { Receiver } from '../dispatch/receiver.js';

/** An app, or what stands in front of all apps, under its mount point. */
export interface Mount {
  /** '' or '/path', without a slash at the end. */
  readonly path: string;
  readonly receiver: Receiver;
}

export interface Limits {
  /** The longest request head in bytes. */
  readonly headBytes: number;
  /** The longest request body in bytes; 0: no limit. */
  readonly bodyBytes: number;
  /** Bodies up to this many bytes travel in the slot, longer ones in a file. */
  readonly inlineBodyBytes: number;
  /** Where those files are made. */
  readonly spoolDirectory: string;
  /** How long a request head may take to come. */
  readonly headTimeoutMs: number;
  /** How long nothing may come of a body that is not complete. */
  readonly idleTimeoutMs: number;
  /** How long a connection may stay open without a request. */
  readonly keepAliveTimeoutMs: number;
}

export interface Site {
  /** Longest path first, so that the first match is the right one. */
  readonly mounts: readonly Mount[];
  readonly limits: Limits;
  /** Whether the server is on its way out: answers say `Connection: close`. */
  readonly draining: boolean;
  /** Something a person should know. Nothing of the client's in it unescaped. */
  warn(text: string): void;
  /** A request was refused before an app saw it. */
  onRefused(peer: string, error: NuwsgiError<Code>): void;
}

/** The mount that `path` (unescaped) belongs to: prefixes match only at a slash. Undefined when there is none. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  for (const mount of mounts) {
    const { path: prefix } = mount;
    if (prefix === '') return mount;
    if (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')) return mount;
  }
  return undefined;
}
