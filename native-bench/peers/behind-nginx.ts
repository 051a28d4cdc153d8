// nginx in front of a server: `behind-nginx tcp|unix PORT PROGRAM ARGUMENTS...`. In the arguments, {backend} becomes the
// address on which the server is to speak the uwsgi protocol.
//
// nginx runs with one worker and its stock settings; what it costs is in the figures of every server behind it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../server-process.js';

/** Between two looks whether the server is up. */
const LOOK_AGAIN_MS = 5;

const [transport, port, program, ...args] = process.argv.slice(2) as [string, string, string, ...string[]];
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-bench-'));
const socket = join(directory, 'backend.sock');
const backend = transport === 'unix' ? socket : `127.0.0.1:${await freePort()}`;

const temporary = ['client_body', 'proxy', 'uwsgi', 'fastcgi', 'scgi'];
writeFileSync(
  join(directory, 'nginx.conf'),
  `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(' ')}
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / { include /etc/nginx/uwsgi_params; uwsgi_pass ${transport === 'unix' ? `unix:${socket}` : backend}; }
  }
}
`,
);

const server = spawn(
  program,
  args.map((arg) => arg.replace('{backend}', backend)),
  { stdio: 'inherit' },
);
let nginx: ChildProcess | undefined;
const ended = (child: ChildProcess) => (child.exitCode ?? child.signalCode) !== null;
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(signal));
server.once('exit', () => void end('SIGTERM')); // without both there is nothing to measure
while (!(await accepts()) && !ended(server)) await pause(LOOK_AGAIN_MS);
nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], { stdio: 'inherit' });
nginx.once('exit', () => void end('SIGTERM'));

/** Whether the server takes connections; nginx would answer 502 before. */
function accepts(): Promise<boolean> {
  return new Promise((resolve) => {
    const [host, backendPort] = backend.split(':') as [string, string];
    const probe = transport === 'unix' ? connect(socket) : connect(Number(backendPort), host);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

async function end(signal: NodeJS.Signals): Promise<void> {
  for (const child of [nginx, server]) {
    if (child === undefined || ended(child)) continue;
    child.kill(signal);
    await once(child, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}
