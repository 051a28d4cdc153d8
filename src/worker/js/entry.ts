// What a thread of a JS app runs: one task, from the loading of the app until the server says stop; then the thread ends.
//
// Loads the app, says that it is ready, and from then on takes requests from its ring. How it waits for them depends on
//   the app: as long as it answers at once and has nothing else going on, the thread sleeps in `Atomics.wait`, which is
//   cheap and stops its event loop; so only for BLOCK_MS at a time. As soon as the app has answered by a promise, or
//   uses timers or sockets of its own, the thread waits with its event loop running.
// Decided elsewhere: who starts and ends threads (dispatch/pool.ts), the rules of an answer (conversation.ts).

import { inspect } from 'node:util';
import { type MessagePort, threadId } from 'node:worker_threads';
import type { ArenaMemory } from '../../arena/arena.js';
import {
  COMMAND_SLOT,
  ENTRY_SLOT_MASK,
  EVENT_READY,
  REQUEST,
  requestByte,
  SLOT,
  slotWord,
} from '../../arena/layout.js';
import { ThreadRings } from '../../arena/thread-rings.js';
import { escaped } from '../../base/log.js';
import { monotonicSeconds } from '../../base/monotonic.js';
import type { Application, Environ } from './api.js';
import { Conversation, type Reporter } from './conversation.js';
import { makeEnviron, makeEnvironFromPacket } from './environ.js';
import { InputSource } from './input.js';
import { loadApplication } from './load.js';
import { explainLoadFailure } from './load-failure.js';
import { reportMemory } from './memory-report.js';
import { captureOutput } from './output.js';
import { reportFiles } from './report-files.js';
import { Transport } from './transport.js';

/** What the server tells a thread about its place. */
export interface ThreadTask {
  readonly memory: ArenaMemory;
  /** Its place in the arena. */
  readonly place: number;
  /** The number users know the worker by. */
  readonly workerId: number;
  /** How many workers the app has. */
  readonly workers: number;
  readonly file: string;
  readonly callable: string;
  /** How many requests may run in this thread at once. */
  readonly concurrency: number;
  /** Whether it can be asked to break requests off. */
  readonly watches: boolean;
  /** Whether it is to say how much memory it has. */
  readonly reportsMemory: boolean;
  /** Per listener: the variables that are the same for all its requests. */
  readonly listeners: readonly Readonly<Record<string, string>>[];
  readonly version: string;
  readonly hostname: string;
  /** Where output goes; its closing tells the server that this thread has ended. */
  readonly port: MessagePort;
  /** The server wants to know which files the app is made of. */
  readonly reportsFiles: boolean;
}

/** The longest time the event loop is stopped while waiting for a request. */
const BLOCK_MS = 2;
/** Requests taken in a row before the event loop gets a turn. */
const BATCH = 64;
/** Requests from one measurement of their duration to the next. */
const SAMPLE_EVERY = 8;
/** Exit code of a worker that could not load the application (uWSGI's UWSGI_FAILED_APP_CODE). */
const FAILED_APP = 22;
const NO_INPUT = new Uint8Array(0);

const OWN_FRAME = new RegExp(`^ +at .*(?:${new URL('../../', import.meta.url).href}|/node_modules/piscina/)`);

const eventLoopTurn = () => new Promise((resolve) => setImmediate(resolve));

/** What a thread sends when it could not load the app. Its output comes as text. */
export interface LoadFailure {
  readonly loadError: string;
}

/** A file that the app is made of. */
export interface SourceFile {
  readonly sourceFile: string;
}

/** What it sends first: by which number `worker_threads` knows it. */
export interface ThreadStarted {
  readonly threadId: number;
}

/** Ends the thread when a stop command has come and every request is answered, or at once when the app does not load. */
export default async function serve(task: ThreadTask): Promise<void> {
  captureOutput(task.port);
  task.port.postMessage({ threadId } satisfies ThreadStarted);
  let app: Application;
  const reportRest = task.reportsFiles
    ? reportFiles((sourceFile) => task.port.postMessage({ sourceFile } satisfies SourceFile))
    : undefined;
  try {
    app = await loadApplication(task.file, task.callable);
    reportRest?.();
  } catch (error) {
    const loadError = explainLoadFailure(error, task.file);
    task.port.postMessage({ loadError } satisfies LoadFailure);
    process.exit(FAILED_APP);
  }
  if (task.reportsMemory) reportMemory(task.port);
  await new Thread(task, app).run();
  process.exit(0); // the thread: its modules must not live on into another worker
}

class Thread {
  readonly #task: ThreadTask;
  readonly #app: Application;
  readonly #rings: ThreadRings;
  readonly #bases: readonly Readonly<Record<string, unknown>>[];
  readonly #warned = new Set<string>();
  readonly #reporter: Reporter;
  /** Requests whose answer is not complete. */
  #running = 0;
  /** The app has never answered by a promise. */
  #isSynchronous = true;
  #untilSample = 1;
  #onIdle: (() => void) | undefined;
  /** By slot, the requests that run; undefined where none is ever broken off. */
  readonly #asked: Map<number, { readonly transport: Transport; done(): void }> | undefined;

  constructor(task: ThreadTask, app: Application) {
    this.#task = task;
    this.#app = app;
    this.#rings = new ThreadRings(task.memory, task.place);
    if (task.watches) {
      this.#asked = new Map();
      task.port.on('message', ({ breakOff }: { breakOff: number }) => this.#breakOff(breakOff));
      task.port.unref();
    }
    this.#bases = task.listeners.map((listener) => ({
      ...listener,
      'wsgi.version': [1, 0],
      'wsgi.url_scheme': listener.HTTPS === 'on' ? 'https' : 'http',
      'wsgi.errors': process.stderr,
      'wsgi.multithread': false,
      'wsgi.multiprocess': task.workers > 1,
      'wsgi.run_once': false,
      'uwsgi.version': task.version,
      'uwsgi.node': task.hostname,
    }));
    this.#reporter = {
      failed: (environ, error) => say(`failed: ${requestOf(environ)}\n${textOf(error)}`),
      warn: (environ, text) => say(`${requestOf(environ)}: ${text}`),
      warnOnce: (topic, text) => {
        if (this.#warned.has(topic)) return;
        this.#warned.add(topic);
        say(text);
      },
    };
  }

  async run(): Promise<void> {
    const rings = this.#rings;
    rings.announce(EVENT_READY);
    let sinceTurn = 0;
    for (;;) {
      const taken = this.#takeBatch();
      rings.ring();
      if (taken < 0) break;
      sinceTurn += taken + 1;
      if (sinceTurn > BATCH) {
        sinceTurn = 0;
        await eventLoopTurn();
      } else if (this.#running >= this.#task.concurrency) await this.#oneIsDone();
      else if (!(this.#maySleepHard() && rings.block(BLOCK_MS))) await rings.sleep();
    }
    while (this.#running > 0) await this.#oneIsDone();
    rings.ring();
  }

  /** Starts what there is to start. Returns how many, or -1 when the server says stop. */
  #takeBatch(): number {
    for (let taken = 0; taken < BATCH; taken++) {
      if (this.#running >= this.#task.concurrency) return taken;
      const entry = this.#rings.claim();
      if (entry === 0) return taken;
      if ((entry & ENTRY_SLOT_MASK) === COMMAND_SLOT) return -1;
      if (--this.#untilSample > 0) {
        this.#start(entry);
      } else {
        this.#untilSample = SAMPLE_EVERY;
        const startedMs = performance.now();
        this.#start(entry);
        this.#rings.sample(Math.round((performance.now() - startedMs) * 1e6));
        this.#rings.ring(); // the answers so far need not wait for the end of the batch
      }
    }
    return BATCH;
  }

  #start(entry: number): void {
    const rings = this.#rings;
    const { words, bytes } = rings;
    const { geometry } = this.#task.memory;
    const slot = entry & ENTRY_SLOT_MASK;
    const at = slotWord(geometry, slot);
    const transport = new Transport(rings, geometry, entry, this.#isSynchronous ? 0 : monotonicSeconds());
    if (Atomics.load(words, at + SLOT.client_gone) === 1) {
      transport.end(true); // nobody waits for it, and it has not begun: it need not
      return;
    }
    const start = requestByte(geometry, slot);
    const middle = start + words[at + SLOT.names_bytes]!;
    const end = middle + words[at + SLOT.values_bytes]!;
    const inputBytes = words[at + SLOT.input_bytes]!;
    const inputFd = words[at + SLOT.input_fd]!;
    const data = inputBytes === 0 ? NO_INPUT : new Uint8Array(bytes.subarray(end, end + inputBytes));
    const source = new InputSource(data, inputFd);
    const base = this.#bases[words[at + SLOT.listener]!]!;
    const flags = words[at + SLOT.request_flags]!;
    const values = bytes.toString('latin1', middle, end);
    const environ =
      (flags & REQUEST.PACKET) !== 0
        ? makeEnvironFromPacket(base, values, source)
        : makeEnviron(base, bytes.toString('latin1', start, middle), values, source);
    const isHead = (flags & REQUEST.HEAD) !== 0;
    const pending = new Conversation(transport, isHead, this.#reporter).run(this.#app, environ);
    if (pending === undefined) {
      if (inputFd >= 0) source.end();
      return;
    }
    this.#isSynchronous = false;
    this.#running++;
    const answered = inputFd < 0 ? pending : pending.then(() => source.end());
    if (this.#asked === undefined) void answered.then(this.#done);
    else this.#followBreakable(slot, transport, answered);
  }

  /** Counts a request as done when it is answered, or when it is broken off, whichever comes first. */
  #followBreakable(slot: number, transport: Transport, answered: Promise<void>): void {
    let isDone = false;
    const done = () => {
      if (isDone) return;
      isDone = true;
      this.#done();
    };
    this.#asked!.set(slot, { transport, done });
    void answered.then(done);
  }

  /** Ends the answer of a request that takes too long, if it still runs; its promise may come to what it likes. */
  readonly #breakOff = (entry: number): void => {
    const asked = this.#asked?.get(entry & ENTRY_SLOT_MASK);
    if (asked !== undefined && asked.transport.entry === entry && asked.transport.open) {
      asked.transport.end(true);
      asked.done();
    }
    this.#rings.brokeOff(entry);
  };

  readonly #done = (): void => {
    this.#running--;
    this.#rings.ring();
    const wake = this.#onIdle;
    this.#onIdle = undefined;
    wake?.();
  };

  #oneIsDone(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Whether nothing but a request can bring this thread work. */
  #maySleepHard(): boolean {
    return this.#isSynchronous && this.#running === 0;
  }
}

/** Writes lines to the log; not by `console`, which apps put in order for themselves. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Whose request it was, for a line in the log: no byte of the client's in it unescaped. */
function requestOf(environ: Environ): string {
  return escaped(`${environ.REQUEST_METHOD} ${environ.REQUEST_URI}`);
}

/** What an app threw, which may be anything, as the log shows it: without the lines of the server's own files. */
function textOf(error: unknown): string {
  const lines = inspect(error).split('\n');
  return lines.filter((line) => !OWN_FRAME.test(line)).join('\n');
}
