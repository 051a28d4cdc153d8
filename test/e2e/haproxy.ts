// A real HAProxy in front of the server, passing connections on with a PROXY protocol header.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithTests, open, until } from './harness.js';
import { freePort } from './nginx.js';

export class HaProxy {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string, port: number) {
    this.#child = child;
    this.#directory = directory;
    this.port = port;
  }

  /** Passes TCP connections on to `server`, an address and what else stands behind `server s` in a backend. */
  static async start(server: string): Promise<HaProxy> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-haproxy-'));
    const file = join(directory, 'haproxy.cfg');
    const limits = 'timeout connect 5s\n  timeout client 60s\n  timeout server 60s';
    const configuration = `defaults\n  mode tcp\n  ${limits}\nlisten l\n  bind 127.0.0.1:${port}\n  server s ${server}\n`;
    writeFileSync(file, configuration);
    const child = spawn('haproxy', ['-f', file], { stdio: 'inherit' });
    endWithTests(child);
    let isUp = false;
    const look = () => {
      open(port).then(
        (socket) => {
          isUp = true;
          socket.destroy();
        },
        () => {},
      );
      return isUp;
    };
    await until(() => look() || child.exitCode !== null, 'HAProxy listens');
    if (child.exitCode !== null) throw new Error(`HAProxy ended with ${child.exitCode}`);
    return new HaProxy(child, directory, port);
  }

  async stop(): Promise<void> {
    this.#child.ref();
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
