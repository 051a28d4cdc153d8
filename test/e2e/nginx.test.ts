// Behind a real nginx, as the user's text shows it: uwsgi_pass to --socket, and proxy_pass (HTTP/1.0) to --http-socket,
// over TCP and UNIX sockets. nginx's configuration has not a word about nuwsgi.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { open, ROOT, request, startServer, type TestServer } from './harness.js';
import { freePort, Nginx } from './nginx.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));

interface Setting {
  readonly name: string;
  readonly option: string;
  readonly protocol: string;
  /** The address as nuwsgi takes it, and what stands in nginx's location. */
  make(): Promise<{ address: string; location: string }>;
}

const unixPath = (name: string) => join(directory, name);
const SETTINGS: readonly Setting[] = [
  {
    name: 'uwsgi_pass over TCP',
    option: '--socket',
    protocol: 'HTTP/1.1',
    async make() {
      const address = `127.0.0.1:${await freePort()}`;
      return { address, location: `include /etc/nginx/uwsgi_params;\nuwsgi_pass ${address};` };
    },
  },
  {
    name: 'uwsgi_pass over a UNIX socket',
    option: '--socket',
    protocol: 'HTTP/1.1',
    async make() {
      const path = unixPath('uwsgi.sock');
      return { address: path, location: `include /etc/nginx/uwsgi_params;\nuwsgi_pass unix:${path};` };
    },
  },
  {
    name: 'proxy_pass over TCP',
    option: '--http-socket',
    protocol: 'HTTP/1.0',
    async make() {
      const address = `127.0.0.1:${await freePort()}`;
      return { address, location: `proxy_pass http://${address};` };
    },
  },
  {
    name: 'proxy_pass over a UNIX socket',
    option: '--http-socket',
    protocol: 'HTTP/1.0',
    async make() {
      const path = unixPath('http.sock');
      return { address: path, location: `proxy_pass http://unix:${path};` };
    },
  },
];

/** The user's text has no more than this in `location / { }`, and the command beside it. */
const AS_PRINTED: readonly (readonly [option: string, location: (address: string) => string])[] = [
  ['--socket', (address) => `uwsgi_pass ${address};`],
  ['--http-socket', (address) => `proxy_pass http://${address};`],
];

describe("nginx as the user's text has it, word for word", () => {
  for (const [option, location] of AS_PRINTED) {
    test(location('127.0.0.1:9090'), async () => {
      const address = `127.0.0.1:${await freePort()}`;
      const server = await startServer([option, address, '--wsgi-file', 'foobar.py'], { cwd: join(ROOT, 'examples') });
      const nginx = await Nginx.start(location(address));
      const answer = await request(nginx.port, '/');
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'Hello, uwsgi_file_foobar\n');
      const isBare = /WARNING: 127\.0\.0\.1 sends requests without REQUEST_METHOD .*"include uwsgi_params;"/;
      if (option === '--socket') await server.waitForLog(isBare);
      await nginx.stop();
      await server.stop();
    });
  }
});

const sizes = [0, 1, 65536, 200 * 1024 * 1024];

/** Posts `bytes` bytes with curl and returns what the app says of them. */
function upload(port: number, bytes: number, chunked: boolean): string {
  const how = chunked ? ['-H', 'Transfer-Encoding: chunked'] : [];
  const url = `http://127.0.0.1:${port}/sha`;
  const curl = `head -c ${bytes} /dev/zero | curl -sS -X POST ${how.map((arg) => `'${arg}'`).join(' ')} -H Expect: --data-binary @- ${url}`;
  return execFileSync('/bin/sh', ['-c', curl], { encoding: 'utf8' });
}

function expected(bytes: number): string {
  const hash = createHash('sha256');
  const block = Buffer.alloc(1 << 20);
  for (let left = bytes; left > 0; left -= block.length) hash.update(block.subarray(0, Math.min(left, block.length)));
  return `${bytes} ${hash.digest('hex')}`;
}

for (const setting of SETTINGS) {
  describe(`behind nginx: ${setting.name}`, () => {
    let server: TestServer;
    let nginx: Nginx;

    before(async () => {
      const { address, location } = await setting.make();
      const workers = ['--processes', '2', '--threads', '2', '--disable-logging'];
      server = await startServer([setting.option, address, '--wsgi-file', 'behind_proxy.py', ...workers]);
      nginx = await Nginx.start(location);
    });
    after(async () => {
      await nginx.stop();
      await server.stop();
      assert.doesNotMatch(server.log, /AssertionError|Traceback/);
    });

    test('a GET and its variables', async () => {
      const answer = await request(nginx.port, '/environ?a=b%20c');
      assert.equal(answer.status, 200);
      const lines = answer.body.split('\n');
      assert(lines.includes('REQUEST_METHOD=GET'), answer.body);
      assert(lines.includes('REQUEST_URI=/environ?a=b%20c'), answer.body);
      assert(lines.includes('QUERY_STRING=a=b%20c'), answer.body);
      assert(lines.includes(`SERVER_PROTOCOL=${setting.protocol}`), answer.body);
    });

    for (const bytes of sizes) {
      test(`a POST of ${bytes} bytes arrives whole`, () => {
        assert.equal(upload(nginx.port, bytes, false), expected(bytes));
      });
    }

    test('a chunked upload arrives whole', () => {
      assert.equal(upload(nginx.port, 300_000, true), expected(300_000));
    });

    test('a HEAD has the head of the GET and no body', async () => {
      const answer = await request(nginx.port, '/', { method: 'HEAD' });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-length'], '6');
    });

    test('a 304 has no body, and the connection goes on', async () => {
      const answer = await request(nginx.port, '/not-modified');
      assert.equal(answer.status, 304);
      assert.equal(answer.headers.etag, '"1"');
      assert.equal((await request(nginx.port, '/')).body, 'hello\n');
    });

    test('an answer in parts comes whole', async () => {
      assert.equal((await request(nginx.port, '/parts')).body, 'x'.repeat(50));
    });

    test('a client that leaves in the middle of an answer ends the iteration', async () => {
      const from = server.log.length;
      const socket = await open(nginx.port);
      socket.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
      await server.waitForLog(/closed after \d+ parts/, from);
    });

    /** Loads the server for two seconds. Returns how many requests were answered; none may fail. */
    async function load(): Promise<number> {
      const url = `http://127.0.0.1:${nginx.port}/`;
      const wrk = spawn('wrk', ['-t1', '-c16', '-d2s', url], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      wrk.stdout.on('data', (chunk) => {
        output += chunk;
      });
      await once(wrk, 'close');
      assert.doesNotMatch(output, /Socket errors|Non-2xx/, output);
      const count = Number(/(\d+) requests in/.exec(output)?.[1]);
      assert(count > 0, output);
      return count;
    }

    test('20 000 requests, and none fails', async () => {
      let requests = 0;
      while (requests < 20_000) requests += await load();
    });

    test('requests while the app is reloaded, and none fails', async () => {
      const loading = load();
      for (let reloads = 0; reloads < 3; reloads++) {
        const from = server.log.length;
        server.child.kill('SIGHUP');
        await server.waitForLog(/reloaded in \d+ ms \(SIGHUP\)/, from);
      }
      await loading;
    });
  });
}
