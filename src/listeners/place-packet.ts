// Which app a uwsgi packet is for, and what that app is to see of it.
//
// A peer that names a mount point in SCRIPT_NAME has split the path already; one that does not knows nothing of mount
//   points, and its path is split here.
// Decided elsewhere: what a packet may hold (wire/uwsgi.ts).

import type { Receiver } from '../dispatch/receiver.js';
import { appendVariables, valueIn } from '../wire/uwsgi.js';
import { type Mount, mountOf, servesHost } from './site.js';

export interface Placed {
  readonly receiver: Receiver;
  readonly payload: Buffer;
}

/** The app for a packet with these two variables, and the `payload` it is to get. Undefined when there is none. */
export function placePacket(
  mounts: readonly Mount[],
  scriptName: string,
  path: string,
  payload: Buffer,
): Placed | undefined {
  const host = mounts[0]?.host === undefined ? '' : valueIn(payload, 'HTTP_HOST'); // mounts of hosts come first
  const isNamed = (mount: Mount) => mount.path === scriptName && servesHost(mount, host);
  const named = scriptName === '' ? undefined : mounts.find(isNamed);
  const mount = named ?? mountOf(mounts, path, host);
  if (mount === undefined) return undefined;
  const { receiver } = mount;
  if (named !== undefined || mount.path === '') return { receiver, payload };
  const split = [
    ['SCRIPT_NAME', mount.path],
    ['PATH_INFO', path.slice(mount.path.length)],
  ] as const;
  return { receiver, payload: appendVariables(payload, split) };
}
