// Giving up root: the server opens its sockets with the rights it was started with, and everything else, the apps
// above all, runs with those of --uid and --gid.
//
// Order matters: supplementary groups first, then the group, then the user, because each needs the right that the last
//   one gives up. What cannot be given up ends the start; going on as root unnoticed would be worse.
// A change of user makes a process undumpable, which closes its /proc/PID/fd to its own children; they read long
//   request bodies there, so that is undone (arena/shared-pages.ts).
// Decided elsewhere: when it happens in a start (server.ts), who owns socket files (listeners/).

import { spawnSync } from 'node:child_process';
import { accountId } from '../base/accounts.js';
import { ConfigError } from '../base/errors.js';

export interface Privileges {
  /** Name or number; undefined: stays as it is. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly additionalGroups: readonly string[];
  /** Whether the user's own supplementary groups are taken over. */
  readonly initGroups: boolean;
}

/** What the published types of Node 20 lack. */
const posix = process as unknown as { initgroups(user: string | number, extraGroup: string | number): void };

type Identity = string | number;

/** Numbers as such: a name made of digits only would be looked up as a name otherwise. */
const identity = (text: string): Identity => (/^\d+$/.test(text) ? Number(text) : text);

const numberOf = (group: Identity) => (typeof group === 'number' ? group : (accountId('group', group) ?? -1));

/** The number of a user's own group, from wherever the system keeps its users; undefined: it is not known there. */
function ownGroup(user: string): number | undefined {
  const { status, stdout } = spawnSync('id', ['-g', '--', user], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

function attempt(what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new ConfigError('CONFIG_PRIVILEGES', `${what}: ${(error as Error).message}`);
  }
}

/** Whether `dropPrivileges` has anything to do. */
export function willDrop({ user, group, additionalGroups }: Privileges): boolean {
  return user !== undefined || group !== undefined || additionalGroups.length > 0;
}

/**
 * Gives up the rights of the user that started the server. Returns a line for the log, or undefined when there was
 * nothing to do. Throws `ConfigError` CONFIG_PRIVILEGES when a name is not known, or the system does not allow it.
 */
export function dropPrivileges(wanted: Privileges): string | undefined {
  if (!willDrop(wanted)) return undefined;
  const { user, group, additionalGroups, initGroups } = wanted;
  const added = additionalGroups.map(identity);
  const own = user === undefined ? undefined : ownGroup(user);
  const mainGroup = group === undefined ? own : identity(group);
  const isRoot = process.getuid!() === 0;
  if (user !== undefined && own === undefined && typeof identity(user) === 'string')
    throw new ConfigError('CONFIG_PRIVILEGES', `user ${user}: there is no such user`);
  if (isRoot && user !== undefined && mainGroup === undefined)
    throw new ConfigError('CONFIG_PRIVILEGES', `user ${user} has no group of its own: say which with gid`);
  if (isRoot && user !== undefined && own !== undefined && initGroups)
    attempt(`groups of ${user}`, () => posix.initgroups(identity(user), mainGroup!));
  else if (isRoot) attempt('groups', () => process.setgroups!([]));
  if (mainGroup !== undefined) attempt(`group ${mainGroup}`, () => process.setgid!(mainGroup));
  // behind setgid: getgroups also tells the group in force, which was root's until now
  // (a successor has them already, and may not ask for them again)
  const groups = process.getgroups!();
  const lacking = added.filter((group) => isRoot || !groups.includes(numberOf(group)));
  if (lacking.length > 0) attempt('add-gid', () => process.setgroups!([...groups, ...lacking]));
  if (user !== undefined) {
    attempt(`user ${user}`, () => process.setuid!(identity(user)));
    if (process.getuid!() !== 0 && canBecomeRoot())
      throw new ConfigError('CONFIG_PRIVILEGES', `user ${user}: root could be had back`);
  }
  return `running as uid ${process.getuid!()}, gid ${process.getgid!()}, groups ${process.getgroups!().join(' ')}`;
}

function canBecomeRoot(): boolean {
  try {
    process.setuid!(0);
    return true;
  } catch {
    return false;
  }
}
