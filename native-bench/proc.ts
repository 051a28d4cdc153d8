// What a server costs, read from /proc: processor time and memory of a process and everything that descends from it.
//
// Why PSS: pages that processes share, after a fork or through the arena, count once, divided among those that map
//   them. RSS would count them once per process, and a forking server would look worse than it is.
// Why children's time too: a process that has ended since the last look is in the `cutime` of whoever reaped it.
// A server is the tree below the process that was started, and the session of that process: a child whose parent has
//   ended hangs below init, but keeps its session. (nuwsgi's zygote has a session of its own, and a parent.)

import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the unit of times in /proc, 100 per second on every Linux this runs on. */
export const TICK_US = 10_000;

export interface Stat {
  readonly pid: number;
  readonly ppid: number;
  readonly session: number;
  readonly state: string;
  /** Processor time of the process and of its children that have ended and been reaped. */
  readonly cpuTicks: number;
  /** When it started, since boot: with the pid it names a process for good. */
  readonly startTicks: number;
}

/** Takes /proc/PID/stat apart; undefined when it is none. The name in parentheses may hold anything, also `)`. */
export function parseStat(text: string): Stat | undefined {
  const close = text.lastIndexOf(')');
  const pid = Number.parseInt(text, 10);
  if (close < 0 || Number.isNaN(pid)) return undefined;
  const fields = text.slice(close + 2).split(' '); // fields[0] is field 3 of proc(5)
  if (fields.length < 20) return undefined;
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    ppid: field(4),
    session: field(6),
    state: fields[0]!,
    cpuTicks: field(14) + field(15) + field(16) + field(17),
    startTicks: field(22),
  };
}

/** The PSS in KiB of /proc/PID/smaps_rollup; undefined when there is none (a zombie has no memory). */
export function parsePssKib(text: string): number | undefined {
  const match = /^Pss:\s+(\d+) kB$/m.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** The processes of `all` that belong to the server whose first process, and session, is `root`. */
export function treeOf(all: readonly Stat[], root: number): Stat[] {
  const members = new Set<number>();
  let before = -1;
  while (members.size !== before) {
    before = members.size;
    for (const { pid, ppid, session } of all) {
      if (pid === root || session === root || members.has(ppid)) members.add(pid);
    }
  }
  return all.filter(({ pid }) => members.has(pid));
}

const readStat = (pid: string) => parseStat(read(`/proc/${pid}/stat`) ?? '');

/** The processes of the server whose first process is `root`, as of now. */
export function readTree(root: number): Stat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return treeOf(
    pids.map(readStat).filter((stat) => stat !== undefined),
    root,
  );
}

/** Whether the process that `stat` tells of still runs; another one may have its pid by now. */
export function isAlive(stat: Stat): boolean {
  const now = readStat(String(stat.pid));
  return now !== undefined && now.startTicks === stat.startTicks && now.state !== 'Z';
}

export const cpuTicksOf = (tree: readonly Stat[]) => tree.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0);

/** The memory of `tree` in MiB; undefined when that of one process may not be read, because a sum without it misleads. */
export function pssMibOf(tree: readonly Stat[]): number | undefined {
  let kib = 0;
  for (const stat of tree) {
    const pss = parsePssKib(read(`/proc/${stat.pid}/smaps_rollup`) ?? '');
    if (pss !== undefined) kib += pss;
    else if (isAlive(stat)) return undefined;
  }
  return kib / 1024;
}

/** The text of a file in /proc; undefined when its process has gone, or may not be looked at. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
