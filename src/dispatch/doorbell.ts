// How workers wake the accept thread when it has said that it sleeps (arena/layout.ts, HEADER.main_sleeps).
//
// CPython processes write a byte into a pipe, JS threads notify the word itself. Either way the bell says only "look";
//   what there is to see lies in the answer rings.
// Decided elsewhere: when the accept thread sleeps (pump.ts).

import { Socket } from 'node:net';
import { createDoorbellPipe } from '../arena/shared-pages.js';

/** A pipe for CPython workers; one serves all of them. */
export class PipeDoorbell {
  /** The end that workers write to. */
  readonly writeFd: number;
  readonly #socket: Socket;

  constructor(onRing: () => void) {
    const { readFd, writeFd } = createDoorbellPipe();
    this.writeFd = writeFd;
    // one buffer for all reads: how many bells it were does not matter
    const options = { fd: readFd, readable: true, writable: false, onread: { buffer: Buffer.alloc(512), callback } };
    function callback() {
      onRing();
      return true;
    }
    this.#socket = new Socket(options);
    this.#socket.on('error', () => {}); // nothing can fail that the rescue timer of pump.ts would not make up for
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The word on which JS threads ring. At most one wait is pending: `waitAsync` cannot be cancelled. */
export class WordDoorbell {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #word: number;
  readonly #onRing: () => void;
  #armed = false;

  constructor(words: Int32Array<SharedArrayBuffer>, word: number, onRing: () => void) {
    this.#words = words;
    this.#word = word;
    this.#onRing = onRing;
  }

  /** To be called after the word was set to 1. */
  arm(): void {
    if (this.#armed) return;
    const wait = Atomics.waitAsync(this.#words, this.#word, 1);
    if (!wait.async) {
      this.#onRing();
      return;
    }
    this.#armed = true;
    void wait.value.then(() => {
      this.#armed = false;
      this.#onRing();
    });
  }
}
