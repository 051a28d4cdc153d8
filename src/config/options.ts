// Every option that does something, once. The argv reader, the file readers, `--help` and the `Config` type are read
// off this table; nothing else in the project says what an option is called or which values it takes.
//
// Names, aliases, letters and meanings are uWSGI's wherever uWSGI has the option. Where the meaning or the default
//   departs from uWSGI's, `differs` says so in one sentence, and `--help OPTION` shows it.
// Decided elsewhere: how a text becomes a value (values.ts), which source wins (sources.ts), what must fit together
//   (checks.ts), and the names that uWSGI knows and this server does not serve (known-names.ts).

import { tmpdir } from 'node:os';
import type { Address } from './address.js';
import type { Assign } from './values.js';

/** What an option of each kind is to the program. */
export interface Values {
  flag: boolean;
  int: number;
  size: number;
  seconds: number;
  text: string;
  path: string;
  choice: string;
  address: Address;
  assign: Assign;
}
export type Kind = keyof Values;

export const SECTIONS = {
  sockets: 'Sockets',
  requests: 'Requests and answers',
  apps: 'Apps',
  workers: 'Workers',
  logging: 'Logging',
  config: 'Configuration',
  general: 'General',
} as const;
export type Section = keyof typeof SECTIONS;

export interface Option {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly short?: string;
  readonly kind: Kind;
  /** May be given several times, and then all of them count. */
  readonly many?: true;
  /** Absent: the option has no value unless somebody gives one. */
  readonly default?: boolean | number | string;
  /** What `--help` says instead of `default`, where that is found out at start. */
  readonly defaultText?: string;
  readonly range?: readonly [least: number, most: number];
  /** A value above the range is cut down with a warning instead of refused. */
  readonly clamps?: true;
  readonly choices?: readonly string[];
  /** What `--help` calls the value, where the kind does not say enough. */
  readonly value?: string;
  readonly section: Section;
  readonly help: string;
  /** In what it departs from uWSGI. */
  readonly differs?: string;
  /** The option is accepted and changes nothing: what it asks for is so anyway. The text says why. */
  readonly always?: string;
}

// biome-ignore format: a table
export const OPTIONS = [
  { name: 'http', aliases: ['httprouter'], kind: 'address', many: true, section: 'sockets',
    help: 'accept HTTP/1.1 from clients on this address',
    differs: 'There is no router process: the requests go straight to the workers.' },
  { name: 'http11-socket', kind: 'address', many: true, section: 'sockets',
    help: 'accept HTTP/1.1 with keep-alive on this address; the same as http' },
  { name: 'http-socket', kind: 'address', many: true, section: 'sockets',
    help: 'accept HTTP/1.0 and 1.1 on this address: the one to put behind nginx proxy_pass',
    differs: 'Connections are kept alive when the client wants it; uWSGI serves one request per connection.' },
  { name: 'socket', aliases: ['uwsgi-socket'], short: 's', kind: 'address', many: true, section: 'sockets',
    help: 'accept the uwsgi protocol on this address: the one for nginx uwsgi_pass',
    differs: 'Variables by which a peer could make uWSGI load code are dropped, unless dynamic-apps is given.' },
  { name: 'protocol', aliases: ['socket-protocol'], kind: 'choice', choices: ['uwsgi', 'http'], default: 'uwsgi',
    section: 'sockets', help: 'the protocol that socket speaks' },
  { name: 'max-vars', short: 'v', kind: 'int', default: 64, range: [1, 16384], section: 'requests',
    help: 'a uwsgi packet may have twice as many variables' },
  { name: 'socket-timeout', short: 'z', kind: 'seconds', default: 60, range: [1, 86400], section: 'requests',
    help: 'how long nothing may come of a request that is not complete',
    differs: 'The default is 4 in uWSGI, where a slow peer holds a worker meanwhile; here it does not.' },
  { name: 'dynamic-apps', kind: 'flag', default: false, section: 'requests',
    help: 'let the variables UWSGI_FILE, UWSGI_SETENV and so on of a uwsgi peer reach the app',
    differs: 'They only reach the environ: no code is loaded at the word of a peer. uWSGI 2.0 always obeys them.' },
  { name: 'http-engine', kind: 'choice', choices: ['uws', 'node'], section: 'sockets',
    help: 'serve all HTTP sockets with this engine: uws is faster, node takes HTTP/1.0 and is stricter',
    defaultText: 'uws for http and http11-socket, node for http-socket',
    differs: 'Not an option of uWSGI.' },
  { name: 'listen', short: 'l', kind: 'int', default: 1024, range: [1, 65535], section: 'sockets',
    defaultText: '1024, or net.core.somaxconn where that is less',
    help: 'how many connections may wait in the kernel to be accepted',
    differs: 'The default is 100 in uWSGI, and a value above net.core.somaxconn ends its start; here it is cut down with a warning.' },

  { name: 'buffer-size', short: 'b', kind: 'size', default: 16384, range: [1024, 65535], clamps: true, section: 'requests',
    help: 'the longest request head; a longer one is answered 431',
    differs: 'The default is 4096 in uWSGI, which closes the connection without an answer.' },
  { name: 'post-buffering', kind: 'size', default: 65536, section: 'requests',
    help: 'bodies up to this size stay in memory, longer ones go to a temporary file',
    differs: 'A body is always complete before the app sees the request; with uWSGI only when this option is given.' },
  { name: 'limit-post', kind: 'size', default: 0, section: 'requests',
    help: 'the longest request body; a longer one is answered 413; 0: no limit',
    differs: 'Holds for chunked bodies too, not only for Content-Length.' },
  { name: 'body-tmpdir', kind: 'path', default: tmpdir(), section: 'requests',
    defaultText: "the system's directory for temporary files",
    help: 'where the temporary files of long request bodies are made',
    differs: 'Not an option of uWSGI, which takes the directory from the variable TMPDIR.' },
  { name: 'response-buffering', kind: 'size', default: 1048576, range: [4096, 1073741824], section: 'requests',
    help: 'how much of an answer is held for a slow client before the app has to wait',
    differs: 'Not an option of uWSGI, where a slow client holds the worker.' },
  { name: 'max-inflight', kind: 'int', default: 4096, range: [1, 65534], section: 'requests',
    help: 'most requests that may be inside the server at once, running or waiting; beyond it clients get 503',
    differs: 'Not an option of uWSGI, where they wait in the listen queue of the kernel.' },

  { name: 'wsgi-file', aliases: ['file'], kind: 'path', section: 'apps',
    help: 'load the app from this file: Python, or JavaScript and TypeScript by extension' },
  { name: 'module', aliases: ['wsgi'], short: 'w', kind: 'text', value: 'MODULE[:CALLABLE]', section: 'apps',
    help: 'load the app from this Python module; NAME() calls a factory' },
  { name: 'app', kind: 'text', value: 'APP', section: 'apps',
    help: 'load the app from this file or Python module, the language by its extension',
    differs: 'Not an option of uWSGI. An app as a bare argument means the same.' },
  { name: 'callable', kind: 'text', value: 'NAME', default: 'application', section: 'apps',
    help: 'name of the app object, where the app itself does not name one' },
  { name: 'mount', kind: 'assign', many: true, value: '/PATH=APP', section: 'apps',
    help: 'put an app under a path; / is the root',
    differs: 'Also takes JavaScript and TypeScript files. SCRIPT_NAME and PATH_INFO are always split at the path.' },
  { name: 'pythonpath', aliases: ['python-path', 'pp'], kind: 'path', many: true, section: 'apps',
    help: 'look for Python modules here first' },
  { name: 'python', kind: 'text', value: 'PROGRAM', section: 'apps',
    defaultText: "the virtualenv's python, or python3",
    help: 'run Python apps with this interpreter (CPython 3.8 or newer)',
    differs: 'In uWSGI it runs a Python script.' },
  { name: 'virtualenv', aliases: ['home', 'venv', 'pyhome'], short: 'H', kind: 'path', section: 'apps',
    help: 'run Python apps in this virtual environment' },
  { name: 'env', kind: 'assign', many: true, value: 'NAME=VALUE', section: 'apps',
    help: 'set an environment variable for the apps' },
  { name: 'chdir', kind: 'path', section: 'apps',
    help: 'change to this directory before the apps are loaded' },
  { name: 'need-app', kind: 'flag', default: true, section: 'apps',
    help: 'do not start without an app',
    differs: 'Off by default in uWSGI, which then answers every request with an error.' },
  { name: 'lazy-apps', kind: 'flag', default: false, section: 'apps',
    help: 'load the app in each worker instead of once before the workers are forked' },
  { name: 'manage-script-name', kind: 'flag', default: true, section: 'apps',
    help: 'split SCRIPT_NAME and PATH_INFO at the mount point',
    always: 'a mounted app always gets SCRIPT_NAME and PATH_INFO split at its mount point' },
  { name: 'single-interpreter', short: 'i', kind: 'flag', default: true, section: 'apps',
    help: 'one Python interpreter per process',
    always: 'each app has processes of its own with one interpreter each' },

  { name: 'processes', aliases: ['workers'], short: 'p', kind: 'int', default: 1, range: [1, 1024], section: 'workers',
    help: 'run this many workers of each app: processes for Python, threads for JavaScript',
    differs: 'Each app has workers of its own; in uWSGI every worker holds all apps.' },
  { name: 'threads', kind: 'int', range: [1, 1024], section: 'workers',
    defaultText: '1 for Python apps; JavaScript apps go by async',
    help: 'how many requests one worker runs at once' },
  { name: 'async', kind: 'int', default: 1024, range: [1, 65534], section: 'workers',
    help: 'how many requests one worker of a JavaScript app runs at once, unless threads is given',
    differs: 'In uWSGI the number of coroutines per worker, 1 by default; Python apps here go by threads.' },
  { name: 'js-heap-limit', kind: 'int', value: 'MIB', range: [16, 65536], section: 'workers',
    defaultText: "V8's own limit",
    help: 'end a JavaScript worker whose heap grows beyond this many MiB, and start another one',
    differs: 'Not an option of uWSGI.' },
  { name: 'worker-reload-mercy', kind: 'seconds', default: 60, range: [0, 86400], section: 'workers',
    help: 'how long a worker may take to finish its requests when the server stops' },
  { name: 'enable-threads', short: 'T', kind: 'flag', default: true, section: 'workers',
    help: 'let Python apps start threads', always: 'Python apps can always start threads' },
  { name: 'master', short: 'M', kind: 'flag', default: true, section: 'workers',
    help: 'supervise the workers', always: 'the server always supervises its workers' },
  { name: 'die-on-term', kind: 'flag', default: true, section: 'workers',
    help: 'SIGTERM stops the server', always: 'SIGTERM always stops the server, gracefully' },
  { name: 'vacuum', kind: 'flag', default: true, section: 'workers',
    help: 'remove sockets at exit', always: 'the server always removes the sockets and files it made' },
  { name: 'thunder-lock', kind: 'flag', default: true, section: 'workers',
    help: 'accept one connection at a time', always: 'one thread accepts for all workers, there is no thundering herd' },

  { name: 'disable-logging', short: 'L', kind: 'flag', default: false, section: 'logging',
    help: 'write no line per request' },

  { name: 'ini', kind: 'path', many: true, section: 'config', help: 'read options from this INI file' },
  { name: 'yaml', aliases: ['yml'], short: 'y', kind: 'path', many: true, section: 'config',
    help: 'read options from this YAML file' },
  { name: 'config', kind: 'path', many: true, section: 'config',
    help: 'read options from this file, the format by its extension' },
  { name: 'include', kind: 'path', many: true, section: 'config',
    help: 'in a file: read the options of another one here' },
  { name: 'set', short: 'S', kind: 'assign', many: true, value: 'NAME=VALUE', section: 'config',
    help: 'set an option, or what %(NAME) stands for' },
  { name: 'set-placeholder', aliases: ['set-ph'], kind: 'assign', many: true, value: 'NAME=VALUE', section: 'config',
    help: 'set what %(NAME) stands for' },
  { name: 'strict-options', kind: 'flag', default: false, section: 'config',
    help: 'options that uWSGI knows and this server does not support are errors instead of warnings',
    differs: 'Not an option of uWSGI.' },
  { name: 'strict', kind: 'flag', default: true, section: 'config',
    help: 'unknown options are errors', always: 'an unknown option is always an error' },

  { name: 'help', aliases: ['usage'], short: 'h', kind: 'flag', default: false, value: 'OPTION', section: 'general',
    help: 'show this list, or everything about one option' },
  { name: 'version', kind: 'flag', default: false, section: 'general', help: 'show the version' },
] as const satisfies readonly Option[];

type Row = (typeof OPTIONS)[number];
export type OptionName = Row['name'];

type OneOf<O extends Option> = O extends { readonly choices: readonly (infer C)[] } ? C : Values[O['kind']];
type ValueOf<O extends Option> = O extends { readonly many: true }
  ? readonly OneOf<O>[]
  : O extends { readonly default: boolean | number | string }
    ? OneOf<O>
    : OneOf<O> | undefined;

/** The configuration, by canonical option name. Frozen; nothing writes to it after start. */
export type Config = { readonly [O in Row as O['name']]: ValueOf<O> };
