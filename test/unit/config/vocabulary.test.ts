import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPTIONS, type Option } from '../../../src/config/options.js';
import { parseValue } from '../../../src/config/values.js';
import {
  findByLetter,
  findByPrefix,
  findByVariable,
  findWord,
  namesOf,
  WORDS,
} from '../../../src/config/vocabulary.js';

// A few dozen names of each of the three tables by which uWSGI's options are sorted here: what everybody uses, what a
// production configuration has, and the long tail.
// biome-ignore format: a list
const DAY_ONE = `http httprouter http-socket socket uwsgi-socket protocol socket-protocol http-to http-processes
  http-workers http-timeout http-keepalive wsgi-file file module wsgi callable mount manage-script-name chdir chdir2
  pythonpath python-path pp home virtualenv venv pyhome env processes workers threads enable-threads master ini yaml yml
  json js xml xmlconfig config strict set set-placeholder set-ph stats stats-server stats-http daemonize logto
  disable-logging log-4xx log-5xx log-format logformat pidfile stop reload pause suspend resume die-on-term need-app
  vacuum lazy-apps touch-reload py-autoreload python-auto-reload harakiri max-requests reload-on-rss buffer-size
  socket-timeout listen uid gid chmod-socket chmod chown-socket umask static-map check-static static-check
  single-interpreter plugin plugins py-executable pyargv show-config version help usage`;
const PRODUCTION = `http11-socket https https2 http-to-https fastcgi-socket http-auto-gzip http-raw-body
  enable-proxy-protocol so-keepalive reuse-port so-send-timeout tcp-fast-open abstract-socket shared-socket thunder-lock
  post-buffering limit-post max-vars max-worker-lifetime worker-reload-mercy limit-as memory-report harakiri-verbose
  py-tracebacker cheaper cheaper-initial cheaper-busyness-max cheap idle touch-chain-reload master-fifo hook-master-start
  no-orphans safe-pidfile logger req-logger log-syslog log-date log-maxsize procname ignore-sigpipe catch-exceptions
  reload-on-exception-type error-page-404 vhost offload-threads static-index static-expires static-gzip-all mimefile
  honour-range add-header del-header route route-host async gevent websockets-max-size wsgi-env-behavior import optimize
  cron attach-daemon spooler mule cache2 sharedarea locks stats-push enable-metrics alarm emperor fallback-config include
  inherit envdir need-plugin autoload cpu-affinity close-on-exec remap-modifier snmp carbon rrdtool`;
const LONG_TAIL = `raw-socket udp multicast-ttl https-export-cert http-subscription-server http-quiet ssl-verify-depth
  sni-regexp get declare-option blacklist for if-env if-not-exists ifdir endif unenv print-sym cflags plugin-list
  no-server signal ping pyshell pyrun test eval pecan paste ini-paste web3 lazy reaper cgi-mode ksm touch-exec
  check-mountpoint worker-mount lock-engine flock2 signal-timer rbtimer rpc-max queue cache-sync static-cache-paths
  log-socket alarm-segfault metrics-no-cores static-expires-path-info-mtime route-if-not final-route-run
  error-route-status response-route-user-agent hook-as-gateway exec-pre-jail call-as-emperor4 umount-as-vassal
  after-request-call wait-for-iface-timeout chroot pivot_root setns-preopen jail-ip6 refork-post-jail cgroup
  drop-after-apps emperor-on-demand-ext early-emperor vassals-set legion-scroll-max-size cron-legion st subscribe2
  subscription-dotsplit zerg-fallback dynamic-apps reload-on-pss cheaper-idle`;
const split = (names: string) => names.split(/\s+/);

describe('vocabulary', () => {
  test("uWSGI's names are known", () => {
    for (const name of [DAY_ONE, PRODUCTION, LONG_TAIL].flatMap(split)) assert(findWord(name), name);
  });

  test('no name and no letter means two things', () => {
    const names = WORDS.flatMap(namesOf);
    const letters = WORDS.flatMap((word) => word.short ?? []);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
    assert.deepEqual(
      letters.filter((letter, i) => letters.indexOf(letter) !== i),
      [],
    );
  });

  test('names are written so that no source mangles them', () => {
    for (const name of WORDS.flatMap(namesOf)) assert.match(name, /^[a-z0-9][a-z0-9_-]*$/);
  });

  // biome-ignore format: a table
  const LETTERS = {
    s: 'socket', l: 'listen', p: 'processes', t: 'harakiri', R: 'max-requests', b: 'buffer-size', z: 'socket-timeout',
    M: 'master', L: 'disable-logging', T: 'enable-threads', i: 'single-interpreter', w: 'module', H: 'virtualenv',
    S: 'set', y: 'yaml', j: 'json', x: 'xml', d: 'daemonize', C: 'chmod-socket', m: 'memory-report', Q: 'spooler',
    A: 'sharedarea', O: 'optimize', v: 'max-vars', a: 'abstract-socket', r: 'reaper', c: 'cgi-mode', J: 'test', h: 'help',
  };
  test("uWSGI's letters mean the same here", () => {
    for (const [letter, name] of Object.entries(LETTERS)) assert.equal(findByLetter(letter)?.name, name, letter);
  });

  // biome-ignore format: a table
  const TAKES = {
    nothing: ['lazy', 'reuse-port', 'log-4xx', 'vhost', 'so-send-timeout', 'memory-report', 'reload-on-exception', 'cheap'],
    value: ['harakiri', 'max-requests', 'stats', 'plugin', 'log-ioerror', 'http-quiet', 'route', 'hook-asap', 'logto'],
    maybe: ['chmod-socket', 'mule', 'log-date', 'http-keepalive', 'snmp', 'endif', 'check-cache', 'master', 'need-app'],
  };
  test('of every name it is known whether it takes a value', () => {
    for (const [takes, names] of Object.entries(TAKES)) {
      for (const name of names) assert.equal(findWord(name)?.takes, takes, name);
    }
  });

  test('what would be worse than no start is refused: sockets, rights, routing, commands, configuration', () => {
    const refused = 'https fastcgi-socket immediate-uid chroot route stop emperor json xml if-env show-config paste';
    for (const name of split(refused)) {
      const word = findWord(name);
      assert(word !== undefined && 'known' in word && word.known.refuses, name);
    }
    for (const name of ['harakiri', 'stats', 'plugin', 'logto', 'cheaper', 'cache2']) {
      const word = findWord(name);
      assert(word !== undefined && 'known' in word && !word.known.refuses, name);
    }
  });

  test('every reason reads behind a colon', () => {
    for (const word of WORDS) {
      if ('known' in word) assert.match(word.known.why, /^(?:[a-z]|TLS|PEP|Python).*[^.\s]$/, word.name);
    }
  });

  test('a variable finds its option, also by an alias and where the name has an underscore', () => {
    assert.equal(findByVariable('UWSGI_HTTP_SOCKET')?.name, 'http-socket');
    assert.equal(findByVariable('UWSGI_WORKERS')?.name, 'processes');
    assert.equal(findByVariable('UWSGI_PIVOT_ROOT')?.name, 'pivot-root');
    assert.equal(findByVariable('UWSGI_NONSENSE'), undefined);
  });

  test('a prefix finds a word once, however many of its names fit', () => {
    assert.deepEqual(
      findByPrefix('processe').map(({ name }) => name),
      ['processes'],
    );
    assert.deepEqual(
      findByPrefix('virtual').map(({ name }) => name),
      ['virtualenv'],
    );
    assert.deepEqual(
      findByPrefix('pythonpat').map(({ name }) => name),
      ['pythonpath'],
    );
    assert(findByPrefix('log').length > 20);
  });
});

describe('the options table', () => {
  const all: readonly Option[] = OPTIONS;

  test('every default is in its range', () => {
    for (const option of all) {
      if (typeof option.default !== 'number') continue;
      assert.deepEqual(parseValue(option, String(option.default)), { value: option.default }, option.name);
    }
  });

  test('choices and kinds go together, and only what is always so is on without being asked for', () => {
    for (const option of all) {
      assert.equal(option.choices !== undefined, option.kind === 'choice', option.name);
      if (option.always !== undefined) assert.equal(option.default, true, option.name);
      if (option.kind === 'flag') assert.equal(typeof option.default, 'boolean', option.name);
    }
  });
});
