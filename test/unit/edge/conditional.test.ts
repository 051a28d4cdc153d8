import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { select } from '../../../src/edge/static/conditional.js';

const FILE = { size: 1000, etag: '"3e8-1"', lastModified: 'Mon, 23 Nov 2026 01:12:00 GMT' };
const EARLIER = 'Mon, 23 Nov 2026 01:11:59 GMT';
const LATER = 'Mon, 23 Nov 2026 01:12:01 GMT';

function outcome(variables: Readonly<Record<string, string>>, isHead = false, size = FILE.size): string {
  const { status, start, end } = select({ ...FILE, size }, (name) => variables[name] ?? '', isHead);
  return status === 200 || status === 206 ? `${status} ${start}-${end}` : String(status);
}

describe('ranges of a file', () => {
  // biome-ignore format: a table
  const RANGES = [
    ['bytes=0-0',               '206 0-1'],
    ['bytes=0-499',             '206 0-500'],
    ['bytes=500-',              '206 500-1000'],
    ['bytes=-100',              '206 900-1000'],
    ['bytes=990-5000',          '206 990-1000'],
    ['BYTES=0-1',               '206 0-2'],
    ['bytes=0-9,5-19',          '206 0-20'],
    ['bytes=0-9,10-19',         '206 0-20'],
    ['bytes=0-9,20-29',         '200 0-1000'],
    ['bytes=1000-',             '416'],
    ['bytes=-0',                '416'],
    ['bytes=5-4',               '416'],
    ['bytes=a-b',               '200 0-1000'],
    ['bytes=',                  '200 0-1000'],
    ['bytes=1',                 '200 0-1000'],
    ['bytes',                   '200 0-1000'],
    ['items=0-1',               '200 0-1000'],
    ['bytes=0-99999999999999999999999', '206 0-1000'],
    [`bytes=${'0-0,'.repeat(4000)}0-0`, '200 0-1000'],
  ] as const;
  test('are one part, or nothing, or the whole file', () => {
    for (const [range, expected] of RANGES) assert.equal(outcome({ HTTP_RANGE: range }), expected, range.slice(0, 60));
  });

  test('are not for HEAD, and an empty file has none', () => {
    assert.equal(outcome({ HTTP_RANGE: 'bytes=0-9' }, true), '200 0-1000');
    assert.equal(outcome({ HTTP_RANGE: 'bytes=0-' }, false, 0), '416');
  });

  test('count only while If-Range names this very file', () => {
    const part = (ifRange: string) => outcome({ HTTP_RANGE: 'bytes=0-9', HTTP_IF_RANGE: ifRange });
    assert.equal(part(FILE.etag), '206 0-10');
    assert.equal(part(FILE.lastModified), '206 0-10');
    for (const other of ['"3e8-2"', `W/${FILE.etag}`, EARLIER, LATER, 'nonsense']) {
      assert.equal(part(other), '200 0-1000', other);
    }
  });
});

describe('conditions on a file', () => {
  // biome-ignore format: a table
  const CONDITIONS = [
    [{ HTTP_IF_NONE_MATCH: FILE.etag },                                          '304'],
    [{ HTTP_IF_NONE_MATCH: `W/${FILE.etag}` },                                   '304'],
    [{ HTTP_IF_NONE_MATCH: `"x", ${FILE.etag}` },                                '304'],
    [{ HTTP_IF_NONE_MATCH: '*' },                                                '304'],
    [{ HTTP_IF_NONE_MATCH: '"x"' },                                              '200 0-1000'],
    [{ HTTP_IF_MODIFIED_SINCE: FILE.lastModified },                              '304'],
    [{ HTTP_IF_MODIFIED_SINCE: LATER },                                          '304'],
    [{ HTTP_IF_MODIFIED_SINCE: EARLIER },                                        '200 0-1000'],
    [{ HTTP_IF_MODIFIED_SINCE: 'yesterday' },                                    '200 0-1000'],
    [{ HTTP_IF_NONE_MATCH: '"x"', HTTP_IF_MODIFIED_SINCE: LATER },               '200 0-1000'],
    [{ HTTP_IF_NONE_MATCH: FILE.etag, HTTP_CACHE_CONTROL: 'no-cache' },          '200 0-1000'],
    [{ HTTP_IF_NONE_MATCH: FILE.etag, HTTP_RANGE: 'bytes=0-9' },                 '304'],
    [{ HTTP_IF_MATCH: FILE.etag },                                               '200 0-1000'],
    [{ HTTP_IF_MATCH: '*' },                                                     '200 0-1000'],
    [{ HTTP_IF_MATCH: `"x",${FILE.etag}`, HTTP_RANGE: 'bytes=0-9' },             '206 0-10'],
    [{ HTTP_IF_MATCH: '"x"' },                                                   '412'],
    [{ HTTP_IF_MATCH: `W/${FILE.etag}` },                                        '412'],
    [{ HTTP_IF_UNMODIFIED_SINCE: FILE.lastModified },                            '200 0-1000'],
    [{ HTTP_IF_UNMODIFIED_SINCE: EARLIER },                                      '412'],
    [{ HTTP_IF_UNMODIFIED_SINCE: 'yesterday' },                                  '200 0-1000'],
  ] as const;
  test('are weighed as RFC 9110 says', () => {
    for (const [variables, expected] of CONDITIONS)
      assert.equal(outcome(variables), expected, JSON.stringify(variables));
  });
});
