// Commands by a named pipe (--master-fifo): `echo r > /run/app.fifo` reloads. One byte is one command, as in uWSGI.
//
// Only who may write to the file can command: it is made with mode 0600. With several, the first is listened to, and the
//   digits 0 to 9 choose another.
// At an upgrade both processes have the pipe open for a while, so that no letter is lost, and one of them reads.
// Decided elsewhere: what the letters mean (triggers.ts).

import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.js';

const { O_NONBLOCK, O_RDWR } = constants;
const LINE_ENDS = '\r\n';

export class MasterFifo {
  readonly #paths: readonly string[];
  readonly #onLetter: (letter: string, path: string) => void;
  #socket: Socket | undefined;
  /** Of the first pipe, until it is listened to. */
  #fd: number | undefined;
  /** Those that were not there before: a start that fails takes them away again. */
  readonly #made: string[] = [];
  /** This process is the one that reads, and removes them at the end. */
  #isOurs = false;

  /** `onLetter` gets every byte but digits that choose and line ends. */
  constructor(paths: readonly string[], onLetter: (letter: string, path: string) => void) {
    this.#paths = paths.map((path) => resolve(path));
    this.#onLetter = onLetter;
  }

  /** Makes the pipes. Throws `ConfigError` CONFIG_FILE where one cannot be had. */
  open(): void {
    for (const path of this.#paths) {
      if (make(path)) this.#made.push(path);
    }
    if (this.#paths.length > 0) this.#fd = openPipe(this.#paths[0]!);
  }

  /** From now on commands are taken, of the first pipe. */
  listen(): void {
    this.#isOurs = true;
    this.#listen(0);
  }

  /** Leaves the pipes to a successor. */
  release(): void {
    this.#isOurs = false;
    this.#made.length = 0;
    this.#socket?.destroy();
  }

  #listen(index: number): void {
    const path = this.#paths[index];
    if (path === undefined) return;
    this.#socket?.destroy();
    const fd = this.#fd ?? openPipe(path);
    this.#fd = undefined;
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('error', () => {}); // nothing that listening to the pipe could fail of is worth the server
    socket.on('data', (data) => {
      for (const letter of data.toString('latin1')) {
        if (letter >= '0' && letter <= '9' && Number(letter) < this.#paths.length) this.#listen(Number(letter));
        else if (!LINE_ENDS.includes(letter)) this.#onLetter(letter, path);
      }
    });
    socket.unref();
    this.#socket = socket;
  }

  /** Listens no more, and removes the pipes. */
  close(): void {
    this.#socket?.destroy();
    for (const path of this.#isOurs ? this.#paths : this.#made) rmSync(path, { force: true });
  }
}

/** Opens it for writing too, so that the end of a writer is not the end of the pipe. */
const openPipe = (path: string) => openSync(path, O_RDWR | O_NONBLOCK);

/** Whether the pipe was made: false when it was there. Node has no mkfifo of its own; this is at start. */
function make(path: string): boolean {
  const { status, stderr } = spawnSync('mkfifo', ['-m', '600', '--', path], { encoding: 'utf8' });
  if (status === 0 || isFifo(path)) return status === 0;
  throw new ConfigError('CONFIG_FILE', 'master-fifo', `"${path}" cannot be made: ${stderr.trim()}`);
}

function isFifo(path: string): boolean {
  try {
    const fd = openSync(path, O_RDWR | O_NONBLOCK);
    const found = fstatSync(fd).isFIFO();
    closeSync(fd);
    return found;
  } catch {
    return false;
  }
}
