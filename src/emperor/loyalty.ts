// A server that is the vassal of an emperor, seen from inside: it says when it is ready, and stops when the emperor is
// gone.
//
// Decided elsewhere: what the emperor does with it (vassal.ts).

/** In the environment of a vassal: its name. */
export const VASSAL_VARIABLE = 'NUWSGI_VASSAL';

/** What a vassal tells its emperor. */
export interface Oath {
  readonly event: 'ready';
  /** Of its configuration (reread.ts): by it the emperor sees whether a change of the file needs another process. */
  readonly digest: string;
}

/** Whether this process is a vassal; from then on `onEmperorGone` is called when its emperor has ended. */
export function becomeVassal(onEmperorGone: () => void): boolean {
  if (process.env[VASSAL_VARIABLE] === undefined || process.send === undefined) return false;
  delete process.env[VASSAL_VARIABLE]; // not for the apps, which may start a server themselves
  process.once('disconnect', onEmperorGone);
  process.channel?.unref();
  return true;
}

/** Tells the emperor that the server is ready. */
export function swear(digest: string): void {
  process.send?.({ event: 'ready', digest } satisfies Oath);
}
