// The same rules in a real uWSGI and here: the same requests end alike. What is meant to differ is not among them; it is
// listed in docs/static-and-routing.md and tested in routing.test.ts.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { raw, startServer, type TestServer } from './harness.js';
import { RealUwsgi } from './real-uwsgi.js';

let base: string;
let uwsgi: RealUwsgi;
let server: TestServer;

before(async () => {
  base = mkdtempSync(join(tmpdir(), 'nuwsgi-golden-'));
  mkdirSync(join(base, 'www/dir'), { recursive: true });
  writeFileSync(join(base, 'www/a.txt'), 'a file\n');
  writeFileSync(join(base, 'www/x.php'), '<?php\n');
  writeFileSync(join(base, 'www/dir/index.html'), '<p>index\n');
  mkdirSync(join(base, 'more'));
  writeFileSync(join(base, 'more/two.txt'), 'two\n');
  symlinkSync('/etc/hostname', join(base, 'www/out'));
  const rules = join(base, 'rules.ini');
  writeFileSync(
    rules,
    `[uwsgi]
static-map = /static=${base}/www
check-static = ${base}/more
static-index = index.html
static-skip-ext = .php
add-header = X-Added: 1
route = ^/old/(.*)$ redirect:/new/$1
route = ^/perm$ redirect-permanent:https://\${HTTP_HOST}\${REQUEST_URI}
route = ^/r410 return:410
route = ^/b403 break:403 Keep Out
route = ^/hangup$ break:
route = ^/rw/(.*)$ rewrite:/index?page=$1
route = ^/rwnoqs rewrite:/index
route = ^/rwchain$ rewrite:/old/x
route = ^/rwlast rewrite-last:/r410
route = ^/to-file/(.*) rewrite:/static/$1
route = ^/old/x$ return:409
route = ^/last last:
route = ^/cont continue:
route = ^/(?:last|cont) return:500
route = ^/static/a\\.txt return:410
route-uri = debug=1 addvar:DEBUG=yes
route-qs = ^zz=(.*)$ addvar:ZZ=$1
route = ^/hdr(.*) addheader:X-One: a $1 \${REMOTE_ADDR}
route-if = equal:\${PATH_INFO};/eq addvar:EQ=1
route-if = eq:\${PATH_INFO};/eq addvar:EQ2=1
route-if = ==:\${PATH_INFO};/eq addvar:EQ3=1
route-if-not = startswith:\${PATH_INFO};/e addvar:NOTE=1
route-if = contains:\${PATH_INFO};ont addvar:ONT=1
route-if = endswith:\${PATH_INFO};end addvar:END=1
route-if = ipv4in:\${REMOTE_ADDR};127.0.0.0/8 addvar:LOCAL=1
route-if = ipv4in:\${REMOTE_ADDR};10.0.0.0/8 addvar:TEN=1
route-if = regexp:\${HTTP_USER_AGENT};^(Bad)Bot addvar:BOT=$1
route-if = empty:\${cookie[sid]} addvar:NOSID=1
route-if-not = empty:\${cookie[sid]} addvar:SID=\${cookie[sid]}
route-if = exists:${base}/www\${PATH_INFO} addvar:EXISTS=1
route-if = isfile:${base}/www\${PATH_INFO} addvar:ISFILE=1
route-if = isdir:${base}/www\${PATH_INFO} addvar:ISDIR=1
route-if = >:\${qs[n]};9 addvar:MORE=1
route-if = <:\${qs[n]};10 addvar:LESS=1
route-run = addvar:QSP=\${qs[p]}
route = ^/caps(.)(.) addvar:CAPS=$0-$1-$2-$3
route-host = ^h\\. addvar:HOST=1
route-remote-addr = ^127 addvar:ADDR=1
route-user-agent = ^curl addvar:CURL=1
route-referer = ^http addvar:REF=1
route = ^/file/(.*)$ static:${base}/www/$1
route = ^/next-file/(.*)$ static-next:${base}/www/$1
route = ^/auth basicauth:My Realm,foo:bar
route = ^/nobody basicauth:My Realm,
route = ^/empty basicauth:My Realm,foo:
route = ^/next basicauth-next:My Realm,foo:bar
route = ^/next return:403
route = ^/two basicauth-next:My Realm,foo:bar
route = ^/two basicauth:My Realm,bar:foo
route = ^/info setpathinfo:/changed
route = ^/method setmethod:PUT
route = ^/user setuser:ann
route = ^/go goto:there
route = ^/go return:500
route-label = there
route = ^/go addvar:GONE=1
route = ^/abc[[:digit:]]+$ addvar:DIGITS=1
`,
  );
  const plugins = ['redirect', 'rewrite', 'static', 'basicauth'].map((name) => `router_${name}`).join();
  uwsgi = await RealUwsgi.start('inspect.py', ['--plugin', plugins, '--ini', rules]);
  server = await startServer(['--http-socket', '127.0.0.1:0', '--wsgi-file', 'inspect.py', '--ini', rules]);
});
after(async () => {
  await server.stop();
  await uwsgi.stop();
  rmSync(base, { recursive: true });
});

const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
/** Variables of the environ that rules set here, or that depend on what they did. */
const OF_RULES = /^(?:PATH_INFO|QUERY_STRING|REQUEST_(?:URI|METHOD)|REMOTE_USER|[A-Z]{2,7}\d?)$/;
const OTHERS = /^(?:HTTP|HOST|HTTPS)$/;

/** How a request ends, as far as both servers mean to agree: bodies of their own, and the words around them, they choose. */
async function ending(port: number, path: string, headers: readonly string[], method: string): Promise<unknown> {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: h.example', 'Connection: close', ...headers, '', ''].join('\r\n');
  const { answers, bytes } = await raw(port, head, { isHead: method === 'HEAD' });
  const [answer] = answers;
  if (answer === undefined) return bytes;
  const { status, headers: fields, body } = answer;
  const shown = [
    status,
    fields.location,
    fields['x-one'],
    fields['x-added'],
    fields['www-authenticate']?.split(',')[0],
  ];
  if (fields['content-type'] !== 'application/json') return [...shown, status === 200 ? body : ''];
  const { environ } = JSON.parse(body || '{"environ":{}}') as { environ: Record<string, string> };
  const names = Object.keys(environ).filter((name) => OF_RULES.test(name) && !OTHERS.test(name));
  return [...shown, names.sort().map((name) => `${name}=${environ[name]}`)];
}

// biome-ignore format: a table
const REQUESTS: readonly (readonly [path: string, headers?: readonly string[], method?: string])[] = [
  ['/x'], ['/x?p=1&q=2'], ['/x?q=2&p=a%26b'], ['/x?debug=1'], ['/x?zz=a%20b'],
  ['/old/abc'], ['/old/a?x=1'], ['/perm?x=%20y'], ['/r410'], ['/b403'], ['/hangup'],
  ['/rw/abc'], ['/rw/abc?x=1'], ['/rwnoqs'], ['/rwnoqs?x=1'], ['/rwchain'], ['/rwlast'], ['/to-file/dir/index.html'],
  ['/last'], ['/cont'], ['/hdr'], ['/hdrx'], ['/eq'], ['/front-end'],
  ['/x', ['User-Agent: BadBot/1']], ['/x', ['User-Agent: curl/8']], ['/x', ['Referer: http://x/']],
  ['/x', ['Cookie: a=b; sid=42']], ['/x', ['Cookie: sid=']], ['/x?n=9'], ['/x?n=10'], ['/x?n=many'],
  ['/a.txt'], ['/dir'], ['/none'], ['/capsab'], ['/abc123'], ['/abc12x'], ['/go'], ['/info?x=1'], ['/method'], ['/user'],
  ['/file/a.txt'], ['/file/dir'], ['/next-file/a.txt'], ['/next-file/none'],
  ['/auth'], ['/auth', [basic('foo:bar')]], ['/auth', [basic('foo:baz')]], ['/auth', [basic('foo')]], ['/auth', ['Authorization: Bearer x']],
  ['/nobody'], ['/nobody', [basic('foo:bar')]], ['/empty', [basic('foo:')]], ['/empty', [basic('foo:bar')]],
  ['/next'], ['/next', [basic('foo:bar')]], ['/next', [basic('foo:baz')]], ['/next', ['Authorization: Bearer x']],
  ['/two'], ['/two', [basic('foo:bar')]], ['/two', [basic('bar:foo')]], ['/two', [basic('bar:bar')]],
  ['/static/a.txt'], ['/static/dir/'], ['/static/dir/index.html'], ['/static/none'], ['/static/x.php'],
  ['/static/dir/index.html', [], 'HEAD'], ['/static/dir/index.html', [], 'POST'],
  ['/static/dir/index.html', ['If-Modified-Since: Tue, 24 Nov 2099 00:00:00 GMT']], ['/two.txt', [basic('bar:foo')]],
];

describe('rules and files end as in a real uWSGI', () => {
  for (const [path, headers = [], method = 'GET'] of REQUESTS) {
    test(`${method} ${path} ${headers.join()}`, async () => {
      const [there, here] = [
        await ending(uwsgi.httpPort, path, headers, method),
        await ending(server.port, path, headers, method),
      ];
      assert.deepEqual(here, there);
    });
  }
});
