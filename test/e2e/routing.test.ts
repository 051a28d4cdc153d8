// Rules in front of the apps, over every kind of listener: the same request, the same outcome.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packetOf } from '../../src/wire/uwsgi.js';
import { type Door, type Doors, openDoors } from './front-doors.js';
import { DEBIAN_PYTHON, raw, runToEnd } from './harness.js';

let base: string;
before(() => {
  base = mkdtempSync(join(tmpdir(), 'nuwsgi-routing-'));
  for (const name of ['www', 'www2', 'www/sub']) mkdirSync(join(base, name));
  writeFileSync(join(base, 'www/a.txt'), 'a file\n');
  writeFileSync(join(base, 'www/sub/b.txt'), 'b file\n');
  writeFileSync(join(base, 'www2/secret'), 'secret\n');
  writeFileSync(join(base, '404.html'), '<h1>not here</h1>');
});
after(() => rmSync(base, { recursive: true }));

/** The environ that test/apps/inspect.py saw. */
async function environ(door: Door, target: string, headers: readonly string[] = []): Promise<Record<string, string>> {
  const answer = await door.ask(target, { headers });
  assert.equal(answer.status, 200, `${target}: ${answer.body}`);
  return JSON.parse(answer.body).environ;
}

const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;

describe('rules', () => {
  let doors: Doors;
  before(async () => {
    writeFileSync(
      join(base, 'app.ini'),
      `[uwsgi]
mount = /=inspect.py
mount = /sub=inspect.py
static-map = /static=${base}/www
error-page-404 = ${base}/404.html
; the order counts
route = (?s)^/old/(.*) redirect:/new/$1
route = ^/moved redirect-permanent:https://\${HTTP_HOST}\${REQUEST_URI}
route = ^/gone return:410
route = ^/teapot break:418 I am a teapot
route = ^/hangup break:
route = ^/lost return:404
route = ^/page/(\\d+)$ rewrite:/index?page=$1&all=\${qs[all]}
route = ^/to-sub rewrite-last:/sub/x
route-host = ^static\\. rewrite:/host\${PATH_INFO}
route-uri = \\?debug=1$ addvar:DEBUG=yes
route-user-agent = (?i)badbot return:403
route-if = ipv4in:\${REMOTE_ADDR};127.0.0.0/8 addvar:LOCAL=1
route-if = startswith:\${PATH_INFO};/static/private return:403
route-if-not = empty:\${cookie[sid]} addheader:X-Session: \${cookie[sid]}
route-if = isfile:${base}/www\${PATH_INFO} addheader:X-Is-File: yes
route = ^/files/(.*) static:${base}/www/$1
route = ^/prefix(.*) static:${base}/www$1
route = ^/any(.*) static:$1
route = ^/maybe/(.*) static-next:${base}/www/$1
route = ^/fixed file:${base}/www/a.txt
route = ^/admin basicauth:Admin,root:s3cret
route = ^/static/sub basicauth:Static,root:s3cret
route = ^/quiet donotlog:
route = ^/said log:\${HTTP_HOST} asks for \${PATH_INFO}
route-run = goto:end
route-run = return:500
route-label = end
route-run = addheader:X-End: reached
`,
    );
    doors = await openDoors([join(base, 'app.ini')]);
  });
  after(() => doors.server.stop());

  test('redirect', () =>
    doors.each(async ({ ask }) => {
      const moved = await ask('/old/a%20b');
      assert.deepEqual([moved.status, moved.headers.location], [302, '/new/a%20b']);
      const forever = await ask('/moved?x=1', { headers: ['Host: a.example'] });
      assert.deepEqual([forever.status, forever.headers.location], [301, 'https://a.example/moved?x=1']);
      const split = await ask('/old/x%0d%0aSet-Cookie:%20a=b');
      assert.equal(split.headers.location, '/new/x%0D%0ASet-Cookie:%20a=b');
      assert(!('set-cookie' in split.headers));
    }));

  test('answer by themselves', () =>
    doors.each(async ({ ask, name }) => {
      const gone = await ask('/gone');
      assert.deepEqual([gone.status, gone.reason, gone.body], [410, 'Gone', 'Gone\n']);
      const teapot = await ask('/teapot');
      assert.deepEqual([teapot.status, teapot.reason, teapot.body], [418, 'I am a teapot', '']);
      const lost = await ask('/lost');
      assert.deepEqual([lost.status, lost.body], [404, '<h1>not here</h1>']);
      assert.equal((await ask('/', { headers: ['User-Agent: BadBot/1.0'] })).status, 403);
      await assert.rejects(ask('/hangup'), /no answer/, name);
    }));

  test('rewrite the path for the app, and for its mount point', () =>
    doors.each(async (door) => {
      const page = await environ(door, '/page/7?all=a%26b');
      assert.deepEqual(
        [page.PATH_INFO, page.QUERY_STRING, page.REQUEST_URI],
        ['/index', 'page=7&all=a%26b&all=a%26b', '/page/7?all=a%26b'],
      );
      const sub = await environ(door, '/to-sub');
      assert.deepEqual([sub.SCRIPT_NAME, sub.PATH_INFO], ['/sub', '/x']);
      const host = await environ(door, '/x', ['Host: static.example']);
      assert.equal(host.PATH_INFO, '/host/x');
    }));

  test('set variables and header fields', () =>
    doors.each(async (door) => {
      assert.equal((await environ(door, '/x?debug=1')).DEBUG, 'yes');
      assert.equal((await environ(door, '/x')).LOCAL, '1');
      const answer = await door.ask('/a.txt', { headers: ['Cookie: a=b; sid=42'] });
      assert.deepEqual(
        [answer.headers['x-session'], answer.headers['x-is-file'], answer.headers['x-end']],
        ['42', 'yes', 'reached'],
      );
      const other = await door.ask('/b.txt');
      assert(!('x-session' in other.headers) && !('x-is-file' in other.headers));
    }));

  test('send files, and none from elsewhere', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask('/files/a.txt')).body, 'a file\n');
      assert.equal((await ask('/files/sub/b.txt')).body, 'b file\n');
      assert.equal((await ask('/prefix/a.txt')).body, 'a file\n');
      assert.equal((await ask('/fixed')).body, 'a file\n');
      assert.equal((await ask('/maybe/a.txt')).body, 'a file\n');
      assert.equal(JSON.parse((await ask('/maybe/none')).body).environ.PATH_INFO, '/maybe/none');
      const escapes = [
        '/files/../www2/secret',
        '/files/%2e%2e/www2/secret',
        '/prefix/../www2/secret',
        '/files/none',
        '/files/',
        '/any/etc/passwd',
        '/prefix2/secret',
      ];
      for (const path of escapes) assert.deepEqual([path, (await ask(path)).status], [path, 404]);
    }));

  test('ask for a password, in front of files too', async () => {
    const from = doors.server.log.length;
    await doors.each(async (door) => {
      const { ask } = door;
      const asked = await ask('/admin/x');
      assert.deepEqual(
        [asked.status, asked.headers['www-authenticate']],
        [401, 'Basic realm="Admin", charset="UTF-8"'],
      );
      assert.equal((await ask('/admin/x', { headers: [basic('root:wrong-guess')] })).status, 401);
      assert.equal((await environ(door, '/admin/x', [basic('root:s3cret')])).REMOTE_USER, 'root');
      assert.equal((await ask('/static/sub/b.txt')).status, 401);
      assert.equal((await ask('/static/sub/b.txt', { headers: [basic('root:s3cret')] })).body, 'b file\n');
      assert.equal((await ask('/static/private.txt')).status, 403);
      assert.equal((await ask('/static/a.txt')).body, 'a file\n');
    });
    await doors.server.waitForLog(/\(root\) .* GET \/static\/sub\/b\.txt /, from);
    assert.doesNotMatch(doors.server.log, /s3cret|wrong-guess|cm9vd/);
  });

  test('that answer a request do so before its body has come', async () => {
    const head = (path: string) => `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n`;
    const packet = packetOf([
      ['REQUEST_METHOD', 'POST'],
      ['PATH_INFO', '/admin/upload'],
      ['REQUEST_URI', '/admin/upload'],
      ['SERVER_PROTOCOL', 'HTTP/1.1'],
      ['CONTENT_LENGTH', '1000000000'],
    ]);
    const [uws, node, uwsgi] = doors.server.ports as [number, number, number];
    const requests = [
      [uws, `${head('/admin/upload')}\r\nfirst bytes`],
      [node, `${head('/admin/upload')}\r\nfirst bytes`],
      [node, `${head('/admin/upload')}Expect: 100-continue\r\n\r\n`],
      [uwsgi, Buffer.concat([packet, Buffer.from('first bytes')])],
    ] as const;
    for (const [port, request] of requests) {
      const from = doors.server.log.length;
      const { answers, closed } = await raw(port, request);
      assert.deepEqual([answers.length, answers[0]?.status, closed], [1, 401, true], String(request));
      assert.equal(answers[0]?.headers['www-authenticate'], 'Basic realm="Admin", charset="UTF-8"');
      assert.equal(answers[0]?.body.trimEnd(), 'Unauthorized');
      await doors.server.waitForLog(
        /POST \/admin\/upload => generated 13 bytes .* via route\(\) \(HTTP\/1\.1 401\)/,
        from,
      );
      assert.doesNotMatch(doors.server.log.slice(from), /refused|defect/);
    }
  });

  test('let a body come where they have no answer, however long they think', () =>
    doors.each(async ({ ask }) => {
      const body = 'x'.repeat(300_000);
      assert.equal((await ask('/admin/upload', { method: 'POST', body })).status, 401);
      assert.equal((await ask('/gone', { method: 'POST', body })).status, 410);
      const sent = await ask('/index', { method: 'POST', body });
      assert.equal(JSON.parse(sent.body).bodyBytes, body.length);
      assert.equal(sent.headers['x-end'], 'reached');
    }));

  test('say what they are told to say, and keep quiet where they are told to', async () => {
    const [door] = doors.doors;
    const from = doors.server.log.length;
    await environ(door!, '/quiet');
    await environ(door!, '/said%0aforged', ['Host: a.example']);
    await door!.ask('/gone');
    await doors.server.waitForLog(
      /\|app: -1\|req: -1\/\d+\] .* GET \/gone => generated 5 bytes in \d+ msecs via route\(\) \(HTTP\/1\.1 410\)/,
      from,
    );
    assert.match(doors.server.log.slice(from), /^a\.example asks for \/said\\x0aforged$/m);
    assert.doesNotMatch(doors.server.log.slice(from), /GET \/quiet/);
  });
});

describe('basicauth with a file of users', () => {
  test('takes what crypt(3) takes, and notices a change', async () => {
    const users = join(base, 'htpasswd');
    const crypt = (password: string, method: string) =>
      execFileSync(
        DEBIAN_PYTHON,
        ['-W', 'ignore', '-c', `import crypt; print(crypt.crypt('${password}', crypt.mksalt(crypt.${method})))`],
        {
          encoding: 'utf8',
        },
      ).trim();
    const lines = [
      `six:${crypt('pw6', 'METHOD_SHA512')}`,
      `bee:${crypt('pwb', 'METHOD_BLOWFISH')}`,
      `sha:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM=`,
    ];
    writeFileSync(users, lines.join('\n'));
    const doors = await openDoors(['--wsgi-file', 'inspect.py', '--route-run', `basicauth:Users,${users}`]);
    await doors.each(async (door) => {
      for (const good of ['six:pw6', 'bee:pwb', 'sha:foo', 'six:pw6']) {
        assert.equal((await environ(door, '/', [basic(good)])).REMOTE_USER, good.slice(0, 3), good);
      }
      for (const bad of ['six:pwb', 'bee:', 'sha:bar', 'nobody:pw6', ':']) {
        assert.equal((await door.ask('/', { headers: [basic(bad)] })).status, 401, bad);
      }
    });
    writeFileSync(users, `new:${crypt('pwn', 'METHOD_SHA256')}\n`);
    const [door] = doors.doors;
    const tryNew = async () => (await door!.ask('/', { headers: [basic('new:pwn')] })).status;
    const deadline = performance.now() + 10_000;
    while ((await tryNew()) !== 200) assert(performance.now() < deadline, 'the new file is read');
    assert.equal((await door!.ask('/', { headers: [basic('six:pw6')] })).status, 401);
    await doors.server.stop();
  });
});

describe('a rule that cannot be read', () => {
  test('ends the start with its line and what there is', async () => {
    const file = join(base, 'bad.ini');
    writeFileSync(file, '[uwsgi]\nhttp = :0\nwsgi-file = hello.py\nroute = ^/x forbid:\n');
    const bad = await runToEnd([file]);
    assert.equal(bad.code, 2);
    assert.match(bad.output, /bad\.ini:4: route = "\^\/x forbid:" is not a rule: "forbid" is no action; there are /);
  });
});
