// The server that this one takes over from, seen from here.
//
// When it ends before it has handed over, so does this one: whoever ended it did not want a server.
// Decided elsewhere: the conversation (succession.ts), the other side (successor.ts).

import { closeOnExec } from '../base/native-sockets.js';
import { Heritage } from '../config/heritage.js';
import { keepForChild } from '../config/inherited.js';
import { INHERITANCE_VARIABLE, type Inheritance, type ToPredecessor, type ToSuccessor } from './succession.js';

export class Predecessor {
  readonly heritage: Heritage;
  /** What asked for the upgrade. */
  readonly reason: string;
  readonly #heard = new Set<ToSuccessor['event']>();
  #onHeard: () => void = () => {};
  #isReady = false;
  #isGone = false;

  /** `onLost` is called when it has ended, or does not want this one any more, before it has handed over. */
  constructor({ sockets, reason }: Inheritance, onLost: () => void) {
    this.heritage = new Heritage(sockets);
    this.reason = reason;
    for (const [, fd] of sockets) closeOnExec(fd);
    process.on('message', ({ event }: ToSuccessor) => {
      this.#heard.add(event);
      this.#onHeard();
    });
    process.once('disconnect', () => {
      this.#isGone = true;
      if (this.#isReady) this.#onHeard();
      else onLost();
    });
  }

  /** Says that this server answers requests. Resolves when the predecessor has let go of the sockets. */
  sayReady(): Promise<void> {
    this.#isReady = true;
    this.#tell({ event: 'ready' });
    return this.#hear('yours');
  }

  /** Resolves when its daemons and cron jobs have ended. */
  get companionsGone(): Promise<void> {
    return this.#hear('companions');
  }

  /** Says why this server does not come up. */
  sayFailed(why: string): void {
    if (!this.#isReady) this.#tell({ event: 'failed', why });
  }

  #tell(message: ToPredecessor): void {
    if (process.connected) process.send?.(message);
  }

  /** One that has ended has let go of everything. */
  #hear(event: ToSuccessor['event']): Promise<void> {
    return new Promise((resolve) => {
      this.#onHeard = () => {
        if (this.#isGone || this.#heard.has(event)) resolve();
      };
      this.#onHeard();
    });
  }
}

/**
 * The server that `env` says has started this one, as its successor; undefined: this one starts by itself. To be called
 * first: it takes its variable out of `env`, and makes this process the one that systemd's are for.
 */
export function findPredecessor(env: NodeJS.ProcessEnv, onLost: () => void): Predecessor | undefined {
  const text = env[INHERITANCE_VARIABLE];
  delete env[INHERITANCE_VARIABLE];
  if (text === undefined || process.send === undefined) return undefined;
  keepForChild(env);
  return new Predecessor(JSON.parse(text) as Inheritance, onLost);
}
