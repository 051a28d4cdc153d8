// A log file: opened, opened anew, rotated, without a lost line and without a broken one.
//
// Rotation renames the file and opens a new one under the old name, between two batches of the writer: every line is in
//   one of the two. A rotation that fails leaves the log where it was, and says so in it.
// Opened without blocking: a FIFO that nobody reads is an error, and not a thread that waits for a reader.
// Decided elsewhere: when files are rotated or opened anew (open-log.ts), batches and losses (line-writer.ts).

import { constants, fchmodSync, fstatSync, openSync, open as openWithCallback } from 'node:fs';
import { access, rename, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FileLogTarget } from '../../config/log-target.js';
import { LineWriter } from './line-writer.js';

const { O_APPEND, O_CREAT, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants;
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK;
const MODE = 0o640;

/** In place of the name of a backup: there is none. */
const GONE = '';

const open = promisify(openWithCallback);

/** Who is told, elsewhere than in the file, that it cannot be written. */
export type OnTrouble = (text: string) => void;

export class LogFile {
  readonly writer: LineWriter;
  readonly #target: FileLogTarget;
  readonly #mode: number | undefined;
  readonly #dress: (text: string) => string;
  #bytes: number;
  /** A rotation waits for what is being written. */
  #willRotate = false;

  /**
   * Opens the file; `mode` undefined: it is made with 0640. `dress`: the form of a message among its lines. Throws the
   * system's error when it cannot be opened.
   */
  constructor(target: FileLogTarget, mode: number | undefined, onTrouble: OnTrouble, dress = (text: string) => text) {
    this.#target = target;
    this.#mode = mode;
    this.#dress = dress;
    const { path } = target;
    const fd = openSync(path, target.truncate ? FLAGS | O_TRUNC : FLAGS, MODE);
    if (mode !== undefined) fchmodSync(fd, mode);
    this.#bytes = fstatSync(fd).size;
    this.writer = new LineWriter(fd, {
      onFailing: (problem) => onTrouble(`cannot write to the log ${path}: ${problem}. Requests go on without it.`),
      onRecovered: (lost, problem) => {
        const text = `the log ${path} is written again, ${lost} lines were lost meanwhile (${problem})`;
        onTrouble(text);
        return dress(text);
      },
      onWritten: (bytes) => this.#onWritten(bytes),
    });
  }

  #onWritten(bytes: number): void {
    this.#bytes += bytes;
    const { maxBytes } = this.#target;
    if (maxBytes === 0 || this.#bytes < maxBytes) return;
    const reached = this.#bytes;
    this.#bytes = 0; // asks once, also when the rotation fails
    this.#replace(true, (backup) => `logsize: ${reached}, triggering rotation to ${backup}...`);
  }

  /** Opens the path anew: to be called when somebody else has moved the file away. */
  reopen(): void {
    if (this.#willRotate) return; // which opens it anew, too
    this.#replace(false, () => '');
  }

  /** Moves the file aside and begins a new one. */
  rotate(): void {
    this.#replace(true, (backup) => `log rotated: the lines before are in ${backup}`);
  }

  #replace(isRotation: boolean, told: (backup: string) => string): void {
    const { path } = this.#target;
    this.#willRotate = isRotation;
    this.writer.replace(async () => {
      this.#willRotate = false;
      try {
        const backup = isRotation ? await this.#moveAside() : GONE;
        const fd = await open(path, FLAGS, this.#mode ?? MODE);
        this.#bytes = (await stat(path)).size;
        this.writer.line(this.#dress(backup === GONE ? `log reopened: ${path}` : told(backup)));
        return fd;
      } catch (error) {
        const problem = `cannot ${isRotation ? 'rotate' : 'reopen'} the log ${path}: ${(error as Error).message}`;
        this.writer.line(this.#dress(problem));
        throw error;
      }
    });
  }

  /**
   * Gives the file another name and returns that: --log-backupname, or the time behind the old one. GONE when there is
   * no file of the name: somebody else has moved it.
   */
  async #moveAside(): Promise<string> {
    const { path, backupName } = this.#target;
    const backup = backupName ?? (await unused(`${path}.${Math.floor(Date.now() / 1000)}`));
    try {
      await rename(path, backup);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return GONE;
      throw error;
    }
    return backup;
  }
}

/** `name`, or with a number behind it the first that no file has: two rotations may fall into one second. */
async function unused(name: string): Promise<string> {
  for (let n = 0; ; n++) {
    const candidate = n === 0 ? name : `${name}.${n}`;
    const exists = await access(candidate).then(
      () => true,
      () => false,
    );
    if (!exists) return candidate;
  }
}
