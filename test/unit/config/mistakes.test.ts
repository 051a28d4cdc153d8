// What people write by mistake, and what they are told: one mistake at least for every code that the configuration can
// end with, and for every kind of value. The compiler sees to it that none is missing.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Code } from '../../../src/base/errors.js';
import type { Kind } from '../../../src/config/options.js';
import { directoryWith } from './files.js';
import { failure, MINIMAL } from './serve.js';

const directory = directoryWith({
  'app.ini': '[uwsgi]\nhttp = :9090\nmodule = site\nproceses = 4\nmaster = maybe\n',
  'loop.ini': '[uwsgi]\ninclude = %p\n',
  'open.ini': '[uwsgi]\nif-env = HOME\nhttp = :0\n',
  'else.ini': '[uwsgi]\nelse =\n',
  'elses.ini': '[uwsgi]\nif-env = HOME\nelse =\nelse =\nendif =\n',
  'end.ini': '[uwsgi]\nendif =\n',
  'nested.ini': '[uwsgi]\nfor = a b\nif-env = HOME\nendif =\nendfor =\n',
  'times.ini': '[uwsgi]\nfor-times = many\nendfor =\n',
  'bracket.ini': '[uwsgi\nhttp = :0\n',
  'no-name.ini': '[uwsgi]\n= 4\n',
  'flat.yaml': 'http: :9090\nmodule: site\n',
  'tab.yaml': 'uwsgi:\n\thttp: :9090\n',
  'colon.yaml': 'uwsgi:\n  add-header: X-A: 1\n',
  'comma.json': '{\n  "uwsgi": {\n    "http": ":9090",\n  }\n}\n',
  'open.xml': '<uwsgi>\n  <http>:9090</htp>\n</uwsgi>\n',
});
const at = (name: string) => join(directory, name);

/** Those that only the machine can cause, when the server starts; they have tests in e2e/. */
type OfMachine = 'CONFIG_PRIVILEGES' | 'CONFIG_HOOK' | 'CONFIG_LOG' | 'CONFIG_BIND' | 'CONFIG_TLS';
type Mistake = readonly [argv: readonly string[], message: RegExp];

// biome-ignore format: a table
const OF_CODE: Readonly<Record<Exclude<Extract<Code, `CONFIG_${string}`>, OfMachine>, readonly Mistake[]>> = {
  CONFIG_UNKNOWN_OPTION: [
    [['--htpp', ':9090', 'app.py'],                  /^command line: no option is called "htpp"; did you mean "http"\?$/],
    [['--help', 'procesess'],                        /^help: no option is called "procesess"; did you mean "processes"\?$/],
  ],
  CONFIG_AMBIGUOUS_OPTION: [
    [[...MINIMAL, '--touch', '/tmp/x'],              /^command line: "touch" may be touch-reload, /],
  ],
  CONFIG_ARGUMENT: [
    [[...MINIMAL, 'app.toml'],                       /^command line: "app\.toml" is no option, no configuration file/],
    [[...MINIMAL, '--chmod-socket', '660'],          /"660" is no option, .*; did you mean --chmod-socket=660\?$/],
  ],
  CONFIG_UNSUPPORTED: [
    [[...MINIMAL, '--strict-options', '--spooler', 'jobs'], /^command line: spooler is known from uWSGI and not supported: /],
  ],
  CONFIG_BAD_VALUE: [
    [[...MINIMAL, '-p', 'four'],                     /^command line: processes = "four" is not a number from 1 to 1024, in decimal digits$/],
    [['--http', ':123456', 'app.py'],                /http = ":123456" is not an address: .*; a port is 0 to 65535$/],
  ],
  CONFIG_MISSING_VALUE: [
    [[...MINIMAL, '--chdir', '--master'],            /^command line: chdir needs a value: a path$/],
    [[...MINIMAL, '--processes'],                    /^command line: processes needs a value: a number/],
  ],
  CONFIG_FILE: [
    [['prod.ini'],                                   /^command line: ini "prod\.ini": there is no such file \(looked for in /],
    [[at('loop.ini')],                               /loop\.ini:2: include ".*loop\.ini": it includes itself$/],
    [[at('open.ini')],                               /open\.ini:2: if-env has no endif in this source$/],
    [[at('else.ini')],                               /else\.ini:2: else without an if-\.\.\. in front$/m],
    [[at('elses.ini')],                              /elses\.ini:4: the if-env of .*elses\.ini:2 has an else already$/m],
    [[at('end.ini')],                                /end\.ini:2: endif without a block that it could end$/m],
    [[at('nested.ini')],                             /nested\.ini:3: if-env cannot stand in the for of .*nested\.ini:2$/m],
    [[at('times.ini')],                              /times\.ini:2: for-times: "many" is no number of times, from 0 to 65536$/m],
    [[at('bracket.ini')],                            /bracket\.ini:1: a section is written \[name\], with both brackets$/m],
    [[at('no-name.ini')],                            /no-name\.ini:2: there is no name in front of the "="$/m],
    [[at('flat.yaml')],                              /flat\.yaml: there is no top key "uwsgi:" .*: put it above the options and indent them$/],
    [[at('tab.yaml')],                               /tab\.yaml:2: there is a tab in the indentation \(YAML is indented with spaces/],
    [[at('colon.yaml')],                             /colon\.yaml:2: .*\(put quotes around a value with ": " in it\)$/],
    [[at('comma.json')],                             /comma\.json:4: it is no JSON: /],
    [[at('open.xml')],                               /open\.xml:2: it is no XML: /],
    [[...MINIMAL, '--env', 'KEY=@(/no/such/key)'],   /^command line: env: @\(\/no\/such\/key\) cannot be read: ENOENT/],
    [[...MINIMAL, '--route-run', 'goto:end'],        /^command line: no route-label is "end"$/],
  ],
  CONFIG_CONFLICT: [
    [['--http', ':9090', '--socket', ':9090', 'a.py'], /^http \(command line\) and socket \(command line\) want the same address, :9090$/],
    [['--http', ':0', '--module', 'a', 'b.py'],      /^two apps on \/: /],
    [['--emperor', '/etc/vassals', '--http', ':80'], /^an emperor serves nothing itself: put http \(command line\) into a vassal's file$/],
    [[...MINIMAL, '--http-to', '10.0.0.1:3031'],     /^command line: http-to 10\.0\.0\.1:3031: requests are served here/],
    [[...MINIMAL, '--set-ph', 'processes=4'],        /^command line: set-placeholder cannot give "processes" a meaning: it is an option; use set$/],
  ],
  CONFIG_NO_APP: [[['--http', ':9090'],              /^no app is given: say which with --wsgi-file, --module or --mount/]],
  CONFIG_NO_LISTENER: [[['--wsgi-file', 'app.py'],   /^no address to listen on is given: say which with --http or --http-socket/]],
  CONFIG_SEVERAL: [
    [[at('app.ini'), '--listen', 'long'],            /^.*app\.ini:4: .*"proceses".*\n.*app\.ini:5: master = "maybe".*\ncommand line: listen = "long"/],
  ],
};

// biome-ignore format: a table
const OF_KIND: Readonly<Record<Kind, Mistake | 'takes everything'>> = {
  flag:           [['--master=ture'],                         /master = "ture" is not a boolean: true, on, yes, 1 or false, off, no, 0$/],
  int:            [['--threads', '-2'],                       /threads = "-2" is not a number from 1 to 1024, in decimal digits$/],
  size:           [['--limit-post', '10M'],                   /limit-post = "10M" is not a number of bytes, in decimal digits$/],
  seconds:        [['--harakiri', '30s'],                     /harakiri = "30s" is not a number of seconds from 0 to 86400, in decimal digits$/],
  text:           'takes everything',
  path:           [['--pidfile', 'a\0b'],                     /pidfile = ".*" is not a path$/],
  choice:         [['--protocol', 'fastcgi'],                 /protocol = "fastcgi" is not one of uwsgi, http$/],
  address:        [['--socket', '9090'],                      /socket = "9090" is not an address: .*; for a port write :9090$/],
  assign:         [['--env', 'DEBUG'],                        /env = "DEBUG" is not of the form NAME=VALUE$/],
  cron:           [['--cron', '0 3 * * backup'],              /cron = "0 3 \* \* backup" is not of the form /],
  cron2:          [['--cron2', 'hour=three backup'],          /cron2 = "hour=three backup" is not of the form /],
  'smart-daemon': [['--smart-attach-daemon', '/run/a.pid'],   /smart-attach-daemon = "\/run\/a\.pid" is not of the form /],
  daemon2:        [['--attach-daemon2', 'redis-server'],      /attach-daemon2 = "redis-server" is not of the form /],
  hook:           [['--hook-asap', 'mount /proc'],            /hook-asap = "mount \/proc" is not of the form /],
  'master-hook':  'takes everything',
  networks:       [['--trusted-proxies', '10.0.0.0/33'],      /trusted-proxies = "10\.0\.0\.0\/33" is not of the form /],
  regexp:         [['--log-drain', '('],                      /log-drain = "\(" is not a regular expression: /],
  plugin:         'takes everything',
  'needed-plugin': [['--need-plugin', 'rrdtool'],             /need-plugin = "rrdtool" is not built in$/],
  'log-target':   [['--logto', '10.0.0.1:99999'],             /logto = "10\.0\.0\.1:99999" is not /],
  logger:         [['--logger', 'redis:1'],                   /logger = "redis:1" is not a logger: /],
  'log-route':    [['--log-route', 'errors'],                 /log-route = "errors" is not of the form ID REGEX$/],
  'log-encoder':  [['--log-encoder', 'gzip'],                 /log-encoder = "gzip" is not an encoder: /],
  'stats-push':   [['--stats-push', 'carrier-pigeon'],        /stats-push = "carrier-pigeon" is not of the form /],
  mapping:        [['--static-map', '/srv/static'],           /static-map = "\/srv\/static" is not of the form \/PATH=DIRECTORY or \/PATH=FILE$/],
  expiry:         [['--static-expires', '3600'],              /static-expires = "3600" is not a regular expression, a space and a number of seconds$/],
  'type-expiry':  [['--static-expires-type', 'css 3600'],     /static-expires-type = "css 3600" is not of the form TYPE=SECONDS/],
  header:         [['--add-header', 'X-Frame-Options'],       /add-header = "X-Frame-Options" is not of the form "NAME: VALUE"$/],
  'header-name':  [['--rem-header', 'X Powered By'],          /rem-header = "X Powered By" is not the name of a header field$/],
  'tls-address':  [['--https', ':443'],                       /https = ":443" is not of the form ADDR,CERT,KEY/],
  mode:           [['--chmod-socket=rw'],                     /chmod-socket = "rw" is not three octal digits, such as 660$/],
  owner:          [['--chown-socket', 'www data'],            /chown-socket = "www data" is not USER, USER:GROUP or :GROUP$/],
};

describe('a mistake', () => {
  for (const [code, mistakes] of Object.entries(OF_CODE)) {
    for (const [argv, message] of mistakes) {
      test(`${code}: ${argv.join(' ').replaceAll(directory, '')}`, () =>
        assert.match(failure(argv, { HOME: '/' }, code as Code), message));
    }
  }
});

describe('a value of the wrong kind', () => {
  for (const [kind, mistake] of Object.entries(OF_KIND)) {
    if (mistake === 'takes everything') continue;
    const [argv, message] = mistake;
    test(`${kind}: ${JSON.stringify(argv.join(' '))}`, () =>
      assert.match(failure([...MINIMAL, ...argv], {}, 'CONFIG_BAD_VALUE'), message));
  }
});
