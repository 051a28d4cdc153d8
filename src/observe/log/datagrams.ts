// Log lines as datagrams: by UDP, to a UNIX socket such as /dev/log, plain or in syslog's form.
//
// A datagram that cannot be sent is lost and counted; nobody waits for one. Node.js has no UNIX datagram sockets, so
//   these go through the C library, without blocking (unix-datagram.ts).
// Decided elsewhere: which lines come here (router.ts).

import { createSocket, type Socket } from 'node:dgram';
import { closeSync } from 'node:fs';
import { hostname } from 'node:os';
import { connectDatagram, loadUnixDatagrams, sendDatagram } from '../../base/unix-datagram.js';
import type { DatagramLogTarget } from '../../config/log-target.js';
import { SecondClock, syslogTime } from './calendar.js';
import type { OnTrouble } from './log-file.js';

/** The longest datagram; longer lines are cut. Below the 64 KiB of UDP, and what syslog daemons take. */
const MOST_BYTES = 8192;
/** UDP datagrams that may be on their way to the kernel. */
const MOST_PENDING = 1024;
/** How often a UNIX socket that nobody listens on is tried again. */
const RETRY_MS = 1000;

export interface DatagramSender {
  send(line: string): void;
  /** Lines that could not be sent. */
  readonly lost: number;
  close(): void;
}

/** Opens a target. Throws when a UNIX socket needs the C library and it cannot be loaded. */
export function openDatagrams(target: DatagramLogTarget, onTrouble: OnTrouble): DatagramSender {
  const dress = dressing(target);
  const report = new Losses(target, onTrouble);
  return 'path' in target.to ? new UnixSender(target.to.path, dress, report) : new UdpSender(target.to, dress, report);
}

/** What goes in front of a line. */
function dressing({ syslog, prefix, to }: DatagramLogTarget): (line: string) => string {
  if (syslog === undefined) return (line) => `${prefix}${line}\n`;
  const host = 'path' in to ? '' : `${hostname()} `; // a local daemon knows where it runs
  const clock = new SecondClock(
    (now) => `<${syslog.priority}>${syslogTime(now)} ${host}${syslog.ident}[${process.pid}]: `,
  );
  return (line) => clock.at(performance.now()) + line;
}

/** Says once that datagrams are lost, and once how many they were. */
class Losses {
  lost = 0;
  readonly #name: string;
  readonly #onTrouble: OnTrouble;
  #lostBefore = -1;

  constructor({ to }: DatagramLogTarget, onTrouble: OnTrouble) {
    this.#name = 'path' in to ? to.path : `${to.host}:${to.port}`;
    this.#onTrouble = onTrouble;
  }

  failed(why: string): void {
    if (this.#lostBefore < 0) {
      this.#lostBefore = this.lost;
      this.#onTrouble(`cannot send log lines to ${this.#name}: ${why}. Requests go on without it.`);
    }
    this.lost++;
  }

  sent(): void {
    if (this.#lostBefore < 0) return;
    this.#onTrouble(`log lines reach ${this.#name} again, ${this.lost - this.#lostBefore} were lost meanwhile`);
    this.#lostBefore = -1;
  }
}

class UdpSender implements DatagramSender {
  readonly #to: { readonly host: string; readonly port: number };
  readonly #dress: (line: string) => string;
  readonly #losses: Losses;
  readonly #socket: Socket;
  #pending = 0;

  constructor(to: { readonly host: string; readonly port: number }, dress: (line: string) => string, losses: Losses) {
    this.#to = to;
    this.#dress = dress;
    this.#losses = losses;
    this.#socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4');
    this.#socket.on('error', (error) => losses.failed(error.message));
    this.#socket.unref();
  }

  get lost(): number {
    return this.#losses.lost;
  }

  send(line: string): void {
    if (this.#pending >= MOST_PENDING) {
      this.#losses.failed('the lines come faster than they can be sent');
      return;
    }
    this.#pending++;
    const data = Buffer.from(this.#dress(line)).subarray(0, MOST_BYTES);
    this.#socket.send(data, this.#to.port, this.#to.host, (error) => {
      this.#pending--;
      if (error !== null) this.#losses.failed(error.message);
      else this.#losses.sent();
    });
  }

  close(): void {
    this.#socket.close();
  }
}

class UnixSender implements DatagramSender {
  readonly #path: string;
  readonly #dress: (line: string) => string;
  readonly #losses: Losses;
  #fd = -1;
  #retryAtMs = 0;

  constructor(path: string, dress: (line: string) => string, losses: Losses) {
    loadUnixDatagrams();
    this.#path = path;
    this.#dress = dress;
    this.#losses = losses;
  }

  get lost(): number {
    return this.#losses.lost;
  }

  send(line: string): void {
    if (this.#fd < 0 && !this.#connect()) return;
    const problem = sendDatagram(this.#fd, Buffer.from(this.#dress(line)).subarray(0, MOST_BYTES));
    if (problem === undefined) {
      this.#losses.sent();
      return;
    }
    this.#losses.failed(problem);
    if (problem !== 'EAGAIN') this.close(); // the daemon has been started anew: connect to the new one
  }

  #connect(): boolean {
    if (performance.now() < this.#retryAtMs) {
      this.#losses.failed('nobody listens there');
      return false;
    }
    const outcome = connectDatagram(this.#path);
    if (typeof outcome === 'number') {
      this.#fd = outcome;
      return true;
    }
    this.#retryAtMs = performance.now() + RETRY_MS;
    this.#losses.failed(outcome);
    return false;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
