// What the server changes in answers, over every kind of listener: header fields, error pages, files that an app names.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Doors, openDoors } from './front-doors.js';
import { runToEnd } from './harness.js';

let base: string;
before(() => {
  base = mkdtempSync(join(tmpdir(), 'nuwsgi-edits-'));
  for (const name of ['www', 'safe', 'safe2']) mkdirSync(join(base, name));
  writeFileSync(join(base, '403.html'), '<h1>keep out</h1>');
  writeFileSync(join(base, '404.html'), '<h1>not here</h1>');
  writeFileSync(join(base, '500.html'), '<h1>oh no</h1>');
  writeFileSync(join(base, 'www/a.txt'), 'a file\n');
  writeFileSync(join(base, 'safe/report.pdf'), 'a report');
  writeFileSync(join(base, 'safe/with space'), 'spaced');
  writeFileSync(join(base, 'safe/large'), Buffer.alloc(1 << 20, 'L'));
  writeFileSync(join(base, 'safe2/secret'), 'secret');
  writeFileSync(join(base, 'secret'), 'secret');
  symlinkSync('../secret', join(base, 'safe/out'));
  symlinkSync('../secret', join(base, 'www/out'));
});
after(() => rmSync(base, { recursive: true }));

describe('header fields', () => {
  let doors: Doors;
  before(async () => {
    doors = await openDoors([
      ...['--mount', '/app=edited.py', '--static-map', `/static=${join(base, 'www')}`],
      ...['--add-header', 'X-Frame-Options: DENY', '--add-header', 'X-Two: a', '--add-header', 'X-Two: b'],
      ...['--rem-header', 'x-powered-by', '--del-header', 'Server'],
    ]);
  });
  after(() => doors.server.stop());

  test('are added to every answer, and taken out of those of the app', () =>
    doors.each(async ({ ask }) => {
      for (const path of ['/app/', '/app/parts', '/app/crash', '/static/a.txt', '/static/out', '/none']) {
        const { headers } = await ask(path);
        assert.equal(headers['x-frame-options'], 'DENY', path);
        assert.equal(headers['x-two'], 'a, b', path);
        assert(!('x-powered-by' in headers) && !('server' in headers), path);
      }
      assert.equal((await ask('/app/parts')).body, 'one two');
      assert.equal((await ask('/app/')).headers['content-type'], 'text/plain');
      const head = await ask('/app/', { method: 'HEAD' });
      assert.deepEqual([head.headers['x-frame-options'], head.headers['content-length']], ['DENY', '6']);
    }));

  test('are counted in the log as they were sent', async () => {
    const from = doors.server.log.length;
    await doors.doors[0]!.ask('/app/?counted');
    await doors.server.waitForLog(/GET \/app\/\?counted .* 4 headers in 88 bytes/, from);
  });

  test('that frame an answer cannot be edited', async () => {
    const bad = await runToEnd(['--http', ':0', '--wsgi-file', 'hello.py', '--add-header', 'Content-Length: 5']);
    assert.equal(bad.code, 2);
    assert.match(bad.output, /add-header = "Content-Length: 5" is not a field that may be edited/);
  });
});

describe('error pages', () => {
  test("stand for the server's own errors, not for the app's", async () => {
    const doors = await openDoors([
      ...['--mount', '/app=edited.py', '--static-map', `/static=${join(base, 'www')}`],
      ...['--error-page-403', join(base, '403.html'), '--error-page-404', join(base, 'none.html')],
      ...['--error-page-404', join(base, '404.html'), '--error-page-500', join(base, '500.html')],
    ]);
    await doors.each(async ({ ask }) => {
      const page = async (path: string) => {
        const { status, body, headers } = await ask(path);
        return `${status} ${headers['content-type']} ${body}`;
      };
      assert.equal(await page('/static/out'), '403 text/html <h1>keep out</h1>');
      assert.equal(await page('/none'), '404 text/html <h1>not here</h1>');
      assert.equal(await page('/app/crash'), '500 text/html <h1>oh no</h1>');
      assert.equal(await page('/app/own-404'), '404 text/plain my own');
      assert.equal(await page('/app/own-500'), '500 text/plain my own');
      const head = await ask('/app/crash', { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers['content-length'], head.body], [500, '14', '']);
    });
    await doors.server.stop();
  });

  test('stand for the failure of a JavaScript app too', async () => {
    writeFileSync(join(base, 'crash.mjs'), "export function application() { throw new Error('on purpose'); }\n");
    const page = ['--error-page-500', join(base, '500.html')];
    const doors = await openDoors(['--wsgi-file', join(base, 'crash.mjs'), ...page]);
    await doors.each(async ({ ask }) => assert.equal((await ask('/')).body, '<h1>oh no</h1>'));
    await doors.server.stop();
  });

  test('that cannot be read end the start', async () => {
    const bad = await runToEnd(['--http', ':0', '--wsgi-file', 'hello.py', '--error-page-404', '/none/404.html']);
    assert.equal(bad.code, 2);
    assert.match(bad.output, /error-page-404: \/none\/404\.html: ENOENT/);
  });
});

describe('a file that an app names', () => {
  let doors: Doors;
  before(async () => {
    doors = await openDoors([
      '--wsgi-file',
      'edited.py',
      '--static-safe',
      join(base, 'safe'),
      '--add-header',
      'X-Added: 1',
    ]);
  });
  after(() => doors.server.stop());
  const named = (path: string, more = '') => `/x-sendfile?path=${encodeURIComponent(path)}${more}`;

  test("is sent in place of the app's body, with what the app says about it", () =>
    doors.each(async ({ ask }) => {
      const disposition = '&more=Content-Disposition%3Dattachment&more=ETag%3D%22mine%22';
      const target = named(join(base, 'safe/report.pdf'), disposition);
      const answer = await ask(target);
      assert.deepEqual([answer.status, answer.body], [200, 'a report']);
      const { headers } = answer;
      assert.equal(headers['content-type'], 'application/pdf');
      assert.equal(headers['content-length'], '8');
      assert.equal(headers['content-disposition'], 'attachment');
      assert.equal(headers.etag, '"mine"');
      assert.equal(headers['x-added'], '1');
      assert(!('x-sendfile' in headers));
      const typed = await ask(named(join(base, 'safe/report.pdf'), '&more=Content-Type%3Dtext/x-mine'));
      assert.equal(typed.headers['content-type'], 'text/x-mine');
      const head = await ask(target, { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '8', '']);
    }));

  test('comes in part, or not again, where the client asks so', () =>
    doors.each(async ({ ask }) => {
      const target = named(join(base, 'safe/large'));
      assert.equal((await ask(target)).body.length, 1 << 20);
      const part = await ask(target, { headers: ['Range: bytes=10-19'] });
      assert.deepEqual(
        [part.status, part.body, part.headers['content-range']],
        [206, 'L'.repeat(10), 'bytes 10-19/1048576'],
      );
      const { etag } = part.headers;
      assert.equal((await ask(target, { headers: [`If-None-Match: ${etag}`] })).status, 304);
      const mine = named(join(base, 'safe/report.pdf'), '&status=403%20Mine');
      const other = await ask(mine, { headers: ['Range: bytes=0-0'] });
      assert.deepEqual([other.status, other.reason, other.body], [403, 'Mine', 'a report'], 'only a 200 has parts');
    }));

  test('may be named by X-Accel-Redirect, as a URI', () =>
    doors.each(async ({ ask }) => {
      const target = named(`${join(base, 'safe')}/with%20space`, '&field=X-Accel-Redirect');
      assert.equal((await ask(target)).body, 'spaced');
    }));

  test('ends the body of the app, however long that is', async () => {
    for (const { ask } of doors.doors) {
      const from = doors.server.log.length;
      const answer = await ask(`/endless?path=${join(base, 'safe/report.pdf')}`);
      assert.equal(answer.body, 'a report');
      await doors.server.waitForLog(/the endless body is closed/, from);
      await doors.server.waitForLog(/\|app: 0\|req: .* => generated 8 bytes .* via sendfile\(\) .* 200\)/, from);
    }
  });

  test('elsewhere is not ours to send: the field goes on to the proxy in front', () =>
    doors.each(async ({ ask }) => {
      const paths = ['secret', 'safe2/secret', 'safe/../secret', 'safe', 'x/../../etc/passwd'];
      for (const path of [...paths.map((name) => `${base}/${name}`), '/etc/passwd', 'relative']) {
        const answer = await ask(named(path));
        assert(!answer.body.includes('secret') && !answer.body.includes('root:'), path);
        if (path !== `${base}/safe`) {
          assert.deepEqual([answer.body, answer.headers['x-sendfile']], ['the body of the app', path]);
        }
      }
    }));

  test('that is not there, or leads elsewhere, is answered so', () =>
    doors.each(async ({ ask }) => {
      assert.equal((await ask(named(join(base, 'safe/none')))).status, 404);
      assert.equal((await ask(named(join(base, 'safe/out')))).status, 403);
    }));
});
