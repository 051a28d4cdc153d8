// The server that takes over from this one, seen from here: a process of its own, started as this one was, with the
// listening sockets of this one.
//
// It has the standard output and error of this one, and outlives it.
// Decided elsewhere: the conversation (succession.ts), the other side (predecessor.ts), what follows from it (control.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { takenInput } from '../config/files.js';
import { heritageKey, type OpenSocket } from '../config/heritage.js';
import { afterReload } from '../config/logic.js';
import type { StartCommand } from './start-command.js';
import { INHERITANCE_VARIABLE, type Inheritance, type ToPredecessor, type ToSuccessor } from './succession.js';

const FIRST_FD = 3;

type Stdio = 'inherit' | 'ignore' | 'ipc' | 'pipe' | number;

/** Which descriptor of this process each one of the successor is, and under which key it finds those of sockets. */
function handOver(sockets: readonly OpenSocket[]): { stdio: Stdio[]; keys: [key: string, fd: number][] } {
  const stdio: Stdio[] = [takenInput() === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit'];
  // those that the configuration names by their number keep it
  for (const { address, fd } of sockets) if (address.kind === 'fd') stdio[address.socket as number] = fd;
  const nextFree = () => {
    let free = FIRST_FD;
    while (stdio[free] !== undefined) free++;
    return free;
  };
  const keys = sockets.flatMap(({ address, fd }): [string, number][] => {
    const key = heritageKey(address);
    if (key === undefined) return [];
    const place = nextFree();
    stdio[place] = fd;
    return [[key, place]];
  });
  stdio[nextFree()] = 'ipc';
  return { stdio: Array.from(stdio, (entry) => entry ?? 'ignore'), keys };
}

export class Successor {
  /** Resolves when it answers requests (undefined), or has ended and never will (why). */
  readonly ready: Promise<string | undefined>;
  /** Resolves when it has ended. */
  readonly gone: Promise<unknown>;
  readonly #child: ChildProcess;
  /** What it said was the reason. */
  #why = '';

  /** Starts it. `reason`: what asked for it. */
  constructor(command: StartCommand, sockets: readonly OpenSocket[], reason: string) {
    const { stdio, keys } = handOver(sockets);
    const inheritance: Inheritance = { sockets: keys, reason };
    const child = spawn(command.program, command.args, {
      cwd: command.directory,
      env: { ...afterReload(command.environment), [INHERITANCE_VARIABLE]: JSON.stringify(inheritance) },
      stdio,
    });
    child.stdin?.on('error', () => {}).end(takenInput()); // it may end before it has read it
    this.#child = child;
    this.gone = new Promise((resolve) => child.once('exit', resolve));
    this.ready = new Promise((resolve) => {
      child.on('message', (message: ToPredecessor) => {
        if (message.event === 'ready') resolve(undefined);
        else this.#why = message.why;
      });
      child.on('error', (error) => resolve(`it cannot be started in ${command.directory}: ${error.message}`));
      child.once('exit', (code, signal) => {
        const how = signal === null ? `it exited with code ${code}` : `it was killed by ${signal}`;
        resolve(this.#why === '' ? how : this.#why);
      });
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(event: ToSuccessor['event']): void {
    if (this.#child.connected) this.#child.send({ event } satisfies ToSuccessor, () => {}); // it may have just ended
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
