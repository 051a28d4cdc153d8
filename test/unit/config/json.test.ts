import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readJson } from '../../../src/config/yaml.js';

const read = (source: string) => readJson(source, 'app.json', undefined);

describe('JSON files', () => {
  test('strings, numbers and booleans are values, null is 0, an array repeats its key, and lines are known', () => {
    const source =
      '{\n\t"uwsgi": {\n\t\t"http": ":9090",\n\t\t"master": true, "processes": 4, "vacuum": null, "callable": "null",\n\t\t"env": ["A=1", "B=2"]\n\t}\n}';
    const { settings, problems } = read(source);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      settings.map(({ name, text, at }) => `${at} ${name}=${text}`),
      [
        'app.json:3 http=:9090',
        'app.json:4 master=true',
        'app.json:4 processes=4',
        'app.json:4 vacuum=0',
        'app.json:4 callable=null',
        'app.json:5 env=A=1',
        'app.json:5 env=B=2',
      ],
    );
  });

  // biome-ignore format: a table
  const MISTAKES: readonly (readonly [mistake: string, source: string, message: RegExp])[] = [
    ['a comma too much',     '{"uwsgi": {\n"a": 1,\n}}',           /^app\.json:3: it is no JSON: /],
    ['a comma forgotten',    '{"uwsgi": {\n"a": 1\n"b": 2}}',      /^app\.json:3: it is no JSON: /],
    ['an end forgotten',     '{"uwsgi": {\n"a": 1\n',              /^app\.json:2: it is no JSON: /],
    ['a comment',            '{\n// the shop\n"uwsgi": {}}',       /^app\.json:2: it is no JSON: /],
    ['YAML instead',         'uwsgi:\n  http: :9090\n',            /^app\.json:1: it is no JSON: /],
    ['another top key',      '{"http": ":9090"}',                  /there is no top key "uwsgi:" or "nuwsgi:": put it above the options/],
  ];
  for (const [mistake, source, message] of MISTAKES) {
    test(`${mistake} is told with its line`, () => {
      const messages = read(source).problems.map((problem) => problem.message);
      assert.equal(messages.length, 1);
      assert.match(messages[0]!, message);
    });
  }
});
