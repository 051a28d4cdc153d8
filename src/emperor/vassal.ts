// One vassal: a nuwsgi process for one configuration file, started, watched, reloaded and stopped.
//
// A file that is touched, or changed in what a reload can apply, reloads the server (SIGHUP), without a lost request. Where
//   it says something else that needs another process, the old one is stopped in order and a new one started; where it is
//   wrong, the old one goes on serving.
// It has a session of its own, so that a Ctrl-C in the terminal is for the emperor, and it stops when the emperor is
//   gone (loyalty.ts).
// Decided elsewhere: which files there are (vassal-files.ts), how long a dead one rests (throttle.ts).

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { LineCutter } from '../base/lines.js';
import type { Log } from '../base/log.js';
import { type Oath, VASSAL_VARIABLE } from './loyalty.js';
import { pauseAfter, type Throttle } from './throttle.js';
import type { VassalFile } from './vassal-files.js';
import { next, type VassalEvent, type VassalState } from './vassal-state.js';

/** How vassals are started; the same for all of them. */
export interface VassalCommand {
  /** The program and what stands in front of its options. */
  readonly program: readonly [path: string, ...args: string[]];
  /** Options in front of the one that names the file, and behind it. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly throttle: Throttle;
}

const NOT_IN_USE = '';
/** How much of what a wrong configuration says is told. */
const MOST_PROBLEM_BYTES = 65536;

export class Vassal {
  file: VassalFile;
  state: VassalState = 'new';
  pid = 0;
  respawns = -1;
  readonly bornAtMs = Date.now();
  firstRunAtMs = 0;
  lastRunAtMs = 0;
  lastReadyAtMs = 0;
  pauseMs = 0;
  readonly #command: VassalCommand;
  readonly #log: Log;
  readonly #onGone: () => void;
  #child: ChildProcess | undefined;
  #startedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Of the configuration that it serves with. */
  #digest = NOT_IN_USE;

  /** `onGone` is called when it has been told to stop and has ended. */
  constructor(file: VassalFile, command: VassalCommand, log: Log, onGone: () => void) {
    this.file = file;
    this.#command = command;
    this.#log = log;
    this.#onGone = onGone;
  }

  get id(): string {
    return this.file.id;
  }

  start(): void {
    clearTimeout(this.#timer);
    this.#on('started');
    this.#digest = NOT_IN_USE;
    this.respawns++;
    this.#startedAtMs = performance.now();
    this.lastRunAtMs = Date.now();
    this.firstRunAtMs ||= this.lastRunAtMs;
    let child: ChildProcess;
    try {
      child = this.#spawn();
    } catch (error) {
      this.#rest(`it cannot be started: ${(error as Error).message}`); // the machine has no process or descriptor left
      return;
    }
    this.#child = child;
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout!, child.stderr!]) {
      const lines = new LineCutter((line) => this.#log.line(`[${this.id}] ${line}`));
      stream.setEncoding('utf8');
      stream.on('data', (data: string) => lines.add(data));
      stream.on('end', () => lines.end());
    }
    child.on('message', (oath: Oath) => this.#onReady(oath));
    child.on('error', () => {}); // the file system or the process table refused it: 'close' follows
    child.on('close', (code, signal) => this.#onDeath(code, signal));
    this.#say(`has been spawned (pid: ${this.pid})`);
  }

  #spawn(): ChildProcess {
    const [path, ...args] = this.#command.program;
    const child = spawn(path, [...args, ...this.#arguments()], {
      cwd: this.file.directory,
      detached: true,
      env: { ...this.#command.environment, [VASSAL_VARIABLE]: this.id },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    if (child.stdout !== undefined) return child;
    child.on('error', () => {}); // told here, and not followed by 'close'
    throw new Error('there are too many open files');
  }

  /** The option that names the file, between those that every vassal gets. */
  #arguments(): string[] {
    const option = /\.(?:ini|ya?ml|json|xml)$/i.test(this.file.name) ? '--config' : '--ini';
    return [...this.#command.before, option, this.file.name, ...this.#command.after];
  }

  #onReady({ digest }: Oath): void {
    this.#digest = digest;
    this.lastReadyAtMs = Date.now();
    if (this.state === 'starting' || this.state === 'changing' || this.state === 'stopping') this.#on('ready');
    this.#say('is ready to accept requests');
  }

  #onDeath(code: number | null, signal: string | null): void {
    this.pid = 0;
    this.#child = undefined;
    this.#rest(`it ${signal === null ? `exited with code ${code}` : `was killed by ${signal}`}`);
  }

  /** It has no process, and `why` not. It gets one again, at once or later, unless it was told to stop. */
  #rest(why: string): void {
    const before = this.state;
    this.#on('died');
    if (this.state === 'gone') {
      this.#say(`is removed: ${why}`);
      this.#onGone();
    } else if (this.state === 'new') {
      this.pauseMs = 0;
      this.start();
    } else {
      this.pauseMs = pauseAfter(performance.now() - this.#startedAtMs, this.pauseMs, this.#command.throttle);
      this.#say(`died while ${before}: ${why}; it is started again in ${this.pauseMs} ms`);
      this.#timer = setTimeout(() => this.start(), this.pauseMs);
    }
  }

  /** Its file is another one now, or was touched. */
  change(file: VassalFile): void {
    this.file = file;
    if (this.state === 'resting') {
      this.pauseMs = 0;
      this.#say('has changed: it is started at once');
      this.start();
    } else if (this.state === 'starting' || this.state === 'serving') {
      this.#examine();
    }
  }

  /** Finds out what the change means, by the program that is to read it. */
  #examine(): void {
    const [path, ...args] = this.#command.program;
    const options = { cwd: this.file.directory, env: this.#command.environment, maxBuffer: MOST_PROBLEM_BYTES };
    execFile(path, [...args, 'digest', ...this.#arguments()], options, (error, stdout, stderr) => {
      if (this.state !== 'starting' && this.state !== 'serving') return;
      if (error !== null) {
        this.#say(`has a new configuration that is wrong: the old one goes on serving\n${stderr.trimEnd()}`);
      } else if (stdout.trim().split('\n')[1] === this.#digest) {
        this.#say('is reloaded: its file was touched, or says what a reload can apply');
        this.#child?.kill('SIGHUP');
      } else {
        this.#say('has a new configuration that needs another process: it is stopped and started again');
        this.#on('told_to_change');
        this.#child?.kill('SIGTERM');
      }
    });
  }

  /** Loads its apps anew. */
  reload(): void {
    if (this.state === 'serving') this.#child?.kill('SIGHUP');
  }

  /** Lets it finish its requests and end. `onGone` is called when it has. */
  stop(): void {
    clearTimeout(this.#timer);
    const wasStopping = this.state === 'stopping';
    this.#on('told_to_stop');
    if (this.state === 'gone') this.#onGone();
    else if (!wasStopping) this.#child?.kill('SIGTERM');
  }

  /** Ends it at once. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  #on(event: VassalEvent): void {
    this.state = next(this.state, event);
  }

  #say(what: string): void {
    this.#log.line(`[emperor] vassal ${this.id} ${what}`);
  }
}
