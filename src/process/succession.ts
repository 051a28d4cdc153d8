// What a server and the one that takes over from it at an upgrade tell each other, over Node's own channel between a
// process and one that it has started.
//
//   predecessor                          successor
//   starts it, with the sockets     -->  reads the configuration, loads the apps, listens on the sockets
//                                   <--  ready (or failed; or it ends)
//   lets go of the sockets, yours   -->  obeys the master FIFO; tells the service manager
//   stops daemons and cron jobs,
//   companions                      -->  starts them
//   answers what it has, ends
//
// Between "ready" and "yours" both accept from the same queue of the kernel, so at no moment does nobody.
// Decided elsewhere: each side (predecessor.ts, successor.ts), what the server does at each step (control.ts, cli.ts).

/** In the environment of a successor: an `Inheritance` as JSON. */
export const INHERITANCE_VARIABLE = 'NUWSGI_PREDECESSOR';

export interface Inheritance {
  /** Descriptors of listening sockets, by `heritageKey`. */
  readonly sockets: readonly (readonly [key: string, fd: number])[];
  /** What asked for the upgrade: "SIGUSR2". */
  readonly reason: string;
}

export type ToPredecessor = { readonly event: 'ready' } | { readonly event: 'failed'; readonly why: string };
export type ToSuccessor = { readonly event: 'yours' | 'companions' };
