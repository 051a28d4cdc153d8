import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readXml } from '../../../src/config/xml.js';

const lines = (source: string, section?: string) => {
  const { settings, problems } = readXml(source, 'app.xml', section);
  assert.deepEqual(problems.map(String), []);
  return settings.map(({ name, text, at }) => `${at.replace('app.xml:', '')} ${name}=${text ?? '(alone)'}`);
};
const problems = (source: string, section?: string) =>
  readXml(source, 'app.xml', section).problems.map((problem) => problem.message);

describe('XML files', () => {
  test('an element is an option, an empty one has no value, entities and CDATA are text', () => {
    const source = `<?xml version="1.0"?>
<!-- the shop -->
<uwsgi>
  <http-socket>:9090</http-socket>
  <env>A=1 &amp; 2</env>
  <env><![CDATA[B=<2>]]></env>
  <master/>
  <processes> 4 </processes>
</uwsgi>
`;
    assert.deepEqual(lines(source), [
      '4 http-socket=:9090',
      '5 env=A=1 & 2',
      '6 env=B=<2>',
      '7 master=(alone)',
      '8 processes=4',
    ]);
  });

  test('sections are told apart by their id, and may stand in another element', () => {
    const source =
      '<config>\n<uwsgi id="a"><threads>1</threads></uwsgi>\n<uwsgi id="b"><threads>2</threads></uwsgi>\n</config>';
    assert.deepEqual(lines(source), ['2 threads=1', '3 threads=2']);
    assert.deepEqual(lines(source, 'b'), ['3 threads=2']);
    assert.deepEqual(problems(source, 'c'), ['app.xml: there is no <uwsgi id="c">']);
    assert.deepEqual(problems('<server/>'), ['app.xml: there is no element <uwsgi>']);
  });

  test('what is wrong is told with its line', () => {
    assert.deepEqual(problems('<uwsgi>\n  <http>:9090</htp>\n</uwsgi>'), [
      "app.xml:2: it is no XML: Expected closing tag 'http' (opened in line 2, col 3) instead of closing tag 'htp'.",
    ]);
    assert.match(problems('http = :9090')[0]!, /^app\.xml:1: it is no XML: /);
    assert.deepEqual(problems('<uwsgi>\n  <http>:1</http>\n  master\n  <env><a>1</a></env>\n</uwsgi>'), [
      'app.xml:1: "master" stands in <uwsgi> without an option',
      'app.xml:4: <env> takes a text, not other elements',
    ]);
  });
});
