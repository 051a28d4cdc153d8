// What every listener needs to know: the apps behind it, the limits in front of them, and whom to tell.
//
// Decided elsewhere: which listener reads which protocol (http-uws.ts, http-node.ts), what the values are
//   (config/options.ts).

import type { Code, NuwsgiError } from '../base/errors.js';
import type { Exchange } from '../dispatch/exchange.js';
import type { Receiver } from '../dispatch/receiver.js';
import type { ConnectionLimit } from './connection-limit.js';
import type { Watch } from './watch.js';

/** An app, or what stands in front of all apps, under its mount point. */
export interface Mount {
  /** In lower case; `*.example.com` stands for every host below; undefined: every host. */
  readonly host?: string | undefined;
  /** '' or '/path', without a slash at the end. */
  readonly path: string;
  readonly receiver: Receiver;
}

export interface Limits {
  /** The longest request head in bytes. */
  readonly headBytes: number;
  /** The longest request body in bytes; 0: no limit. */
  readonly bodyBytes: number;
  /** Header fields with an underscore in their name may reach the app. */
  readonly allowUnderscores: boolean;
  /** Bodies up to this many bytes travel in the slot, longer ones in a file. */
  readonly inlineBodyBytes: number;
  /** Where those files are made. */
  readonly spoolDirectory: string;
  /** How long a request head may take to come. */
  readonly headTimeoutMs: number;
  /** How long nothing may come of a body that is not complete, or be taken of an answer. */
  readonly idleTimeoutMs: number;
  /** How many bytes of a body must come per second, on average over `idleTimeoutMs`; 0: any number. */
  readonly minBodyRate: number;
  /** How long a connection may stay open without a request; 0: it is closed behind each answer. */
  readonly keepAliveTimeoutMs: number;
}

export interface Site {
  /** Sorted by `byPrecedence`, so that the first match is the right one. */
  readonly mounts: readonly Mount[];
  readonly limits: Limits;
  /** Whether the server is on its way out: answers say `Connection: close`. */
  readonly draining: boolean;
  readonly connections: ConnectionLimit;
  /** Of what comes in more than one piece. */
  readonly watch: Watch;
  /** Answers that are complete, and that their clients have not taken completely. */
  readonly unsent: Set<Exchange>;
  /** Something a person should know. Nothing of the client's in it unescaped. */
  warn(text: string): void;
  /** A request was refused before an app saw it. */
  onRefused(peer: string, error: NuwsgiError<Code>): void;
}

/** Names before patterns before every host, and of these the longer path first: the order that `mountOf` needs. */
export function byPrecedence(a: Mount, b: Mount): number {
  const rank = ({ host }: Mount) => (host === undefined ? 2 : host.startsWith('*') ? 1 : 0);
  const isPattern = rank(a) === 1 && rank(b) === 1;
  const bySuffix = isPattern ? b.host!.length - a.host!.length : 0;
  return rank(a) - rank(b) || bySuffix || b.path.length - a.path.length;
}

/**
 * The mount that `path` (unescaped) of `host` (as in the Host field) belongs to: prefixes match only at a slash.
 * Undefined when there is none.
 */
export function mountOf(mounts: readonly Mount[], path: string, host: string): Mount | undefined {
  for (const mount of mounts) {
    if (mount.host !== undefined && !servesHost(mount, host)) continue;
    const { path: prefix } = mount;
    if (prefix === '') return mount;
    if (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')) return mount;
  }
  return undefined;
}

/** Whether requests with this Host field are for `mount`. */
export function servesHost(mount: Mount, field: string): boolean {
  if (mount.host === undefined) return true;
  const host = field.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  return mount.host.startsWith('*')
    ? host.endsWith(mount.host.slice(1)) && host.length >= mount.host.length
    : host === mount.host;
}
