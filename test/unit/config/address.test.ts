import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bindingKey, parseAddress } from '../../../src/config/address.js';

// biome-ignore format: a table
const GOOD: readonly (readonly [text: string, address: object])[] = [
  [':9090',            { kind: 'tcp', host: '0.0.0.0', port: 9090 }],
  ['*:9090',           { kind: 'tcp', host: '0.0.0.0', port: 9090 }],
  [':0',               { kind: 'tcp', host: '0.0.0.0', port: 0 }],
  ['127.0.0.1:65535',  { kind: 'tcp', host: '127.0.0.1', port: 65535 }],
  ['localhost:80',     { kind: 'tcp', host: 'localhost', port: 80 }],
  ['my-host.example:8080', { kind: 'tcp', host: 'my-host.example', port: 8080 }],
  ['[::1]:9090',       { kind: 'tcp', host: '::1', port: 9090 }],
  ['[::]:9090',        { kind: 'tcp', host: '::', port: 9090 }],
  ['[fe80::1%eth0]:9090', { kind: 'tcp', host: 'fe80::1%eth0', port: 9090 }],
  ['/run/app.sock',    { kind: 'unix', path: '/run/app.sock' }],
  ['/run/a:b.sock',    { kind: 'unix', path: '/run/a:b.sock' }],
  ['app.sock',         { kind: 'unix', path: 'app.sock' }],
  ['unix:/run/app.sock', { kind: 'unix', path: '/run/app.sock' }],
  ['unix:app.sock',    { kind: 'unix', path: 'app.sock' }],
  ['@app',             { kind: 'abstract', name: 'app' }],
  ['fd://3',           { kind: 'fd', socket: 3 }],
  ['fd://web.socket',  { kind: 'fd', socket: 'web.socket' }],
];

// biome-ignore format: a table
const BAD: readonly (readonly [text: string, hint: RegExp])[] = [
  ['9090',               /for a port write :9090/],
  [':65536',             /a port is 0 to 65535/],
  [':http',              /a port is 0 to 65535/],
  [':-1',                /a port is 0 to 65535/],
  ['localhost:',         /a port is 0 to 65535/],
  ['::1:9090',           /IPv6 address stands in brackets/],
  ['http://:9090',       /without the scheme/],
  ['fd://',              /the number or the name of a socket/],
  ['fd://a:b',           /the number or the name of a socket/],
  ['=0',                 /shared sockets are not supported/],
  ['10.*:9090',          /an address/],
  ['my host:9090',       /an address/],
  ['unix:',              /an address/],
  ['@',                  /an address/],
  [`/${'x'.repeat(107)}`, /at most 107 bytes/],
  [`@${'x'.repeat(108)}`, /at most 107 bytes/],
];

describe('addresses', () => {
  test('every form of uWSGI that this server binds is read, and the text is kept', () => {
    for (const [text, address] of GOOD) assert.deepEqual(parseAddress(text), { address: { ...address, text } }, text);
  });

  test('what is no address is refused with what was probably meant', () => {
    for (const [text, hint] of BAD) {
      const parsed = parseAddress(text);
      assert('wanted' in parsed, text);
      assert.match(parsed.wanted, hint, text);
    }
  });

  test('two addresses collide when they name the same port or file, and port 0 never does', () => {
    const keyOf = (text: string) => {
      const parsed = parseAddress(text);
      assert('address' in parsed);
      return bindingKey(parsed.address);
    };
    assert.equal(keyOf(':80'), keyOf('0.0.0.0:80'));
    assert.equal(keyOf('unix:/a'), keyOf('/a'));
    assert.notEqual(keyOf('@a'), keyOf('unix:a'));
    assert.equal(keyOf(':0'), undefined);
  });
});
