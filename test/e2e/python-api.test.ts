// `import uwsgi`: what docs/python-api.md says of every name, held against the module here and in the real uWSGI; and what
// its functions do.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DEBIAN_PYTHON, ROOT, request, startServer, type TestServer } from './harness.js';
import { RealUwsgi } from './real-uwsgi.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-api-'));
after(() => rmSync(directory, { recursive: true }));
const PACKET = join(directory, 'packet');
writeFileSync(PACKET, '\x00\x0c\x00\x00\x03\x00abc\x05\x00hello', 'latin1');
const start = (app: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
  startServer(['--http', '127.0.0.1:0', '--wsgi-file', app, ...more], { env: { PACKET, ...env } });
const ask = async (port: number, path: string) => JSON.parse((await request(port, path)).body) as unknown;

const [PAGE, DECORATORS] = readFileSync(join(ROOT, 'docs/python-api.md'), 'utf8').split('## uwsgidecorators') as [
  string,
  string,
];

/** Names of the tables in the page, each with what it says of it. */
function documented(): Map<string, string> {
  const rows = [...PAGE.matchAll(/^\| (`[^|]*) \| [^|]* \| (yes|differs|unconfigured|absent)[^|]* \|$/gm)];
  assert.equal(rows.length, [...PAGE.matchAll(/^\| `/gm)].length, 'each row says one of four things');
  const names = rows.flatMap(([, cell, says]) =>
    [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => [name!, says!] as const),
  );
  assert.equal(new Set(names.map(([name]) => name)).size, names.length, 'no name comes twice');
  return new Map(names);
}

/** A call whose result differs, as the page says. */
const DIFFERING = ['chunked_read_nb()'];

/** They are assigned by apps, or there with an option only. */
const SLOTS = ['pidfile', 'post_fork_hook', 'atexit', 'after_req_hook', 'spooler', 'mule_msg_hook'];

/** What the decorators need for themselves. */
const OF_DECORATORS = [
  'postfork_chain_hook',
  'manage_spool_request',
  'spool_decorate',
  'mule_msg_dispatcher',
  'mule_brain',
  'mule_brainloop',
];

describe('the module uwsgi beside the one of the real uWSGI', () => {
  let server: TestServer;
  let real: RealUwsgi;
  before(async () => {
    process.env.PACKET = PACKET;
    server = await start('api.py', ['--python', DEBIAN_PYTHON]);
    real = await RealUwsgi.start('api.py');
  });
  after(async () => {
    await real.stop();
    await server.stop();
  });

  test('has every name that docs/python-api.md has, as it says', async () => {
    const ours = new Set((await ask(server.port, '/names')) as string[]);
    const theirs = (await ask(real.httpPort, '/names')) as string[];
    const page = documented();
    for (const name of theirs) assert(page.has(name), `${name} is in uWSGI and not in the page`);
    for (const name of ours) assert(page.has(name), `${name} is here and not in the page`);
    for (const [name, says] of page) {
      if (SLOTS.includes(name) || name === 'env') continue;
      assert.equal(ours.has(name), says !== 'absent', `${name}: ${says}`);
    }
  });

  test('has facts of the same types, and functions that give the same', async () => {
    type Facts = Record<'types', Record<string, unknown>> & Record<'in a request', [string, string][]>;
    const ours = (await ask(server.port, '/facts')) as Facts;
    const theirs = (await ask(real.httpPort, '/facts')) as Facts;
    for (const facts of [ours, theirs]) {
      facts['in a request'] = facts['in a request'].filter(([call]) => !DIFFERING.includes(call));
    }
    // facts that uWSGI has only with some option, or once there was a request
    for (const types of [ours.types, theirs.types]) {
      for (const name of ['env', 'SymbolsImporter', 'post_fork_hook', 'atexit']) delete types[name];
    }
    assert.deepEqual(ours, theirs);
  });

  test('is joined by an uwsgidecorators of which the page tells too', async (t) => {
    const withoutSite = await start('api.py', ['--no-site']); // so that uWSGI's own, if it is installed, is not found
    t.after(() => withoutSite.stop());
    const table = DECORATORS.split('\n').filter((line) => line.startsWith('| `'));
    const page = table.flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
    const ours = (await ask(withoutSite.port, '/decorators')) as string[];
    const theirs = (await ask(real.httpPort, '/decorators')) as string[];
    assert.deepEqual(ours.filter((name) => !OF_DECORATORS.includes(name)).sort(), [...page].sort());
    assert.deepEqual(theirs.filter((name) => !OF_DECORATORS.includes(name)).sort(), [...page].sort());
  });
});

describe('uwsgi', () => {
  test('tells what the workers of the app have done', async (t) => {
    const server = await start('api.py', ['--processes', '2']);
    t.after(() => server.stop());
    for (let i = 0; i < 3; i++) await request(server.port, '/start');
    const [first, second, total, masterpid] = (await ask(server.port, '/workers')) as [
      Record<string, number>,
      Record<string, number>,
      number,
      number,
    ];
    assert.equal(first.requests! + second.requests!, 3);
    assert.equal(masterpid, server.child.pid);
    assert.equal(total, 3);
    assert.deepEqual([first.id, second.id], [1, 2]);
    for (const { id, pid } of [first, second]) {
      assert.match(server.log, new RegExp(`spawned uWSGI worker ${id} \\(pid: ${pid},`));
    }
  });

  test('chunked_read gives the body, in memory or spooled, and b"" at its end', async (t) => {
    const server = await start('api.py', ['--post-buffering', '100000']);
    t.after(() => server.stop());
    for (const [bytes, pieces] of [
      [0, []],
      [70000, [65536, 4464]],
      [150000, [65536, 65536, 18928]],
    ] as const) {
      const { body } = await request(server.port, '/body', { method: 'POST', body: 'x'.repeat(bytes) });
      assert.deepEqual(JSON.parse(body), [...pieces, bytes]);
    }
  });

  test('sendfile sends a file, start_response is the one of the request', async (t) => {
    const server = await start('api.py');
    t.after(() => server.stop());
    assert.equal((await request(server.port, '/sendfile')).body, readFileSync(PACKET, 'latin1'));
    assert.equal((await request(server.port, '/start')).body, 'started');
  });

  test('disconnect ends the answer, and the app goes on', async (t) => {
    const server = await start('api.py');
    t.after(() => server.stop());
    assert.equal((await request(server.port, '/disconnect')).body, 'all that you get');
    await server.waitForLog(/went on after disconnect\(\)/);
    assert.doesNotMatch(server.log, /gives more bytes/);
  });

  test('is_connected tells that the client has gone', async (t) => {
    const server = await start('api.py');
    t.after(() => server.stop());
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /gone HTTP/1.1\r\nHost: x\r\n\r\n');
    await server.waitForLog(/the client is there: True/);
    socket.destroy();
    await server.waitForLog(/the client is gone/);
  });

  test('set_logvar and add_var reach the log, behind a body too, and only of their request', async (t) => {
    const format = '[%(uri)] %(status) %(tenant) %(var.ROLE)';
    const server = await start('api.py', ['--log-format', format]);
    t.after(() => server.stop());
    const { body } = await request(server.port, '/logvars', { method: 'POST', body: 'the body stays as it is' });
    assert.equal(JSON.parse(body), 'the body stays as it is');
    await server.waitForLog(/\[\/logvars\] 200 b\\xc3\\xbccher \\x22x\\x22 admin\n/);
    await request(server.port, '/start');
    await server.waitForLog(/\[\/start\] 200 - -\n/);
  });

  test('knows no request in a thread of the app, and says so', async (t) => {
    const server = await start('api.py');
    t.after(() => server.stop());
    const told = await ask(server.port, '/elsewhere');
    assert.deepEqual(told, [false, 0, 'raises ValueError: this is for a thread that runs a request']);
  });

  test('says of what is absent what to use instead', async (t) => {
    const server = await start('api.py');
    t.after(() => server.stop());
    const told = (await ask(server.port, '/absent')) as [string, string, string, string, string];
    const [spool, websocket, shared, snmp, unknown] = told;
    assert.match(spool, /AttributeError: uwsgi\.spool does not exist in nuwsgi: .*use a task queue/);
    assert.match(websocket, /AttributeError: uwsgi\.websocket_recv does not exist in nuwsgi: /);
    assert.match(shared, /AttributeError: uwsgi\.sharedarea_read does not exist in nuwsgi: .*use Redis/);
    assert.match(snmp, /AttributeError: uwsgi\.snmp_incr_counter32 does not exist in nuwsgi: /);
    assert.match(unknown, /AttributeError: module 'uwsgi' has no attribute 'never_heard_of'/);
  });

  test('says once of a cache that is not there what to use instead, and goes on without', async (t) => {
    const server = await start('api.py');
    t.after(() => server.stop());
    for (let i = 0; i < 2; i++) assert.deepEqual(await ask(server.port, '/cache'), [null, null, 0]);
    await server.waitForLog(/uwsgi: nuwsgi has no metrics of the app: .*; use prometheus_client/);
    assert.equal([...server.log.matchAll(/uwsgi: nuwsgi has no cache: .*; use Redis or memcached/g)].length, 1);
  });

  test('calls after_req_hook behind each request, and atexit when a worker leaves', async (t) => {
    const server = await start('api.py', [], { HOOKS: '1' });
    t.after(() => server.stop());
    for (const id of [1, 2]) {
      await request(server.port, '/start');
      await server.waitForLog(new RegExp(`after request ${id}\\n`));
    }
    server.child.kill('SIGHUP');
    await server.waitForLog(/worker 1 says goodbye/);
    await server.waitForLog(/worker 1 .* buried/);
  });
});

describe('uwsgi.lock', () => {
  test('lets one worker in, and the next when that one has left or was killed', async (t) => {
    const server = await start('locks.py', ['--processes', '2', '--threads', '2', '--locks', '1']);
    t.after(() => server.stop());
    const inside = () => request(server.port, '/inside');
    const first = inside();
    const [, holder] = await server.waitForLog(/worker (\d) is inside/);
    const others = [inside(), inside()];
    assert.match((await request(server.port, '/other')).body, /^True/);
    let from = server.log.length;
    await request(server.port, '/release');
    await server.waitForLog(/worker \d is out\n[\s\S]*worker \d is inside/, from);
    assert.equal((await first).status, 200);
    const [, next] = /.*worker (\d) is inside/.exec(server.log.slice(from))!;
    const [, pid] = new RegExp(`spawned uWSGI worker ${next} \\(pid: (\\d+)`).exec(server.log)!;
    from = server.log.length;
    process.kill(Number(pid), 'SIGKILL');
    // what that worker ran is lost, at most both; whoever is left, or comes now, gets in
    const last = inside();
    await server.waitForLog(/worker \d is inside/, from);
    for (let i = 0; i < 3; i++) await request(server.port, '/release');
    await Promise.allSettled([...others, last]);
    assert.match((await request(server.port, '/')).body, /^False/);
    assert(holder !== undefined);
  });
});

describe('uwsgidecorators, where uWSGI has a spooler and mules', () => {
  test('let the site start, with a warning each, and say what cannot be done', async (t) => {
    const server = await start('decorated.py', ['--processes', '2']);
    t.after(() => server.stop());
    const { body } = await request(server.port, '/');
    const [double, ...refusals] = body.split('\n');
    assert.equal(double, "b'abab'");
    assert.deepEqual(
      refusals.map((line) => line.split(';')[0]),
      [...Array(3).fill('@spool: nuwsgi has no spooler'), ...Array(2).fill('@mulefunc: nuwsgi has no mules')],
    );
    await server.waitForLog(/aside: hello/);
    await server.waitForLog(/\[worker 2\] forked: worker 2/);
    assert.doesNotMatch(server.log, /forked: worker 1/);
    for (const name of ['spool', 'mulefunc', 'mule', 'farm']) {
      assert.equal([...server.log.matchAll(new RegExp(`@${name}: nuwsgi has no`, 'g'))].length, 1, name);
    }
  });
});
