// Where one request ends and the next begins: rows T1 to T4 of docs/security.md, pipelining, and the end of a
// connection. A server and a proxy in front of it that disagree here can be made to take one client's bytes for
// another client's request (request smuggling).
//
// Written from RFC 9112 sections 2.2, 6 and 7, and 9.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ENGINES, open, raw, request, startOn, until } from './harness.js';
import { assertRefused, type BadRequest, type Entry, forEach, JournalServer, SMUGGLED } from './http-contract.js';

const post = (fields: string, body = '') => `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked', body);

/** A field with each of `values`, in front of a body of five bytes. */
const each = (field: string, values: readonly string[], rest: Omit<BadRequest, 'name' | 'bytes'>): BadRequest[] =>
  values.map((value) => ({
    name: `${field}: ${JSON.stringify(value)}`,
    bytes: post(`${field}: ${value}`, 'hello'),
    ...rest,
  }));

/** Open files of bodies that a server has spooled, in `directory`: most have no name. */
function spooledFiles(pid: number, directory: string): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(`${directory}/`);
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

const LENGTHS: readonly BadRequest[] = [
  {
    name: 'Content-Length before Transfer-Encoding',
    bytes: post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    status: 400,
    uws: 'itself',
  },
  {
    name: 'Transfer-Encoding before Content-Length',
    bytes: post('Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
    status: 400,
    uws: 'itself',
  },
  {
    name: 'a request behind a body that ends at the one and not at the other',
    bytes: post('Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${SMUGGLED}`),
    status: 400,
    uws: 'itself',
  },
  {
    name: 'two Content-Length that differ',
    bytes: post(`Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}`, SMUGGLED),
    status: 400,
    uws: 'closes',
  },
  {
    name: 'two Content-Length that are equal',
    bytes: post('Content-Length: 3\r\nContent-Length: 3', 'abc'),
    status: 400,
  },
  ...each('Content-Length', ['3, 3', '5,', '+5', '-5', '-0', '0x5', '1_0', '5 5', '5;', '5.0', '1e1', ''], {
    status: 400,
  }),
  ...each('Content-Length', ['9007199254740993', '18446744073709551621', '99999999999999999999999'], { status: 400 }),
  { name: 'Content-Length in other digits', bytes: post('Content-Length: \xd9\xa5', 'hello'), status: 400 },
];

const CODINGS: readonly BadRequest[] = [
  // 501 for what is a coding, 400 for what is none; which of them is a matter of taste, and of the engine
  ...each('Transfer-Encoding', ['identity', 'gzip', 'chunkedchunked', 'xchunked', '"chunked"', 'chunk ed', ''], {
    status: [400, 501],
  }),
  ...each('Transfer-Encoding', ['gzip, chunked', 'chunked;q=1', 'chunked, chunked', 'chunked, gzip'], {
    status: [400, 501],
  }),
  ...each('Transfer-Encoding', ['chunked\x0b', 'chun\0ked'], { status: 400, uws: 'itself' }),
  // in UTF-8 a sign that becomes a k in lower case
  ...each('Transfer-Encoding', ['chun\xe2\x84\xaaed'], { status: [400, 501] }),
  {
    name: 'two Transfer-Encoding',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    status: 400,
  },
  {
    name: 'a second Transfer-Encoding that means nothing',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'),
    status: 400,
  },
];

const LAX = { limit: 'chunk-syntax', instead: 'taken' } as const;
const WAITS = { limit: 'chunk-syntax', instead: 'hangs' } as const;

const CHUNKS: readonly BadRequest[] = [
  { name: 'a size that is no number', bytes: chunked('g\r\nhello\r\n0\r\n\r\n'), status: 400, uws: WAITS },
  {
    name: 'a size between the digits and the letters',
    bytes: chunked(':\r\nhello\r\n0\r\n\r\n'),
    status: 400,
    uws: WAITS,
  },
  { name: 'a size below zero', bytes: chunked('-5\r\nhello\r\n0\r\n\r\n'), status: 400, uws: 'itself' },
  { name: 'a size with 0x', bytes: chunked('0x5\r\nhello\r\n0\r\n\r\n'), status: 400, uws: 'itself' },
  {
    name: 'a size beyond 64 bits',
    bytes: chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
    status: 400,
    uws: 'itself',
  },
  { name: 'no size', bytes: chunked('\r\nhello\r\n0\r\n\r\n'), status: 400, uws: LAX },
  { name: 'a space before the size', bytes: chunked(' 5\r\nhello\r\n0\r\n\r\n'), status: 400, uws: LAX },
  { name: 'a space behind the size', bytes: chunked('5 \r\nhello\r\n0\r\n\r\n'), status: 400, uws: LAX },
  { name: 'a size line that ends with LF', bytes: chunked('5\nhello\r\n0\r\n\r\n'), status: 400, uws: LAX },
  { name: 'only LF', bytes: chunked('5\nhello\n0\n\n'), status: 400, uws: LAX },
  { name: 'one byte between data and the next size', bytes: chunked('5\r\nhelloX0\r\n\r\n'), status: 400, uws: LAX },
  { name: 'two bytes that are no CRLF', bytes: chunked('5\r\nhelloXX0\r\n\r\n'), status: 400, uws: LAX },
  { name: 'an extension with LF', bytes: chunked('5;a\nb\r\nhello\r\n0\r\n\r\n'), status: 400, uws: WAITS },
  { name: 'an extension with CR', bytes: chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'), status: 400, uws: WAITS },
  {
    name: 'an extension longer than 16 KiB',
    bytes: chunked(`5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
    status: 400,
    uws: 'itself',
  },
  {
    name: 'no CRLF behind the last chunk',
    bytes: chunked(`0\r\nXX${SMUGGLED}`),
    status: 400,
    uws: { limit: 'chunk-syntax', instead: 'closes' },
  },
];

const TRAILERS: readonly BadRequest[] = [
  { name: 'a trailer with a space in its name', bytes: chunked('0\r\nX T: 1\r\n\r\n'), status: 400, uws: 'itself' },
  { name: 'a trailer that ends with LF', bytes: chunked('0\r\nX: 1\n\r\n'), status: 400, uws: 'itself' },
  {
    name: 'a Content-Length among the trailers',
    bytes: chunked('0\r\nContent-Length: 9\r\n\r\n'),
    status: 400,
    uws: 'itself',
  },
];

for (const engine of ENGINES) {
  describe(`where a request ends, on ${engine}`, () => {
    let journal: JournalServer;
    before(async () => {
      journal = await JournalServer.start(engine);
    });
    after(() => journal.stop());

    test('T1: a length that is not one number of bytes is refused, and the app not called', async () => {
      await forEach(LENGTHS, (bad) => assertRefused(journal, bad));
    });

    test('T1: zeros in front and blanks around a length change nothing', async () => {
      for (const length of ['5', '05', '0000005', '\t5', ' 5']) {
        const { entries } = await journal.send(post(`Content-Length: ${length}`, 'hello'), { answers: 1 });
        assert.equal(entries[0]?.body, 'hello');
        assert.equal(entries[0]?.CONTENT_LENGTH, length.trim());
      }
    });

    test('T2: any transfer coding but chunked is refused', async () => {
      await forEach(CODINGS, (bad) => assertRefused(journal, bad));
    });

    test('T2: chunked in any case is chunked, and the app is told a length instead', async () => {
      for (const coding of ['chunked', 'Chunked', 'CHUNKED', ' \tchunked']) {
        const bytes = post(`Transfer-Encoding: ${coding}`, '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n');
        const { entries } = await journal.send(bytes, { answers: 1 });
        assert.equal(entries[0]?.body, 'hello world');
        assert.equal(entries[0]?.CONTENT_LENGTH, '11');
        assert(!('HTTP_TRANSFER_ENCODING' in entries[0]!), 'the coding is undone, so it is not told');
      }
    });

    test('T2: a transfer coding in HTTP/1.0 is not followed by another request', async () => {
      const bytes = `POST /p HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`;
      const { closed, entries, answers } = await journal.send(bytes);
      assert(closed);
      assert.equal(answers.length, 1);
      assert(!entries.some((entry) => entry.PATH_INFO === '/smuggled'));
    });

    test('T3: chunks that are not written as they must be are refused, and the app not called', async () => {
      await forEach(CHUNKS, (bad) => assertRefused(journal, bad));
    });

    test('T3: chunks of any size, in any pieces, give the body that was meant', async () => {
      const body = '1\r\na\r\n00002\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n';
      const bytes = chunked(body);
      for (let cut = bytes.indexOf('\r\n\r\n') + 4; cut < bytes.length; cut += 3) {
        const socket = await open(journal.server.port);
        let got = '';
        socket.on('data', (data) => {
          got += data.toString('latin1');
        });
        const closed = new Promise((resolve) => socket.once('close', resolve));
        await new Promise<void>((resolve) => socket.write(bytes.slice(0, cut), () => resolve()));
        await new Promise((resolve) => setImmediate(resolve));
        socket.write(bytes.slice(cut));
        while (!got.includes('}')) await new Promise((resolve) => socket.once('data', resolve));
        socket.destroy();
        await closed;
        assert.match(got, /"body": "abc0123456789"/);
      }
    });

    test('T4: a broken trailer is refused', async () => {
      await forEach(TRAILERS, (bad) => assertRefused(journal, bad));
    });

    test('pipelined requests are answered in order, or the connection is closed and none of them is answered twice', async () => {
      const requests = ['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
      if (engine === 'uws') {
        const { closed, answers } = await journal.send(requests);
        assert(closed);
        assert.deepEqual(answers, []);
        return;
      }
      const { answers, entries } = await journal.send(requests, { answers: 3 });
      assert.deepEqual(
        answers.map((answer) => JSON.parse(answer.body).PATH_INFO),
        ['/1', '/2', '/3'],
      );
      assert.equal(entries.length, 3);
    });

    test('what follows a request that says close is not run', async () => {
      for (const value of ['close', 'Close', 'x, close', 'close, x']) {
        const bytes = `GET /last HTTP/1.1\r\nHost: a\r\nConnection: ${value}\r\n\r\n`;
        const alone = await journal.send(bytes);
        assert.equal(alone.answers.length, 1, `${value} does not close`);
        const followed = await journal.send(bytes + SMUGGLED);
        assert(followed.closed);
        assert(!followed.entries.some((entry) => entry.PATH_INFO === '/smuggled'));
      }
    });

    test('what follows a refused request is not run, not even when it comes later', async () => {
      for (const fields of ['Host: a\r\nHost: b', 'Host: a\r\nExpect: more', 'X: no host']) {
        const { closed, entries } = await journal.send(`GET /bad HTTP/1.1\r\n${fields}\r\n\r\n${SMUGGLED}`);
        assert(closed);
        assert.deepEqual(entries, []);
        const socket = await open(journal.server.port);
        const before = (await journal.entries('127.0.0.1')).length;
        socket.write(`GET /bad HTTP/1.1\r\n${fields}\r\n\r\n`);
        await new Promise((resolve) => socket.once('data', resolve));
        const end = new Promise((resolve) => socket.once('close', resolve));
        socket.on('error', () => {}); // it may be a reset
        socket.write(SMUGGLED);
        await end;
        assert.equal((await journal.entries('127.0.0.1')).length, before);
      }
    });

    test('a request to upgrade is answered as any other, and nothing behind it is taken for a request', async () => {
      const upgrade = 'GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
      const { answers } = await journal.send(upgrade, { answers: 1 });
      assert.equal(answers[0]?.status, 200);
      const { entries } = await journal.send(upgrade + SMUGGLED);
      assert(!entries.some((entry) => entry.PATH_INFO === '/smuggled'));
    });

    test('garbage behind a request does not cost that request its answer, where pipelining works', async () => {
      if (engine === 'uws') return;
      const { answers } = await journal.send('GET /fine HTTP/1.1\r\nHost: a\r\n\r\n\x01\x02garbage\r\n\r\n');
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [200, 400],
      );
      const body = await journal.send(post('Content-Length: 5', 'hello\x01\x02garbage\r\n\r\n'));
      assert.deepEqual(
        body.answers.map((answer) => answer.status),
        [200, 400],
      );
    });

    test('T28: a body that is cut short is not given to the app', async () => {
      for (const bytes of [post('Content-Length: 10', 'hello'), chunked('a\r\nhello'), chunked('5\r\nhello\r\n')]) {
        const { closed, entries, from, answers } = await journal.send(bytes, { halfClose: true });
        assert(closed);
        assert.deepEqual(entries, []);
        const status = engine === 'uws' ? 499 : 400;
        assert.deepEqual(
          answers.map((answer) => answer.status),
          engine === 'uws' ? [] : [400],
        );
        assert.match(await journal.refusal(from), new RegExp(`^${status} `));
      }
    });
  });
}

describe('HTTP/1.0 and half-closed connections, which uWebSockets.js does not know', () => {
  let journal: JournalServer;
  before(async () => {
    journal = await JournalServer.start('node');
  });
  after(() => journal.stop());

  test('T4: trailers and chunk extensions are taken and dropped', async () => {
    const bytes = chunked('5;a=b;c="d e"\r\nhello\r\n0;x\r\nX-Trailer: 1\r\nProxy: x\r\n\r\n');
    const { entries } = await journal.send(bytes, { answers: 1 });
    assert.equal(entries[0]?.body, 'hello');
    assert(!('HTTP_X_TRAILER' in entries[0]!));
  });

  test('T4: what looks like a request in a trailer is a trailer', async () => {
    const { entries } = await journal.send(chunked(`0\r\nX:${SMUGGLED}`), { answers: 1 });
    assert.deepEqual(
      entries.map((entry) => entry.PATH_INFO),
      ['/p'],
    );
  });

  test('HTTP/1.0 needs no Host, and its connection is closed unless the client asks to keep it', async () => {
    const { closed, answers, entries } = await journal.send('GET /old HTTP/1.0\r\n\r\n');
    assert(closed);
    assert.equal(answers[0]?.status, 200);
    assert.equal(entries[0]?.SERVER_PROTOCOL, 'HTTP/1.0');
    assert(!('transfer-encoding' in answers[0]!.headers), 'HTTP/1.0 knows no chunks');
    const kept = 'GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const two = await journal.send(kept + kept, { answers: 2 });
    assert.equal(two.entries.length, 2);
  });

  test('pipelined requests take turns, so that one client has one worker at a time, however many it sends', async () => {
    const args = ['--wsgi-file', 'journal.py', '--processes', '1', '--max-inflight', '2'];
    const server = await startOn('node', args);
    const count = 2000;
    const one = (i: number) =>
      i % 3 === 0
        ? `POST /${i} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`
        : `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const all = Array.from({ length: count }, (_, i) => one(i)).join('');
    const { answers } = await raw(server.port, all, { answers: count });
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]), 'some were too many at once');
    const entries = JSON.parse((await request(server.port, '/journal?127.0.0.1')).body) as Entry[];
    assert.deepEqual(
      entries.map((entry) => entry.PATH_INFO),
      Array.from({ length: count }, (_, i) => `/${i}`),
    );
    await server.stop();
  });

  test('requests that wait for their turn are given up with their connection, and none of them is run', async () => {
    const spool = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
    const server = await startOn('node', ['--wsgi-file', 'rules.py', '--threads', '4', '--body-tmpdir', spool]);
    const socket = await open(server.port);
    const long = 'x'.repeat(100_000); // spooled: its file must be closed too
    socket.write('GET /yields HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.write(`POST /errors HTTP/1.1\r\nHost: a\r\nContent-Length: ${long.length}\r\n\r\n${long}`);
    socket.write('GET /errors HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => spooledFiles(server.pid, spool) === 1, 'the body is spooled');
    socket.resetAndDestroy();
    await until(() => spooledFiles(server.pid, spool) === 0, 'the body is given up');
    await request(server.port, '/release');
    assert.doesNotMatch(server.log, /written to wsgi\.errors/);
    await server.stop();
    rmSync(spool, { recursive: true });
  });

  test('a client that sends FIN behind its request gets its answer', async () => {
    const { answers } = await raw(journal.server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { halfClose: true });
    assert.equal(answers[0]?.status, 200);
    const { entries } = await journal.send(post('Content-Length: 5', 'hello'), { halfClose: true });
    assert.equal(entries[0]?.body, 'hello');
  });
});
