// Rules without a server: what they make of a request, and how long they may take.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ConfigError } from '../../../src/base/errors.js';
import { Exchange } from '../../../src/dispatch/exchange.js';
import { AnswerEdits } from '../../../src/edge/answer-edits.js';
import { EdgeRequest } from '../../../src/edge/edge-request.js';
import { RuleChain } from '../../../src/edge/rules/rule-chain.js';
import { MimeTypes } from '../../../src/edge/static/mime.js';
import { StaticFiles } from '../../../src/edge/static/static-files.js';
import { MINIMAL, serve } from '../config/serve.js';

class Nobody extends Exchange {
  answerWhole(): void {}
  answerFirst(): void {}
  answerPart(): void {}
  answerEnd(): void {}
  refuse(): void {}
  drop(): void {}
  get heldBytes(): number {
    return 0;
  }
}

class Request extends EdgeRequest {
  readonly #given: ReadonlyMap<string, string>;

  constructor(variables: Readonly<Record<string, string>>) {
    super(new Nobody(), false, variables.PATH_INFO ?? '');
    this.#given = new Map(Object.entries(variables));
    this.answerEdits = new AnswerEdits({ added: [], removed: [] });
  }

  protected lookup(name: string): string | undefined {
    return this.#given.get(name);
  }
}

let base: string;
const warnings: string[] = [];
const warn = (text: string) => void warnings.push(text);
const files = new StaticFiles(
  {
    maps: [],
    usesDocumentRoot: false,
    indexes: [],
    safe: [],
    skippedExtensions: [],
    allowsHidden: false,
    trustMs: 0,
    types: new MimeTypes(new Map()),
    expiries: [],
    isCompressible: () => false,
  },
  warn,
);

before(() => {
  base = mkdtempSync(join(tmpdir(), 'nuwsgi-rules-'));
  writeFileSync(join(base, 'file'), 'x');
  writeFileSync(
    join(base, 'users'),
    'ann:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n# a comment\n\nbob:$2y$04$abcdefghijklmnopqrstuuu\n',
  );
  symlinkSync('file', join(base, 'link'));
});
after(() => rmSync(base, { recursive: true }));

/** Runs rules, given as on a command line, for a request with these variables. */
async function outcome(rules: readonly string[], variables: Readonly<Record<string, string>>) {
  const request = new Request(variables);
  const { routes } = serve([...MINIMAL, ...rules]);
  const verdict = await new RuleChain(routes, { files, directory: base, warn }).run(request);
  const edits = Object.fromEntries(request.edits ?? []);
  const head = request.answerEdits!.apply(
    { status: 200, bytes: Buffer.from('200 OK'), length: 0, dated: false },
    request.exchange.record,
  );
  return { verdict, edits, added: head.bytes.toString('latin1').split('\r\n').slice(1), request };
}

/** The Location that a redirect rule gives. */
async function location(rule: string, variables: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { verdict } = await outcome(['--route-run', 'addvar:_=_', ...rule.split('|')], variables);
  return verdict?.kind === 'reply' ? verdict.reply.fields.find(([name]) => name === 'Location')?.[1] : undefined;
}

describe('redirections', () => {
  // biome-ignore format: a table
  const LOCATIONS = [
    // rule                                                       variables                                     location
    ['--route|^/old/(.*) redirect:/new/$1',                       { PATH_INFO: '/old/a' },                      '/new/a'],
    ['--route|^/old/(.*) redirect:/new/$1',                       { PATH_INFO: '/old/a b?c#d%e' },              '/new/a%20b%3Fc%23d%25e'],
    ['--route|(?s)^/old/(.*) redirect:/new/$1',                     { PATH_INFO: '/old/a\r\nSet-Cookie: x' },     '/new/a%0D%0ASet-Cookie:%20x'],
    ['--route|^/old/(.*) redirect:/new/$1',                       { PATH_INFO: '/old/caf\u00c3\u00a9' },        '/new/caf%C3%A9'],
    ['--route-uri|^/old/(.*) redirect:/new/$1',                   { REQUEST_URI: '/old/a%20b?c=d%26e' },        '/new/a%20b?c=d%26e'],
    ['--route|^(.*) redirect:$1/',                                { PATH_INFO: '//evil.example' },              '/evil.example/'],
    ['--route|^(.*) redirect:/$1',                                { PATH_INFO: '/evil.example' },               '/evil.example'],
    ['--route-uri|^(.*) redirect:$1',                             { REQUEST_URI: '/\\evil.example' },           '/%5Cevil.example'],
    ['--route-run|redirect:https://${HTTP_HOST}${REQUEST_URI}',   { HTTP_HOST: 'a.example:8080', REQUEST_URI: '/x?y=z' }, 'https://a.example:8080/x?y=z'],
    ['--route-run|redirect:https://${HTTP_HOST}/',                { HTTP_HOST: 'a\r\nX: y' },                   'https://a%0D%0AX:%20y/'],
    ['--route-run|redirect:/?page=${qs[p]}&id=${cookie[sid]}',    { QUERY_STRING: 'x=1&p=2%263', HTTP_COOKIE: 'a=b; sid=q=1' }, '/?page=2%263&id=q=1'],
    ['--route-run|redirect:/${cookie[none]}${qs[none]}${NONE}$5', {},                                           '/'],
    ['--route-if|regexp:${HTTP_HOST};^(\\w+)\\. redirect:/$1',    { HTTP_HOST: 'shop.example' },                '/shop'],
    ['--route-run|redirect://cdn.example${PATH_INFO}',            { PATH_INFO: '/a' },                          '//cdn.example/a'],
  ] as const;
  test('escape what a request brings, and never lead to a host that it names', async () => {
    for (const [rule, variables, expected] of LOCATIONS) assert.equal(await location(rule, variables), expected, rule);
  });

  test('are 302, or 301 for good', async () => {
    for (const [action, status] of [
      ['redirect', 302],
      ['redirect-302', 302],
      ['redirect-permanent', 301],
      ['redirect-301', 301],
    ]) {
      const { verdict } = await outcome(['--route-run', `${action}:/x`], {});
      assert.equal(verdict?.kind === 'reply' && verdict.reply.status, status);
    }
  });
});

describe('rewritten paths', () => {
  // biome-ignore format: a table
  const PATHS = [
    // rule                                               variables                                     PATH_INFO          QUERY_STRING
    ['--route|^/foo/(.*) rewrite:/index.php?page=$1',     { PATH_INFO: '/foo/bar' },                    '/index.php',      'page=bar'],
    ['--route|^/foo/(.*) rewrite:/index.php?page=$1',     { PATH_INFO: '/foo/a&admin=1' },              '/index.php',      'page=a%26admin%3D1'],
    ['--route|^/foo/(.*) rewrite:/bar/$1',                { PATH_INFO: '/foo/a?admin=1' },              '/bar/a?admin=1',  ''],
    ['--route|^/foo/(.*) rewrite:/bar/$1',                { PATH_INFO: '/foo/%2e%2e' },                 '/bar/%2e%2e',     ''],
    ['--route-uri|^/foo/(.*) rewrite:/bar/$1',            { REQUEST_URI: '/foo/a%20b?c=d' },            '/bar/a b',        'c=d'],
    ['--route|^/foo rewrite:/bar?${QUERY_STRING}',        { PATH_INFO: '/foo', QUERY_STRING: 'a=b%26c' }, '/bar',          'a=b%26c&a=b%26c'],
    ['--route|^/foo rewrite:/bar',                        { PATH_INFO: '/foo', QUERY_STRING: 'a=b' },   '/bar',            'a=b'],
    ['--route|^/foo rewrite:/bar?c=d',                    { PATH_INFO: '/foo', QUERY_STRING: 'a=b' },   '/bar',            'c=d&a=b'],
    ['--route|^/foo rewrite:/${HTTP_HOST}/x',             { PATH_INFO: '/foo', HTTP_HOST: 'a?b=c' },    '/a?b=c/x',        ''],
  ] as const;
  test('hold what the request brought as text: it adds no query, and is not decoded twice', async () => {
    for (const [rule, variables, path, query] of PATHS) {
      const { edits } = await outcome(rule.split('|'), variables);
      assert.deepEqual([edits.PATH_INFO, edits.QUERY_STRING], [path, query], rule);
    }
  });

  test('are what the rules behind see', async () => {
    const rules = ['--route', '^/a$ rewrite:/b', '--route', '^/b$ rewrite-last:/c', '--route', '^/c$ rewrite:/d'];
    assert.equal((await outcome(rules, { PATH_INFO: '/a' })).edits.PATH_INFO, '/c');
  });
});

describe('header fields and variables of rules', () => {
  test('are set one by one, from what the request brings', async () => {
    const rules = [
      ...[
        '--route',
        '^/(\\w+) addheader:X-First: $1',
        '--route-run',
        'addheader:X-Fixed: a b',
        '--route-run',
        'remheader:Server',
      ],
      ...['--route-run', 'addvar:MY_VAR=${REMOTE_ADDR}!', '--route-run', 'setuser:${cookie[user]}'],
    ];
    const { added, edits, request } = await outcome(rules, {
      PATH_INFO: '/abc',
      REMOTE_ADDR: '10.0.0.1',
      HTTP_COOKIE: 'user=ann',
    });
    assert.deepEqual(added, ['X-First: abc', 'X-Fixed: a b']);
    assert.deepEqual(edits, { MY_VAR: '10.0.0.1!', REMOTE_USER: 'ann' });
    assert.equal(request.exchange.record.user, 'ann');
  });

  test('are refused where they would end a line, or forge a variable', async () => {
    for (const bad of ['a\rb', 'a\nX-Evil: 1', 'a\0b']) {
      const { verdict, added } = await outcome(['--route', '(?s)^/(.*) addheader:X-Path: $1'], {
        PATH_INFO: `/${bad}`,
      });
      assert.equal(verdict?.kind, 'refusal', JSON.stringify(bad));
      assert.deepEqual(added, []);
    }
    const { verdict } = await outcome(['--route', '(?s)^/(.*) addvar:A=$1'], { PATH_INFO: '/a\0B\0c' });
    assert.equal(verdict?.kind, 'refusal');
  });
});

describe('tests of rules', () => {
  // biome-ignore format: a table
  const TESTS = [
    ['equal:${A};x', true], ['equal:${A};y', false], ['==:${A};x', true], ['eq:${NONE};', true],
    ['startswith:${PATH_INFO};/a', true], ['startswith:${PATH_INFO};/b', false],
    ['endswith:${PATH_INFO};.html', true], ['endswith:${PATH_INFO};.htm', false],
    ['contains:${PATH_INFO};/b/', true], ['contains:${PATH_INFO};//', false],
    ['regexp:${PATH_INFO};^/a/.*\\.html$', true], ['re:${A};^y', false],
    ['empty:${NONE}', true], ['empty:${A}', false],
    ['ipv4in:${REMOTE_ADDR};10.0.0.0/8', true], ['ipv4in:${REMOTE_ADDR};10.1.2.4', false], ['ipv4in:${A};10.0.0.0/8', false],
    ['ipv6in:${SIX};2001:db8::/32', true], ['ipv6in:${SIX};2001:db9::/32', false], ['ipv6in:${REMOTE_ADDR};::/0', false],
    ['>:${N};9', true], ['>:${N};10', false], ['>=:${N};10', true], ['<:${N};11', true], ['<=:${NONE};-1', false],
    ['exists:file', true], ['exists:none', false], ['isfile:link', true], ['isfile:.', false], ['isdir:.', true],
    ['islink:link', true], ['islink:file', false], ['isexec:file', false],
    ['isfile:${DIR}/file', true], ['isfile:${DIR}/../${NAME}/file', false],
  ] as const;
  test('hold or do not, and the other way round with route-if-not', async () => {
    const here = process.cwd();
    process.chdir(base);
    const variables = {
      PATH_INFO: '/a/b/c.html',
      A: 'x',
      REMOTE_ADDR: '10.1.2.3',
      SIX: '2001:db8::1',
      N: '10',
      DIR: base,
      NAME: base.split('/').at(-1)!,
    };
    try {
      for (const [text, expected] of TESTS) {
        assert.equal(
          (await outcome(['--route-if', `${text} addvar:YES=1`], variables)).edits.YES,
          expected ? '1' : undefined,
          text,
        );
        assert.equal(
          (await outcome(['--route-if-not', `${text} addvar:NO=1`], variables)).edits.NO,
          expected ? undefined : '1',
          text,
        );
      }
    } finally {
      process.chdir(here);
    }
  });

  // biome-ignore format: a table
  const SUBJECTS = [
    ['--route', 'PATH_INFO'], ['--route-host', 'HTTP_HOST'], ['--route-uri', 'REQUEST_URI'], ['--route-qs', 'QUERY_STRING'],
    ['--route-remote-addr', 'REMOTE_ADDR'], ['--route-remote-user', 'REMOTE_USER'], ['--route-user-agent', 'HTTP_USER_AGENT'],
    ['--route-referer', 'HTTP_REFERER'],
  ] as const;
  test('look at the variable that their option is named after', async () => {
    for (const [option, variable] of SUBJECTS) {
      const rule = [option, '^some(thing)$ addvar:GOT=$1'];
      assert.equal((await outcome(rule, { [variable]: 'something' })).edits.GOT, 'thing', option);
      assert.equal((await outcome(rule, { [variable]: 'anything' })).edits.GOT, undefined, option);
    }
  });
});

describe('the way through the rules', () => {
  test('leads past what is skipped by goto, and ends at last', async () => {
    const rules = [
      ...['--route-run', 'goto:b', '--route-run', 'addvar:A=1', '--route-label', 'b', '--route-run', 'addvar:B=1'],
      ...['--route-run', 'last:', '--route-run', 'addvar:C=1'],
    ];
    assert.deepEqual((await outcome(rules, {})).edits, { B: '1' });
  });

  test('ends where a rule answers, or hangs up', async () => {
    const answered = await outcome(['--route', '^/x return:403', '--route-run', 'addvar:A=1'], { PATH_INFO: '/x' });
    assert.deepEqual([answered.verdict?.kind, answered.edits], ['reply', {}]);
    assert.equal((await outcome(['--route-run', 'break'], {})).verdict?.kind, 'drop');
    assert.equal((await outcome(['--route-run', 'break:404 Gone Fishing'], {})).verdict?.kind, 'reply');
  });

  test('is done at once where nothing has to be waited for', () => {
    const { routes } = serve([...MINIMAL, '--route', '^/a addvar:A=1', '--route-if', 'equal:${A};1 return:200']);
    const verdict = new RuleChain(routes, { files, directory: base, warn }).run(new Request({ PATH_INFO: '/a' }));
    assert(verdict !== undefined && !(verdict instanceof Promise) && verdict.kind === 'reply');
  });
});

describe('basicauth', () => {
  const basic = (text: string) => ({ HTTP_AUTHORIZATION: `Basic ${Buffer.from(text).toString('base64')}` });
  const rule = (users: string, action = 'basicauth') => ['--route-run', `${action}:My Realm,${users}`];

  // biome-ignore format: a table
  const CASES = [
    ['ann:s3cret', basic('ann:s3cret'), 'ann'],
    ['ann:s3cret', basic('ann:S3cret'), undefined],
    ['ann:s3cret', basic('Ann:s3cret'), undefined],
    ['ann:s3cret', basic('ann:'), undefined],
    ['ann:s3cret', {}, undefined],
    ['ann:s3cret', { HTTP_AUTHORIZATION: 'Bearer x' }, undefined],
    ['ann:s3cret', { HTTP_AUTHORIZATION: 'Basic !!!' }, undefined],
    ['ann:s3cret', basic('ann'), undefined],
    ['ann:a:b', basic('ann:a:b'), 'ann'],
    ['ann:', basic('ann:'), 'ann'],
    ['ann:', basic('ann:whatever'), undefined],
    ['', basic('ann:s3cret'), undefined],
    ['j\u00fcrgen:gr\u00fc\u00dfe', basic('j\u00fcrgen:gr\u00fc\u00dfe'), 'j\u00c3\u00bcrgen'],
    ['users', basic('ann:secret'), undefined],
    ['users', basic('ann:foo'), undefined],
    ['users', basic('nobody:foo'), undefined],
  ] as const;
  test('lets those in who know the password', async () => {
    for (const [users, variables, name] of CASES) {
      const { verdict, edits } = await outcome(rule(users), variables);
      assert.equal(edits.REMOTE_USER, name, JSON.stringify([users, variables]));
      if (name !== undefined) assert.equal(verdict, undefined);
      else if (verdict?.kind === 'reply') {
        assert.equal(verdict.reply.status, 401);
        assert.deepEqual(verdict.reply.fields, [['WWW-Authenticate', 'Basic realm="My Realm", charset="UTF-8"']]);
      } else assert.fail(JSON.stringify(verdict));
    }
  });

  test('goes on to the next rule where the password is wrong and that is asked for', async () => {
    const rules = [...rule('ann:1', 'basicauth-next'), ...rule('bob:2')];
    const statusOf = async (variables: Readonly<Record<string, string>>) => {
      const { verdict } = await outcome(rules, variables);
      return verdict?.kind === 'reply' ? verdict.reply.status : 'passes';
    };
    assert.equal(await statusOf(basic('ann:1')), 'passes', 'the second rule does not ask again');
    assert.equal(await statusOf(basic('bob:2')), 'passes');
    assert.equal(await statusOf(basic('ann:2')), 401);
    const [only] = [rule('ann:1', 'basicauth-next')];
    assert.equal((await outcome(only, {})).verdict?.kind, 'reply', 'without a password it asks for one');
    assert.equal((await outcome(only, basic('x:y'))).verdict, undefined);
    const forged = await outcome(rule('ann:1'), { REMOTE_USER: 'ann' });
    assert.equal(forged.verdict?.kind, 'reply', 'what a peer says of the user counts for nothing');
  });

  test('does not start with a file of users that it cannot use', async () => {
    writeFileSync(join(base, 'apr1'), 'ann:$apr1$x$y\n');
    writeFileSync(join(base, 'plain'), 'ann:s3cret\n');
    for (const [name, why] of [
      ['apr1', /apr1:1: .*MD5 of Apache.*htpasswd -B/],
      ['plain', /plain:1: .*no hash/],
      ['none', /ENOENT/],
    ] as const) {
      await assert.rejects(outcome(rule(name), {}), (error) => {
        assert(error instanceof ConfigError);
        assert.match(error.message, why);
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      });
    }
  });
});

describe('T37: time that a request can cost', () => {
  const HUGE = 16_384;
  const within = async (ms: number, rules: readonly string[], variables: Readonly<Record<string, string>>) => {
    const started = performance.now();
    await outcome(rules, variables);
    const took = performance.now() - started;
    assert(took < ms, `${rules.join(' ')} took ${took} ms`);
  };

  test('is little for all that the server itself takes apart', async () => {
    const rules = ['--route-run', 'addvar:A=${cookie[x]}${qs[y]}', '--route-run', 'redirect:/${cookie[x]}${PATH_INFO}'];
    for (const text of ['=', ';', '&', '; =', '%', 'x=', '"', '\\', ' ', '/', '/.', '..', 'a', '\u00e9', '\r\n']) {
      const flood = text.repeat(HUGE / text.length);
      await within(500, rules, { HTTP_COOKIE: flood, QUERY_STRING: flood, PATH_INFO: flood, REQUEST_URI: flood });
      await within(500, ['--route-run', 'basicauth:r,a:b'], { HTTP_AUTHORIZATION: `Basic ${flood}` });
      await within(500, ['--route-run', 'static:/srv/www${PATH_INFO}'], { PATH_INFO: flood });
    }
  });

  test('is told when it is much, with the place of the rule', async () => {
    const slow = ['--route', '^/(a+)+$ return:404'];
    await outcome(slow, { PATH_INFO: `/${'a'.repeat(23)}!` });
    assert.match(
      warnings.join('\n'),
      /WARNING: command line: the regular expression of this rule took \d+ ms: it backtracks/,
    );
  });
});
