import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Option } from '../../../src/config/options.js';
import { parseAssign } from '../../../src/config/pairs.js';
import { parseFlag, parseValue } from '../../../src/config/values.js';

const option = (fields: Partial<Option>): Option => ({
  name: 'x',
  kind: 'int',
  help: '',
  ...fields,
});

describe('values', () => {
  test("booleans are spelt uWSGI's ways, in any case, and a bare option is true", () => {
    for (const text of ['true', 'on', 'yes', '1', '', 'True', 'YES']) assert.equal(parseFlag(text), true, text);
    for (const text of ['false', 'off', 'no', '0', 'False', 'OFF']) assert.equal(parseFlag(text), false, text);
  });

  test('a word that is no boolean is an error, not true', () => {
    for (const text of ['ture', '2', 'enabled', 'null', ' ']) assert.equal(parseFlag(text), undefined, text);
  });

  test('numbers have decimal digits only: garbage is not 0', () => {
    assert.deepEqual(parseValue(option({}), '4'), { value: 4 });
    assert.deepEqual(parseValue(option({}), '0010'), { value: 10 });
    for (const text of ['four', '-1', '+1', '1.5', '1e3', '0x10', '4k', '4 ', '٤']) {
      assert('wanted' in parseValue(option({}), text), text);
    }
  });

  test('a number has its range, and the message tells it', () => {
    const processes = option({ range: [1, 1024] });
    assert.deepEqual(parseValue(processes, '1024'), { value: 1024 });
    for (const text of ['0', '1025', '99999999999999999999']) {
      assert.deepEqual(parseValue(processes, text), { wanted: 'a number from 1 to 1024' }, text);
    }
  });

  test('a value above the range is cut down with a warning where the table says so', () => {
    const bufferSize = option({ name: 'buffer-size', kind: 'size', range: [1024, 65535], clamps: true });
    assert.deepEqual(parseValue(bufferSize, '70000'), { value: 65535, warning: 'buffer-size is cut down to 65535' });
    assert('wanted' in parseValue(bufferSize, '100'));
  });

  test('a comment behind a number is told apart from other garbage', () => {
    const parsed = parseValue(option({}), '4 ; workers');
    assert('wanted' in parsed);
    assert.match(parsed.wanted, /a comment needs a line of its own/);
  });

  test('a unit in the name of a kind appears in the message', () => {
    const parsed = parseValue(option({ kind: 'seconds' }), 'soon');
    assert('wanted' in parsed);
    assert.equal(parsed.wanted, 'a number of seconds, in decimal digits');
  });

  test('an assignment is split at its first "=", and its value is taken as it is', () => {
    assert.deepEqual(parseAssign('A=b=c '), { key: 'A', value: 'b=c ', text: 'A=b=c ' });
    assert.deepEqual(parseAssign('A='), { key: 'A', value: '', text: 'A=' });
    assert.equal(parseAssign('=b'), undefined);
    assert.equal(parseAssign('A'), undefined);
  });

  test('a choice takes one of its words', () => {
    const engine = option({ kind: 'choice', choices: ['uws', 'node'] });
    assert.deepEqual(parseValue(engine, 'node'), { value: 'node' });
    assert.deepEqual(parseValue(engine, 'nginx'), { wanted: 'one of uws, node' });
  });
});
