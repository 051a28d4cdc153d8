// Who the client is, when proxies stand in front: fields of trusted ones, the PROXY protocol of a real HAProxy, and what
// a client can do about it, which is nothing (row T9 of docs/security.md).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packetOf } from '../../src/wire/uwsgi.js';
import { selfSigned } from './certificates.js';
import { HaProxy } from './haproxy.js';
import { ENGINES, open, raw, request, runToEnd, startServer, type TestServer } from './harness.js';
import { freePort, Nginx } from './nginx.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-proxies-'));
after(() => rmSync(directory, { recursive: true }));

type Environ = Record<string, string>;
const environOf = (body: string) => (JSON.parse(body) as { environ: Environ }).environ;
const ask = async (port: number, headers: readonly string[] = []) =>
  environOf((await request(port, '/', { headers })).body);

const APP = ['--wsgi-file', 'inspect.py'];
const HTTPS_CLAIMED = ['X-Forwarded-For: 6.6.6.6, 192.0.2.7', 'X-Forwarded-Proto: https'];

for (const engine of ENGINES) {
  describe(`proxies in front of HTTP on ${engine}`, () => {
    const http = ['--http', '127.0.0.1:0', '--http-engine', engine];

    test('are believed where they are trusted: address, scheme and log', async () => {
      const server = await startServer([...http, '--trusted-proxies', '127.0.0.0/8,10.0.0.0/8', ...APP]);
      const environ = await ask(server.port, HTTPS_CLAIMED);
      assert.equal(environ.REMOTE_ADDR, '192.0.2.7');
      assert.equal(environ['wsgi.url_scheme'], 'https');
      assert.equal(environ.HTTPS, 'on');
      assert.equal(environ.HTTP_X_FORWARDED_FOR, '6.6.6.6, 192.0.2.7', 'the field stays as it is');
      await server.waitForLog(/\] 192\.0\.2\.7 \(\) \{/);
      const two = ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-For: 10.0.0.1'];
      assert.equal((await ask(server.port, two)).REMOTE_ADDR, '192.0.2.7', 'two fields are one list');
      const without = await ask(server.port);
      assert.equal(without.REMOTE_ADDR, '127.0.0.1');
      assert.equal(without['wsgi.url_scheme'], 'http');
      const refused = await request(server.port, '/', { headers: ['X-Forwarded-For: 192.0.2.8', 'Expect: x'] });
      assert.equal(refused.status, 417);
      await server.waitForLog(/refused 417 192\.0\.2\.8: /);
      await server.stop();
    });

    test('are not believed when they are others, or nobody is named', async () => {
      for (const trust of [[], ['--trusted-proxies', '10.0.0.0/8'], ['--trusted-proxies', 'unix:']]) {
        const server = await startServer([...http, ...trust, ...APP]);
        const environ = await ask(server.port, [...HTTPS_CLAIMED, 'Forwarded: for=192.0.2.7;proto=https']);
        assert.equal(environ.REMOTE_ADDR, '127.0.0.1');
        assert.equal(environ['wsgi.url_scheme'], 'http');
        assert.equal(environ.HTTP_X_FORWARDED_PROTO, 'https');
        assert(!('HTTPS' in environ));
        await server.stop();
      }
    });

    test('are believed in one family of fields only, the one they write', async () => {
      const trust = ['--trusted-proxies', '127.0.0.1'];
      const forwarded = 'Forwarded: for=192.0.2.8;proto=https';
      const usual = await startServer([...http, ...trust, ...APP]);
      assert.equal((await ask(usual.port, [forwarded])).REMOTE_ADDR, '127.0.0.1');
      assert.equal((await ask(usual.port, [forwarded, ...HTTPS_CLAIMED])).REMOTE_ADDR, '192.0.2.7');
      await usual.stop();
      const standard = await startServer([...http, ...trust, '--forwarded-header', 'forwarded', ...APP]);
      const environ = await ask(standard.port, [forwarded, ...HTTPS_CLAIMED]);
      assert.equal(environ.REMOTE_ADDR, '192.0.2.8');
      assert.equal(environ['wsgi.url_scheme'], 'https');
      assert.equal((await ask(standard.port, HTTPS_CLAIMED)).REMOTE_ADDR, '127.0.0.1');
      await standard.stop();
    });

    test('that come over a UNIX socket are trusted as unix:', async () => {
      const path = join(directory, `${engine}.sock`);
      const http = ['--http', path, '--http-engine', engine];
      const server = await startServer([...http, '--trusted-proxies', 'unix:', '--wsgi-file', 'inspect.mjs']);
      const fields = HTTPS_CLAIMED.flatMap((field) => ['-H', field]);
      const { stdout } = spawnSync('curl', ['-sS', '--unix-socket', path, ...fields, 'http://x/'], {
        encoding: 'utf8',
      });
      assert.equal(environOf(stdout).REMOTE_ADDR, '192.0.2.7');
      assert.equal(environOf(stdout)['wsgi.url_scheme'], 'https');
      await server.stop();
    });
  });
}

describe('a real nginx that says who its client is', () => {
  const fields = `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;`;
  test('is believed with proxy_pass; what its client adds is not', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const server = await startServer(['--http-socket', address, '--trusted-proxies', '127.0.0.1', ...APP]);
    const nginx = await Nginx.start(`${fields}\nproxy_pass http://${address};`);
    // nginx's client is on the same machine, and so is trusted as well: the field it sends is the next step
    const environ = await ask(nginx.port, ['X-Forwarded-For: 6.6.6.6, 192.0.2.7', 'X-Forwarded-Proto: https']);
    assert.equal(environ.REMOTE_ADDR, '192.0.2.7');
    assert.equal(environ['wsgi.url_scheme'], 'http', 'nginx has overwritten the scheme');
    await nginx.stop();
    await server.stop();
  });
});

describe('proxies in front of a uwsgi peer', () => {
  const packet = (more: readonly (readonly [string, string])[]) =>
    packetOf([['REQUEST_METHOD', 'GET'], ['PATH_INFO', '/'], ['REMOTE_ADDR', '10.0.0.1'], ...more]);
  const send = async (port: number, more: readonly (readonly [string, string])[]) => {
    const { answers } = await raw(port, packet(more));
    return environOf(answers[0]!.body);
  };

  test('are believed where its REMOTE_ADDR is one of them', async () => {
    const server = await startServer(['--socket', '127.0.0.1:0', '--trusted-proxies', '10.0.0.0/8', ...APP]);
    const claimed = [
      ['HTTP_X_FORWARDED_FOR', '6.6.6.6, 192.0.2.7'],
      ['HTTP_X_FORWARDED_PROTO', 'https'],
    ] as const;
    const environ = await send(server.port, claimed);
    assert.equal(environ.REMOTE_ADDR, '192.0.2.7');
    assert.equal(environ['wsgi.url_scheme'], 'https');
    await server.waitForLog(/\] 192\.0\.2\.7 \(\) \{/);
    const other = await send(server.port, [...claimed, ['REMOTE_ADDR', '192.0.2.9']]);
    assert.equal(other.REMOTE_ADDR, '192.0.2.9');
    assert.equal(other['wsgi.url_scheme'], 'http');
    await server.stop();
  });

  test('are not believed otherwise', async () => {
    const server = await startServer(['--socket', '127.0.0.1:0', ...APP]);
    const environ = await send(server.port, [
      ['HTTP_X_FORWARDED_FOR', '192.0.2.7'],
      ['HTTP_X_FORWARDED_PROTO', 'https'],
    ]);
    assert.equal(environ.REMOTE_ADDR, '10.0.0.1');
    assert.equal(environ['wsgi.url_scheme'], 'http');
    await server.stop();
  });
});

describe('the PROXY protocol', () => {
  const own = selfSigned(directory, 'localhost');
  let server: TestServer;
  let ports: { http: number; node: number; https: number };
  before(async () => {
    const sockets = ['--http', '127.0.0.1:0', '--http-socket', '127.0.0.1:0'];
    const https = ['--https', `127.0.0.1:0,${own.cert},${own.key}`];
    const options = ['--http-enable-proxy-protocol', '--enable-proxy-protocol', '--http-headers-timeout', '2'];
    server = await startServer([...sockets, ...https, ...options, '--wsgi-file', 'inspect.py']);
    const [http, node, secure] = server.ports as [number, number, number];
    ports = { http, node, https: secure };
  });
  after(() => server.stop());

  for (const version of ['send-proxy', 'send-proxy-v2']) {
    test(`of a real HAProxy with ${version} names the client and its port`, async () => {
      for (const port of [ports.http, ports.node]) {
        const proxy = await HaProxy.start(`127.0.0.1:${port} ${version}`);
        const socket = await open(proxy.port);
        const { localPort } = socket;
        socket.destroy();
        const { answers } = await raw(
          proxy.port,
          'GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n',
          {
            answers: 2,
          },
        );
        const environs = answers.map(({ body }) => environOf(body));
        assert.deepEqual(
          environs.map(({ PATH_INFO }) => PATH_INFO),
          ['/a', '/b'],
        );
        for (const environ of environs) {
          assert.equal(environ.REMOTE_ADDR, '127.0.0.1');
          assert.match(environ.REMOTE_PORT!, /^\d+$/);
          assert.notEqual(environ.REMOTE_PORT, String(localPort));
        }
        await proxy.stop();
      }
    });

    test(`of a real HAProxy with ${version} stands in front of TLS too`, async () => {
      const proxy = await HaProxy.start(`127.0.0.1:${ports.https} ${version}`);
      const resolve = ['--cacert', own.cert, '--resolve', `localhost:${proxy.port}:127.0.0.1`];
      for (let i = 0; i < 10; i++) {
        const args = ['-sS', ...resolve, `https://localhost:${proxy.port}/`];
        const { stdout, stderr } = spawnSync('curl', args, { encoding: 'utf8' });
        assert.equal(stderr, '');
        assert.equal(environOf(stdout).HTTPS, 'on');
        assert.match(environOf(stdout).REMOTE_PORT!, /^\d+$/);
      }
      await proxy.stop();
    });
  }

  const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  const LINE = 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n';

  test('names whoever it says, and may come in pieces', async () => {
    for (const port of [ports.http, ports.node]) {
      const { answers } = await raw(port, LINE + GET, { answers: 1 });
      assert.equal(environOf(answers[0]!.body).REMOTE_ADDR, '192.0.2.7');
      assert.equal(environOf(answers[0]!.body).REMOTE_PORT, '4711');
      const socket = await open(port);
      for (const piece of [LINE.slice(0, 3), LINE.slice(3), GET.slice(0, 5), GET.slice(5)]) {
        await new Promise((resolve) => socket.write(piece, resolve));
      }
      const body = await new Promise<string>((resolve) => {
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk;
          if (text.endsWith('}')) resolve(text.slice(text.indexOf('{')));
        });
      });
      assert.equal(environOf(body).REMOTE_ADDR, '192.0.2.7');
      socket.destroy();
    }
    await server.waitForLog(/\] 192\.0\.2\.7 \(\) \{/);
  });

  test('names the client of each connection over a UNIX socket, where nothing else tells them apart', async () => {
    const path = join(directory, 'preface.sock');
    const args = ['--http-socket', path, '--enable-proxy-protocol', '--wsgi-file', 'inspect.mjs'];
    const unix = await startServer(args);
    const names = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const sockets = names.map(() => connect(path).setEncoding('utf8'));
    for (const [i, socket] of sockets.entries()) socket.write(`PROXY TCP4 ${names[i]} 192.0.2.9 ${i} 80\r\n`);
    for (const [i, socket] of [...sockets.entries()].reverse()) {
      socket.write(GET);
      const [answer] = (await once(socket, 'data')) as [string];
      const environ = environOf(answer.slice(answer.indexOf('{')));
      assert.deepEqual([environ.REMOTE_ADDR, environ.REMOTE_PORT], [names[i], String(i)]);
    }
    for (const socket of sockets) socket.destroy();
    await unix.stop();
    const tls = ['--https-socket', `${path},${own.cert},${own.key}`, '--enable-proxy-protocol', ...APP];
    const { code, output } = await runToEnd(tls);
    assert.equal(code, 2);
    assert.match(output, /https-socket: TLS with the PROXY protocol needs a TCP address/);
  });

  test('is needed: a connection without it is closed, and the log says why', async () => {
    for (const port of [ports.http, ports.node, ports.https]) {
      const from = server.log.length;
      const { bytes, closed } = await raw(port, GET);
      assert(closed && bytes === '');
      await server.waitForLog(
        /refused 400 127\.0\.0\.1: the connection does not begin with a PROXY protocol header/,
        from,
      );
    }
  });

  test('counts once: a second header is a request that is refused', async () => {
    for (const port of [ports.http, ports.node]) {
      const { answers } = await raw(port, `${LINE}PROXY TCP4 6.6.6.6 192.0.2.1 1 2\r\n${GET}`);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [400],
      );
    }
  });

  test('that never ends is given up, and a connection that says nothing is no matter for the log', async () => {
    const from = server.log.length;
    const silent = await open(ports.node);
    silent.end();
    const { closed } = await raw(ports.node, LINE.slice(0, 10));
    assert(closed);
    await server.waitForLog(/refused 408 127\.0\.0\.1: the PROXY header did not come within 2000 ms/, from);
    assert.equal(server.log.slice(from).match(/refused 408/g)!.length, 1);
    assert.doesNotMatch(server.log.slice(from), /ends in the middle/);
  });

  test('puts --http on node:http, and says so; asked for uWebSockets.js it does not start', async () => {
    assert.match(server.log, /^--http runs on node:http: uWebSockets\.js would let clients write PROXY headers/m);
    const args = ['--http', ':0', '--http-enable-proxy-protocol', '--http-engine', 'uws', ...APP];
    const { code, output } = await runToEnd(args);
    assert.equal(code, 2);
    assert.match(
      output,
      /http: uWebSockets\.js would let clients write PROXY headers of their own; use http-engine = node/,
    );
  });

  test('is taken from trusted proxies only, where they are named', async () => {
    const trust = ['--enable-proxy-protocol', '--trusted-proxies', '10.0.0.0/8'];
    const strict = await startServer(['--http-socket', '127.0.0.1:0', ...trust, ...APP]);
    assert.equal((await raw(strict.port, LINE + GET)).bytes, '');
    await strict.waitForLog(/refused 403 127\.0\.0\.1: the peer is not in trusted-proxies/);
    await strict.stop();
    const both = ['--enable-proxy-protocol', '--trusted-proxies', '127.0.0.1,192.0.2.7'];
    const open = await startServer(['--http-socket', '127.0.0.1:0', ...both, ...APP]);
    const fields = 'GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n';
    const { answers } = await raw(open.port, LINE + fields, { answers: 1 });
    assert.equal(environOf(answers[0]!.body).REMOTE_ADDR, '198.51.100.1', 'whom it names may be a proxy as well');
    await open.stop();
  });
});

describe('who may connect to a uwsgi socket', () => {
  const packet = packetOf([
    ['REQUEST_METHOD', 'GET'],
    ['PATH_INFO', '/'],
  ]);

  test('is said by --uwsgi-allow', async () => {
    const server = await startServer(['--socket', '127.0.0.1:0', '--uwsgi-allow', '10.0.0.0/8', ...APP]);
    assert.equal((await raw(server.port, packet)).bytes, '');
    await server.waitForLog(/refused 403 127\.0\.0\.1: the peer is not in uwsgi-allow/);
    await server.stop();
    const path = join(directory, 'allow.sock');
    const allowed = ['--uwsgi-allow', '10.0.0.0/8', '--uwsgi-allow', '127.0.0.0/8'];
    const open = await startServer(['--socket', '127.0.0.1:0', '--socket', path, ...allowed, ...APP]);
    assert.equal((await raw(open.port, packet)).answers[0]?.status, 200);
    assert.equal((await runToEnd(['curl', path, '/'])).code, 0, 'a UNIX socket has permissions of its own');
    await open.stop();
  });

  test('is worth a warning when it is everybody', async () => {
    const exposed = await startServer(['--socket', ':0', ...APP]);
    assert.match(exposed.log, /^WARNING: --socket :0: whoever reaches a uwsgi socket is believed/m);
    await exposed.stop();
    for (const args of [
      ['--socket', '127.0.0.1:0'],
      ['--socket', ':0', '--uwsgi-allow', '10.0.0.1'],
    ]) {
      const guarded = await startServer([...args, ...APP]);
      assert.doesNotMatch(guarded.log, /WARNING/);
      await guarded.stop();
    }
  });
});
