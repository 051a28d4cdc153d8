// The log as a whole: the files and sockets that lines go to, and the ways to them.
//
// Messages of the server and output of the apps take one way, request lines another, which is the same where no
//   req-logger is given. The usual case, request lines to one file as they are, is short-cut: the line is put together
//   where it is written from (`requests.writer`).
// Decided elsewhere: which requests get a line, and what it says (request-log.ts).

import { constants, fstatSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import type { Logger, LogTarget } from '../../config/log-target.js';
import { dateFormat, SecondClock } from './calendar.js';
import { type DatagramSender, openDatagrams } from './datagrams.js';
import { LineWriter } from './line-writer.js';
import { LogFile } from './log-file.js';
import { jsonText } from './log-format.js';
import { isPlain, type NamedSink, type Routing, route, type Send } from './router.js';

export interface LogPlan {
  /** Where lines go that no logger takes. */
  readonly main: LogTarget;
  readonly loggers: readonly Logger[];
  readonly requestLoggers: readonly Logger[];
  readonly messages: Routing;
  readonly requests: Routing;
  /** strftime pattern of what goes in front of each line. */
  readonly datePattern: string | undefined;
  readonly prefix: string;
  /** Every line is a JSON object. */
  readonly isJson: boolean;
  /** The mode of log files; undefined: as they are, or 0640. */
  readonly fileMode: number | undefined;
}

/** Where request lines go. */
export interface RequestSink {
  /** Set where lines go to one file or descriptor as they are: they may be put there directly. */
  readonly writer: LineWriter | undefined;
  send: Send;
}

export interface ServerLog extends Log {
  readonly requests: RequestSink;
  /** Lines that were dropped, by all targets together. */
  readonly lost: number;
  /** Opens the log files anew, after somebody else has moved them. */
  reopen(): void;
  /** Moves the log files aside and begins new ones. */
  rotate(): void;
  /** Resolves when everything has been written, or after `mostMs`. */
  drain(mostMs: number): Promise<void>;
  /** Writes what waits without returning to the event loop. For the end of the process. */
  flush(): void;
}

const STDERR: LogTarget = { kind: 'fd', fd: 2 };

class Targets {
  readonly #fileMode: number | undefined;
  readonly #dress: (text: string) => string;
  readonly files: LogFile[] = [];
  readonly writers: LineWriter[] = [];
  readonly senders: DatagramSender[] = [];
  /** Where it is told that a target fails: the main log, or when it is a file, standard error. */
  tell: (text: string) => void = (text) => this.open(STDERR).send(text);

  /** `dress`: the form of a message among the lines of a file. */
  constructor(fileMode: number | undefined, dress: (text: string) => string) {
    this.#fileMode = fileMode;
    this.#dress = dress;
  }

  /** Opens a target. Throws `ConfigError` CONFIG_LOG. */
  open(target: LogTarget): { readonly send: Send; readonly writer: LineWriter | undefined } {
    try {
      if (target.kind === 'datagram') {
        const sender = openDatagrams(target, (text) => this.tell(text));
        this.senders.push(sender);
        return { send: (line) => sender.send(line), writer: undefined };
      }
      const writer = target.kind === 'fd' ? descriptorWriter(target.fd) : this.#file(target);
      this.writers.push(writer);
      return { send: (line) => writer.line(line), writer };
    } catch (error) {
      throw new ConfigError('CONFIG_LOG', describe(target), (error as Error).message);
    }
  }

  #file(target: LogTarget & { kind: 'file' }): LineWriter {
    // the path counts from where the server was started, wherever --chdir leads
    const backupName = target.backupName === undefined ? undefined : resolve(target.backupName);
    const path = resolve(target.path);
    const file = new LogFile({ ...target, path, backupName }, this.#fileMode, (text) => this.tell(text), this.#dress);
    this.files.push(file);
    return file.writer;
  }
}

/** A writer to standard output or error. When the reader has gone, nobody can come in its place. */
function descriptorWriter(fd: number): LineWriter {
  const writer = new LineWriter(withoutWaiting(fd), {
    onFailing: (problem) => {
      if (problem.includes('EPIPE')) writer.giveUp();
    },
    onRecovered: (lost, problem) => `the log is written again, ${lost} lines were lost meanwhile (${problem})`,
  });
  return writer;
}

/**
 * The same pipe or terminal as `fd`, opened anew so that a write to it never waits for its reader: a thread that waits
 * is missing elsewhere, and holds up the end of the process. Files do not wait, and sockets cannot be opened anew.
 */
function withoutWaiting(fd: number): number {
  try {
    const kind = fstatSync(fd);
    if (!kind.isFIFO() && !kind.isCharacterDevice()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    return fd; // closed, or there is no /proc: it is used as it is
  }
}

function describe(target: LogTarget): string {
  if (target.kind === 'file') return target.path;
  if (target.kind === 'fd') return `fd ${target.fd}`;
  return 'path' in target.to ? target.to.path : `${target.to.host}:${target.to.port}`;
}

/** Opens everything that `plan` names. Throws `ConfigError` CONFIG_LOG when something of it cannot be opened. */
export function openLog(plan: LogPlan): ServerLog {
  const front = frontOf(plan);
  const targets = new Targets(plan.fileMode, plan.isJson ? jsonMessage : (text) => (front?.() ?? '') + text);
  const open = ({ id, target }: Logger): NamedSink => ({ id, send: targets.open(target).send });
  const main = targets.open(plan.main);
  const loggers = plan.loggers.map(open);
  const messages = route(plan.messages, loggers, main.send);
  const ownSinks = plan.requestLoggers.map(open);
  const hasOwn = ownSinks.length > 0;
  const requests = hasOwn ? route(plan.requests, ownSinks, main.send) : messages;
  const isDirect = !hasOwn && loggers.length === 0 && isPlain(plan.messages);
  const log: ServerLog = {
    line: messageWriter(plan, front, messages),
    output: outputWriter(plan, front, messages),
    requests: {
      writer: isDirect && front === undefined ? main.writer : undefined,
      send: front === undefined ? requests : (line) => requests(front() + line),
    },
    get lost() {
      const all = [...targets.writers, ...targets.senders];
      return all.reduce((sum, target) => sum + target.lost, 0);
    },
    reopen: () => {
      for (const file of targets.files) file.reopen();
    },
    rotate: () => {
      for (const file of targets.files) file.rotate();
    },
    drain: async (mostMs) => {
      await Promise.all(targets.writers.map((writer) => writer.drain(mostMs)));
    },
    flush: () => {
      for (const writer of targets.writers) writer.flushSync();
    },
  };
  if (plan.main.kind === 'fd') targets.tell = (text) => log.line(text);
  return log;
}

/** What goes in front of each line; undefined: nothing. */
function frontOf({ datePattern, prefix, isJson }: LogPlan): (() => string) | undefined {
  if (isJson || (datePattern === undefined && prefix === '')) return undefined;
  if (datePattern === undefined) return () => prefix;
  const format = dateFormat(datePattern);
  const clock = new SecondClock((now) => `${format(now)} - ${prefix}`);
  return () => clock.at(performance.now());
}

const jsonMessage = (text: string) => `{"time":"${new Date().toISOString()}","message":${jsonText(text)}}`;

function messageWriter({ isJson }: LogPlan, front: (() => string) | undefined, send: Send): Log['line'] {
  if (isJson) return (text) => send(jsonMessage(text));
  return (text) => {
    for (const line of text.split('\n')) send(front === undefined ? line : front() + line);
  };
}

function outputWriter({ isJson }: LogPlan, front: (() => string) | undefined, send: Send): Log['output'] {
  if (isJson) {
    return (source, text) => {
      const time = new Date().toISOString();
      send(`{"time":"${time}","source":${jsonText(source)},"output":${jsonText(text)}}`);
    };
  }
  return (source, text) => send(`${front === undefined ? '' : front()}[${source}] ${text}`);
}
