import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readCommandLine } from '../../../src/config/command-line.js';
import { directoryWith } from './files.js';
import { failure, MINIMAL, serve } from './serve.js';

describe('a configuration', () => {
  test('has every default, is frozen, and says nothing without reason', () => {
    const { config, origins, warnings } = serve(MINIMAL);
    assert.equal(config.processes, 1);
    assert.equal(config.threads, undefined);
    assert.equal(config.async, 1024);
    assert.equal(config['buffer-size'], 16384);
    assert.equal(config['need-app'], true);
    assert.equal(config['disable-logging'], false);
    assert.deepEqual(config.mount, []);
    assert.deepEqual(config.http, [{ kind: 'tcp', host: '0.0.0.0', port: 0, text: ':0' }]);
    assert(config.listen >= 1 && config.listen <= 1024);
    assert(Object.isFrozen(config) && Object.isFrozen(config.http));
    assert.deepEqual(
      [...origins],
      [
        ['http', 'command line'],
        ['wsgi-file', 'command line'],
      ],
    );
    assert.deepEqual(warnings, []);
  });

  test('is typed by the table', () => {
    const { config } = serve([...MINIMAL, '--http-engine', 'node', '--threads', '2']);
    const engine: 'uws' | 'node' | undefined = config['http-engine'];
    const threads: number | undefined = config.threads;
    const processes: number = config.processes;
    assert.deepEqual([engine, threads, processes], ['node', 2, 1]);
  });

  test('the last scalar wins and lists grow, whatever names they are given by', () => {
    const { config } = serve([...MINIMAL, '-p', '2', '--workers=3', '--http', ':1', '--pp', 'a', '--pythonpath', 'b']);
    assert.equal(config.processes, 3);
    assert.deepEqual(
      config.http.map(({ text }) => text),
      [':0', ':1'],
    );
    assert.deepEqual(config.pythonpath, ['a', 'b']);
  });

  test('what the user set is kept as uwsgi.opt shows it: a list where an option that repeats came more than once', () => {
    const { given } = serve([
      ...MINIMAL,
      '-M',
      '--vacuum=off',
      '--env',
      'A=1',
      '--env',
      'B=2',
      '--pp',
      'a',
      '-p2',
      '-p3',
      '--stats',
      ':1',
    ]);
    assert.deepEqual(
      { ...given },
      {
        http: ':0',
        'wsgi-file': 'foobar.py',
        master: true,
        vacuum: false,
        env: ['A=1', 'B=2'],
        pythonpath: 'a',
        processes: '3',
        stats: ':1',
      },
    );
    assert.equal(Object.getPrototypeOf(given), null);
  });

  test('secrets are kept from uwsgi.opt', () => {
    const { config, given } = serve([...MINIMAL, '--stats', ':1', '--stats-token', 'a-long-enough-secret']);
    assert.equal(config['stats-token'], 'a-long-enough-secret');
    assert(!Object.values(given).includes('a-long-enough-secret'));
  });

  test('help and version are found before anything is checked', () => {
    assert.equal(readCommandLine(['--nonsense', '--help'], {}).kind, 'text');
    assert.deepEqual(readCommandLine(['--version'], {}, '1.2.3'), { kind: 'text', text: '1.2.3\n', warnings: [] });
  });
});

describe('the order of sources', () => {
  const directory = directoryWith({
    'app.yaml': 'uwsgi:\n  http: :0\n  module: site\n  processes: 5\n  threads: 5\n',
    'other.ini': '[uwsgi]\nthreads = 7\n',
  });
  const yaml = join(directory, 'app.yaml');
  const ini = join(directory, 'other.ini');

  test('the command line wins over a file given as a bare argument, on whichever side of it', () => {
    for (const argv of [
      [yaml, '-p', '2'],
      ['-p', '2', yaml],
    ]) {
      const { config, origins } = serve(argv);
      assert.equal(config.processes, 2);
      assert.equal(config.threads, 5);
      assert.equal(origins.get('processes'), 'command line');
      assert.equal(origins.get('threads'), `${yaml}:5`);
    }
  });

  test('a file given by an option is read in its place', () => {
    assert.equal(serve(['-p', '2', '--yaml', yaml]).config.processes, 5);
    assert.equal(serve(['--yaml', yaml, '-p', '2']).config.processes, 2);
    assert.equal(serve(['--yaml', yaml, '--ini', ini]).config.threads, 7);
    assert.equal(serve(['--config', ini, '--config', yaml]).config.threads, 5);
  });

  test('the environment comes first, by any name of an option', () => {
    const env = { UWSGI_WORKERS: '9', UWSGI_MASTER: '', UWSGI_HTTP: ':9', HOME: '/root' };
    const { config, origins } = serve(MINIMAL, env);
    assert.equal(config.processes, 9);
    assert.equal(origins.get('processes'), 'UWSGI_WORKERS');
    assert.deepEqual(
      config.http.map(({ text }) => text),
      [':9', ':0'],
    );
    assert.equal(serve([yaml], env).config.processes, 5);
  });

  test('a variable that looks like an option misspelt is told, others are left alone', () => {
    const env = { UWSGI_PROCESES: '4', UWSGI_VERSION: '2.0.30', UWSGI_HELP: 'me', UWSGI_PORT_9090_TCP_ADDR: 'x' };
    assert.deepEqual(serve(MINIMAL, env).warnings, [
      'UWSGI_PROCESES: ignored, no option is called so; did you mean "processes"?',
    ]);
    assert.match(failure(MINIMAL, { UWSGI_PROCESSES: 'four' }), /^UWSGI_PROCESSES: processes = "four" is not a number/);
  });

  test('set gives options and placeholders', () => {
    const { config, given } = serve([...MINIMAL, '--set', 'processes=3', '-S', 'base=/srv', '--chdir', '%(base)/app']);
    assert.equal(config.processes, 3);
    assert.equal(config.chdir, '/srv/app');
    assert.equal(given.base, '/srv');
  });
});

describe('placeholders of several sources', () => {
  const directory = directoryWith({
    'template.ini':
      '[uwsgi]\nport = 8080\nhttp = :%(port)\nmodule = %(module-name)\nmodule-name = site\nprocesses = 2\nthreads = %(processes)\n',
  });
  const template = join(directory, 'template.ini');

  test('the first meaning of a name counts, so the command line wins over what a template says', () => {
    assert.equal(serve([template]).config.http[0]!.text, ':8080');
    assert.equal(serve([template, '--set-placeholder', 'port=9090']).config.http[0]!.text, ':9090');
    assert.equal(serve([template, '--set', 'port=9090']).config.http[0]!.text, ':9090');
    assert.equal(serve([template, '--processes', '8']).config.threads, 8);
  });

  test('a name may be set behind the value that refers to it', () => {
    assert.equal(serve([template]).config.module, 'site');
  });

  test('an option is no placeholder', () => {
    assert.match(
      failure([...MINIMAL, '--set-placeholder', 'processes=2']),
      /^command line: set-placeholder cannot give "processes" a meaning: it is an option; use set$/,
    );
  });
});

describe('files', () => {
  const directory = directoryWith({
    'app.ini':
      '[uwsgi]\nproject = blog\nchdir = %d%(project)\nhttp = $(ADDRESS)\nmodule = %n\nini = :more\n[more]\nprocesses = 3\n',
    'parts/threads.ini': '[uwsgi]\nthreads = 3\n',
    'wrong.yaml': 'uwsgi:\n  proceses: 4\n  http: 9090\n  master: maybe\n  threads: -1\n  callable:\n  version: true\n',
    'parts/bare.ini': '[uwsgi]\nhttp\n',
    'app.conf': '[uwsgi]\nprocesses = 2\n',
    'tab.yaml': 'uwsgi:\n\thttp: :0\n',
  });
  const path = (name: string) => join(directory, name);

  test('name placeholders and letters of their own, and a section of themselves', () => {
    const { config, origins, given } = serve([path('app.ini')], { ADDRESS: ':7' });
    assert.equal(config.chdir, path('blog'));
    assert.equal(config.module, 'app');
    assert.equal(config.http[0]!.text, ':7');
    assert.equal(config.processes, 3);
    assert.equal(origins.get('processes'), `${path('app.ini')}:8`);
    assert.equal(given.project, 'blog');
    assert.equal(serve([...MINIMAL, '--ini', `${path('app.ini')}:more`]).config.processes, 3);
  });

  test('may include others by any path, and not themselves', () => {
    const main = directoryWith({
      'a.yaml': `uwsgi:\n  http: :0\n  module: a\n  include: ${path('parts/threads.ini')}\n`,
      'loop.ini': '[uwsgi]\ninclude = %p\n',
    });
    assert.equal(serve([join(main, 'a.yaml')]).config.threads, 3);
    assert.match(failure([join(main, 'loop.ini')]), /loop\.ini:2: include ".*loop\.ini": it includes itself$/);
  });

  test('every mistake in a file is told at once, each with its line', () => {
    const wrong = path('wrong.yaml');
    assert.deepEqual(failure([wrong]).split('\n').sort(), [
      `${wrong}:2: no option is called "proceses"; did you mean "processes"?`,
      `${wrong}:3: http = "9090" is not an address: :PORT, HOST:PORT, [IPV6]:PORT, unix:/PATH, @NAME or fd://N; for a port write :9090`,
      `${wrong}:4: master = "maybe" is not a boolean: true, on, yes, 1 or false, off, no, 0`,
      `${wrong}:5: threads = "-1" is not a number from 1 to 1024, in decimal digits`,
      `${wrong}:6: callable needs a value: NAME`,
      `${wrong}:7: version is for the command line only`,
    ]);
  });

  // biome-ignore format: a table
  const MISTAKES: readonly (readonly [mistake: string, argv: readonly string[], message: RegExp])[] = [
    ['a file that is not there', [path('nope.yaml')],                /^command line: yaml ".*nope\.yaml": there is no such file \(looked for in .*\)$/],
    ['a directory',              ['--ini', path('parts')],           /^command line: ini ".*parts": it is a directory, not a file$/],
    ['a tab',                    [path('tab.yaml')],                 /tab\.yaml:2: there is a tab in the indentation/],
    ['an option without value',  [path('parts/bare.ini')],           /bare\.ini:2: http needs a value: an address/],
    ['a section that is not there', [`${path('app.ini')}:prod`],     /app\.ini: there is no section \[prod\]$/],
    ['an unknown format',        ['--config', path('app.conf')],     /^command line: config ".*app\.conf": the extension tells no format/],
    ['a URL',                    ['--yaml', 'http://x/app.yaml'],    /only files are read: no URLs, no commands$/],
    ['a section of nothing',     ['--ini', ':prod'],                 /there is no file name in front of the section$/],
    ['a file name left out',     ['--yaml='],                        /^command line: yaml needs a value: a path$/],
  ];
  for (const [mistake, argv, message] of MISTAKES) {
    test(`${mistake} ends the start`, () => assert.match(failure(argv), message));
  }

  test('a section may have dots in its name, and a file a colon', () => {
    const directory = directoryWith({
      'a.ini': '[uwsgi]\nini = :v1.2\n[v1.2]\nprocesses = 3\n',
      'b:c.ini': '[uwsgi]\nprocesses = 4\n',
    });
    const processes = (file: string) => serve([...MINIMAL, join(directory, file)]).config.processes;
    assert.deepEqual(['a.ini', 'a.ini:v1.2', 'b:c.ini'].map(processes), [3, 3, 4]);
  });

  test('a file beside the one that includes it is found by %d, and a mistake says so', () => {
    const files = directoryWith({
      'a.ini': '[uwsgi]\ninclude = b.ini\n',
      'c.ini': '[uwsgi]\ninclude = %db.ini\n',
      'b.ini': '[uwsgi]\nthreads = 3\n',
    });
    assert.equal(serve([...MINIMAL, join(files, 'c.ini')]).config.threads, 3);
    assert.match(
      failure([...MINIMAL, join(files, 'a.ini')]),
      /a\.ini:2: include "b\.ini": there is no such file \(looked for in .*\); for the one beside .*a\.ini write %db\.ini$/,
    );
  });

  test('an option that comes twice in one file is told, unless it may repeat or stands in a block', () => {
    const files = directoryWith({
      'a.ini':
        '[uwsgi]\nprocesses = 2\nenv = A=1\nenv = B=1\nthreads = 2\nprocesses = 3\nif-env = BIG\nprocesses = 8\nendif\ninclude = %db.ini\n',
      'b.ini': '[uwsgi]\nthreads = 4\n',
    });
    const { config, warnings } = serve([...MINIMAL, join(files, 'a.ini')], { BIG: '1' });
    assert.deepEqual([config.processes, config.threads], [8, 4]);
    assert.deepEqual(warnings, [`${join(files, 'a.ini')}:6: processes is given in line 2 too; the last one counts`]);
  });

  test('what inherit names counts behind the file that says so', () => {
    const files = directoryWith({
      'a.ini': '[uwsgi]\ninherit = %db.ini\nthreads = 2\n',
      'b.ini': '[uwsgi]\nthreads = 3\n',
    });
    const { config, files: read } = serve([...MINIMAL, join(files, 'a.ini')]);
    assert.equal(config.threads, 3);
    assert.deepEqual(
      read,
      ['a.ini', 'b.ini'].map((name) => join(files, name)),
    );
  });

  test('of every format may be given as bare arguments, several at once', () => {
    const files = directoryWith({
      'a.json': '{"uwsgi": {"processes": 2, "http": ":1"}}',
      'b.xml': '<uwsgi><threads>3</threads><module>site</module></uwsgi>',
      'c.yml': 'uwsgi:\n  callable: app\n',
      'd.ini': '[other]\nbuffer-size = 8192\n',
    });
    const path = (name: string) => join(files, name);
    const { config } = serve([path('a.json'), path('b.xml'), path('c.yml'), `${path('d.ini')}:other`]);
    assert.deepEqual([config.processes, config.threads, config.callable, config['buffer-size']], [2, 3, 'app', 8192]);
  });

  test('commands and URLs in values are refused', () => {
    const files = directoryWith({
      'a.ini': '[uwsgi]\nenv = A=@(exec://id)\n',
      'b.ini': '[uwsgi]\ninclude = @(http://127.0.0.1/name)\n',
    });
    assert.match(
      failure([...MINIMAL, join(files, 'b.ini')]),
      /^\S+b\.ini:2: include: @\(http:.*no commands and no URLs$/,
    );
    assert.match(
      failure([...MINIMAL, join(files, 'a.ini')]),
      /a\.ini:2: env: @\(exec:\/\/id\) is not read: only files are, no commands and no URLs$/,
    );
  });

  test('a file that may not be read says so', () => {
    const secret = directoryWith({ 'app.ini': '[uwsgi]\n' });
    chmodSync(secret, 0);
    const isRoot = process.geteuid!() === 0;
    if (isRoot) process.seteuid!(65534); // nobody: root may read everything
    try {
      assert.match(failure([join(secret, 'app.ini')]), /the file may not be read: check its permissions/);
    } finally {
      if (isRoot) process.seteuid!(0);
      chmodSync(secret, 0o700);
    }
  });

  test('the format can be told by the option instead of the extension', () => {
    assert.equal(serve([...MINIMAL, '--ini', path('app.conf')]).config.processes, 2);
  });

  test('a name nobody knows is a placeholder only when something refers to it', () => {
    const files = directoryWith({
      'a.ini': '[uwsgi]\nbase = /srv\nchdir = %(base)\n',
      'b.ini': '[uwsgi]\nbase = /srv\n',
    });
    assert.equal(serve([...MINIMAL, '--ini', join(files, 'a.ini')]).config.chdir, '/srv');
    assert.match(failure([...MINIMAL, '--ini', join(files, 'b.ini')]), /b\.ini:2: no option is called "base"/);
  });
});

describe('what must fit together', () => {
  // biome-ignore format: a table
  const CONFLICTS: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
    [['--http', ':0'],                            /^no app is given: .*\n {2}nuwsgi --http :9090 --wsgi-file foobar\.py$/],
    [['--module', 'a'],                           /^no address to listen on is given: .*\n {2}nuwsgi --http/],
    [['--http', ':0', '--module', 'a', '--wsgi-file', 'b.py'], /^two apps on \/: b\.py \(wsgi-file, command line\) and a \(module, command line\)/],
    [['--http', ':0', '--mount', '/a=b.py', '--mount', '/a/=c.py'], /^two apps on \/a: b\.py .* and c\.py /],
    [['--http', ':0', '--module', 'a', '--mount', '/=b.py'], /^two apps on \/: a /],
    [['--http', ':0', '--mount', 'js=b.mjs'],     /mount = "js=b\.mjs" is not of the form \/PATH=APP/],
    [['--http', ':0', '--mount', '/js'],          /mount = "\/js" is not of the form \[HOST\]\/PATH=APP$/],
    [['--http', ':0', '--mount', '/a?b=c.py'],    /has no "\?"/],
    [['--http', ':0', '--mount', 'api/v1=c.py'],  /for the path write \/api\/v1, for the host api\|\/v1$/],
    [['--http', ':0', '--mount', 'example.com:80/=c.py'], /the host stands without a port$/],
    [['--http', ':0', '--mount', 'ex ample.com/=c.py'], /"ex ample\.com" is no host$/],
    [['--http', ':0', '--mount', 'a.com/=b.py', '--mount', 'A.com|/=c.py'], /^two apps on a\.com\/: b\.py/],
    [['--http', ':0', '--mount', '/js=b.rb'],     /mount = "\/js=b\.rb" is not a mount of an app: a Python file/],
    [['--http', ':0', '--app', 'hello.tsx'],      /app = "hello\.tsx" is not an app: a Python file/],
    [['--http', ':0', '--module', 'foobar.py'],   /for a file use wsgi-file$/],
    [['--http', ':0', '--wsgi-file', 'a.b:c'],    /wsgi-file = "a\.b:c" is not a file; for a Python module use module$/],
    [['--http', ':9090', '--http-socket', ':9090', 'a.py'], /^http \(command line\) and http-socket \(command line\) want the same address, :9090$/],
    [['--http', ':70000', 'a.py'],                /a port is 0 to 65535$/],
    [['--http', '', 'a.py'],                      /^command line: http needs a value: an address/],
    [['--http', ':0', 'a.py', '-p', '0'],         /processes = "0" is not a number from 1 to 1024$/],
    [['--http', ':0', 'a.py', '--threads', '1025'], /threads = "1025" is not a number from 1 to 1024$/],
    [['--http', ':0', 'a.py', '--max-inflight', '65535'], /from 1 to 65534$/],
    [['--http', ':0', '--http-to', '/run/other.sock', 'a.py'], /^command line: http-to \/run\/other\.sock: requests are served here/],
    [['--http', ':0', 'a.py', '--http-engine', 'apache'], /is not one of uws, node$/],
    [['--http', ':0', 'a.py', '--limit-post', '10M'], /limit-post = "10M" is not a number of bytes, in decimal digits$/],
  ];
  for (const [argv, message] of CONFLICTS) {
    test(`an error: ${argv.join(' ')}`, () => assert.match(failure(argv), message));
  }

  test('what follows from an earlier mistake is not told as well', () => {
    assert.doesNotMatch(failure(['--htp', ':9090', 'a.py']), /no address/);
    assert.doesNotMatch(failure(['--fastcgi-socket', ':9090', 'a.py']), /no address/);
  });

  test('without need-app a server without apps is worth a warning only', () => {
    const { apps, warnings } = serve(['--http', ':0', '--need-app=false']);
    assert.deepEqual(apps, []);
    assert.deepEqual(warnings, ['no app is given: every request is answered 404']);
  });

  test('apps come with their paths, a slash at the end does not count, and / is the root', () => {
    const { apps } = serve([
      '--http',
      ':0',
      '--mount',
      '/=foobar.py',
      '--mount',
      '/js/=hello.mjs',
      '--mount',
      '/api = pkg.mod:make()',
    ]);
    assert.deepEqual(
      apps.map(({ path, target }) => [path, target.kind, target.text]),
      [
        ['', 'python-file', 'foobar.py'],
        ['/js', 'js', 'hello.mjs'],
        ['/api', 'python-module', 'pkg.mod:make()'],
      ],
    );
  });

  test('numbers beyond what the machine or the protocol can do are cut down with a warning', () => {
    const { config, warnings } = serve([...MINIMAL, '-b', '70000', '-l', '65535']);
    assert.equal(config['buffer-size'], 65535);
    assert.equal(warnings[0], 'command line: buffer-size is cut down to 65535');
    if (config.listen < 65535)
      assert.match(warnings[1]!, /^command line: listen is cut down to \d+, which is net\.core\.somaxconn$/);
  });
});

describe('the apps list', () => {
  const yamlOf = (apps: string, server = '') =>
    join(directoryWith({ 'app.yaml': `uwsgi:\n  http: :0\n${server}  apps:\n${apps}` }), 'app.yaml');

  test('gives each app its own values, with those of the server as defaults', () => {
    const server = '  processes: 4\n  harakiri: 30\n  env: A=1\n  chdir: /srv\n  pythonpath: lib\n';
    const apps = `    - mount: /shop
      app: shop.wsgi:application
      processes: 2
      threads: 8
      chdir: shop
      env: { B: 2, A: 3 }
      pythonpath: [own]
      virtualenv: venv
    - mount: example.com/
      wsgi-file: site.py
      callable: site
    - app: hello.mjs
`;
    const { apps: read, config } = serve([yamlOf(apps, server)]);
    assert.deepEqual(
      read.map(({ host, path, target }) => [host, path, target.text]),
      [
        [undefined, '/shop', 'shop.wsgi:application'],
        ['example.com', '', 'site.py'],
        [undefined, '', 'hello.mjs'],
      ],
    );
    const [shop, site] = read.map((app) => app.config);
    assert.deepEqual([shop!.processes, shop!.threads, shop!.chdir, shop!.virtualenv], [2, 8, '/srv/shop', 'venv']);
    assert.deepEqual(
      shop!.env.map(({ text }) => text),
      ['A=1', 'B=2', 'A=3'],
    );
    assert.deepEqual(shop!.pythonpath, ['lib', 'own']);
    assert.deepEqual([site!.processes, site!.threads, site!.chdir, site!.callable], [4, undefined, '/srv', 'site']);
    assert.deepEqual([config.processes, config.threads, config.callable], [4, undefined, 'application']);
    assert(Object.isFrozen(shop) && Object.isFrozen(shop!.env));
  });

  test('stands beside mount, and in JSON', () => {
    const json =
      '{"uwsgi": {"http": ":0", "mount": "/a=a.py", "apps": [{"mount": "/b", "app": "b.py", "processes": 3}]}}';
    const { apps } = serve([join(directoryWith({ 'app.json': json }), 'app.json')]);
    assert.deepEqual(
      apps.map(({ path, config }) => [path, config.processes]),
      [
        ['/a', 1],
        ['/b', 3],
      ],
    );
  });

  test('placeholders of an app are its own, and those of the server are seen', () => {
    const apps = `    - mount: /%(name)
      name: one
      app: "%(name)%(suffix)"
    - mount: /%(name)
      name: two
      app: "%(name)%(suffix)"
`;
    const { apps: read } = serve([yamlOf(apps, '  suffix: .py\n')]);
    assert.deepEqual(
      read.map(({ path, target }) => [path, target.text]),
      [
        ['/one', 'one.py'],
        ['/two', 'two.py'],
      ],
    );
  });

  // biome-ignore format: a table
  const MISTAKES: readonly (readonly [apps: string, message: RegExp])[] = [
    ['    - mount: /a\n',                                       /app\.yaml:4: an entry of apps says what it serves, with app, wsgi-file or module$/],
    ['    - app: a.py\n      module: b\n',                      /app\.yaml:4: an entry of apps has one app, not both module and app$/],
    ['    - app: a.py\n      http: :9090\n',                    /app\.yaml:5: http is for the whole server: put it beside apps, not into it$/],
    ['    - app: a.py\n      proceses: 2\n',                    /app\.yaml:5: no option is called "proceses"; did you mean "processes"\?$/],
    ['    - app: a.py\n      processes: many\n',                /app\.yaml:5: processes = "many" is not a number/],
    ['    - app: a.py\n    - app: b.py\n',                      /two apps on \/: a\.py \(app, .*app\.yaml:4\) and b\.py \(app, .*:5\)/],
    ['    - app: a.py\n      mount: [/a, /b]\n',                /app\.yaml:5: an entry of apps has one mount; write another entry/],
    ['    - app: a.py\n      mount: shop\n',                    /app\.yaml:5: mount = "shop" is not of the form \/PATH: the path starts with a slash$/],
    ['    - app: a.rb\n',                                       /app\.yaml:4: app = "a\.rb" is not an app/],
    ['    mount: /a\n    app: a.py\n',                          /app\.yaml:3: apps is a list: "- mount: \/path"/],
    ['    - a.py\n',                                            /app\.yaml:3: apps is a list/],
    ['    - app: a.py\n      apps:\n        - app: b.py\n',     /app\.yaml:6: apps takes a text, not a map/],
  ];
  for (const [apps, message] of MISTAKES) {
    test(`an error: ${apps.trim().replaceAll(/\n */g, ' · ')}`, () => assert.match(failure([yamlOf(apps)]), message));
  }

  test('need-app is not for all apps unless it is given', () => {
    assert.equal(serve(MINIMAL).needApp, 'some');
    assert.equal(serve([...MINIMAL, '--need-app']).needApp, 'all');
    assert.equal(serve([...MINIMAL, '--need-app=no']).needApp, 'none');
  });
});

describe('options of uWSGI that are not served', () => {
  test('warn once, with the place and the reason', () => {
    const { warnings } = serve([...MINIMAL, '--gevent', '30', '--gevent', '60', '--legion', 'x', '--greenlet=false']);
    assert.deepEqual(warnings, [
      'command line: gevent is known from uWSGI and not supported: ignored (Python apps run in threads; an event loop for them is not supported)',
      'command line: legion is known from uWSGI and not supported: ignored (servers do not form clusters; use a load balancer)',
    ]);
  });

  test('a plugin whose work is built in is taken without a word, others are named, and needed ones must be built in', () => {
    assert.deepEqual(serve([...MINIMAL, '--plugin', 'python3', '--plugins=http,0:python311,logfile']).warnings, []);
    assert.deepEqual(serve([...MINIMAL, '--plugins', 'python3,rrdtool,lua']).warnings, [
      'command line: plugin rrdtool, lua is ignored: it is not built in',
    ]);
    assert.match(failure([...MINIMAL, '--need-plugin', 'gevent']), /need-plugin = "gevent" is not built in$/);
  });

  test('what is so anyway is taken without a word: http-to the own socket, stopping in order by a hook', () => {
    const own = ['--socket', '/run/app.sock', '--http-to', '/run/app.sock', '--http-processes', '4'];
    const hook = ['--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'];
    assert.deepEqual(serve([...MINIMAL, ...own, ...hook]).warnings, []);
    assert.deepEqual(serve([...MINIMAL, ...own, ...hook]).config['hook-master-start'], [{ stopsBy: 'SIGTERM' }]);
    assert.match(
      failure([...MINIMAL, '--hook-master-start', 'unix_signal:9 gracefully_kill_them_all']),
      /is not of the form/,
    );
  });

  test('the old name of lazy-apps is taken with a warning', () => {
    const { config, warnings } = serve([...MINIMAL, '--lazy']);
    assert.equal(config['lazy-apps'], true);
    assert.deepEqual(warnings.length, 1);
    assert.match(warnings[0]!, /^command line: lazy is the same as lazy-apps/);
    assert.deepEqual(serve([...MINIMAL, '--lazy-apps']).warnings, []);
  });

  test('are errors with strict-options, wherever it stands', () => {
    for (const argv of [
      ['--strict-options', '--gevent', '3'],
      ['--gevent', '3', '--strict-options'],
    ]) {
      assert.match(failure([...MINIMAL, ...argv]), /^command line: gevent is known from uWSGI and not supported: /);
    }
  });

  test('are errors where going on would be worse', () => {
    assert.match(
      failure(['--fastcgi-socket', ':3031', 'a.py']),
      /^command line: fastcgi-socket is known from uWSGI and not supported: .*use http-socket/,
    );
    assert.match(failure([...MINIMAL, '--chroot', '/srv']), /chroot is known .* would keep rights/);
  });

  test('an option that is always on says so when it is switched off', () => {
    const { config, warnings } = serve([...MINIMAL, '--master=false', '--vacuum']);
    assert.deepEqual(warnings, [
      'command line: master cannot be switched off: the server always supervises its workers',
    ]);
    assert.equal(config.vacuum, true);
  });
});
