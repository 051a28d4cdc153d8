// The sockets that systemd has opened for this process (sd_listen_fds(3)): descriptors from 3 on, each with a name.
//
// Decided elsewhere: which option serves them (listeners.ts), listening on them (listeners/).

/** A listening socket that was handed over. */
export interface InheritedSocket {
  readonly fd: number;
  /** FileDescriptorName= of the unit, else the unit's name; 'unknown' where systemd tells none. */
  readonly name: string;
}

const FIRST_FD = 3;
/** What sd_listen_fds(3) reads. A process that starts others takes them out of its environment. */
export const INHERITANCE_VARIABLES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'] as const;

/** Makes what `env` says of the process that has started this one hold for this one. */
export function keepForChild(env: NodeJS.ProcessEnv): void {
  if (env.LISTEN_PID === String(process.ppid)) env.LISTEN_PID = String(process.pid);
}

/** The sockets that `env` tells of, if they are for process `pid`, in their order. */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): readonly InheritedSocket[] {
  const { LISTEN_FDS: count, LISTEN_PID: owner, LISTEN_FDNAMES: names } = env;
  if (owner !== String(pid) || count === undefined || !/^\d{1,5}$/.test(count)) return [];
  const given = names === undefined || names === '' ? [] : names.split(':');
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: FIRST_FD + i, name: given[i] ?? 'unknown' }));
}
