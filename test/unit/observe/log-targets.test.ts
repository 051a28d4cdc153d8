// Where lines go: what the options say of it, and the ways of a line by routes, filters and encoders.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEncoder, parseLogger, parseLogto, parseRoute } from '../../../src/config/log-target.js';
import { type Routing, route } from '../../../src/observe/log/router.js';
import { failure, MINIMAL, serve } from '../config/serve.js';

function value<T>(parsed: { readonly value: T } | { readonly wanted: string }): T {
  assert('value' in parsed, JSON.stringify(parsed));
  return parsed.value;
}

describe('a place for the log', () => {
  // biome-ignore format: a table
  const LOGGERS: readonly (readonly [text: string, expected: object])[] = [
    ['file:/var/log/x', { kind: 'file', path: '/var/log/x', maxBytes: 0 }],
    ['file:logfile=/x,maxsize=100,backupname=/y', { kind: 'file', path: '/x', maxBytes: 100, backupName: '/y' }],
    ['stdio', { kind: 'fd', fd: 1 }],
    ['stdio:', { kind: 'fd', fd: 1 }],
    ['fd:2', { kind: 'fd', fd: 2 }],
    ['socket:127.0.0.1:514', { kind: 'datagram', to: { host: '127.0.0.1', port: 514 }, prefix: '' }],
    ['socket:/run/x.sock,mark', { kind: 'datagram', to: { path: '/run/x.sock' }, prefix: 'mark ' }],
    ['syslog', { to: { path: '/dev/log' }, syslog: { ident: 'nuwsgi', priority: 30 } }],
    ['syslog:shop,local3', { to: { path: '/dev/log' }, syslog: { ident: 'shop', priority: 19 * 8 + 6 } }],
    ['rsyslog:10.0.0.1:5514,shop', { to: { host: '10.0.0.1', port: 5514 }, syslog: { ident: 'shop', priority: 30 } }],
    ['rsyslog:logs.example.org', { to: { host: 'logs.example.org', port: 514 } }],
  ];
  test("is written as uWSGI's loggers are", () => {
    for (const [text, expected] of LOGGERS) {
      const logger = value(parseLogger(text));
      assert.equal(logger.id, undefined);
      assert.deepEqual({ ...logger.target, ...expected }, logger.target, text);
      assert.equal(value(parseLogger(`name ${text}`)).id, 'name');
    }
  });

  test('of --logto is a file, or an address for UDP', () => {
    assert.deepEqual(value(parseLogto('a.log')), {
      kind: 'file',
      path: 'a.log',
      maxBytes: 0,
      backupName: undefined,
      truncate: false,
    });
    assert.deepEqual(value(parseLogto('10.0.0.1:99')), {
      kind: 'datagram',
      to: { host: '10.0.0.1', port: 99 },
      prefix: '',
      syslog: undefined,
    });
    assert.equal(value(parseLogto('/a:99')).kind, 'file');
  });

  test('that makes no sense is refused with what would', () => {
    for (const text of [
      '',
      'redislog:1',
      'mongodblog',
      'file:',
      'fd:7',
      'socket:nowhere',
      'syslog:a,b',
      'file:logfile=x,size=1',
    ]) {
      const parsed = parseLogger(text);
      assert('wanted' in parsed, text);
      assert.match(parsed.wanted, /^(a logger|an address)/);
    }
    assert('wanted' in parseRoute('justid'));
    assert('wanted' in parseRoute('id ('));
    assert('wanted' in parseEncoder('gzip'));
    assert.match(
      failure([...MINIMAL, '--logger', 'redislog:x']),
      /^command line: logger = "redislog:x" is not a logger: one of file:/,
    );
  });

  test('options that may stand alone mean what uWSGI means by that', () => {
    assert.equal(serve([...MINIMAL, '--log-date']).config['log-date'], '%c');
    assert.equal(serve([...MINIMAL, '--log-date=%H']).config['log-date'], '%H');
    assert.equal(serve([...MINIMAL], { UWSGI_LOG_DATE: 'true' }).config['log-date'], '%c');
    assert.equal(serve([...MINIMAL, '--log-date=false']).config['log-date'], undefined);
    assert.equal(serve([...MINIMAL, '--log-syslog']).config['log-syslog'], 'nuwsgi');
    assert.match(failure([...MINIMAL, '--log-format']), /log-format needs a value/);
  });
});

describe('the way of a line', () => {
  const NONE: Routing = { drains: [], filters: [], routes: [], encoders: [] };

  function ways(routing: Partial<Routing>, ids: readonly (string | undefined)[], ...lines: string[]): string[] {
    const got: string[] = [];
    const sinks = ids.map((id, i) => ({ id, send: (line: string) => void got.push(`${id ?? i}<${line}`) }));
    const send = route({ ...NONE, ...routing }, sinks, (line) => void got.push(`main<${line}`));
    for (const line of lines) send(line);
    return got;
  }

  test('ends in the main log when there is no logger, and in every nameless logger when there are', () => {
    assert.deepEqual(ways({}, [], 'a'), ['main<a']);
    assert.deepEqual(ways({}, [undefined, undefined, 'x'], 'a'), ['0<a', '1<a']);
    assert.deepEqual(ways({}, ['x'], 'a'), ['main<a']);
  });

  test('follows the routes that match it, and then no other', () => {
    const routes = [value(parseRoute('x err')), value(parseRoute('y (?i)ERROR'))];
    assert.deepEqual(ways({ routes }, ['x', 'y', undefined], 'an error', 'err', 'fine'), [
      'x<an error',
      'y<an error',
      'x<err',
      '2<fine',
    ]);
  });

  test('ends nowhere when a drain matches it, or when no filter does', () => {
    assert.deepEqual(ways({ drains: [/health/] }, [], 'GET /health', 'GET /'), ['main<GET /']);
    assert.deepEqual(ways({ filters: [/GET/, /PUT/] }, [], 'GET /', 'POST /', 'PUT /'), ['main<GET /', 'main<PUT /']);
  });

  test('leads through the encoders of its logger', () => {
    const encoders = ['prefix <', 'json:x {"at":${unix},"m":"${msg}"}', 'nl', 'suffix:x !'].map((text) =>
      value(parseEncoder(text)),
    );
    const [plain, json] = ways(
      { encoders, routes: [value(parseRoute('x quote'))] },
      ['x', undefined],
      'a',
      'a "quote"',
    );
    assert.equal(plain, '1<<a');
    assert.match(json!, /^x<\{"at":\d{10},"m":"<a \\"quote\\""\}\n!$/);
  });
});
