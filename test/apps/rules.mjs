// The shape of WSGI in JavaScript, rule by rule: what an application may do. Those that break a rule are in broken.mjs.

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const TEXT = [['Content-Type', 'text/plain']];
/** Resolved by a request to /release: what the streams of the tests wait for between two parts. */
let release;
let released;
const hold = () => {
  released = new Promise((resolve) => {
    release = resolve;
  });
};

const ok = (start, more = []) => start('200 OK', [...TEXT, ...more]);

/** An iterator with a `return` that tells the log how often it was called. */
function parts(name, source, isAsync = true) {
  let closed = 0;
  const inner = source[Symbol.iterator]();
  const wrap = (value) => (isAsync ? Promise.resolve(value) : value);
  return {
    [isAsync ? Symbol.asyncIterator : Symbol.iterator]() {
      return this;
    },
    next: () => {
      const step = inner.next();
      if (step.done) console.log(`${name} ended`);
      return wrap(step);
    },
    return: () => {
      closed++;
      console.log(`${name} closed ${closed} times`);
      return wrap({ done: true, value: undefined });
    },
  };
}

function* endless(size = 65536) {
  const block = new Uint8Array(size).fill(120);
  for (;;) yield block;
}

async function* onDemand() {
  yield 'first;';
  await released;
  yield 'second';
}

const APPS = {
  hello(_, start) {
    ok(start);
    return 'hello\n';
  },
  async helloAsync(_, start) {
    await null;
    ok(start);
    return 'hello\n';
  },
  thenable(_, start) {
    ok(start);
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    return { then: (resolve) => setImmediate(() => resolve('then')) };
  },
  bytes(_, start) {
    ok(start);
    return new Uint8Array([104, 105]);
  },
  buffer(_, start) {
    ok(start);
    return Buffer.from('grüße');
  },
  text(_, start) {
    ok(start);
    return 'grüße €';
  },
  list(_, start) {
    ok(start);
    return ['a', Buffer.from('b'), '', 'ü'];
  },
  nothing(_, start) {
    start('202 Accepted', TEXT);
  },
  generator(_, start) {
    ok(start);
    return (function* () {
      yield 'a';
      yield new Uint8Array([98]);
      yield '';
      yield 'c';
    })();
  },
  set(_, start) {
    ok(start);
    return new Set(['x', 'y']);
  },
  stream(_, start) {
    ok(start);
    return createReadStream(fileURLToPath(import.meta.url));
  },
  webStream(_, start) {
    ok(start);
    return Readable.toWeb(Readable.from([Buffer.from('web '), Buffer.from('stream')]));
  },
  release(_, start) {
    release();
    return APPS.hello(_, start);
  },
  yields(_, start) {
    hold();
    ok(start);
    return onDemand();
  },
  async writes(_, start) {
    hold();
    const write = ok(start);
    for await (const part of onDemand()) await write(part);
  },
  writesWithoutWaiting(_, start) {
    const write = ok(start);
    for (let i = 0; i < 100; i++) void write(`${i};`.repeat(1000));
    return 'end';
  },
  async writesThenYields(_, start) {
    const write = ok(start);
    void write('written;');
    return parts('writesThenYields', ['yielded']);
  },
  startsLate(_, start) {
    return (async function* () {
      yield '';
      start('201 Created', [...TEXT, ['X-Late', 'yes']]);
      yield 'late';
    })();
  },
  changesItsMind(_, start) {
    ok(start, [['X-First', 'yes']]);
    start('500 Changed', [...TEXT, ['X-Second', 'yes']], new Error('before anything was sent'));
    return 'the error page';
  },
  changesFrom204(_, start) {
    start('204 No Content', []);
    start('500 Changed', TEXT, new Error('there is something after all'));
    return parts('changesFrom204', ['the error page']);
  },
  failsInTheMiddle(_, start) {
    ok(start);
    return (async function* () {
      try {
        yield 'part';
        start('500 Oops', TEXT, new Error('in the middle'));
      } finally {
        console.log('failsInTheMiddle closed 1 times');
      }
    })();
  },
  closes(_, start) {
    ok(start);
    return parts('closes', ['a', 'b', 'c']);
  },
  closesInHead(_, start) {
    ok(start);
    return parts('closesInHead', endless());
  },
  closesInHeadSync(_, start) {
    ok(start);
    return parts('closesInHeadSync', endless(), false);
  },
  closesWhenGone(_, start) {
    ok(start);
    return parts('closesWhenGone', endless());
  },
  closesWhenTooLong(_, start) {
    ok(start, [['Content-Length', '10']]);
    return parts('closesWhenTooLong', endless(7));
  },
  closesWhenTooLongSync(_, start) {
    ok(start, [['Content-Length', '10']]);
    return parts('closesWhenTooLongSync', endless(7), false);
  },
  noContent(_, start) {
    start('204 No Content', [['X-Kept', 'yes']]);
    return parts('noContent', ['must not be sent']);
  },
  notModified(_, start) {
    start('304 Not Modified', [['ETag', '"1"']]);
    return '';
  },
  lengthKnown(_, start) {
    ok(start, [['Content-Length', '6']]);
    return ['abc', 'def'];
  },
  lengthUnknown(_, start) {
    ok(start);
    return parts('lengthUnknown', ['abc', 'def']);
  },
  empty(_, start) {
    ok(start);
    return '';
  },
  large(_, start) {
    ok(start);
    return '0123456789'.repeat(100_000);
  },
  largeList(_, start) {
    ok(start);
    return ['0123456789'.repeat(50_000), Buffer.from('0123456789'.repeat(50_000))];
  },
  manyFields(_, start) {
    const fields = Array.from({ length: 100 }, (_, n) => [`X-${n}`, `caf\xe9 ${n}`]);
    start('200 Fine \xe9', [...TEXT, ...fields, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']]);
    return 'ok';
  },
  async readText(env, start) {
    const text = await env['wsgi.input'].text();
    ok(start);
    return `${text.length} ${text.slice(0, 20)}`;
  },
  async readJson(env, start) {
    const value = await env['wsgi.input'].json();
    ok(start);
    return JSON.stringify(value);
  },
  async echo(env, start) {
    const bytes = await env['wsgi.input'].bytes();
    ok(start);
    return bytes;
  },
  async readLoop(env, start) {
    let bytes = 0;
    for await (const chunk of env['wsgi.input']) bytes += chunk.length;
    ok(start);
    return String(bytes);
  },
  readEvents(env, start) {
    const input = env['wsgi.input'];
    return new Promise((resolve) => {
      let bytes = 0;
      input.on('data', (chunk) => {
        bytes += chunk.length;
      });
      input.on('end', () => {
        ok(start);
        resolve(`${bytes} ${input instanceof Readable} ${input === Object.create(env)['wsgi.input']}`);
      });
    });
  },
  pipe(env, start) {
    ok(start);
    return env['wsgi.input'];
  },
  leaveUnread(env, start) {
    env['wsgi.input'].once('data', () => {}); // opened, begun, and left
    ok(start);
    return 'left';
  },
  keep(env, start) {
    kept = env;
    ok(start);
    return 'kept';
  },
  lookAtKept(_, start) {
    ok(start);
    try {
      return String(kept['wsgi.input'].readable);
    } catch (error) {
      return error.message;
    }
  },
  errors(env, start) {
    env['wsgi.errors'].write('written to wsgi.errors\n');
    console.log('one\ntwo');
    process.stdout.write(Buffer.from('grü'));
    process.stdout.write('ße\n');
    ok(start);
    return 'hello\n';
  },
  shows(env, start) {
    env['test.note'] = 'an application may write to its environ';
    const shown = {};
    for (const name in env) if (name !== 'wsgi.errors' && name !== 'wsgi.input') shown[name] = env[name];
    ok(start);
    return JSON.stringify(shown);
  },
};
let kept;

const camel = (name) => name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());

export function application(env, startResponse) {
  return APPS[camel(env.PATH_INFO.split('/')[1])](env, startResponse);
}
