import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MimeTypes, readMimeTypes } from '../../../src/edge/static/mime.js';
import { accepts } from '../../../src/edge/static/static-files.js';

describe('MIME types', () => {
  test('go by the extension, in any case, and a file without one is bytes', () => {
    const types = new MimeTypes(new Map());
    assert.equal(types.of('/a/b.html'), 'text/html');
    assert.equal(types.of('/a/B.PNG'), 'image/png');
    assert.equal(types.of('/x.tar.gz'), 'application/gzip');
    assert.equal(types.of('/a.b/c'), 'application/octet-stream');
    assert.equal(types.of('/a/html'), 'application/octet-stream');
    assert.equal(types.of('/a.nobody-knows'), 'application/octet-stream');
  });

  test('of a file come before the built-in ones', () => {
    const own = new Map<string, string>();
    assert.deepEqual(readMimeTypes('# a comment\ntext/x-own  own Html # another\n\nimage/png\n', own), []);
    const types = new MimeTypes(own);
    assert.equal(types.of('a.own'), 'text/x-own');
    assert.equal(types.of('a.html'), 'text/x-own');
    assert.equal(types.of('a.css'), 'text/css');
  });

  test('that are none are told by line', () => {
    assert.deepEqual(readMimeTypes('text/html html\nhtml text/html\n\ntext/a:b c\n', new Map()), [2, 4]);
  });
});

describe('Accept-Encoding', () => {
  // biome-ignore format: a table
  const HEADERS = [
    ['gzip', true], ['gzip, br', true], ['br;q=1.0, gzip;q=0.5', true], ['GZIP', true], [' gzip ; q=0.001', true],
    ['', false], ['br', false], ['gzip;q=0', false], ['gzip; q = 0.000', false], ['xgzip, gzipx', false], ['*', false],
  ] as const;
  test('has a coding only with a weight', () => {
    for (const [header, expected] of HEADERS) assert.equal(accepts(header, 'gzip'), expected, header);
  });
});
