// Static files, the same questions to every kind of listener: what is sent, what is refused, what goes to the app, and
// that neither a slow client nor a huge file costs memory or holds up others. Row T13 of docs/security.md.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { randomFrom } from '../fuzz.js';
import { type Doors, openDoors } from './front-doors.js';
import { open, parseAnswers, raw, request, rssBytes, startServer, type TestServer, until } from './harness.js';
import { Nginx } from './nginx.js';

const MIB = 1 << 20;
let base: string;
const big = randomBytes(3 * MIB);
const CHANGED = new Date('2026-11-23T01:12:00Z');

function write(name: string, data: string | Uint8Array): void {
  const path = join(base, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, data);
  utimesSync(path, CHANGED, CHANGED);
}

before(() => {
  base = mkdtempSync(join(tmpdir(), 'nuwsgi-static-'));
  write('www/a.txt', 'a file\n');
  write('www/empty', '');
  write('www/big.bin', big);
  write('www/style.css', 'body {}\n');
  write('www/style.css.gz', gzipSync('body {}\n'));
  write('www/style.css.br', 'not really brotli');
  write('www/only-gz.js', 'x()\n');
  write('www/only-gz.js.gz', gzipSync('x()\n'));
  write('www/page.php', '<?php');
  write('www/with space.txt', 'space\n');
  write('www/back\\slash.txt', 'backslash\n');
  write('www/%2e.txt', 'percent\n');
  writeFileSync(Buffer.from(`${base}/www/caf\u00e9.txt`, 'latin1'), 'latin-1\n'); // a name that is no UTF-8
  write('www/dir/index.html', '<p>index\n');
  write('www/dir/sub/x.txt', 'x\n');
  write('www/.env', 'SECRET=1\n');
  write('www/.git/config', 'SECRET=2\n');
  write('www/.well-known/security.txt', 'Contact: x\n');
  write('www/static/kept.txt', 'kept\n');
  write('secret.txt', 'SECRET\n');
  write('www2/b.txt', 'SECRET beside\n');
  write('shared/s.txt', 'shared\n');
  write('favicon', 'icon');
  symlinkSync('a.txt', join(base, 'www/inner'));
  symlinkSync('../secret.txt', join(base, 'www/outer'));
  symlinkSync('..', join(base, 'www/up'));
  symlinkSync('../shared/s.txt', join(base, 'www/safe'));
  symlinkSync('/dev/null', join(base, 'www/null'));
  symlinkSync('/dev/zero', join(base, 'www/zero'));
  execFileSync('mkfifo', [join(base, 'www/fifo')]);
});
after(() => rmSync(base, { recursive: true }));

const digest = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

describe('static files', () => {
  let doors: Doors;
  before(async () => {
    const www = join(base, 'www');
    doors = await openDoors([
      ...['--wsgi-file', 'hello.py', '--static-map', `/static=${www}`, '--static-map2', `/static=${www}`],
      ...['--static-map', `/favicon.ico=${join(base, 'favicon')}`, '--static-index', 'index.html'],
      ...['--static-safe', join(base, 'shared'), '--static-skip-ext', '.php', '--static-gzip-ext', 'css'],
      ...['--static-gzip', 'only-gz', '--static-expires-type', 'text/css=3600'],
      ...['--static-expires-mtime', '\\.txt$ 60', '--static-expires-uri', '[?]v=\\d 31536000'],
    ]);
  });
  after(() => doors.server.stop());

  test('are sent with their type, tag and date', () =>
    doors.each(async ({ ask }) => {
      const answer = await ask('/static/a.txt');
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'a file\n');
      assert.equal(answer.headers['content-type'], 'text/plain');
      assert.equal(answer.headers['content-length'], '7');
      assert.equal(answer.headers['last-modified'], 'Mon, 23 Nov 2026 01:12:00 GMT');
      assert.match(answer.headers.etag!, /^"[0-9a-f]+-[0-9a-f]+"$/);
      assert.equal(answer.headers['accept-ranges'], 'bytes');
    }));

  test('come byte by byte as they are, large ones and empty ones', () =>
    doors.each(async ({ ask }) => {
      const answer = await ask('/static/big.bin');
      assert.equal(answer.headers['content-length'], String(big.length));
      assert.equal(digest(Buffer.from(answer.body, 'latin1')), digest(big));
      const empty = await ask('/static/empty');
      assert.deepEqual([empty.status, empty.body, empty.headers['content-length']], [200, '', '0']);
    }));

  test('answer HEAD with the same head and no body', () =>
    doors.each(async ({ ask }) => {
      for (const path of ['/static/a.txt', '/static/big.bin', '/static/empty']) {
        const [head, get] = [await ask(path, { method: 'HEAD' }), await ask(path)];
        assert.equal(head.status, 200);
        for (const name of ['content-length', 'etag', 'last-modified', 'content-type']) {
          assert.equal(head.headers[name], get.headers[name], `${name} of ${path}`);
        }
      }
    }));

  test('are for GET and HEAD; the app gets the rest', () =>
    doors.each(async ({ ask }) => {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        assert.equal((await ask('/static/a.txt', { method, body: '' })).body, 'hello\n', method);
      }
    }));

  test('may be asked for with a body, which nobody reads', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/static/a.txt', { body: 'x'.repeat(1000) })).body, 'a file\n');
      assert.equal((await ask('/static/none', { body: 'x'.repeat(1000) })).body, 'hello\n');
    }));

  // biome-ignore format: a table
  const TO_THE_APP = [
    '/static/none', '/static/a.txt/', '/static/a.txt/x', '/staticx', '/static', '/static/', '/static/dir/sub',
    '/static/dir/sub/', '/static/page.php', '/static/fifo', '/static/null', '/static/zero',
    '/static/../secret.txt', '/static/%2e%2e/secret.txt', '/static/%2e%2e%2fsecret.txt', '/static/..%2fsecret.txt',
    '/static/..%5csecret.txt', '/static/%252e%252e/secret.txt', '/static/%252e%252e%252fsecret.txt', '/static../secret.txt',
    '/static/dir/../a.txt', '/static/./a.txt', '/static//../secret.txt', '/static/dir/..', '/static/dir/%2e%2e/%2e%2e/secret.txt',
    '/static/.env', '/static/%2eenv', '/static/.git/config', '/static/dir/.hidden', `/static/${'x'.repeat(5000)}`,
    `/static${'/dir'.repeat(2000)}`, '/favicon.ico/x', '/favicon.icox',
  ];
  test("are never anything outside, hidden, special or missing: such paths are the app's", () =>
    doors.each(async ({ ask }) => {
      for (const path of TO_THE_APP) {
        const { status, body } = await ask(path);
        assert.deepEqual([status, body], [200, 'hello\n'], path.slice(0, 100));
      }
    }));

  test('through a NUL are a bad request over HTTP and over uwsgi', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/static/a.txt%00.php')).status, 400);
    }));

  test('through a link that leads out of the directory are forbidden, and the log says where to', async () => {
    const from = doors.server.log.length;
    await doors.each(async ({ ask }) => {
      for (const path of ['/static/outer', '/static/up/secret.txt', '/static/up/www2/b.txt', '/static/up/']) {
        const { status, body } = await ask(path);
        assert.deepEqual([status, body], [403, 'Forbidden\n'], path);
      }
    });
    const line = /^\[uwsgi-fileserve\] security error: \S+\/secret\.txt is not under \S+\/www or a safe path$/m;
    await doors.server.waitForLog(line, from);
  });

  test('through a link to a safe directory are sent', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/static/safe')).body, 'shared\n');
      assert.equal((await ask('/static/inner')).body, 'a file\n');
    }));

  test('have names of bytes, not of characters', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/static/caf%e9.txt')).body, 'latin-1\n');
      assert.equal((await ask('/static/caf%c3%a9.txt')).body, 'hello\n', 'another name');
      assert.equal((await ask('/static/with%20space.txt')).body, 'space\n');
      assert.equal((await ask('/static/back%5cslash.txt')).body, 'backslash\n');
      assert.equal((await ask('/static/%252e.txt')).body, 'percent\n', 'unescaped once');
    }));

  test('that are asked for in part come in part', () =>
    doors.each(async ({ ask }) => {
      const part = await ask('/static/big.bin', { headers: [`Range: bytes=${MIB}-${2 * MIB - 1}`] });
      assert.equal(part.status, 206);
      assert.equal(part.headers['content-range'], `bytes ${MIB}-${2 * MIB - 1}/${big.length}`);
      assert.equal(digest(Buffer.from(part.body, 'latin1')), digest(big.subarray(MIB, 2 * MIB)));
      const tail = await ask('/static/a.txt', { headers: ['Range: bytes=-2'] });
      assert.deepEqual([tail.status, tail.body, tail.headers['content-range']], [206, 'e\n', 'bytes 5-6/7']);
      const beyond = await ask('/static/a.txt', { headers: ['Range: bytes=7-'] });
      assert.deepEqual([beyond.status, beyond.body, beyond.headers['content-range']], [416, '', 'bytes */7']);
    }));

  test('are sent whole where many parts are asked for', () =>
    doors.each(async ({ ask }) => {
      const ranges = Array.from({ length: 200 }, (_, i) => `${2 * i}-${2 * i}`).join();
      const answer = await ask('/static/a.txt', { headers: [`Range: bytes=${ranges}`] });
      assert.deepEqual([answer.status, answer.body], [200, 'a file\n']);
    }));

  test('that a client has already are not sent again', () =>
    doors.each(async ({ ask }) => {
      const { etag, 'last-modified': date } = (await ask('/static/a.txt')).headers;
      for (const header of [`If-None-Match: ${etag}`, `If-Modified-Since: ${date}`]) {
        const answer = await ask('/static/a.txt', { headers: [header] });
        assert.deepEqual([answer.status, answer.body, answer.headers.etag], [304, '', etag], header);
        assert(!('content-type' in answer.headers));
      }
      const part = (ifRange: string) => ask('/static/a.txt', { headers: ['Range: bytes=0-0', `If-Range: ${ifRange}`] });
      assert.equal((await part(etag!)).status, 206);
      assert.equal((await part('"other"')).status, 200);
      assert.equal((await ask('/static/a.txt', { headers: ['If-Match: "other"'] })).status, 412);
    }));

  test('of a directory are its index, behind a slash', () =>
    doors.each(async ({ ask }) => {
      const index = await ask('/static/dir/');
      assert.deepEqual([index.body, index.headers['content-type']], ['<p>index\n', 'text/html']);
      const redirected = await ask('/static/dir?x=1');
      assert.deepEqual([redirected.status, redirected.headers.location], [301, '/static/dir/?x=1']);
    }));

  test('may be mapped one by one, and with their mount point', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/favicon.ico')).body, 'icon');
      assert.equal((await ask('/static/kept.txt')).body, 'kept\n', 'static-map2 looks for static/kept.txt');
      assert.equal((await ask('/static/static/kept.txt')).body, 'kept\n', 'static-map does not');
    }));

  test('that lie there compressed are sent so to whoever takes it', () =>
    doors.each(async ({ ask }) => {
      const get = (path: string, accepted: string) => ask(path, { headers: [`Accept-Encoding: ${accepted}`] });
      const plain = await ask('/static/style.css');
      assert.deepEqual([plain.body, plain.headers.vary], ['body {}\n', 'Accept-Encoding']);
      const gz = await get('/static/style.css', 'gzip, deflate');
      assert.equal(gz.headers['content-encoding'], 'gzip');
      assert.equal(gz.headers['content-type'], 'text/css');
      assert.deepEqual(Buffer.from(gz.body, 'latin1'), gzipSync('body {}\n'));
      assert.notEqual(gz.headers.etag, plain.headers.etag);
      assert.equal((await get('/static/style.css', 'gzip, br')).headers['content-encoding'], 'br');
      assert.equal((await get('/static/style.css', 'gzip;q=0')).headers['content-encoding'], undefined);
      assert.equal((await get('/static/only-gz.js', 'gzip, br')).headers['content-encoding'], 'gzip');
      assert.equal((await get('/static/a.txt', 'gzip, br')).headers.vary, undefined);
    }));

  test('tell when they expire, where a rule says so', () =>
    doors.each(async ({ ask }) => {
      const inSeconds = async (path: string) => {
        const { expires } = (await ask(path)).headers;
        return Math.round((Date.parse(expires!) - Date.now()) / 1000);
      };
      assert(Math.abs((await inSeconds('/static/style.css')) - 3600) <= 2);
      assert(Math.abs((await inSeconds('/static/big.bin?v=1')) - 31536000) <= 2);
      assert.equal((await ask('/static/a.txt')).headers.expires, 'Mon, 23 Nov 2026 01:13:00 GMT', 'after its change');
      assert.equal((await ask('/static/big.bin')).headers.expires, undefined);
    }));

  test('keep the connection, and their turn on it', async () => {
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;
    const [uws, node] = doors.server.ports as [number, number];
    const paths = ['/static/big.bin', '/static/a.txt', '/none', '/static/dir', '/static/empty', '/static/outer'];
    const { answers } = await raw(node, paths.map(get).join(''), { answers: paths.length });
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 301, 200, 403],
    );
    assert.deepEqual(
      [answers[0]!.body.length, answers[1]!.body, answers[2]!.body],
      [big.length, 'a file\n', 'hello\n'],
    );
    const socket = await open(uws); // which knows no pipelining: one after the other
    for (const path of paths) {
      socket.write(get(path));
      let text = '';
      do {
        await once(socket, 'readable');
        text += (socket.read() as Buffer | null)?.toString('latin1') ?? '';
      } while (!parseAnswers(text, false, false)[0]?.complete);
      assert.equal(parseAnswers(text, false, false)[0]!.status, answers[paths.indexOf(path)]!.status, path);
    }
    socket.destroy();
  });

  test('are nothing but what lies in their directory, whatever a path is made of', async () => {
    const fraction = randomFrom(13);
    const random = (below: number) => Math.floor(fraction() * below);
    const pieces = [
      '..',
      '.',
      '/',
      '//',
      '\\',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5c',
      '%25',
      '%252e',
      '%c0%ae',
      '%00',
      '%',
      'a.txt',
      'up',
      'outer',
      'dir',
      'www2',
      'secret.txt',
      '.env',
      'etc/passwd',
      'safe',
      '~',
      '%ff',
      '?',
      ';',
      '::',
    ];
    const [uws, node, uwsgi] = doors.doors;
    for (let i = 0; i < 600; i++) {
      const path = `/static/${Array.from({ length: 1 + random(6) }, () => pieces[random(pieces.length)]).join(random(2) === 0 ? '/' : '')}`;
      const door = [uws, node, uwsgi][i % 3]!;
      const { status, body } = await door.ask(path);
      assert([200, 301, 400, 403].includes(status), `${path}: ${status}`);
      assert.doesNotMatch(body, /SECRET|root:/, path);
    }
    assert.doesNotMatch(doors.server.log, /defect of the server/);
  });

  test('have a line in the log, of no app', async () => {
    const from = doors.server.log.length;
    await doors.doors[0]!.ask('/static/a.txt');
    await doors.server.waitForLog(
      /^\[pid: \d+\|app: -1\|req: -1\/\d+\] 127\.0\.0\.1 \(\) \{\d+ vars in [1-9]\d* bytes\} \[.*\] GET \/static\/a\.txt => generated 7 bytes in \d+ msecs via sendfile\(\) \(HTTP\/1\.1 200\) 5 headers in \d+ bytes/m,
      from,
    );
  });
});

describe('check-static', () => {
  let doors: Doors;
  before(async () => {
    const args = ['--check-static', join(base, 'none'), '--check-static', join(base, 'www'), '--static-dotfiles'];
    const mounts = ['--mount', '/=inspect.py', '--mount', '/sub=inspect.py'];
    doors = await openDoors([...mounts, ...args, '--check-static-docroot', '--static-gzip-all']);
  });
  after(() => doors.server.stop());

  test('looks for every path, and says at start which directory is not there', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/a.txt')).body, 'a file\n');
      assert.equal((await ask('/dir/sub/x.txt')).body, 'x\n');
      assert.match(doors.server.log, /WARNING: check-static \S+\/none: there is no \S+\/none yet/);
    }));

  test('lets the app have what is not there, with its mount point split off', () =>
    doors.each(async ({ ask }) => {
      const { environ } = JSON.parse((await ask('/sub/x?y=z')).body);
      assert.deepEqual([environ.SCRIPT_NAME, environ.PATH_INFO, environ.QUERY_STRING], ['/sub', '/x', 'y=z']);
      const { environ: root, bodyBytes } = JSON.parse((await ask('/x', { method: 'POST', body: 'abc' })).body);
      assert.deepEqual([root.SCRIPT_NAME, root.PATH_INFO, bodyBytes], ['', '/x', 3]);
    }));

  test('sends hidden files only where that is wanted, and directories without an index never', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/.env')).body, 'SECRET=1\n');
      assert.equal((await ask('/.well-known/security.txt')).body, 'Contact: x\n');
      for (const path of ['/', '/dir', '/dir/', '/.git/']) {
        assert.equal((await ask(path)).headers['content-type'], 'application/json', path);
      }
    }));

  test('looks where a uwsgi peer says its documents are', async () => {
    const [uws, , uwsgi] = doors.doors;
    const { packetOf } = await import('../../src/wire/uwsgi.js');
    const packet = packetOf([
      ['REQUEST_METHOD', 'GET'],
      ['PATH_INFO', '/s.txt'],
      ['DOCUMENT_ROOT', join(base, 'shared')],
    ]);
    const { answers } = await raw(doors.server.ports[2]!, packet);
    assert.equal(answers[0]?.body, 'shared\n');
    for (const door of [uws!, uwsgi!]) {
      const answer = await door.ask('/s.txt', { headers: [`Document-Root: ${join(base, 'shared')}`] });
      assert.equal(answer.headers['content-type'], 'application/json', door.name);
    }
  });
});

describe('static files without an app', () => {
  test('are all there is: the rest is 404', async () => {
    const doors = await openDoors(['--need-app=false', '--static-map', `/=${join(base, 'www')}`]);
    await doors.each(async ({ ask }) => {
      assert.equal((await ask('/a.txt')).body, 'a file\n');
      assert.equal((await ask('/none')).status, 404);
      assert.equal((await ask('/outer')).status, 403);
      assert.equal((await ask('/a.txt', { method: 'POST', body: 'x' })).status, 404);
    });
    await doors.server.stop();
  });
});

describe('downloads', () => {
  const GIB = 1 << 30;
  let server: TestServer;
  before(async () => {
    write('large/file', 'start');
    truncateSync(join(base, 'large/file'), GIB);
    const any = '127.0.0.1:0';
    const listeners = ['--http', any, '--http-socket', any, '--socket', any];
    server = await startServer([
      ...listeners,
      '--wsgi-file',
      'hello.py',
      '--static-map',
      `/large=${join(base, 'large')}`,
    ]);
  });
  after(() => server.stop());

  /** Descriptors by which the server has the large file open. */
  const openFiles = () =>
    readdirSync(`/proc/${server.pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${server.pid}/fd/${fd}`) === join(base, 'large/file');
      } catch {
        return false; // it has been closed meanwhile
      }
    }).length;

  /** Reads an answer to its end without keeping it. Returns its bytes. */
  async function drain(port: number, path: string): Promise<number> {
    const socket = await open(port);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    let bytes = 0;
    let expected = Number.POSITIVE_INFINITY;
    let head = '';
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        if (expected === Number.POSITIVE_INFINITY) {
          head += chunk.toString('latin1'); // it may come in pieces
          const end = head.indexOf('\r\n\r\n');
          if (end >= 0) expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
        }
        if (bytes >= expected) resolve();
      });
      socket.on('error', reject);
      socket.on('close', resolve);
    });
    socket.destroy();
    assert.equal(bytes, expected);
    return bytes;
  }

  for (const [index, name] of ['uWebSockets.js', 'node:http'].entries()) {
    test(`of 1 GiB take no memory (${name})`, { timeout: 60_000 }, async () => {
      await drain(server.ports[index]!, '/large/file');
      const before = rssBytes(server.pid);
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, rssBytes(server.pid));
      }, 20);
      assert((await drain(server.ports[index]!, '/large/file')) > GIB);
      clearInterval(watch);
      assert(most - before < 64 * MIB, `${Math.round((most - before) / MIB)} MiB more`);
    });
  }

  test('by 200 slow readers hold little memory, and nobody up', { timeout: 60_000 }, async () => {
    const idle = rssBytes(server.pid);
    const sockets = await Promise.all(Array.from({ length: 200 }, (_, i) => open(server.ports[i % 2]!)));
    for (const socket of sockets) {
      socket.pause(); // the kernel's buffers fill up, and then the server's
      socket.write('GET /large/file HTTP/1.1\r\nHost: test\r\n\r\n');
    }
    await until(() => openFiles() >= 200, 'every download has its file open');
    for (let i = 0; i < 5; i++) {
      assert.equal((await request(server.port, '/')).body, 'hello\n');
      assert.equal((await request(server.ports[1]!, '/large/none')).body, 'hello\n');
    }
    const held = rssBytes(server.pid) - idle;
    assert(held < 96 * MIB, `${Math.round(held / MIB)} MiB for 200 slow readers`);
    for (const socket of sockets) socket.destroy();
    await until(() => openFiles() === 0, 'every file is closed when its client has gone');
  });

  test('go on when a slow reader reads again', async () => {
    for (const port of server.ports.slice(0, 2)) {
      const socket = await open(port);
      socket.write(`GET /large/file HTTP/1.1\r\nHost: test\r\nRange: bytes=0-${32 * MIB - 1}\r\n\r\n`);
      let bytes = 0;
      for await (const chunk of socket) {
        bytes += chunk.length;
        if (bytes >= 32 * MIB) break;
        if (bytes < 4 * MIB) await new Promise((resolve) => setImmediate(resolve));
      }
      assert(bytes >= 32 * MIB);
    }
  });

  test('are cut off when the file gets shorter, so that nobody takes the rest for the end', async () => {
    for (const port of server.ports.slice(0, 2)) {
      write('large/shrinking', Buffer.alloc(64 * MIB));
      const socket = await open(port);
      socket.write('GET /large/shrinking HTTP/1.1\r\nHost: test\r\n\r\n');
      let bytes = 0;
      socket.on('error', () => {});
      await once(socket, 'readable'); // it has begun
      truncateSync(join(base, 'large/shrinking'), 32 * MIB);
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      await once(socket, 'close');
      assert(bytes < 64 * MIB, `${bytes} bytes`);
    }
  });

  test('are finished when the server is told to stop', async () => {
    const stopping = await startServer([
      ...['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py', '--static-map', `/large=${join(base, 'large')}`],
    ]);
    const socket = await open(stopping.port);
    socket.write(`GET /large/file HTTP/1.1\r\nHost: test\r\nRange: bytes=0-${64 * MIB - 1}\r\n\r\n`);
    await once(socket, 'readable');
    const ended = stopping.stop();
    await stopping.waitForLog(/SIGTERM received/);
    let bytes = 0;
    for await (const chunk of socket) {
      bytes += chunk.length;
      if (bytes > 64 * MIB) break;
    }
    assert(bytes > 64 * MIB, `${bytes} bytes`);
    await ended;
  });
});

describe('static files that cannot be opened', () => {
  test('because no descriptor is left are a 503, and are sent when there is one again', async () => {
    write('large/many', Buffer.alloc(MIB));
    const server = await startServer([
      ...['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py', '--static-map', `/large=${join(base, 'large')}`],
    ]);
    const limit = readdirSync(`/proc/${server.pid}/fd`).length + 8;
    execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${limit}:${limit}`]);
    const get = 'GET /large/many HTTP/1.1\r\nHost: test\r\n\r\n';
    const sockets = await Promise.all(Array.from({ length: 5 }, () => open(server.port)));
    const heads = sockets.map(async (socket) => {
      socket.write(get);
      await once(socket, 'readable');
      return (socket.read(12) as Buffer).toString('latin1');
    });
    const statuses = (await Promise.all(heads)).map((head) => head.slice(-3));
    assert(
      statuses.includes('503') && statuses.every((status) => status === '503' || status === '200'),
      statuses.join(),
    );
    await server.waitForLog(/\[uwsgi-fileserve\] cannot open \S+\/large\/many: EMFILE/);
    for (const socket of sockets) socket.destroy();
    const again = async () => (await raw(server.port, get, { answers: 1 })).answers[0]?.status;
    for (let status = await again(); status !== 200; status = await again()) assert.equal(status, 503);
    await server.stop();
  });

  test('because the server may not read them are forbidden', async () => {
    write('closed/secret', 'secret');
    write('closed/dir/x', 'secret');
    chmodSync(base, 0o755);
    chmodSync(join(base, 'closed/secret'), 0o600);
    chmodSync(join(base, 'closed/dir'), 0o700);
    const options = [
      '--uid',
      '65534',
      '--gid',
      '65534',
      '--need-app=false',
      '--static-map',
      `/closed=${join(base, 'closed')}`,
    ];
    const server = await startServer(['--http', '127.0.0.1:0', ...options]);
    assert.equal((await request(server.port, '/closed/secret')).status, 403);
    assert.equal((await request(server.port, '/closed/dir/x')).status, 404, 'nobody need know that it is there');
    await server.waitForLog(/\[uwsgi-fileserve\] cannot open \S+\/closed\/secret: EACCES/);
    await server.stop();
  });
});

describe('static files behind nginx', () => {
  test('come through proxy_pass and through uwsgi_pass', async () => {
    const any = '127.0.0.1:0';
    const server = await startServer([
      ...[
        '--http-socket',
        any,
        '--socket',
        any,
        '--wsgi-file',
        'hello.py',
        '--static-map',
        `/static=${join(base, 'www')}`,
      ],
    ]);
    const passes = [
      `proxy_pass http://127.0.0.1:${server.ports[0]};`,
      `include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:${server.ports[1]};`,
    ];
    for (const pass of passes) {
      const nginx = await Nginx.start(pass);
      const file = await request(nginx.port, '/static/big.bin');
      assert.equal(digest(Buffer.from(file.body, 'latin1')), digest(big), pass);
      const part = await request(nginx.port, '/static/a.txt', { headers: ['Range: bytes=0-0'] });
      assert.deepEqual([part.status, part.body], [206, 'a']);
      const { etag } = part.headers;
      assert.equal((await request(nginx.port, '/static/a.txt', { headers: [`If-None-Match: ${etag}`] })).status, 304);
      assert.equal((await request(nginx.port, '/static/a.txt', { method: 'HEAD' })).headers['content-length'], '7');
      assert.equal((await request(nginx.port, '/none')).body, 'hello\n');
      await nginx.stop();
    }
    await server.stop();
  });
});
