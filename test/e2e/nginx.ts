// A real nginx in front of the server, for the tests: stock configuration, nothing adapted to us.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithTests, raw, until } from './harness.js';

/** A port that was free a moment ago, for a program that cannot be asked which one it got. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class Nginx {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string, port: number) {
    this.#child = child;
    this.#directory = directory;
    this.port = port;
  }

  /** Starts nginx with `location`, the body of `location / { }`, and waits until it listens. */
  static async start(location: string): Promise<Nginx> {
    const port = await freePort();
    return Nginx.serve(port, `server {\n    listen 127.0.0.1:${port};\n    location / {\n${location}\n    }\n  }`);
  }

  /** Starts nginx with `blocks` in its `http { }`, and waits until it listens on `port`, which they name. */
  static async serve(port: number, blocks: string): Promise<Nginx> {
    const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-nginx-'));
    const temporary = ['client_body', 'proxy', 'uwsgi', 'fastcgi', 'scgi'];
    const configuration = `
daemon off;
user root;
worker_processes 1;
error_log ${directory}/error.log;
pid ${directory}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 0;
  ${temporary.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join('\n  ')}
  ${blocks}
}
`;
    writeFileSync(join(directory, 'nginx.conf'), configuration);
    const child = spawn('/usr/sbin/nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], {
      stdio: 'inherit',
    });
    endWithTests(child);
    let isUp = false;
    const look = () => {
      raw(port, 'GET /nuwsgi-probe HTTP/1.0\r\n\r\n')
        .then((result) => {
          isUp = result.bytes !== '';
        })
        .catch(() => {});
      return isUp;
    };
    await until(() => look() || child.exitCode !== null, 'nginx listens');
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
    return new Nginx(child, directory, port);
  }

  async stop(): Promise<void> {
    this.#child.ref();
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
