// Lines of the request log: what they say, which requests have one, and that no client can forge one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseNetwork } from '../../../src/config/network.js';
import { ExchangeRecord } from '../../../src/dispatch/exchange.js';
import type { LoggedRequest } from '../../../src/observe/log/logged-request.js';
import { type RequestLogPlan, requestLog } from '../../../src/observe/log/request-log.js';

const ALL: RequestLogPlan = {
  all: true,
  clientErrors: false,
  serverErrors: false,
  slowMs: 0,
  bigBytes: 0,
  empty: false,
  aborted: false,
  format: undefined,
  isStrftime: false,
  isJson: false,
  inMicros: false,
  datePattern: undefined,
  trustedProxies: undefined,
  withMemory: false,
};

const metricOf = (name: string) => (name === 'worker.0.requests' ? 17 : undefined);

const VARIABLES: Readonly<Record<string, string>> = {
  HTTP_HOST: 'example.org',
  HTTP_USER_AGENT: 'a "quoted\\" agent',
  CONTENT_LENGTH: '12',
  HTTP_X_NAME: 'Jos\xc3\xa9',
};

function request(changes: Partial<ExchangeRecord> = {}, others: Partial<LoggedRequest> = {}): LoggedRequest {
  const record = Object.assign(new ExchangeRecord(), {
    method: 'GET',
    target: '/a?b=c',
    protocol: 'HTTP/1.1',
    peer: '127.0.0.1',
    variables: 12,
    environBytes: 246,
    arrivedAtMs: 1000,
    status: 200,
    fields: 2,
    headBytes: 51,
    bodyBytes: 5,
    core: 1,
    ...changes,
  });
  return {
    record,
    address: record.peer,
    pid: 4711,
    worker: 2,
    app: 0,
    ofWorker: 3,
    ofServer: 17,
    nowMs: 1012.7,
    headBytes: record.headBytes + 13,
    isAborted: false,
    rssBytes: 3 << 20,
    addressSpaceBytes: 5 << 20,
    variable: (name) => VARIABLES[name],
    logVariable: (name) => (name === 'shop' ? 'north' : undefined),
    ...others,
  };
}

/** The lines that `plan` makes of `requests`. */
function lines(plan: Partial<RequestLogPlan>, ...requests: LoggedRequest[]): string[] {
  const written: string[] = [];
  const log = requestLog({ ...ALL, ...plan }, { writer: undefined, send: (line) => written.push(line) }, metricOf);
  for (const each of requests) log?.(each);
  return written;
}
const line = (plan: Partial<RequestLogPlan>, of = request()) => lines(plan, of)[0]!;
const DATE = String.raw`\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}`;

describe("uWSGI's line", () => {
  test('says everything in its place', () => {
    const pattern = new RegExp(
      `^\\[pid: 4711\\|app: 0\\|req: 3/17\\] 127\\.0\\.0\\.1 \\(\\) \\{24 vars in 246 bytes\\} \\[${DATE}\\] GET /a\\?b=c => ` +
        'generated 5 bytes in 12 msecs \\(HTTP/1\\.1 200\\) 2 headers in 64 bytes \\(1 switches on core 1\\)$',
    );
    assert.match(line({}), pattern);
  });

  test('has microseconds, a user, an answer without an app, and one that no worker gave', () => {
    assert.match(line({ inMicros: true }), / in 12700 micros \(/);
    assert.match(line({}, request({ user: 'me' })), /127\.0\.0\.1 \(me\) \{/);
    assert.match(line({}, request({}, { app: -1 })), /^\[pid: 4711\|app: -1\|req: -1\/17\]/);
    assert.match(line({}, request({ via: 'sendfile' })), / in 12 msecs via sendfile\(\) \(HTTP/);
    assert.match(
      line({ withMemory: true }),
      /^\{address space usage: 5242880 bytes\/5MB\} \{rss usage: 3145728 bytes\/3MB\} \[pid/,
    );
  });

  test('holds numbers of every length', () => {
    const numbers = [0, 9, 10, 99, 100, 12_345, 999_999, 1_000_000, 2_147_483_647, 2_147_483_648, 123_456_789_012];
    for (const bodyBytes of numbers)
      assert.match(line({}, request({ bodyBytes })), new RegExp(`generated ${bodyBytes} bytes`));
  });

  test('cannot be forged by anything a client sends', () => {
    const evil = '/\r\n[pid: 1|app: 0|req: 1/1] \x1b[2J\x00\xff\\';
    for (const field of ['method', 'target', 'protocol', 'peer', 'user'] as const) {
      const text = line({}, request({ [field]: evil }));
      assert.match(text, /^[\x20-\x7e]*$/, field);
      assert(text.includes('/\\x0d\\x0a[pid: 1|app: 0|req: 1/1] \\x1b[2J\\x00\\xff\\\\'), text);
    }
    assert.match(line({}, request({ target: `/${'\x01'.repeat(60_000)}` })), /\\x01 => generated/, 'however long');
  });
});

describe('a line by --log-format', () => {
  // biome-ignore format: a table
  const FORMATS: readonly (readonly [format: string, line: string])[] = [
    ['%(addr) %(method) %(uri) %(proto) %(status)', '127.0.0.1 GET /a?b=c HTTP/1.1 200'],
    ['%(host) %(uagent)|%(referer)',  String.raw`example.org a \x22quoted\\\x22 agent|-`],
    ['%(rsize) %(hsize) %(size) %(headers) %(cl)', '5 64 69 2 12'],
    ['%(micros) %(msecs) %(secs)',    '12700 12 0.012700'],
    ['%(pid) %(wid) %(core) %(switches) %(app)', '4711 2 1 1 0'],
    ['%(vars) %(pktsize) %(modifier1) %(modifier2)', '24 246 0 0'],
    ['%(rss) %(rssM) %(vsz) %(vszM)', '3145728 3 5242880 5'],
    ['%(user) %(werr) %(rerr) %(ioerr)', '- 0 0 0'],
    ['%(var.HTTP_HOST) %(var.NOTHING)', 'example.org -'],
    ['%(var.HTTP_X_NAME)',            String.raw`Jos\xc3\xa9`],
    ['%(shop) %(other)',              'north -'],
    ['%(metric.worker.0.requests) %(metric.none)', '17 0'],
    ['100% %(', '100% %('],
    ['%(constructor) %(__proto__)', '- -'],
  ];
  test('has every variable of uWSGI', () => {
    for (const [format, expected] of FORMATS) assert.equal(line({ format }), expected, format);
  });

  test('knows the time in every form', () => {
    const [time, msecs, micros, epoch] = line({ format: '%(time) %(tmsecs) %(tmicros) %(epoch)' })
      .split(' ')
      .map(Number);
    assert(Math.abs(time! - Date.now() / 1000) < 3);
    assert(Math.abs(msecs! - Date.now()) < 3000);
    assert(Math.abs(micros! / 1000 - Date.now()) < 3000);
    assert(Math.abs(epoch! - Date.now() / 1000) < 3);
    assert.match(line({ format: '%(ltime)' }), /^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/);
    assert.match(line({ format: '%(ctime)' }), new RegExp(`^${DATE}$`));
    assert.match(line({ format: '%(ftime)', datePattern: '%c' }), new RegExp(`^${DATE}$`), 'as in the C locale');
    assert.match(line({ format: '%(ftime)', datePattern: '%%c %X %Z' }), /^%c \d\d:\d\d:\d\d ([A-Z]{2,5}|[+-]\d{4})$/);
    assert.equal(line({ format: '%(ftime)', datePattern: 'on %Y' }), `on ${new Date().getFullYear()}`);
  });

  test('may be a pattern of strftime, which no client can add to', () => {
    const year = new Date().getFullYear();
    assert.equal(line({ format: '%Y %(uri)', isStrftime: true }, request({ target: '/%Y' })), `${year} /%Y`);
  });

  test('as JSON can be read back, whatever is in it', () => {
    const target = '/"\\\x00\x1b\x7f\x9b\xc3\xa9';
    const text = line({ isJson: true, format: '%(uri)%(status)%(referer)%(uagent)' }, request({ target }));
    const { time, ...others } = JSON.parse(text) as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(others, { uri: target, status: 200, referer: null, uagent: VARIABLES.HTTP_USER_AGENT });
    assert.match(text, /^[\x20-\x7e\xa0-\uffff]*$/, 'no control character, not even one that JSON allows');
    const name = JSON.parse(line({ isJson: true, format: '%(var.HTTP_X_NAME)' })) as Record<string, unknown>;
    assert.equal(name['var.HTTP_X_NAME'], 'José', 'UTF-8 is decoded');
    assert.equal(Object.keys(JSON.parse(line({ isJson: true })) as object)[1], 'addr');
  });
});

describe('the client of a request', () => {
  // biome-ignore format: a table
  const CLIENTS: readonly (readonly [trusted: readonly string[], peer: string, field: string | undefined, client: string])[] = [
    [[],                            '127.0.0.1', '1.2.3.4',                    '1.2.3.4'],
    [[],                            '',          '1.2.3.4',                    '1.2.3.4'],
    [[],                            '9.9.9.9',   '1.2.3.4',                    '9.9.9.9'],
    [[],                            '127.0.0.1', undefined,                    '127.0.0.1'],
    [[],                            '127.0.0.1', '6.6.6.6, 1.2.3.4',           '1.2.3.4'],
    [['10.0.0.0/8'],                '10.0.0.7',  '6.6.6.6, 1.2.3.4, 10.0.0.9', '1.2.3.4'],
    [['10.0.0.0/8'],                '10.0.0.7',  '10.0.0.8, 10.0.0.9',         '10.0.0.8'],
    [['10.0.0.0/8'],                '127.0.0.1', '1.2.3.4',                    '127.0.0.1'],
    [['10.0.0.0/8'],                '10.0.0.7',  'nonsense, 10.0.0.9',         '10.0.0.9'],
    [['10.0.0.0/8'],                '10.0.0.7',  '<script>',                   '10.0.0.7'],
    [['2001:db8::/32', '10.0.0.1'], '10.0.0.1',  '[2001:db9::1]:443',          '2001:db9::1'],
    [['2001:db8::/32', '10.0.0.1'], '10.0.0.1',  '1.2.3.4:5555, 2001:db8::7',  '1.2.3.4'],
  ];
  test('is whom the proxies name that are trusted, and no further', () => {
    for (const [trusted, peer, field, client] of CLIENTS) {
      const of = request({ peer }, { variable: () => field });
      assert.equal(
        line({ format: '%(addr)', trustedProxies: trusted.map((text) => parseNetwork(text)!) }, of),
        client,
        `${peer} ${field}`,
      );
    }
  });
  test('is not looked for by networks that are none', () => {
    for (const text of ['', '10.0.0.0/33', '10.0.0/8', 'host', '::/129', '1.2.3.4/', '1.2.3.4/8/8']) {
      assert.equal(parseNetwork(text), undefined, text);
    }
  });
});

describe('which requests have a line', () => {
  const some = [
    request(),
    request({ status: 404 }),
    request({ status: 503 }),
    request({ bodyBytes: 0 }),
    request({ bodyBytes: 5000 }),
    request({ arrivedAtMs: 100 }),
    request({}, { isAborted: true }),
  ];
  const format = '%(status) %(rsize) %(msecs) %(ioerr)';
  // biome-ignore format: a table
  const CHOICES: readonly (readonly [plan: Partial<RequestLogPlan>, expected: readonly string[]])[] = [
    [{ clientErrors: true }, ['404 5 12 0']],
    [{ serverErrors: true }, ['503 5 12 0']],
    [{ empty: true },        ['200 0 12 0']],
    [{ bigBytes: 5000 },     ['200 5000 12 0']],
    [{ slowMs: 900 },        ['200 5 912 0']],
    [{ aborted: true },      ['200 5 12 1']],
    [{ clientErrors: true, serverErrors: true }, ['404 5 12 0', '503 5 12 0']],
    [{},                     []],
  ];
  test('with disable-logging: those that an option asks for', () => {
    for (const [plan, expected] of CHOICES) assert.deepEqual(lines({ all: false, format, ...plan }, ...some), expected);
  });
  test('none costs anything when none has one', () => {
    assert.equal(requestLog({ ...ALL, all: false }, { writer: undefined, send: () => {} }, metricOf), undefined);
  });
});
