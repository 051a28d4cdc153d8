import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseOptions, serversFor, UsageError } from '../../../native-bench/options.js';
import { SCENARIOS, type Scenario } from '../../../native-bench/scenarios.js';

const scenario = (name: string) => SCENARIOS.find((one) => one.name === name) as Scenario;
const names = (argv: string[], of: string) => serversFor(parseOptions(argv), scenario(of)).map(({ name }) => name);

describe('the command line of the benchmark', () => {
  test('without anything asks every question, five times', () => {
    const options = parseOptions([]);
    assert.equal(options.scenarios, SCENARIOS);
    assert.equal(options.rounds, 5);
    assert.equal(options.saves, false);
    assert.deepEqual(names([], 'hello-js-64'), ['nuwsgi', 'bare-uws', 'bare-node-http']);
  });
  test('measures a server that is named wherever its language is spoken', () => {
    const argv = ['--server', 'nuwsgi-http-socket', '--server', 'gunicorn'];
    assert.deepEqual(names(argv, 'hello-py-2'), ['nuwsgi-http-socket', 'gunicorn']);
    assert.deepEqual(names(argv, 'hello-js-64'), ['nuwsgi-http-socket']);
  });
  test('makes a variant of nuwsgi from variables and options', () => {
    const [variant] = parseOptions(['--variant', 'NUWSGI_SPIN_US=0 --http-engine node']).variants;
    assert.equal(variant?.name, 'nuwsgi NUWSGI_SPIN_US=0 --http-engine node');
    assert.deepEqual(variant?.env, { NUWSGI_SPIN_US: '0' });
    assert.deepEqual(variant?.arguments(scenario('hello-py-2'), 80).slice(-2), ['--http-engine', 'node']);
  });
  test('names what there is when something is not', () => {
    assert.throws(() => parseOptions(['--scenario', 'nope']), /no scenario is called "nope"; there are: hello-py-64/);
    assert.throws(() => parseOptions(['--rounds', '0']), UsageError);
    assert.throws(() => parseOptions(['--reporter', 'xml']), UsageError);
    assert.throws(() => parseOptions(['--frobnicate']), UsageError);
  });
});
