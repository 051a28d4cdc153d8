// A look into a CPython worker: questions by words of the arena, answers in memory files of the worker (bridge_probe.py).
//
// Nothing is sent and nobody is woken but the one thread that answers. The answer is read through /proc, as workers read
//   long request bodies of the server.
// What a worker wrote is not believed: a length beyond MOST_BYTES or a text that is no JSON is an error, and no more.
// Decided elsewhere: which worker is asked, and what is shown of the answer (observe/).

import { open, readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Arena, timeAt } from '../../arena/arena.js';
import { PROBE, WORKER, workerWord } from '../../arena/layout.js';
import { toLocalMs } from '../../base/monotonic.js';
import type { Profile, Stacks, ThreadStack, WorkerProbe } from '../probe.js';

const MOST_BYTES = 64 << 20;
const LOOK_MS = 10;
/** How long a worker may take to answer what takes no time. */
const ANSWER_MS = 1500;
const PING_MS = 250;
/** How long the system may take to write a dump. */
const DUMP_MS = 500;

export class PythonProbe implements WorkerProbe {
  readonly #arena: Arena;
  readonly #at: number;
  readonly #pid: number;
  readonly #dump: () => void;

  /** `dump`: has the worker's signal sent that makes faulthandler write. */
  constructor(arena: Arena, place: number, pid: number, dump: () => void) {
    this.#arena = arena;
    this.#at = workerWord(arena.geometry, place);
    this.#pid = pid;
    this.#dump = dump;
  }

  #word(offset: number): number {
    return Atomics.load(this.#arena.words, this.#at + offset);
  }

  /** Asks, and waits at most `mostMs` for the answer. False: none came. */
  async #ask(kind: number, mostMs: number, ms = 0, hz = 0): Promise<boolean> {
    const { words, semaphores } = this.#arena;
    if (this.#word(WORKER.answer_fd) === 0) throw new Error('it was not started with statistics');
    const number = (this.#word(WORKER.ask_number) + 1) & 0x7fffffff;
    words[this.#at + WORKER.ask_kind] = kind;
    words[this.#at + WORKER.ask_ms] = ms;
    words[this.#at + WORKER.ask_hz] = hz;
    words[this.#at + WORKER.ask_number] = number;
    semaphores.post(this.#at + WORKER.asked);
    const deadline = performance.now() + mostMs;
    while (this.#word(WORKER.answer_number) !== number) {
      if (performance.now() > deadline) return false;
      await delay(LOOK_MS);
    }
    return true;
  }

  async #answer(): Promise<string> {
    const bytes = this.#word(WORKER.answer_bytes);
    if (bytes < 0 || bytes > MOST_BYTES) throw new Error(`its answer has ${bytes} bytes`);
    const file = await open(`/proc/${this.#pid}/fd/${this.#word(WORKER.answer_fd)}`);
    try {
      const buffer = Buffer.alloc(bytes);
      await file.read(buffer, 0, bytes, 0);
      return buffer.toString();
    } finally {
      await file.close();
    }
  }

  async stacks(): Promise<Stacks> {
    if (await this.#ask(PROBE.STACKS, ANSWER_MS)) {
      return { threads: JSON.parse(await this.#answer()) as ThreadStack[], note: '' };
    }
    return { threads: [], note: await this.#dumped() };
  }

  /** What faulthandler writes about a worker that does not answer. */
  async #dumped(): Promise<string> {
    const path = `/proc/${this.#pid}/fd/${this.#word(WORKER.dump_fd)}`;
    const sizeOf = async () => (await stat(path)).size;
    const before = await sizeOf();
    if (before > MOST_BYTES) throw new Error('it does not answer');
    this.#dump();
    const deadline = performance.now() + DUMP_MS;
    while ((await sizeOf()) === before && performance.now() < deadline) await delay(LOOK_MS);
    await delay(LOOK_MS); // until all threads are in it
    const text = (await readFile(path)).subarray(before).toString();
    return text === ''
      ? 'it does not answer, not even a signal: it may be stopped'
      : `it holds the GIL, and does not answer:\n${text}`;
  }

  async profile(ms: number, hz: number): Promise<Profile> {
    if (!(await this.#ask(PROBE.PROFILE, ms + ANSWER_MS, ms, hz)))
      throw new Error('it does not answer: it holds the GIL');
    return { format: 'speedscope.json', content: await this.#answer() };
  }

  async reactionMs(): Promise<number | undefined> {
    if (this.#word(WORKER.answer_fd) === 0) return undefined;
    const askedMs = performance.now();
    const isHeard = await this.#ask(PROBE.PING, PING_MS);
    if (!isHeard) return PING_MS;
    return Math.max(0, toLocalMs(this.#arena.times[timeAt(this.#at + WORKER.heard_s)]!) - askedMs);
  }
}
