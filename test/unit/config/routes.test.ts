import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACTIONS, UNSERVED_ACTIONS } from '../../../src/config/route-actions.js';
import { withoutSecrets } from '../../../src/config/routes.js';
import { parseTemplate } from '../../../src/config/template.js';
import { failure, MINIMAL, serve } from './serve.js';

const rulesOf = (args: readonly string[]) => serve([...MINIMAL, ...args]).routes;

describe('rules', () => {
  test('keep the order in which they are given, whatever their options', () => {
    const { rules, labels } = rulesOf([
      ...['--route-run', 'log:first', '--route', '^/a log:second', '--route-if', 'empty:${X} goto:end'],
      ...['--route-host', '^x$ log:third', '--route-label', 'end', '--route-if-not', 'equal:a;b last'],
    ]);
    assert.deepEqual(
      rules.map(({ when, action, isNegated }) => [when.kind, action.kind, isNegated]),
      [
        ['always', 'log', false],
        ['match', 'log', false],
        ['empty', 'goto', false],
        ['match', 'log', false],
        ['text', 'last', true],
      ],
    );
    assert.deepEqual([...labels], [['end', 4]]);
  });

  test('may have spaces in their arguments, and more than one in front of the action', () => {
    const { rules } = rulesOf([
      '--route',
      '^/a   addheader:X-A: b c',
      '--route-if',
      'regexp:${HTTP_HOST};^a$ return:404 Not Here',
    ]);
    assert.deepEqual(rules[0]!.action, { kind: 'addheader', name: 'X-A', value: ['b c'] });
    assert.deepEqual(rules[1]!.action, { kind: 'answer', status: 404, reason: 'Not Here', isEmpty: false });
  });

  // biome-ignore format: a table
  const WRONG = [
    [['--route', '^/x'],                          /route = "\^\/x" is not a regular expression, a space and an action$/],
    [['--route', '( return:404'],                 /"\(" is not a regular expression: .*Unterminated group/],
    [['--route', '^/x retrun:404'],               /"retrun" is no action; there are return, /],
    [['--route', '^/x http:127.0.0.1:80'],        /"http" is known from uWSGI and not supported; there are /],
    [['--route', '^/x return:99'],                /return: it takes a status from 200 to 599/],
    [['--route', '^/x return:200 a\tb'],          /return: it takes a status/],
    [['--route', '^/x addheader:X A: b'],         /addheader: it takes NAME: VALUE/],
    [['--route', '^/x addheader:Content-Length: 1'], /addheader: it takes NAME: VALUE/],
    [['--route', '^/x remheader:a b'],            /remheader: "a b" is not the name of a header field/],
    [['--route', '^/x addvar:a b=c'],             /addvar: it takes NAME=VALUE/],
    [['--route', '^/x addvar:wsgi.input=c'],      /addvar: it takes NAME=VALUE/],
    [['--route', '^/x redirect:/${a b}'],         /redirect: \$\{a b\} is no variable/],
    [['--route', '^/x redirect:/${cookie[]}'],    /redirect: \$\{cookie\[\]\} is no variable .* and none of cookie\[NAME\]/],
    [['--route', '^/x redirect:/${geoip[c]}'],    /\$\{geoip\[c\]\} is no variable/],
    [['--route', '^/x redirect:/${X'],            /\$\{ is no variable/],
    [['--route', '^/x redirect'],                 /redirect: it takes an argument/],
    [['--route', '^/x basicauth:realm'],          /basicauth: it takes a realm without quotes, a comma/],
    [['--route', '^/x basicauth:a"b,c:d'],        /basicauth: it takes a realm without quotes, a comma/],
    [['--route', '^/x file:filename=a,status=404'], /file: "status" is not supported/],
    [['--route-if', 'return:404'],                /route-if = "return:404" is not a test, a space and an action$/],
    [['--route-if', 'equals:a;b last'],           /there is no test "equals"; there are equal, /],
    [['--route-if', 'equal:a last'],              /equal: it takes two texts with a ";" between them/],
    [['--route-if', 'ipv4in:${REMOTE_ADDR};::1/8 last'], /ipv4in: it takes an address, a ";" and an ipv4 network/],
    [['--route-if', 'regexp:${X};( last'],        /regexp: "\(" is not a regular expression/],
    [['--route-run', 'goto:nowhere'],             /^command line: no route-label is "nowhere"$/],
    [['--route-label', 'a', '--route-run', 'goto:a'], /goto:a leads back/],
    [['--route-label', 'a', '--route-label', 'a'], /there is another one so called/],
    [['--response-route-status', '404 last'],     /response-route-status is known from uWSGI and not supported/],
  ] as const;
  test('that cannot be read end the start, and say where and what there is', () => {
    for (const [args, message] of WRONG) assert.match(failure([...MINIMAL, ...args]), message);
  });

  test('keep passwords out of their errors', () => {
    const message = failure([...MINIMAL, '--route', '^/x basicauth:a"b,user:secret']);
    assert.match(message, /basicauth/);
    assert.doesNotMatch(message, /secret/);
    assert.equal(withoutSecrets('^/ basicauth:My Realm,user:a:b c'), '^/ basicauth:My Realm,user:***');
    assert.equal(withoutSecrets('^/ basicauth:r,/etc/htpasswd'), '^/ basicauth:r,/etc/htpasswd');
  });

  test('have no action that is said to be missing', () => {
    assert.deepEqual(
      [...ACTIONS.keys()].filter((name) => UNSERVED_ACTIONS.has(name)),
      [],
    );
  });
});

describe('templates', () => {
  test('are text and what a request fills in', () => {
    assert.deepEqual(parseTemplate('a$1${B}$c$$2${cookie[d]}${qs[e f]}${time[unix]}${httptime[60]}'), [
      'a',
      { kind: 'capture', index: 1 },
      { kind: 'variable', name: 'B' },
      '$c$',
      { kind: 'capture', index: 2 },
      { kind: 'cookie', name: 'd' },
      { kind: 'query', name: 'e f' },
      { kind: 'time' },
      { kind: 'date', offsetSeconds: 60 },
    ]);
    assert.deepEqual(parseTemplate(''), []);
    assert.deepEqual(parseTemplate('caf\u00e9'), ['caf\u00c3\u00a9'], 'bytes of UTF-8');
  });
});
