// Telling systemd how the server is (sd_notify(3)): that it is ready, which process it is, that it reloads or stops.
//
// For units with Type=notify or notify-reload. Nobody who does not ask for it (NOTIFY_SOCKET) is told anything, and a
//   message that cannot be sent is lost: the server is worth more than what is known of it.
// Decided elsewhere: when it is told (cli.ts, control.ts).

import { closeSync } from 'node:fs';
import type { Log } from '../base/log.js';
import { connectDatagram, sendDatagram } from '../base/unix-datagram.js';

const NANOSECONDS_PER_MICROSECOND = 1000n;

export class ServiceManager {
  readonly #socket: string | undefined;
  readonly #log: Log;

  /** `socket`: NOTIFY_SOCKET, a path or `@` and an abstract name; undefined: nobody asks. */
  constructor(socket: string | undefined, log: Log) {
    this.#socket = socket;
    this.#log = log;
  }

  ready(): void {
    this.#tell('READY=1\nSTATUS=serving');
  }

  reloading(): void {
    const nowMicros = process.hrtime.bigint() / NANOSECONDS_PER_MICROSECOND; // on the monotonic clock, as it has to be
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${nowMicros}\nSTATUS=reloading`);
  }

  stopping(): void {
    this.#tell('STOPPING=1\nSTATUS=answering the last requests');
  }

  /** Another process is the server from now on. To be told by the one that was it until now. */
  isNow(pid: number): void {
    this.#tell(`MAINPID=${pid}`);
  }

  #tell(message: string): void {
    if (this.#socket === undefined || this.#socket === '') return;
    try {
      const fd = connectDatagram(this.#socket);
      const problem = typeof fd === 'string' ? fd : sendDatagram(fd, Buffer.from(message));
      if (typeof fd === 'number') closeSync(fd);
      if (problem !== undefined) this.#log.line(`the service manager cannot be told: ${this.#socket}: ${problem}`);
    } catch (error) {
      this.#log.line(`the service manager cannot be told: ${(error as Error).message}`);
    }
  }
}
