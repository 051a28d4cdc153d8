// What an app says, and what of it reaches the wire: rows T18 to T21, T31 and T32 of docs/security.md, on both engines
// and in both languages. What an app may do besides is in python-wsgi.test.ts and js-app.test.ts.
//
// Written from RFC 9110 sections 6.4.1, 8.6, 9.3.2 and 15, RFC 9112 section 6, and PEP 3333.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { ANSWER_HEADS, type AnswerHead, EVIL } from '../corpus/answer-heads.js';
import {
  ENGINES,
  type Engine,
  open,
  parseAnswers,
  type RawAnswer,
  request,
  startOn,
  type TestServer,
} from './harness.js';
import { forEach, freshAddress } from './http-contract.js';

const LANGUAGES = ['says.py', 'says.mjs'] as const;
/** Fields that the server adds by itself. */
const OWN_FIELDS = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding']);

interface Saying {
  readonly status: unknown;
  readonly headers: unknown;
  readonly parts: readonly string[];
}

/** A connection on which one request follows the other, to see that nothing is left over between them. */
class Conversation {
  readonly #socket: Socket;
  #bytes = '';
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes += chunk.toString('latin1');
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
    socket.on('error', () => {}); // 'close' follows
  }

  static async with(server: TestServer): Promise<Conversation> {
    return new Conversation(await open(server.port));
  }

  /**
   * Sends a request, and returns its answer with its bytes. Bytes that do not belong to it stay for the next one.
   * Status 0: the connection was closed before the head was complete.
   */
  async ask(method: string, path: string, body = ''): Promise<RawAnswer & { readonly bytes: string }> {
    const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${length}\r\n${body}`);
    for (;;) {
      const [answer] = parseAnswers(this.#bytes, method === 'HEAD', this.#closed);
      if (answer !== undefined && (answer.complete || this.#closed)) {
        const bytes = this.#take(answer, method === 'HEAD');
        return { ...answer, bytes };
      }
      if (this.#closed) return { status: 0, reason: '', headers: {}, body: '', complete: false, bytes: this.#bytes };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(answer: RawAnswer, isHead: boolean): string {
    const head = this.#bytes.indexOf('\r\n\r\n') + 4;
    const isBodyless = isHead || answer.status === 204 || answer.status === 304;
    const isChunked = answer.headers['transfer-encoding'] === 'chunked';
    const end = isBodyless ? head : isChunked ? this.#bytes.length : head + answer.body.length;
    const bytes = this.#bytes.slice(0, end);
    this.#bytes = this.#bytes.slice(end);
    return bytes;
  }

  /** Waits for the server to close the connection; returns what came meanwhile. */
  async end(): Promise<string> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#bytes;
  }

  leave(): void {
    this.#socket.destroy();
  }
}

/** Has the app say something, on a connection of its own. */
function say(server: TestServer, saying: Saying, path = '/', method = 'POST') {
  return request(server.port, path, { method, body: JSON.stringify(saying) });
}

const plain = (parts: readonly string[], length?: number): Saying => ({
  status: '200 OK',
  headers: length === undefined ? [] : [['Content-Length', String(length)]],
  parts,
});

function describeAnswers(engine: Engine, app: string): void {
  let server: TestServer;
  before(async () => {
    const args = app.endsWith('.py') ? ['--threads', '4'] : [];
    server = await startOn(engine, ['--wsgi-file', app, ...args]);
  });
  after(() => server.stop());

  const assertFine = async (talk: Conversation) => assert.equal((await talk.ask('GET', '/')).body, 'fine');

  test('T18: a head that must not be sent becomes a 500, and no byte of it reaches the wire', async () => {
    const refused = ANSWER_HEADS.filter((head) => head.sent === undefined);
    assert(refused.length > 100);
    await forEach(refused, async ({ status, headers }) => {
      const talk = await Conversation.with(server);
      const body = JSON.stringify({ status, headers, parts: [EVIL] });
      const answer = await talk.ask('POST', '/', body);
      assert.equal(answer.status, 500);
      assert.equal(answer.body, 'Internal Server Error');
      assert.doesNotMatch(answer.bytes, new RegExp(EVIL, 'i'));
      assert.deepEqual(fieldsOf(answer), ['content-type']);
      await assertFine(talk); // nothing is left over, and the connection goes on
      talk.leave();
    });
  });

  test('T18: the log says which rule was broken, once for each request', async () => {
    const from = server.log.length;
    await say(server, { status: '200 OK', headers: [['X-A', 'b\r\nX-Once: 1']], parts: [] });
    await server.waitForLog(/failed: POST \/\n[\s\S]*X-A has a control character[^\n]*b\\r\\nX-Once: 1/, from);
    await say(server, plain(['fine']));
    assert.equal(server.log.slice(from).match(/X-Once/g)?.length, 1);
  });

  test('T18, T19: what may be sent is sent as it is, and what belongs to the connection is dropped', async () => {
    const sent = ANSWER_HEADS.filter((head): head is Required<AnswerHead> => head.sent !== undefined);
    await forEach(sent, async ({ status, headers, sent }) => {
      const talk = await Conversation.with(server);
      const body = JSON.stringify({ status, headers, parts: ['hello'] });
      const answer = await talk.ask('POST', '/', body);
      const [statusLine, ...lines] = answer.bytes.slice(0, answer.bytes.indexOf('\r\n\r\n')).split('\r\n');
      assert.equal(statusLine, `HTTP/1.1 ${sent.lines[0]}`);
      const own = lines.filter((line) => !OWN_FIELDS.has(line.slice(0, line.indexOf(':')).toLowerCase()));
      assert.deepEqual(own, sent.lines.slice(1));
      assert.equal(answer.body, 'hello');
      assert.equal(answer.headers['content-length'], '5');
      assert.doesNotMatch(answer.bytes, new RegExp(EVIL));
      await assertFine(talk);
      talk.leave();
    });
  });

  test('T19: a coding that the app claims changes nothing: the framing is the server’s', async () => {
    const headers = [
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'close'],
      ['TE', '1'],
    ];
    const talk = await Conversation.with(server);
    for (const path of ['/', '/parts']) {
      const body = JSON.stringify({ status: '200 OK', headers, parts: ['0\r\n\r\n', 'hop'] });
      const answer = await talk.ask('POST', path, body);
      assert.equal(answer.body, '0\r\n\r\nhop');
      assert.equal(answer.headers.te, undefined);
    }
    await assertFine(talk);
    talk.leave();
  });

  for (const path of ['/', '/parts']) {
    const kind = path === '/' ? 'in one piece' : 'in parts';

    test(`T20: a body ${kind} that is longer than its Content-Length is cut there`, async () => {
      const talk = await Conversation.with(server);
      for (const parts of [['hello, and more'], ['hel', 'lo', ', and more'], ['hello', ' too']]) {
        const answer = await talk.ask('POST', path, JSON.stringify(plain(parts, 5)));
        assert.deepEqual([answer.body, answer.headers['content-length']], ['hello', '5']);
      }
      await assertFine(talk);
      talk.leave();
      await server.waitForLog(/the application gives more bytes than its Content-Length of 5/); // said once
    });

    test(`T20: a body ${kind} that is shorter than its Content-Length ends its connection`, async () => {
      for (const [i, parts] of [['hello'], ['he', 'llo'], []].entries()) {
        const talk = await Conversation.with(server);
        const length = (path === '/' ? 100 : 200) + i; // said once per length
        const answer = await talk.ask('POST', path, JSON.stringify(plain(parts, length)));
        if (parts.length === 0) {
          assert.equal(answer.status, 500, 'nothing has been sent, so the client can be told');
          await assertFine(talk);
          talk.leave();
        } else {
          assert(!answer.complete);
          assert.equal(answer.body, parts.join(''));
          await talk.end();
        }
        await server.waitForLog(
          new RegExp(`announced ${length} bytes and gave ${length - parts.join('').length} less`),
        );
      }
    });

    test(`T21: an answer ${kind} to a HEAD, and a 204 or 304, have no body`, async () => {
      const talk = await Conversation.with(server);
      const cases = [
        ['HEAD', '200 OK'],
        ['GET', '204 No Content'],
        ['GET', '304 Not Modified'],
        ['HEAD', '204 No Content'],
        ['HEAD', '404 Not Found'],
      ] as const;
      for (const headers of [[], [['Content-Length', '4']]]) {
        for (const [method, status] of cases) {
          const answer = await talk.ask(method, path, JSON.stringify({ status, headers, parts: ['EVIL'] }));
          assert.equal(`${answer.status} ${answer.reason}`, status);
          assert.doesNotMatch(answer.bytes, /EVIL/);
          assert.match(answer.bytes, /\r\n\r\n$/);
          assert.equal(answer.headers['transfer-encoding'], undefined);
          if (status.startsWith('204')) assert.equal(answer.headers['content-length'], undefined);
          await assertFine(talk); // the next answer begins where this head ended
        }
      }
      talk.leave();
    });
  }

  test('T21: a HEAD tells the length that the GET has', async () => {
    const saying = plain(['hello']);
    assert.equal((await say(server, saying, '/', 'HEAD')).headers['content-length'], '5');
    assert.equal((await say(server, saying, '/', 'GET')).headers['content-length'], '5');
  });

  test('T32: an exception is a 500 that says no more than that; what it was stands in the log', async () => {
    const from = server.log.length;
    const answer = await request(server.port, '/raises?password=1');
    assert.equal(answer.status, 500);
    assert.equal(answer.body, 'Internal Server Error');
    assert.deepEqual(fieldsOf(answer), ['content-type']);
    await server.waitForLog(
      /failed: GET \/raises\?password=1\n[\s\S]*(?:ValueError|RangeError): secret of the app/,
      from,
    );
    const head = await request(server.port, '/raises', { method: 'HEAD' });
    assert.deepEqual([head.status, head.body, head.headers['content-length']], [500, '', '21']);
  });

  test('T32: an exception in the middle of a body cuts the connection, and adds nothing to what was sent', async () => {
    const talk = await Conversation.with(server);
    const answer = await talk.ask('GET', '/raises-late');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'begun;');
    assert(!answer.complete);
    await talk.end();
  });

  test('T31: what an app prints cannot look like a line of the server', async () => {
    const from = server.log.length;
    await request(server.port, '/prints');
    await server.waitForLog(/forged/, from);
    assert.match(server.log.slice(from), /^\[worker 1\] said\n\[worker 1\] \[pid: 1\|app: 0\|req: 1\/1\] forged$/m);
  });
}

/** Names of the fields that are not the server's own. */
const fieldsOf = (answer: RawAnswer) => Object.keys(answer.headers).filter((name) => !OWN_FIELDS.has(name));

for (const engine of ENGINES) {
  for (const app of LANGUAGES) describe(`answers of ${app} on ${engine}`, () => describeAnswers(engine, app));

  describe(`the log, on ${engine}`, () => {
    let server: TestServer;
    before(async () => {
      const apps = ['--mount', '/app=says.mjs', '--mount', '/py=says.py'];
      server = await startOn(engine, [
        ...apps,
        '--log-format',
        '%(uri) "%(uagent)" %(referer) %(method) %(proto) %(addr)',
      ]);
    });
    after(() => server.stop());

    /** The lines that a request added; the last one is that of a second request. */
    async function linesOf(head: string): Promise<string[]> {
      const from = server.log.length;
      const socket = await open(server.port);
      socket.write(Buffer.from(head, 'latin1'));
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
      await request(server.port, `/app/end-${freshAddress()}`);
      await server.waitForLog(/^\/app\/end-.*$/m, from);
      return server.log.slice(from).trimEnd().split('\n').slice(0, -1);
    }

    test('T31: no field of a request can begin a line, or hide in one', async () => {
      const agent = 'x" - GET /forged\\ \xc2\x9b31m \xc3\xa9';
      const target = '/app/%0a[pid:%201]%1b[31m"\\';
      const lines = await linesOf(
        `GET ${target} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}.\r\nReferer: a\xc2\x9b2J.\r\n\r\n`,
      );
      const [line] = lines;
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.doesNotMatch(line!, /[^\x20-\x7e]/);
      assert(line!.includes('\\xc2\\x9b31m') && line!.includes('a\\xc2\\x9b2J.'), line);
      assert.equal(line!.match(/"/g)?.length, 2, 'a quote would end the field');
    });

    test('T31: nor can what is said about a request that was refused', async () => {
      const cases: readonly (readonly [target: string, fields: string])[] = [
        ['/nothing%0arefused%20200%1b[31m', 'Host: a'],
        ['/app', 'Host: a\r\nExpect: a\xc2\x9b31m.'],
        ['/app', 'Host: a\xc2\x9b31m.'],
        ['/app', `Host: a\r\nExpect: ${'x'.repeat(5000)}`],
        ['/app', 'Host: a\r\nTransfer-Encoding: a\xc2\x9b\\n.'],
      ];
      for (const [target, fields] of cases) {
        const [line, ...more] = await linesOf(`GET ${target} HTTP/1.1\r\n${fields}\r\n\r\n`);
        assert.deepEqual(more, []);
        assert.match(line!, /^refused \d{3} 127\.0\.0\.1: [\x20-\x7e]*$/);
        assert(line!.length < 900, `${line!.length} characters`);
      }
    });

    test('T31: nor can the line that names the request of an exception', async () => {
      for (const [mount, name] of [
        ['/app', 'RangeError'],
        ['/py', 'ValueError'],
      ] as const) {
        const lines = await linesOf(`GET ${mount}/raises?\\x1b[31m"%0a HTTP/1.1\r\nHost: a\r\n\r\n`);
        const failed = lines.find((line) => line.includes('failed: GET'));
        assert.match(failed!, /^\[worker \d+\] failed: GET \/(?:app|py)\/raises\?\\\\x1b\[31m"%0a$/);
        assert(lines.some((line) => line.includes(name)));
        for (const line of lines) assert.doesNotMatch(line, /[^\t\x20-\x7e]/);
      }
    });
  });
}
