// TLS on every listener that has it, with certificates made by openssl, and real clients: curl, openssl, nginx.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { selfSigned, signedBy } from './certificates.js';
import { ENGINES, request, runToEnd, startServer, type TestServer, until } from './harness.js';
import { freePort, Nginx } from './nginx.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-https-'));
after(() => rmSync(directory, { recursive: true }));
const own = selfSigned(directory, 'localhost');
const ca = selfSigned(directory, 'ca');
const client = signedBy(ca, directory, 'client');
const stranger = selfSigned(directory, 'stranger');
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
};

interface Seen {
  readonly environ: Record<string, string>;
  readonly bodyBytes: number;
}

/** Asks with curl, which checks the certificate. Returns what it prints, or its exit code. */
function curl(port: number, ...how: string[]): string | number {
  const url = `https://localhost:${port}/a%20b?c=d`;
  const args = ['-sS', '-m', '10', '--cacert', own.cert, '--resolve', `localhost:${port}:127.0.0.1`, ...how, url];
  const { status, stdout } = spawnSync('curl', args, { encoding: 'utf8' });
  return status === 0 ? stdout : (status ?? -1);
}
const CURL_TLS_FAILED = [35, 52, 55, 56]; // in the handshake, or at the first byte behind it: the server's alert may come that late

describe('HTTPS', () => {
  for (const engine of ENGINES) {
    describe(`on ${engine}`, () => {
      let server: TestServer;
      before(async () => {
        const apps = ['--mount', '/=inspect.py', '--mount', '/js=inspect.mjs', '--mount', '/proxy=behind_proxy.py'];
        const address = `127.0.0.1:0,${own.cert},${own.key}`;
        server = await startServer(['--https', address, '--http-engine', engine, ...apps]);
      });
      after(() => server.stop());

      test('the app is told', () => {
        const { environ } = JSON.parse(curl(server.port) as string) as Seen;
        assert.equal(environ.HTTPS, 'on');
        assert.equal(environ['wsgi.url_scheme'], 'https');
        assert.equal(environ.SERVER_PORT, String(server.port));
        assert.equal(environ.REMOTE_ADDR, '127.0.0.1');
        assert.equal(environ.PATH_INFO, '/a b');
      });

      test('a JavaScript app is told too', async () => {
        const { body } = await get(server.port, '/js');
        const { environ } = JSON.parse(body) as Seen;
        assert.equal(environ.HTTPS, 'on');
        assert.equal(environ['wsgi.url_scheme'], 'https');
      });

      test('a body of 5 MiB arrives whole', () => {
        const body = file('body', 'x'.repeat(5 << 20));
        const { bodyBytes } = JSON.parse(curl(server.port, '--data-binary', `@${body}`) as string) as Seen;
        assert.equal(bodyBytes, 5 << 20);
      });

      test('an answer in parts comes whole', async () => {
        assert.equal((await get(server.port, '/proxy/parts')).body, 'x'.repeat(50));
      });

      test('a HEAD has no body', async () => {
        const answer = await get(server.port, '/proxy/', 'HEAD');
        assert.equal(answer.headers['content-length'], '6');
        assert.equal(answer.body, '');
      });

      for (const [version, isSpoken] of [
        ['-tls1', false],
        ['-tls1_1', false],
        ['-tls1_2', true],
        ['-tls1_3', true],
      ] as const) {
        test(`${version} is ${isSpoken ? 'spoken' : 'refused'}`, () => {
          // the client offers what it would not offer by itself any more
          const args = ['s_client', '-connect', `127.0.0.1:${server.port}`, version, '-cipher', 'DEFAULT@SECLEVEL=0'];
          const { stdout, status } = spawnSync('openssl', args, { input: '', encoding: 'utf8' });
          assert.equal(status === 0, isSpoken, stdout);
          assert.equal(/Cipher is \(NONE\)/.test(stdout), !isSpoken, stdout);
        });
      }

      test('HTTP without TLS gets no answer from the app', () => {
        const { stdout } = spawnSync('curl', ['-sS', '-m', '5', `http://127.0.0.1:${server.port}/`], {
          encoding: 'utf8',
        });
        assert.doesNotMatch(stdout, /environ/);
      });
    });
  }

  test('ciphers are those asked for', async () => {
    const [one, other] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
    const address = `127.0.0.1:0,${own.cert},${own.key},${one}`;
    const server = await startServer(['--https', address, '--https-socket', address, '--wsgi-file', 'inspect.mjs']);
    for (const port of server.ports) {
      assert.match(String(curl(port, '--tls-max', '1.2', '--ciphers', one)), /environ/);
      assert(CURL_TLS_FAILED.includes(curl(port, '--tls-max', '1.2', '--ciphers', other) as number));
    }
    await server.stop();
  });

  test('certificates of clients are checked where they are given, and needed where the file has a !', async () => {
    const address = `127.0.0.1:0,${own.cert},${own.key}`;
    const sockets = ['--https', `${address},,${ca.cert}`, '--https-socket', `${address},,${ca.cert}`];
    const needed = ['--https', `${address},,!${ca.cert}`];
    const server = await startServer([...sockets, ...needed, '--wsgi-file', 'inspect.mjs']);
    const [uws, strict, node] = server.ports as [number, number, number];
    await server.waitForLog(
      /^--https runs on node:http: uWebSockets\.js cannot refuse clients that have no certificate$/m,
    );
    const withCert = (pair: typeof client) => ['--cert', pair.cert, '--key', pair.key];
    for (const port of [uws, node, strict]) assert.match(String(curl(port, ...withCert(client))), /environ/);
    for (const port of [uws, node]) assert.match(String(curl(port)), /environ/);
    for (const how of [[], withCert(stranger)]) {
      assert(CURL_TLS_FAILED.includes(curl(strict, ...how) as number), `${how}`);
    }
    assert(CURL_TLS_FAILED.includes(curl(uws, ...withCert(stranger)) as number));
    await server.stop();
    const refused = await runToEnd([...needed, '--http-engine', 'uws', '--wsgi-file', 'inspect.mjs']);
    assert.equal(refused.code, 2);
    assert.match(refused.output, /cannot refuse clients that have no certificate; use http-engine = node/);
  });
});

/** A request on a connection of its own, with the certificate checked. */
function get(port: number, path: string, method = 'GET') {
  interface Answer {
    readonly headers: Record<string, string | string[] | undefined>;
    readonly body: string;
  }
  return new Promise<Answer>((resolve, reject) => {
    const options = { port, path, method, host: '127.0.0.1', ca: readFileSync(own.cert), agent: false };
    const outgoing = httpsRequest(options, (incoming) => {
      let body = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk) => {
        body += chunk;
      });
      incoming.on('end', () => resolve({ headers: incoming.headers, body }));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('connections that do not shake hands', () => {
  test('are counted as all others, those beyond the limit are closed, and all are given up after a while', async () => {
    const address = `127.0.0.1:0,${own.cert},${own.key}`;
    const sockets = ['--https', address, '--https-socket', address, '--suwsgi-socket', address];
    const under = ['prlimit', '--nofile=160:160'];
    const args = ['--http-headers-timeout', '2', '--wsgi-file', 'inspect.mjs'];
    const server = await startServer([...sockets, ...args], { under });
    for (const port of server.ports) {
      const from = server.log.length;
      const silent = Array.from({ length: 120 }, () => connectTcp(port, '127.0.0.1').on('error', () => {}));
      await Promise.race(silent.map((socket) => once(socket, 'close')));
      await server.waitForLog(/connections are open, the most for this limit of open files/, from);
      await server.waitForLog(/there is room for connections again/, from);
      for (const socket of silent) socket.destroy();
    }
    assert.match(String(curl(server.port)), /environ/);
    await server.stop();
  });
});

describe('a certificate that is renewed', () => {
  test('is used after a reload, on every engine, for new connections; those that are open go on', async () => {
    const pair = { cert: join(directory, 'renewed.pem'), key: join(directory, 'renewed.key') };
    const install = ({ cert, key }: typeof pair) => {
      copyFileSync(cert, pair.cert);
      copyFileSync(key, pair.key);
    };
    install(own);
    const address = `127.0.0.1:0,${pair.cert},${pair.key}`;
    const sockets = ['--https', address, '--https-socket', address, '--suwsgi-socket', address];
    const server = await startServer([...sockets, '--wsgi-file', 'inspect.mjs']);
    /** The subject of the certificate that a new connection is shown. */
    const subjectOn = async (port: number) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      return { socket, name: subject.CN };
    };
    const before = await Promise.all(server.ports.map(subjectOn));
    assert.deepEqual(
      before.map(({ name }) => name),
      ['localhost', 'localhost', 'localhost'],
    );

    writeFileSync(pair.cert, 'this is no certificate');
    await reload(
      server,
      /WARNING: --https: .*renewed\.pem: there is no certificate .*; the certificate of before stays in use/,
    );
    assert.equal((await subjectOn(server.ports[0]!)).name, 'localhost');

    install(stranger);
    await reload(server, /--suwsgi-socket: the certificate .*renewed\.pem is renewed/);
    const after = await Promise.all(server.ports.map(subjectOn));
    assert.deepEqual(
      after.map(({ name }) => name),
      ['stranger', 'stranger', 'stranger'],
    );
    for (const { socket } of [before[0]!, before[1]!, after[0]!, after[1]!]) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/);
    }
    for (const { socket } of [...before, ...after]) socket.destroy();

    const from = server.log.length;
    await reload(server, /reloaded in/);
    assert.doesNotMatch(server.log.slice(from), /is renewed/, 'nothing is done when it is the same');
    await server.stop();
  });

  /** Asks for a reload; waits until it is done and the log says `pattern`. */
  async function reload(server: TestServer, pattern: RegExp): Promise<void> {
    const from = server.log.length;
    server.child.kill('SIGHUP');
    await server.waitForLog(pattern, from);
    await server.waitForLog(/reloaded in/, from);
  }

  test('is swapped without a refused connection', async () => {
    const pair = { cert: join(directory, 'busy.pem'), key: join(directory, 'busy.key') };
    const server = await (async () => {
      copyFileSync(own.cert, pair.cert);
      copyFileSync(own.key, pair.key);
      return startServer(['--https', `127.0.0.1:0,${pair.cert},${pair.key}`, '--wsgi-file', 'inspect.mjs']);
    })();
    let isOver = false;
    let answers = 0;
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        const [answer] = (await once(socket, 'data')) as [Buffer]; // rejects when it is refused or reset
        assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/);
        socket.destroy();
        answers++;
      }
    });
    for (const next of [stranger, own, stranger]) {
      copyFileSync(next.cert, pair.cert);
      copyFileSync(next.key, pair.key);
      const seen = answers;
      await reload(server, /is renewed/);
      await until(() => answers > seen + 20, 'answers by the new certificate');
    }
    isOver = true;
    await Promise.all(clients);
    await server.stop();
  });
});

describe('certificates that cannot be used', () => {
  const text = (path: string) => readFileSync(path, 'utf8');
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const lines = text(own.cert).trimEnd().split('\n').length;
  execFileSync('openssl', ['x509', '-in', own.cert, '-outform', 'der', '-out', join(directory, 'own.der')]);
  execFileSync('openssl', [
    'pkey',
    '-in',
    own.key,
    '-aes128',
    '-passout',
    'pass:x',
    '-out',
    join(directory, 'locked.key'),
  ]);
  const chain = file('chain.pem', text(own.cert) + broken);
  // biome-ignore format: a table
  const CASES: readonly (readonly [what: string, files: string, message: string])[] = [
    ['a file that is not there',  `${directory}/no.pem,${own.key}`,   `${directory}/no.pem: there is no such file`],
    ['a directory',               `${directory},${own.key}`,          `${directory}: it is a directory, not a file`],
    ['files the wrong way round', `${own.key},${own.cert}`,           `${own.key}: there is a private key in it and no certificate: are the two files swapped?`],
    ['the key of another one',    `${own.cert},${stranger.key}`,      `${stranger.key}: the key is not that of the certificate ${own.cert}`],
    ['no key at all',             own.cert,                           `${own.cert}: there is no private key in PEM form in it`],
    ['DER instead of PEM',        `${directory}/own.der,${own.key}`,  `${directory}/own.der: there is no certificate in PEM form in it; if it is DER:`],
    ['a broken chain',            `${chain},${own.key}`,              `${chain}:${lines + 1}: the certificate that begins here cannot be read:`],
    ['a key with a passphrase',   `${own.cert},${directory}/locked.key`, `${directory}/locked.key: the key is encrypted: store it without a passphrase`],
    ['a cipher that nobody knows', `${own.cert},${own.key},NOPE`,     `${own.cert}: ciphers "NOPE":`],
    ['certificates of clients that are none', `${own.cert},${own.key},,${own.key}`, `${own.key}: there is a private key in it and no certificate`],
  ];
  for (const [what, files, message] of CASES) {
    test(`${what}: told with the file, before the app is loaded`, async () => {
      const { code, output } = await runToEnd(['--https', `127.0.0.1:0,${files}`, '--wsgi-file', 'hello.py']);
      assert.equal(code, 1);
      assert(output.includes(`nuwsgi: --https: ${message}`), output);
      assert.doesNotMatch(output, /loaded/);
    });
  }

  test('a key that others can read is told', async () => {
    const open = file('open.key', text(own.key));
    chmodSync(open, 0o644);
    const server = await startServer(['--https', `127.0.0.1:0,${own.cert},${open}`, '--wsgi-file', 'inspect.mjs']);
    assert(
      server.log.includes(`WARNING: --https: ${open}: the private key can be read or changed by others: chmod 600`),
    );
    await server.stop();
  });

  test('certificate and key may be in one file', async () => {
    const both = file('both.pem', text(own.key) + text(own.cert));
    const sockets = ['--https', `127.0.0.1:0,${both}`, '--https-socket', `127.0.0.1:0,${both}`];
    const server = await startServer([...sockets, '--wsgi-file', 'inspect.mjs']);
    for (const port of server.ports) assert.match(String(curl(port)), /environ/);
    await server.stop();
  });
});

describe('--http-to-https', () => {
  for (const engine of ENGINES) {
    test(`sends clients to the same place on the port of --https, on ${engine}`, async () => {
      const https = ['--https', `127.0.0.1:0,${own.cert},${own.key}`];
      const args = ['--http-to-https', '127.0.0.1:0', ...https, '--http-engine', engine, '--wsgi-file', 'inspect.mjs'];
      const server = await startServer(args);
      const [secure, plain] = server.ports as [number, number];
      const moved = await request(plain, '/a%20b?c=d', { headers: ['X-One: 1'] });
      assert.equal(moved.status, 301);
      assert.equal(moved.headers.location, `https://test:${secure}/a%20b?c=d`);
      const posted = await request(plain, '/form', { method: 'POST', body: 'x'.repeat(1000) });
      assert.equal(posted.status, 308);
      assert.equal(posted.headers.location, `https://test:${secure}/form`);
      assert.equal((await request(plain, '/', { method: 'HEAD' })).status, 301);
      await server.waitForLog(/GET \/a%20b\?c=d => generated 18 bytes .* \(HTTP\/1\.1 301\)/);
      await server.stop();
    });
  }
});

describe('uwsgi over TLS', () => {
  test('is what nginx speaks with uwsgi_pass suwsgi://', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const socket = ['--suwsgi-socket', `${address},${own.cert},${own.key}`];
    const server = await startServer([...socket, '--wsgi-file', 'behind_proxy.py']);
    const nginx = await Nginx.start(`include /etc/nginx/uwsgi_params;\nuwsgi_pass suwsgi://${address};`);
    assert.equal((await request(nginx.port, '/')).body, 'hello\n');
    assert.match((await request(nginx.port, '/sha', { method: 'POST', body: 'x'.repeat(300_000) })).body, /^300000 /);
    assert.equal((await request(nginx.port, '/parts')).body, 'x'.repeat(50));
    await nginx.stop();
    await server.stop();
  });
});
