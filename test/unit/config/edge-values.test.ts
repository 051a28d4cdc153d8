import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  parseExpiry,
  parseHeader,
  parseHeaderName,
  parseMapping,
  parseTypeExpiry,
} from '../../../src/config/edge-values.js';
import { failure, MINIMAL, serve } from './serve.js';

describe('mount points of files', () => {
  test('are a path and what it stands for', () => {
    assert.deepEqual(parseMapping('/static=/srv/www'), { value: { prefix: '/static', target: '/srv/www' } });
    assert.deepEqual(parseMapping('/a/ = b=c'), { value: { prefix: '/a', target: 'b=c' } });
    assert.deepEqual(parseMapping('/=www'), { value: { prefix: '', target: 'www' } });
    for (const text of ['static=/srv', '/static', '/static=', '=/srv', ''])
      assert('wanted' in parseMapping(text), text);
  });
});

describe('times to expire', () => {
  test('are a pattern and seconds, with a space or a sign between them', () => {
    for (const text of ['/img/.*\\.png 3600', '/img/.*\\.png=3600', '/img/.*\\.png = 3600']) {
      const parsed = parseExpiry(text);
      assert('value' in parsed, text);
      assert.match('/img/a.png', parsed.value.pattern);
      assert.doesNotMatch('/img/a-png', parsed.value.pattern);
      assert.equal(parsed.value.seconds, 3600);
    }
    for (const text of ['3600', '/img/', '/img/ never', '( 3600']) assert('wanted' in parseExpiry(text), text);
  });

  test('of a type go by the whole type', () => {
    const parsed = parseTypeExpiry('image/svg+xml=60');
    assert('value' in parsed);
    assert.match('image/svg+xml', parsed.value.pattern);
    assert.doesNotMatch('image/svgxml', parsed.value.pattern);
    for (const text of ['image=60', 'image/png', '=60']) assert('wanted' in parseTypeExpiry(text), text);
  });
});

describe('header fields in a configuration', () => {
  test('have a name and a value that may stand in a header', () => {
    assert.deepEqual(parseHeader('X-Frame-Options: DENY'), { value: { name: 'X-Frame-Options', value: 'DENY' } });
    assert.deepEqual(parseHeader('X:'), { value: { name: 'X', value: '' } });
    assert.deepEqual(parseHeader('X-Name: Jos\u00e9'), { value: { name: 'X-Name', value: 'Jos\u00c3\u00a9' } });
    for (const text of ['X', ': x', 'X Y: z', 'X: a\r\nY: b', 'X: a\0', 'Content-Length: 3', 'connection: close']) {
      assert('wanted' in parseHeader(text), text);
    }
  });

  test('that frame an answer cannot be named', () => {
    assert.deepEqual(parseHeaderName('Server'), { value: 'Server' });
    for (const text of ['Transfer-Encoding', 'content-length', 'a b', ''])
      assert('wanted' in parseHeaderName(text), text);
  });
});

describe('the options for static files', () => {
  test('are told where they are wrong', () => {
    assert.match(
      failure([...MINIMAL, '--static-map', 'static=/srv']),
      /^command line: static-map = "static=\/srv" is not of the form \/PATH=DIRECTORY or \/PATH=FILE$/,
    );
    assert.match(failure([...MINIMAL, '--static-gzip', '(']), /static-gzip = "\(" is not a regular expression: /);
  });

  test('have the aliases that uWSGI has', () => {
    const { config } = serve([
      ...MINIMAL,
      ...['--static-check', 'a', '--static-gzip-prefix', 'b', '--static-gzip-suffix', '.c', '--mime-file', 'd'],
    ]);
    assert.deepEqual(config['check-static'], ['a']);
    assert.deepEqual([config['static-gzip-dir'], config['static-gzip-ext'], config.mimefile], [['b'], ['.c'], ['d']]);
  });
});
