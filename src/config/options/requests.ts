// What a request may be, and how long it and its answer may take. Rows of the options table; see options.ts.

import { tmpdir } from 'node:os';
import type { Option } from './table.js';

// biome-ignore format: a table
export const REQUESTS = [
  { name: 'max-vars', short: 'v', kind: 'int', default: 64, range: [1, 16384],
    help: 'a uwsgi packet may have twice as many variables' },
  { name: 'socket-timeout', short: 'z', kind: 'seconds', default: 60, range: [1, 86400],
    help: 'how long nothing may come of a request that is not complete',
    differs: 'The default is 4 in uWSGI, where a slow peer holds a worker meanwhile; here it does not.' },
  { name: 'dynamic-apps', kind: 'flag', default: false,
    help: 'let the variables UWSGI_FILE, UWSGI_SETENV and so on of a uwsgi peer reach the app',
    differs: 'They only reach the environ: no code is loaded at the word of a peer. uWSGI 2.0 always obeys them.' },
  { name: 'buffer-size', short: 'b', kind: 'size', default: 16384, range: [1024, 65535], clamps: true,
    help: 'the longest request head; a longer one is answered 431',
    differs: 'The default is 4096 in uWSGI, which closes the connection without an answer.' },
  { name: 'post-buffering', kind: 'size', default: 65536,
    help: 'bodies up to this size stay in memory, longer ones go to a temporary file',
    differs: 'A body is always complete before the app sees the request; with uWSGI only when this option is given.' },
  { name: 'limit-post', kind: 'size', default: 0,
    help: 'the longest request body; a longer one is answered 413; 0: no limit',
    differs: 'Holds for chunked bodies too, not only for Content-Length.' },
  { name: 'body-tmpdir', kind: 'path', default: tmpdir(), defaultText: "the system's directory for temporary files",
    help: 'where the temporary files of long request bodies are made',
    differs: 'Not an option of uWSGI, which takes the directory from the variable TMPDIR.' },
  { name: 'response-buffering', kind: 'size', default: 1048576, range: [4096, 1073741824],
    help: 'how much of an answer is held for a slow client before the app has to wait',
    differs: 'Not an option of uWSGI, where a slow client holds the worker.' },
  { name: 'max-inflight', kind: 'int', default: 4096, range: [1, 65534],
    help: 'most requests that may be inside the server at once, running or waiting; beyond it clients get 503',
    differs: 'Not an option of uWSGI, where they wait in the listen queue of the kernel.' },
  { name: 'ignore-sigpipe', kind: 'flag', default: true, help: 'say nothing of clients that went away',
    always: 'a client that goes away is no error: its line in the log is all there is' },
  { name: 'ignore-write-errors', kind: 'flag', default: true, help: 'say nothing of answers that could not be sent',
    always: 'a client that goes away is no error: its line in the log is all there is' },
  { name: 'disable-write-exception', kind: 'flag', default: true, help: 'raise nothing in the app when a client went away',
    always: 'the body of the app is closed, and nothing is raised in it; only write() of WSGI has to tell' },
  { name: 'write-errors-exception-only', kind: 'flag', default: true, help: 'raise an exception, and log nothing, when a client went away',
    always: 'nothing is logged of it' },
  { name: 'write-errors-tolerance', kind: 'int', help: 'how many answers to a client may fail',
    always: 'the first failure ends the answer, quietly' },
] as const satisfies readonly Option[];
