// Names of users and groups to their numbers, as getent(1) knows them: /etc/passwd, LDAP, whatever the system uses.
//
// Asked at start only. Where there is no getent, the files are read.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** In both tables the number is the third field. */
const ID_FIELD = 2;

/** The number of user `name` (`passwd`) or group `name` (`group`), or `name` itself if it is one; undefined: unknown. */
export function accountId(table: 'passwd' | 'group', name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const line = ask(table, name) ?? linesOf(`/etc/${table}`).find((entry) => entry.startsWith(`${name}:`));
  const id = line?.split(':')[ID_FIELD];
  return id === undefined ? undefined : Number(id);
}

function ask(table: string, name: string): string | undefined {
  try {
    return execFileSync('getent', ['--', table, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined; // there is no such name, or no getent
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
