// The bridge process of one Python app, seen from the server: started once, asked for workers, asked to end them.
//
// A start is a journey of named steps; when one fails, the error tells which, what the process last wrote, and what to
//   do about it. From then on the two speak JSON lines (bridge.py has the other end).
// Decided elsewhere: when workers are started and replaced (lifecycle/supervisor.ts), the shared memory (arena/).

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Arena } from '../../arena/arena.js';
import { layoutForBridge } from '../../arena/layout.js';
import { AppError } from '../../base/errors.js';

const BRIDGE = fileURLToPath(new URL('bridge.py', import.meta.url));
const CONTROL_FD = 3;
const FIRST_LOG_FD = 6;
const MOST_TITLE_CHARS = 128;
/** What is kept of the bridge's output, to be told when the start fails. */
const TAIL_CHARS = 4096;
/** What is told of a line that means nothing. */
const TOLD_CHARS = 80;

/** What bridge_interpreter.py does before the app is loaded, and in each worker. */
export interface PythonSettings {
  /** Of the interpreter: -O, -S. */
  readonly flags: readonly string[];
  /** What the interpreter is told that it is called; undefined: as it is. */
  readonly programName: string | undefined;
  /** What follows 'uwsgi' in sys.argv. */
  readonly argv: readonly string[];
  /** sys.executable; '': as it is. */
  readonly executable: string;
  /** Modules or files that are imported just before the app, wherever that is loaded. */
  readonly imports: readonly string[];
  /** The same, but always before the workers are forked. */
  readonly sharedImports: readonly string[];
  readonly aliases: readonly (readonly [name: string, target: string])[];
  /** Where workers go; '': nowhere. */
  readonly chdir2: string;
  /** Of the threads of a worker; 0: as Python has it. */
  readonly stackBytes: number;
  /** Processors that each worker is bound to; 0: none. */
  readonly affinity: number;
  /** RLIMIT_AS, the arena not counted; 0: none. */
  readonly addressSpaceBytes: number;
  /** RLIMIT_NPROC; 0: none. */
  readonly processLimit: number;
  /** The number of the last lock of `uwsgi.lock`, from 0. */
  readonly highestLock: number;
  /** The environ has wsgi.file_wrapper. */
  readonly fileWrapper: boolean;
  /** Titles of the processes, '' where they stay as they are; {worker} stands for the number of a worker. */
  readonly zygoteTitle: string;
  readonly workerTitle: string;
  /** How often workers look whether a module was changed; 0: never. And the names of modules that do not count. */
  readonly autoreloadSeconds: number;
  readonly autoreloadIgnored: readonly string[];
}

export interface PythonApp {
  /** What the app is called in messages. */
  readonly name: string;
  /** Interpreter: a path, or a name to be found in PATH. */
  readonly python: string;
  /** The working directory of the app. */
  readonly directory: string;
  readonly target: { readonly file: string } | { readonly module: string };
  readonly callable: string;
  /** Load the app in each worker, not once before the fork. */
  readonly lazy: boolean;
  readonly pythonPath: readonly string[];
  readonly settings: PythonSettings;
  readonly environment: NodeJS.ProcessEnv;
  /** Per listener: the variables that are the same for all its requests. */
  readonly listeners: readonly Readonly<Record<string, string>>[];
  /** Whether workers are to be ready from the start to break requests off. */
  readonly watches: boolean;
  /** How many workers the app has. */
  readonly workers: number;
  /** Whether workers can be asked what they do; costs each a thread. */
  readonly probed: boolean;
  readonly bufferBytes: number;
  readonly version: string;
  readonly hostname: string;
  /** `uwsgi.opt`. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>;
}

export interface ZygoteEvents {
  /** A worker process exists in `place`. */
  onForked(place: number, pid: number): void;
  /** A worker process has ended and is reaped; `why` as in "was killed by SIGSEGV". */
  onEnded(place: number, why: string): void;
  /** The zygote itself has ended, and with it all its workers. */
  onGone(why: string): void;
  /** The app says something of its signals, by `import uwsgi`: in the worker in `place`, or in the zygote (-1). */
  onSaid(place: number, said: unknown): void;
  /** A worker asks something of the server; what is given goes to it as JSON. */
  onAsked(about: string): unknown;
  /** Something was printed: by the worker in `place`, or by the zygote (-1). */
  onOutput(place: number, text: string): void;
}

/** The workers of a zygote by place: process ids, 0 as long as one is asked for and not yet forked. */
type WorkerPids = Map<number, number>;

/** What bridge.py tells. */
type Message =
  | { event: 'mapped'; python: string; pid: number }
  | { event: 'loaded'; ms: number }
  | { event: 'failed'; detail: string }
  | { event: 'said'; place: number; said: unknown }
  | { event: 'asked'; place: number; about: string; number: number }
  | { event: 'forked'; place: number; pid: number }
  | { event: 'ended'; place: number; pid: number; code: number | null; signal: string | null };

/** Why there is no process. The kernel says the same of a program and of a directory. */
function whyNotStarted(error: NodeJS.ErrnoException, app: PythonApp): string {
  if (error.code === 'EACCES') {
    return `uid ${process.getuid!()} may not run "${app.python}", or not enter "${app.directory}" (chdir, uid)`;
  }
  if (error.code === 'ENOENT' && !existsSync(app.directory)) return `there is no directory "${app.directory}" (chdir)`;
  const missing = error.code === 'ENOENT' ? `no program "${app.python}" was found` : error.message;
  return `${missing}\nPython apps need CPython 3.8 or newer: install python3, or name it with --python or --virtualenv.`;
}

/** What to do about a start that failed, by what the process said. */
const CURES: readonly (readonly [pattern: RegExp, cure: string])[] = [
  [
    /can't open file .*bridge\.py.* Permission denied/,
    'nuwsgi has to be installed where the user of --uid may read it.',
  ],
  [
    /No module named '([^']+)'/,
    'Is the module installed for this Python, and is its directory in --pythonpath or --chdir?',
  ],
  [/unable to find ".*" callable/, 'Name the application with --callable, or as module:callable.'],
  [
    /No such file or directory/,
    'Is the path right? A relative one is looked up in --chdir, or else where nuwsgi was started.',
  ],
  [/too old/, 'Choose another interpreter with --python or --virtualenv.'],
];

export class Zygote {
  readonly pid: number;
  /** What Python said of its version, and how long loading took. */
  readonly pythonVersion: string;
  readonly loadMs: number;
  readonly #child: ChildProcess;
  readonly #pids: WorkerPids;
  readonly #control: Duplex;

  private constructor(child: ChildProcess, pids: WorkerPids, pythonVersion: string, loadMs: number) {
    this.#child = child;
    this.#pids = pids;
    this.#control = child.stdio[CONTROL_FD] as Duplex;
    this.pid = child.pid!;
    this.pythonVersion = pythonVersion;
    this.loadMs = loadMs;
  }

  /**
   * Starts the process and loads the app. Throws `AppError` APP_LOAD, with the step that failed, or `ServerFault`
   * SERVER_SHARED_MEMORY.
   * `isReload`: the app was loaded before. `doorbellFd` is the end of the doorbell pipe that workers write to.
   */
  static start(
    app: PythonApp,
    isReload: boolean,
    arena: Arena,
    doorbellFd: number,
    events: ZygoteEvents,
  ): Promise<Zygote> {
    const { places } = arena.geometry;
    const { flags, programName, zygoteTitle, workerTitle } = app.settings;
    // a title can only be as long as the arguments that it is written over
    const room = zygoteTitle + workerTitle === '' ? [] : [' '.repeat(MOST_TITLE_CHARS)];
    const child = spawn(app.python, [...flags, BRIDGE, ...room], {
      ...(programName !== undefined && { argv0: programName }),
      // a session of its own: a Ctrl-C in the terminal is for the server, which then stops its workers in order
      detached: true,
      cwd: app.directory,
      env: app.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', arena.fd, doorbellFd, ...Array<'pipe'>(places).fill('pipe')],
    });
    arena.beginSelfTest();
    return new Promise((resolve, reject) => {
      let step = 'starting the interpreter';
      let pythonVersion = '';
      let zygote: Zygote | undefined;
      const pids: WorkerPids = new Map();
      let tail = '';
      const fail = (detail: string) => {
        const cure = CURES.find(([pattern]) => pattern.test(detail))?.[1] ?? '';
        reject(new AppError('APP_LOAD', app.name, `${step} failed (${app.python})`, detail.trimEnd(), cure));
      };
      child.once('error', (error: NodeJS.ErrnoException) => {
        fail(whyNotStarted(error, app));
      });
      if (child.pid === undefined) return;
      const control = child.stdio[CONTROL_FD] as Duplex;
      const hear = (place: number, stream: Readable) => {
        stream.setEncoding('utf8'); // a character may come in two pieces
        stream.on('data', (text: string) => {
          if (zygote === undefined) tail = (tail + text).slice(-TAIL_CHARS);
          events.onOutput(place, text);
        });
      };
      hear(-1, child.stdout!);
      hear(-1, child.stderr!);
      for (let i = 0; i < places; i++) hear(i, child.stdio[FIRST_LOG_FD + i] as Readable);

      const messages = createInterface({ input: control });
      for (const end of [control, messages]) end.on('error', () => {}); // the process has ended: 'exit' tells
      messages.on('line', (line) => {
        const message = parseMessage(line, places, pids);
        if (message === undefined) {
          const told = `the process told the server ${JSON.stringify(line.slice(0, TOLD_CHARS))}, which means nothing`;
          if (zygote === undefined) fail(told);
          else events.onOutput(-1, `${told}: it is killed\n`);
          messages.close();
          child.kill('SIGKILL');
        } else if (message.event === 'mapped') {
          try {
            arena.endSelfTest();
          } catch (error) {
            child.kill('SIGKILL');
            reject(error);
          }
          pythonVersion = message.python;
          step = 'loading the application';
        } else if (message.event === 'loaded') {
          zygote = new Zygote(child, pids, pythonVersion, message.ms);
          resolve(zygote);
        } else if (message.event === 'failed') {
          fail(message.detail);
        } else if (message.event === 'said') {
          events.onSaid(message.place, message.said);
        } else if (message.event === 'asked') {
          const { place, number, about } = message;
          control.write(`${JSON.stringify({ do: 'answer', place, number, answer: events.onAsked(about) })}\n`);
        } else if (message.event === 'forked') {
          pids.set(message.place, message.pid);
          events.onForked(message.place, message.pid);
        } else {
          pids.delete(message.place);
          const why = message.signal === null ? `exited with code ${message.code}` : `was killed by ${message.signal}`;
          events.onEnded(message.place, why);
        }
      });
      child.once('exit', (code, signal) => {
        const why = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
        if (zygote === undefined) setImmediate(() => fail(tail || `the process ${why}`));
        else events.onGone(why);
      });
      control.write(`${JSON.stringify(setupFor(app, isReload, arena))}\n`);
    });
  }

  /** Asks for a worker in `place`, which users know by the number `workerId`. */
  fork(place: number, workerId: number): void {
    this.#pids.set(place, 0);
    this.#control.write(`${JSON.stringify({ do: 'fork', place, worker: workerId })}\n`);
  }

  /** Ends the worker in `place` at once. */
  kill(place: number): void {
    this.#control.write(`${JSON.stringify({ do: 'kill', place, signal: 9 })}\n`);
  }

  /** Lets the worker in `place` write the stacks of its threads to the log. */
  showStacks(place: number): void {
    this.#control.write(`${JSON.stringify({ do: 'stacks', place })}\n`);
  }

  /** Has the stacks of the worker in `place` written to its dump file (bridge_probe.py). */
  dump(place: number): void {
    this.#control.write(`${JSON.stringify({ do: 'dump', place })}\n`);
  }

  /** Hangs up: the zygote kills what workers there are, reaps them and ends. Resolves when it has. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#control.end();
    await ended;
  }

  /** Kills the zygote; its workers follow by themselves. For the case that `end` does not come to an end. */
  destroy(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A line of the bridge, or undefined when it makes no sense: the app runs in the process that writes there. */
function parseMessage(line: string, places: number, pids: ReadonlyMap<number, number>): Message | undefined {
  let message: Message;
  try {
    message = JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
  const isPlace = (least: number) => {
    const { place } = message as { place: unknown };
    return Number.isInteger(place) && (place as number) >= least && (place as number) < places;
  };
  const isMeant = () => {
    switch (message?.event) {
      case 'mapped':
        return typeof message.python === 'string';
      case 'loaded':
        return typeof message.ms === 'number';
      case 'failed':
        return typeof message.detail === 'string';
      case 'said':
        return isPlace(-1);
      case 'asked':
        return isPlace(0) && typeof message.about === 'string' && Number.isInteger(message.number);
      case 'forked':
        return pids.get(message.place) === 0 && Number.isInteger(message.pid) && message.pid > 1;
      case 'ended':
        return message.pid > 0 && pids.get(message.place) === message.pid;
      default:
        return false;
    }
  };
  return isMeant() ? message : undefined;
}

function setupFor(app: PythonApp, isReload: boolean, arena: Arena) {
  return {
    layout: layoutForBridge(arena.geometry),
    serverPid: process.pid,
    target: app.target,
    callable: app.callable,
    lazy: app.lazy,
    pythonPath: app.pythonPath,
    settings: app.settings,
    listeners: app.listeners,
    workers: app.workers,
    watches: app.watches,
    probed: app.probed,
    isReload,
    bufferBytes: app.bufferBytes,
    version: app.version,
    hostname: app.hostname,
    options: app.options,
  };
}
