import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTlsAddress } from '../../../src/config/tls-address.js';
import { httpsLocation } from '../../../src/listeners/https-redirect.js';

const FILES = { cert: 'c.pem', key: 'k.pem', ciphers: undefined, clientCa: undefined, needsClient: false };

describe('an address with certificates', () => {
  // biome-ignore format: a table
  const GOOD: readonly (readonly [text: string, files: object])[] = [
    [':443,c.pem,k.pem',                          FILES],
    [':443,c.pem',                                { ...FILES, key: 'c.pem' }],
    [':443,c.pem,k.pem,HIGH:!aNULL',              { ...FILES, ciphers: 'HIGH:!aNULL' }],
    [':443,c.pem,k.pem,,ca.pem',                  { ...FILES, clientCa: 'ca.pem' }],
    [':443,c.pem,k.pem,HIGH,!ca.pem',             { ...FILES, ciphers: 'HIGH', clientCa: 'ca.pem', needsClient: true }],
    ['addr=:443,cert=c.pem,key=k.pem,spdy=1',     FILES],
    ['key=k.pem,crt=c.pem,clientca=!ca,addr=:443', { ...FILES, clientCa: 'ca', needsClient: true }],
  ];

  test("is written in uWSGI's two ways", () => {
    for (const [text, files] of GOOD) {
      const parsed = parseTlsAddress(text);
      assert('value' in parsed, text);
      assert.deepEqual(parsed.value.files, files, text);
      assert.deepEqual(parsed.value.address, { kind: 'tcp', host: '0.0.0.0', port: 443, text }, text);
    }
  });

  test('is refused when a part is missing or unknown', () => {
    for (const text of [
      ':443',
      ':443,',
      ',c.pem',
      ':443,c,k,x,y,z,w',
      'addr=:443,certificate=c',
      'cert=c',
      '443,c,k',
    ]) {
      assert('wanted' in parseTlsAddress(text), text);
    }
    const parsed = parseTlsAddress('443,c,k');
    assert('wanted' in parsed);
    assert.match(parsed.wanted, /"443" is not an address: .*; for a port write :443/);
  });
});

describe('where a client is sent to', () => {
  test('is the same place, on the port of HTTPS', () => {
    assert.equal(httpsLocation('example.org', '/a?b', 443), 'https://example.org/a?b');
    assert.equal(httpsLocation('example.org:8080', '/', 443), 'https://example.org/');
    assert.equal(httpsLocation('example.org:8080', '/', 8443), 'https://example.org:8443/');
    assert.equal(httpsLocation('[::1]:80', '/', 8443), 'https://[::1]:8443/');
    assert.equal(httpsLocation('[::1]', '/', 443), 'https://[::1]/');
    assert.equal(httpsLocation('example.org', 'http://example.org/x?y', 443), 'https://example.org/x?y');
    assert.equal(httpsLocation('example.org', 'http://example.org?y', 443), 'https://example.org/?y');
  });
});
