// Configurations such as uWSGI's documentation has them, for Python, HTTP, sockets, static files, logging, reloading, recycling
// and cheaper: each starts and serves here as it is, with nothing in it that is not supported, and in
// Debian's uWSGI too.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { APPS, DEBIAN_PYTHON, raw, request, startServer, until } from './harness.js';
import { freePort } from './nginx.js';

interface Example {
  readonly name: string;
  /** Lines of the [uwsgi] section. %(port), %(dir), %(apps) are set on the command line. */
  readonly lines: string;
  /** What a request for a path is to give. */
  readonly expect: Readonly<Record<string, RegExp>>;
}

const WHERE = /^\|\/where\|\|/;
const PYTHON = 'plugins = python3\nchdir = %(apps)/several\n';

const EXAMPLES: readonly Example[] = [
  {
    name: 'Python: the quick start',
    lines: `plugins = python3,http
http = 127.0.0.1:%(port)
wsgi-file = %(apps)/hello.py
master = true
processes = 4
threads = 2
stats = %(dir)/stats.sock`,
    expect: { '/': /^hello\n$/ },
  },
  {
    name: 'Python: a Flask app with a callable of its own name',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
wsgi-file = flask_app.py
callable = app
processes = 2
threads = 2
master = true`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Python: a Django project as a module, with everything that its documentation sets',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
module = django_app:application
env = LANG=C.UTF-8
master = true
pidfile = %(dir)/project-master.pid
processes = 3
harakiri = 20
max-requests = 5000
vacuum = true
enable-threads = true
single-interpreter = true
need-app = true
die-on-term = true`,
    expect: { '/where': /^\|\/where\|\d+$/ },
  },
  {
    name: 'Python: several apps on mount points',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
manage-script-name = true
mount = /flask=flask_app:app
mount = /django=django_app.py
pythonpath = %(apps)/interpreter`,
    expect: { '/flask/where': /^\/flask\|\/where\|/, '/django/where': /^\/django\|\/where\|/ },
  },
  {
    name: 'Python: imports, aliases, optimisation, threads',
    lines: `plugins = python3
chdir = %(apps)/interpreter
http-socket = 127.0.0.1:%(port)
wsgi-file = tell.py
import = early.py
shared-import = shared
pymodule-alias = nickname=real_name
pythonpath = %(apps)/interpreter/lib_*
pyargv = one two
optimize = 1
threads = 2
thread-stacksize = 512
py-call-osafterfork = true
lazy-apps = true`,
    expect: { '/': /"argv": \["uwsgi", "one", "two"\].*"optimize": 1/ },
  },
  {
    name: 'HTTP: keep-alive in the worker, limits and time-outs',
    lines: `${PYTHON}http11-socket = 127.0.0.1:%(port)
module = flask_app:app
buffer-size = 32768
limit-post = 1048576
post-buffering = 8192
socket-timeout = 10
so-keepalive = true
add-header = X-Served-By: example`,
    expect: { '/where': WHERE },
  },
  {
    name: 'HTTP: the router and its options',
    lines: `plugins = python3,http
chdir = %(apps)/several
http = 127.0.0.1:%(port)
module = flask_app:app
master = true
http-keepalive = 1
http-timeout = 30
http-auto-chunked = true
http-chunked-input = true
http-manage-expect = true
http-processes = 2
http-to = %(dir)/router.sock
socket = %(dir)/router.sock`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Sockets: UNIX sockets, their rights, the backlog',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
socket = %(dir)/app.sock
chmod-socket = 664
chown-socket = root:root
umask = 022
vacuum = true
listen = 64
thunder-lock = true
module = flask_app:app`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Static files: mounts, an index, expiry, precompressed files',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
module = flask_app:app
static-map = /media=%(dir)/media
static-map2 = /media2=%(dir)
check-static = %(dir)/public
static-index = index.html
static-skip-ext = .py
static-safe = %(dir)/media
static-expires = /.* 3600
static-expires-uri = \\.txt$ 60
static-gzip-all = true
honour-range = true
offload-threads = 2`,
    expect: { '/media/a.txt': /^media\n$/, '/media2/b.txt': /^second\n$/, '/front/': /^public\n$/, '/where': WHERE },
  },
  {
    name: 'Logging: formats, loggers, what is logged',
    lines: `plugins = python3,logfile
chdir = %(apps)/several
http-socket = 127.0.0.1:%(port)
module = flask_app:app
master = true
logger = file:%(dir)/messages.log
req-logger = file:%(dir)/requests.log
log-format = %(addr) "%(method) %(uri) %(proto)" %(status) %(rsize) %(msecs)
log-date = %%Y-%%m-%%d %%H:%%M:%%S
log-4xx = true
log-5xx = true
log-slow = 1000
log-big = 1000000
log-zero = true
log-x-forwarded-for = true
log-maxsize = 1000000
touch-logreopen = %(dir)/reopen`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Reloading and recycling: touched files, limits of a worker',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
module = flask_app:app
master = true
processes = 2
lazy-apps = true
touch-reload = %(dir)/reload
touch-chain-reload = %(dir)/chain
touch-workers-reload = %(dir)/workers
master-fifo = %(dir)/fifo
harakiri = 30
harakiri-verbose = true
worker-reload-mercy = 30
max-requests = 1000
max-worker-lifetime = 3600
min-worker-lifetime = 10
reload-on-rss = 512
reload-on-as = 8192
evil-reload-on-rss = 1024
no-orphans = true
auto-procname = true
procname-prefix-spaced = shop`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Cheaper: a number of workers that follows the load',
    lines: `${PYTHON}http-socket = 127.0.0.1:%(port)
module = flask_app:app
master = true
processes = 6
cheaper-algo = spare
cheaper = 1
cheaper-initial = 2
cheaper-step = 1
cheaper-overload = 5
cheaper-rss-limit-soft = 1073741824
memory-report = true`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Cheaper: busyness',
    lines: `plugins = python3,cheaper_busyness
chdir = %(apps)/several
http-socket = 127.0.0.1:%(port)
module = flask_app:app
master = true
processes = 8
cheaper-algo = busyness
cheaper = 2
cheaper-initial = 2
cheaper-overload = 1
cheaper-step = 2
cheaper-busyness-multiplier = 30
cheaper-busyness-min = 20
cheaper-busyness-max = 70
cheaper-busyness-backlog-alert = 16
cheaper-busyness-backlog-step = 2`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Production: everything that a guide says should be the default',
    lines: `plugins = python3,cheaper_busyness
strict = true
chdir = %(apps)/several
http-socket = 127.0.0.1:%(port)
module = flask_app:app
master = true
enable-threads = true
vacuum = true
single-interpreter = true
die-on-term = true
need-app = true
disable-logging = true
log-4xx = true
log-5xx = true
harakiri = 60
max-requests = 1000
max-worker-lifetime = 3600
reload-on-rss = 2048
worker-reload-mercy = 60
cheaper-algo = busyness
processes = 16
cheaper = 2
cheaper-initial = 4
cheaper-overload = 1
cheaper-step = 4
cheaper-busyness-multiplier = 30
cheaper-busyness-min = 20
cheaper-busyness-max = 70
cheaper-busyness-backlog-alert = 16
cheaper-busyness-backlog-step = 2
auto-procname = true
procname-prefix = shop
py-call-osafterfork = true`,
    expect: { '/where': WHERE },
  },
  {
    name: 'Configuration: placeholders, letters, blocks and includes',
    lines: `plugins = python3
project = several
base = %(apps)
chdir = %(base)/%(project)
http-socket = 127.0.0.1:%(port)
app-name = flask_app
module = %(app-name):app
set = workers-wanted=%(1 + 1)
processes = %(workers-wanted)
env = NAME=%n
if-exists = %(apps)/several
env = FOUND=%(_)
endif =
for = A B
env = LETTER_%(_)=1
endfor =
include = %dcommon.ini`,
    expect: { '/where': /^\|\/where\|app\|/ },
  },
  {
    name: 'Routing: rewrites, redirects, headers, a password',
    lines: `plugins = python3,router_redirect,router_rewrite,router_basicauth
chdir = %(apps)/several
http-socket = 127.0.0.1:%(port)
module = flask_app:app
route = ^/old redirect-permanent:/where
route = ^/short$ rewrite:/where
route = ^/closed break:403
route = ^/private basicauth:Private,kratos:linux
route-host = ^nobody\\.example$ break:404
route-if = equal:\${QUERY_STRING};hidden=1 break:410`,
    expect: { '/where': WHERE, '/short': WHERE },
  },
];

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-examples-'));
after(() => rmSync(directory, { recursive: true }));
for (const [name, text] of Object.entries({
  'media/a.txt': 'media\n',
  'media2/b.txt': 'second\n',
  'public/front/index.html': 'public\n',
  'common.ini': '[uwsgi]\nthreads = 2\n',
})) {
  mkdirSync(join(directory, name, '..'), { recursive: true });
  writeFileSync(join(directory, name), text);
}
const file = join(directory, 'app.ini');

async function check({ expect }: Example, port: number, who: string): Promise<void> {
  for (const [path, pattern] of Object.entries(expect)) {
    const answer = await request(port, path);
    assert.equal(answer.status, 200, `${who} ${path}: ${answer.body}`);
    assert.match(answer.body, pattern, `${who} ${path}`);
  }
}

function placeholders(port: number): string[] {
  const all = { port, dir: directory, apps: APPS };
  return Object.entries(all).flatMap(([name, value]) => ['--set-placeholder', `${name}=${value}`]);
}

/** Waits until something answers there. That somebody listens says little: a server tries its addresses before it starts. */
async function answers(port: number, hasEnded: () => boolean, log: () => string): Promise<void> {
  let isUp = false;
  await until(() => {
    raw(port, 'GET /up HTTP/1.0\r\n\r\n')
      .then(({ bytes }) => {
        isUp ||= bytes !== '';
      })
      .catch(() => {});
    return isUp || hasEnded();
  }, 'it answers');
  assert(!hasEnded(), log());
}

describe("configurations of uWSGI's documentation", () => {
  for (const example of EXAMPLES) {
    test(`${example.name}: nuwsgi serves it`, async () => {
      writeFileSync(file, `[uwsgi]\n${example.lines}\n`);
      const port = await freePort();
      const more = ['--python', DEBIAN_PYTHON, '--strict-options'];
      const server = await startServer([file, ...placeholders(port), ...more]);
      try {
        await answers(
          port,
          () => server.child.exitCode !== null,
          () => server.log,
        );
        await check(example, port, 'nuwsgi');
      } finally {
        await server.stop();
      }
    });

    test(`${example.name}: so does uWSGI`, async () => {
      writeFileSync(file, `[uwsgi]\n${example.lines}\n`);
      const port = await freePort();
      const child = spawn('uwsgi', [...placeholders(port), '--ini', file, '--die-on-term'], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let log = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log += data));
      try {
        await answers(
          port,
          () => child.exitCode !== null,
          () => log,
        );
        await check(example, port, 'uWSGI').catch((error) => Promise.reject(new Error(`${error.message}\n${log}`)));
      } finally {
        const ended = child.exitCode === null ? once(child, 'exit') : undefined;
        if (ended !== undefined) process.kill(-child.pid!, 'SIGKILL'); // its mercy for workers may be long
        await ended;
      }
    });
  }
});
