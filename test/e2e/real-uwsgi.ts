// A real uWSGI (Debian's), for tests that compare what it says with what the server says.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { APPS, until } from './harness.js';
import { freePort } from './nginx.js';

export class RealUwsgi {
  readonly httpPort: number;
  readonly uwsgiPort: number;
  readonly statsPort: number;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(child: ChildProcess, ports: readonly [number, number, number]) {
    [this.httpPort, this.uwsgiPort, this.statsPort] = ports;
    this.#child = child;
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      this.#log += chunk;
    });
  }

  /** Starts it with an app of test/apps, on three ports: HTTP, uwsgi, statistics. Resolves when a worker is up. */
  static async start(app: string, args: readonly string[] = []): Promise<RealUwsgi> {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const [http, socket, stats] = ports.map((port) => `127.0.0.1:${port}`) as [string, string, string];
    const sockets = ['--http-socket', http, '--socket', socket, '--stats', stats];
    const all = ['--plugin', 'python3', ...sockets, '--master', '--die-on-term', '--wsgi-file', app, ...args];
    const child = spawn('uwsgi', all, { cwd: APPS, stdio: ['ignore', 'ignore', 'pipe'] });
    const uwsgi = new RealUwsgi(child, ports);
    await until(() => /spawned uWSGI worker 1 /.test(uwsgi.log) || child.exitCode !== null, 'uWSGI is up');
    if (child.exitCode !== null) throw new Error(`uWSGI ended with ${child.exitCode}:\n${uwsgi.log}`);
    return uwsgi;
  }

  get log(): string {
    return this.#log;
  }

  /** Its statistics, as its clients read them. */
  async stats(): Promise<Record<string, unknown>> {
    return JSON.parse(await readAll(this.statsPort)) as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }
}

/** Everything that comes on a connection to a port on which nothing has to be asked. */
export async function readAll(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}
