import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inheritedSockets } from '../../../src/config/inherited.js';
import { failure, serve } from './serve.js';

const APP = ['--wsgi-file', 'foobar.py'];
const SYSTEMD = { LISTEN_PID: String(process.pid), LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:uwsgi-socket:unknown' };
const shown = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  serve([...argv, ...APP], env).listeners.map(({ option, address }) => `${option} ${address.text}`);

describe('the sockets that are asked for', () => {
  test('come by option, in the order of the options table, several of each', () => {
    assert.deepEqual(
      shown(['-s', '/a', '--http', ':1', '--uwsgi-socket', '@b', '--http', ':2', '--http-socket', ':3']),
      ['http :1', 'http :2', 'http-socket :3', 'socket /a', 'socket @b'],
    );
  });

  test('may not be two on one address, whatever it is called', () => {
    const message = failure(['--http', ':80', '--socket', '*:80', ...APP]);
    assert.equal(message, 'http (command line) and socket (command line) want the same address, *:80');
    assert.match(failure(['--http', 'fd://3', '--socket', 'fd://3', ...APP]), /want the same address, fd:\/\/3$/);
  });

  test('come from systemd: by name, by the name of an option, and as uwsgi', () => {
    assert.deepEqual(shown([], SYSTEMD), [
      'socket fd://3 (web)',
      'socket fd://4 (uwsgi-socket)',
      'socket fd://5 (unknown)',
    ]);
    assert.deepEqual(shown(['--http', 'fd://web'], SYSTEMD), [
      'http fd://web',
      'socket fd://4 (uwsgi-socket)',
      'socket fd://5 (unknown)',
    ]);
    const named = { ...SYSTEMD, LISTEN_FDNAMES: 'http-socket:web:web' };
    assert.deepEqual(shown(['--http', 'fd://web'], named), [
      'http fd://web',
      'http fd://web',
      'http-socket fd://3 (http-socket)',
    ]);
    const numbers = serve(['--http', 'fd://web', ...APP], named).listeners.map(({ address }) => address);
    assert.deepEqual(
      numbers.map((address) => (address.kind === 'fd' ? address.socket : undefined)),
      [4, 5, 3],
    );
  });

  test('that systemd does not have are told with those it has', () => {
    const message = failure(['--http', 'fd://wbe', ...APP], SYSTEMD);
    assert.match(
      message,
      /^command line: http = "fd:\/\/wbe" is not the name .* \(there are: web, uwsgi-socket, unknown\)$/,
    );
  });

  test('from systemd are enough to start with', () => {
    assert.match(failure(APP), /no address to listen on/);
    assert.equal(serve(APP, SYSTEMD).listeners.length, 3);
  });
});

describe('what systemd tells', () => {
  test('is for the process it names, and may lack the names', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '2' };
    assert.deepEqual(inheritedSockets(env, 7), [
      { fd: 3, name: 'unknown' },
      { fd: 4, name: 'unknown' },
    ]);
    assert.deepEqual(inheritedSockets(env, 8), []);
    assert.deepEqual(inheritedSockets({ ...env, LISTEN_FDS: 'two' }, 7), []);
    assert.deepEqual(inheritedSockets({}, 7), []);
  });
});
