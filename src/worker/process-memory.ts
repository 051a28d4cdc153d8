// How much memory a worker process has, from /proc: read without holding up the accept thread.
//
// The pages of the arena are left out. They are the server's, are shared by all workers, and how many of them a worker has
//   touched says nothing about its app.
// Decided elsewhere: when it is looked at (recycling.ts), what JS threads report (worker/js/entry.ts).

import { readFile } from 'node:fs/promises';

export interface MemoryFigures {
  /** Resident, and in its address space. */
  readonly rssBytes: number;
  readonly asBytes: number;
}

/** The memory of process `pid`; `arenaBytes` is how large the arena in it is. Undefined when it has ended. */
export async function memoryOf(pid: number, arenaBytes: number): Promise<MemoryFigures | undefined> {
  try {
    return parseStatus(await readFile(`/proc/${pid}/status`, 'latin1'), arenaBytes);
  } catch {
    return undefined;
  }
}

/** The figures in a text of /proc/PID/status. */
export function parseStatus(status: string, arenaBytes: number): MemoryFigures | undefined {
  const bytes = (name: string) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
    return match === null ? undefined : Number(match[1]) * 1024;
  };
  const rss = bytes('VmRSS');
  const size = bytes('VmSize');
  if (rss === undefined || size === undefined) return undefined; // a zombie has none
  return { rssBytes: rss - (bytes('RssShmem') ?? 0), asBytes: Math.max(0, size - arenaBytes) };
}
