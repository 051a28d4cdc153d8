// What is measured: each scenario is a question, and the application, load and servers that answer it.
//
// Decided elsewhere: how each server is started (servers.ts), how often and how long it is measured (options.ts).

import { join } from 'node:path';
import { APPS, LOAD } from './paths.js';
import type { ServerName } from './servers.js';

export interface App {
  /** In apps/. */
  readonly file: string;
  readonly language: 'python' | 'js';
  /** The answers have no Content-Length: how they end is the server's business. */
  readonly isUnsized?: true;
  /** What every answer must be: a server that answers something else is not measured. */
  readonly bodyBytes: number;
}

const HELLO_PY: App = { file: 'hello.py', language: 'python', bodyBytes: 14 };
const HELLO_JS: App = { file: 'hello.mjs', language: 'js', bodyBytes: 14 };
const FLASK: App = { file: 'flask_app.py', language: 'python', bodyBytes: 14 };
const DJANGO: App = { file: 'django_app.py', language: 'python', bodyBytes: 14 };
const STREAM: App = { file: 'stream.py', language: 'python', bodyBytes: 65_536, isUnsized: true };
const POST: App = { file: 'post.py', language: 'python', bodyBytes: 6 };

export interface Scenario {
  readonly name: string;
  readonly asks: string;
  readonly app: App;
  /** `load`: speed and cost under load. `memory`: PSS after some load. `start`: time to the first answer, PSS before any load. */
  readonly measures: 'load' | 'memory' | 'start';
  readonly processes: number;
  /** Undefined: the server's default, for applications that are asynchronous. */
  readonly threads: number | undefined;
  readonly connections: number;
  readonly path: string;
  /** Bytes of a POST body; undefined: GET. */
  readonly postBytes?: number;
  /** What the clients speak; undefined: HTTP. */
  readonly protocol?: 'uwsgi';
  /** nginx stands in front, and speaks the uwsgi protocol to the server. */
  readonly front?: 'tcp' | 'unix';
  /** Every server writes its default line per request to a file. */
  readonly logs?: boolean;
  readonly servers: readonly ServerName[];
}

const PYTHON_SERVERS = ['nuwsgi', 'uwsgi-http11-socket', 'uwsgi-http-socket', 'gunicorn'] as const;
const HELLO_4X2 = {
  app: HELLO_PY,
  measures: 'load',
  processes: 4,
  threads: 2,
  path: '/',
  servers: PYTHON_SERVERS,
} as const;

export const SCENARIOS = [
  {
    name: 'hello-py-64',
    asks: 'What does a request cost when the application does nothing, with more clients than threads?',
    ...HELLO_4X2,
    connections: 64,
  },
  {
    name: 'hello-py-8',
    asks: 'The same with one client per thread, the case that suits a thread per connection best.',
    ...HELLO_4X2,
    connections: 8,
  },
  {
    name: 'hello-py-2',
    asks: 'How long does a request take on a server that has next to nothing to do?',
    ...HELLO_4X2,
    connections: 2,
  },
  {
    name: 'hello-js-64',
    asks: 'How much of the HTTP engine is left once a JS application runs in workers of its own?',
    app: HELLO_JS,
    measures: 'load',
    processes: 4,
    threads: undefined,
    connections: 64,
    path: '/',
    servers: ['nuwsgi', 'bare-uws', 'bare-node-http'],
  },
  {
    name: 'hello-py-64-log',
    asks: "What does a line per request cost, in the server's own default format, written to a file?",
    ...HELLO_4X2,
    connections: 64,
    logs: true,
    servers: ['nuwsgi', 'nuwsgi-quiet', 'uwsgi-http11-socket', 'uwsgi-http11-quiet'],
  },
  {
    name: 'stream-py',
    asks: 'What do 64 parts cost that a generator yields one by one, without a Content-Length?',
    ...HELLO_4X2,
    app: STREAM,
    connections: 64,
  },
  {
    name: 'post-64k',
    asks: 'What does a request body of 64 KiB cost on its way to an application that reads it?',
    ...HELLO_4X2,
    app: POST,
    connections: 64,
    postBytes: 65_536,
  },
  {
    name: 'nginx-tcp',
    asks: 'What does the server cost behind nginx, by uwsgi_pass over TCP?',
    ...HELLO_4X2,
    connections: 64,
    front: 'tcp',
    servers: ['nuwsgi', 'uwsgi-socket'],
  },
  {
    name: 'nginx-unix',
    asks: 'The same over a UNIX socket.',
    ...HELLO_4X2,
    connections: 64,
    front: 'unix',
    servers: ['nuwsgi', 'uwsgi-socket'],
  },
  {
    name: 'uwsgi-direct',
    asks: 'What does a request in the uwsgi protocol cost, without a proxy that has a limit of its own?',
    ...HELLO_4X2,
    connections: 32,
    protocol: 'uwsgi',
    servers: ['nuwsgi', 'uwsgi-socket'],
  },
  {
    name: 'flask-16x2-memory',
    asks: 'What do 16 workers weigh that have a framework loaded and have served requests?',
    ...HELLO_4X2,
    app: FLASK,
    measures: 'memory',
    processes: 16,
    connections: 32,
    servers: ['nuwsgi', 'uwsgi-http11-socket', 'gunicorn', 'gunicorn-preload'],
  },
  {
    name: 'hello-4x2-start',
    asks: 'How long from the start to the first answer, and what does the server weigh before any load?',
    ...HELLO_4X2,
    measures: 'start',
    connections: 0,
    servers: ['nuwsgi', 'uwsgi-http11-socket', 'gunicorn'],
  },
  {
    name: 'django-16-start',
    asks: 'The same with a framework to load and 16 workers to start.',
    ...HELLO_4X2,
    app: DJANGO,
    measures: 'start',
    processes: 16,
    connections: 0,
    servers: ['nuwsgi', 'uwsgi-http11-socket', 'gunicorn', 'gunicorn-preload'],
  },
] as const satisfies readonly Scenario[];

export type ScenarioName = (typeof SCENARIOS)[number]['name'];

export const appPath = (app: App) => join(APPS, app.file);

/** The wrk script that sends what the scenario asks for; undefined for a plain GET. */
export const wrkScript = (scenario: Scenario) =>
  scenario.postBytes === undefined
    ? undefined
    : { file: join(LOAD, 'post.lua'), args: [String(scenario.postBytes)] as const };

/** The scenario's request as bytes, the same that wrk sends. */
export function requestBytes(scenario: Scenario): Buffer {
  const { path, postBytes } = scenario;
  if (postBytes === undefined) return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n`;
  return Buffer.from(`${head}Content-Length: ${postBytes}\r\n\r\n${'x'.repeat(postBytes)}`);
}
