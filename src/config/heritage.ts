// The listening sockets that a server takes over from its predecessor at an upgrade, each under the address that it was
// opened for.
//
// By address and not by option: the new version may serve an address by another option, or on another engine.
// Decided elsewhere: how they come from one process into the other (process/predecessor.ts, process/successor.ts), who
//   listens on them (listeners/, observe/endpoint/).

import { closeSync, rmSync } from 'node:fs';
import type { Address } from './address.js';

const UNIX = 'unix ';

/** A listening socket and the address that it was opened for. */
export interface OpenSocket {
  readonly address: Address;
  readonly fd: number;
}

/**
 * What a socket is known by. Addresses whose port the kernel chooses are told apart by their order only. Undefined: a
 * descriptor, which has the same number in both processes.
 */
export function heritageKey(address: Address): string | undefined {
  if (address.kind === 'tcp') return `tcp ${address.host} ${address.port}`;
  if (address.kind === 'unix') return UNIX + address.path;
  return address.kind === 'abstract' ? `abstract ${address.name}` : undefined;
}

export class Heritage {
  readonly #fds = new Map<string, number[]>();

  constructor(entries: readonly (readonly [key: string, fd: number])[]) {
    for (const [key, fd] of entries) this.#fds.set(key, [...(this.#fds.get(key) ?? []), fd]);
  }

  /** Whether there is a socket for `address`. */
  has(address: Address): boolean {
    const key = heritageKey(address);
    return key !== undefined && (this.#fds.get(key)?.length ?? 0) > 0;
  }

  /** The descriptor of a socket for `address`, once. */
  take(address: Address): number | undefined {
    const key = heritageKey(address);
    return key === undefined ? undefined : this.#fds.get(key)?.shift();
  }

  /** Closes the sockets that nobody has taken, and deletes their files. */
  discard(): void {
    for (const [key, fds] of this.#fds) {
      for (const fd of fds.splice(0)) {
        closeSync(fd);
        if (key.startsWith(UNIX)) rmSync(key.slice(UNIX.length), { force: true });
      }
    }
  }
}

export const NO_HERITAGE = new Heritage([]);
