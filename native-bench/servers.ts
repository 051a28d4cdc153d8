// The servers that are compared, and how each is started: with the flags that its own documentation recommends for
// this kind of load. README.md says for each flag why it is there; a comparison is worth as much as these lines.
//
// Decided elsewhere: which of them a scenario compares (scenarios.ts), what is measured (measure.ts).

import { basename, join } from 'node:path';
import { APPS, CLI, findProgram, LOG_FILE, PEERS, SYSTEM_PYTHON } from './paths.js';
import { type App, appPath, type Scenario } from './scenarios.js';
import { output } from './versions.js';

/** Connections that the kernel may hold for a server that is behind; the same for all of them. */
const BACKLOG = '1024';

export interface Server {
  readonly name: string;
  readonly runs: readonly App['language'][];
  /** The program without which the server is skipped, and how Debian calls the packages. */
  readonly needs: { readonly program: string; readonly packages: string } | undefined;
  /** Arguments of the program, or of Node when it needs none. */
  arguments(scenario: Scenario, port: number): string[];
  /** Environment variables beside those of the benchmark. */
  readonly env?: Readonly<Record<string, string>>;
  /** What makes it end. */
  readonly endSignal: 'SIGTERM' | 'SIGINT';
  /** It ends an answer without a length by closing the connection, which wrk counts as a read error. */
  readonly endsByClosing?: true;
}

const UWSGI = { program: 'uwsgi', packages: 'uwsgi-core uwsgi-plugin-python3' };
const GUNICORN = { program: 'gunicorn', packages: 'gunicorn' };

export const SERVERS = [
  {
    name: 'nuwsgi',
    runs: ['python', 'js'],
    needs: undefined,
    arguments: (scenario, port) => nuwsgi(scenario, speaksUwsgi(scenario) ? '--socket' : '--http', port),
    endSignal: 'SIGTERM',
  },
  {
    name: 'nuwsgi-quiet',
    runs: ['python', 'js'],
    needs: undefined,
    arguments: (scenario, port) => nuwsgi(quiet(scenario), '--http', port),
    endSignal: 'SIGTERM',
  },
  {
    name: 'nuwsgi-http-socket',
    runs: ['python', 'js'],
    needs: undefined,
    arguments: (scenario, port) => nuwsgi(scenario, '--http-socket', port),
    endSignal: 'SIGTERM',
  },
  {
    name: 'uwsgi-http11-socket',
    runs: ['python'],
    needs: UWSGI,
    arguments: (scenario, port) => [
      ...uwsgi(scenario),
      '--http11-socket',
      `127.0.0.1:${port}`,
      ...(scenario.app.isUnsized ? chunkedAnswers() : []),
    ],
    endSignal: 'SIGINT', // SIGTERM would make it reload
  },
  {
    name: 'uwsgi-http11-quiet',
    runs: ['python'],
    needs: UWSGI,
    arguments: (scenario, port) => [...uwsgi(quiet(scenario)), '--http11-socket', `127.0.0.1:${port}`],
    endSignal: 'SIGINT',
  },
  {
    name: 'uwsgi-http-socket',
    runs: ['python'],
    needs: UWSGI,
    arguments: (scenario, port) => [
      ...uwsgi(scenario),
      '--http-socket',
      `127.0.0.1:${port}`,
      '--add-header',
      'Connection: close',
    ],
    endSignal: 'SIGINT',
    endsByClosing: true,
  },
  {
    name: 'uwsgi-socket',
    runs: ['python'],
    needs: UWSGI,
    arguments: (scenario, port) => [...uwsgi(scenario), '--socket', addressOf(scenario, port)],
    endSignal: 'SIGINT',
  },
  {
    name: 'gunicorn',
    runs: ['python'],
    needs: GUNICORN,
    arguments: gunicorn,
    endSignal: 'SIGTERM',
  },
  {
    name: 'gunicorn-preload',
    runs: ['python'],
    needs: GUNICORN,
    arguments: (scenario, port) => ['--preload', ...gunicorn(scenario, port)],
    endSignal: 'SIGTERM',
  },
  {
    name: 'bare-uws',
    runs: ['js'],
    needs: undefined,
    arguments: (_, port) => [join(PEERS, 'bare-uws.js'), String(port)],
    endSignal: 'SIGTERM',
  },
  {
    name: 'bare-node-http',
    runs: ['js'],
    needs: undefined,
    arguments: (_, port) => [join(PEERS, 'bare-node-http.js'), String(port)],
    endSignal: 'SIGTERM',
  },
] as const satisfies readonly Server[];

export type ServerName = (typeof SERVERS)[number]['name'];

/** The server to which the others are compared. */
export const OURS = 'nuwsgi';

/** Whether the server is spoken to in the uwsgi protocol, by nginx or by the clients. */
const speaksUwsgi = ({ protocol, front }: Scenario) => protocol === 'uwsgi' || front !== undefined;

/** Where the server is to listen; behind nginx the launcher says (peers/behind-nginx.ts). */
const addressOf = ({ front }: Scenario, port: number) => (front === undefined ? `127.0.0.1:${port}` : '{backend}');

/** nuwsgi and uWSGI have the same options for their logs. */
const logOptions = ({ logs }: Scenario) => (logs ? ['--logto', LOG_FILE] : ['--disable-logging']);

/** The scenario without a log, for a server that is compared with itself. */
const quiet = (scenario: Scenario): Scenario => ({ ...scenario, logs: false });

function nuwsgi(scenario: Scenario, listener: string, port: number): string[] {
  const { app, processes, threads } = scenario;
  const args = [
    CLI,
    listener,
    addressOf(scenario, port),
    '--wsgi-file',
    appPath(app),
    '--processes',
    String(processes),
  ];
  if (threads !== undefined) args.push('--threads', String(threads));
  if (app.language === 'python' && findProgram('python3') === SYSTEM_PYTHON) args.push('--python', SYSTEM_PYTHON);
  args.push(...logOptions(scenario), '--listen', BACKLOG);
  return args;
}

function uwsgi(scenario: Scenario): string[] {
  const { app, processes, threads } = scenario;
  const args = needsPythonPlugin() ? ['--plugin', 'python3'] : [];
  args.push('--wsgi-file', appPath(app), '--need-app', '--master', '--processes', String(processes));
  args.push('--threads', String(threads ?? 1), ...logOptions(scenario));
  args.push('--listen', BACKLOG, '--tcp-nodelay');
  return args;
}

/** Without these, uWSGI gives a keep-alive client no way to see where an answer without a length ends. */
const chunkedAnswers = () => [
  ...(needsPythonPlugin() ? ['--plugin', 'transformation_chunked'] : []),
  '--route-run',
  'chunked:',
];

function gunicorn({ app, processes, threads }: Scenario, port: number): string[] {
  const pool = ['--worker-class', 'gthread', '--workers', String(processes), '--threads', String(threads ?? 1)];
  const place = ['--bind', `127.0.0.1:${port}`, '--backlog', BACKLOG, '--chdir', APPS];
  return [...pool, ...place, '--log-level', 'warning', `${basename(app.file, '.py')}:application`];
}

let hasPlugins: boolean | undefined;

/** Debian's uWSGI has every language in a plugin; one built by pip has Python, and no need to be told. */
function needsPythonPlugin(): boolean {
  hasPlugins ??= !output(findProgram('uwsgi') ?? 'uwsgi', ['--help']).includes('--wsgi-file');
  return hasPlugins;
}

/** nuwsgi once more, with environment variables (`NAME=value`) or options changed, to be compared with itself. */
export function variantOf(text: string): Server {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const isVariable = (word: string) => /^[A-Z_][A-Z0-9_]*=/.test(word);
  const options = words.filter((word) => !isVariable(word));
  return {
    ...SERVERS[0],
    name: `nuwsgi ${words.join(' ')}`,
    arguments: (scenario, port) => [...SERVERS[0].arguments(scenario, port), ...options],
    env: Object.fromEntries(words.filter(isVariable).map((word) => word.split(/=(.*)/s).slice(0, 2))),
  };
}

/** What starts `server` for `scenario`: program and arguments. Undefined when it is not installed. */
export function commandOf(
  server: Server,
  scenario: Scenario,
  port: number,
): readonly [string, ...string[]] | undefined {
  const program = server.needs === undefined ? process.execPath : findProgram(server.needs.program);
  if (program === undefined) return undefined;
  const args = server.arguments(scenario, port);
  if (scenario.front === undefined) return [program, ...args];
  return [process.execPath, join(PEERS, 'behind-nginx.js'), scenario.front, String(port), program, ...args];
}
