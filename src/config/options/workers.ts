// How many workers run an app, how long they live, and when they are replaced. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const WORKERS = [
  { name: 'processes', aliases: ['workers'], short: 'p', kind: 'int', perApp: true, default: 1, range: [1, 1024],
    help: 'run this many workers of each app: processes for Python, threads for JavaScript',
    differs: 'Each app has workers of its own; in uWSGI every worker holds all apps.' },
  { name: 'threads', kind: 'int', perApp: true, range: [1, 1024], defaultText: '1 for Python apps; JavaScript apps go by async',
    help: 'how many requests one worker runs at once' },
  { name: 'async', kind: 'int', perApp: true, default: 1024, range: [1, 65534],
    help: 'how many requests one worker of a JavaScript app runs at once, unless threads is given',
    differs: 'In uWSGI the number of coroutines per worker, 1 by default; Python apps here go by threads.' },
  { name: 'js-heap-limit', kind: 'int', perApp: true, value: 'MIB', range: [16, 65536], defaultText: "V8's own limit",
    help: 'end a JavaScript worker whose heap grows beyond this many MiB, and start another one',
    differs: 'Not an option of uWSGI.' },
  { name: 'worker-reload-mercy', kind: 'seconds', default: 60, range: [0, 86400],
    help: 'how long a worker that is replaced may take to finish its requests, and the server when it stops',
    differs: 'In uWSGI a stop does not wait for requests.' },
  { name: 'enable-threads', short: 'T', kind: 'flag', default: true,
    help: 'let Python apps start threads', always: 'Python apps can always start threads' },
  { name: 'master', short: 'M', kind: 'flag', default: true,
    help: 'supervise the workers', always: 'the server always supervises its workers' },
  { name: 'die-on-term', kind: 'flag', default: true,
    help: 'SIGTERM stops the server', always: 'SIGTERM always stops the server, gracefully' },
  { name: 'vacuum', kind: 'flag', default: true,
    help: 'remove sockets at exit', always: 'the server always removes the sockets and files it made' },
  { name: 'thunder-lock', kind: 'flag', default: true,
    help: 'accept one connection at a time',
    always: 'one thread accepts for all workers, there is no thundering herd' },
  { name: 'offload-threads', aliases: ['offload-thread'], kind: 'int', help: 'threads that send files and answers in place of a worker',
    always: 'answers and files are sent by the accept thread, no worker waits for a client' },
  { name: 'no-threads-wait', kind: 'flag', default: true, help: 'do not wait for the threads of apps at the end',
    always: 'threads that an app has started are not waited for' },
] as const satisfies readonly Option[];
