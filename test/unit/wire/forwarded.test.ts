import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseNetworks } from '../../../src/config/network.js';
import { forwardedHops, plainAddress, TrustedProxies, xForwardedHops } from '../../../src/wire/forwarded.js';

const proxies = new TrustedProxies(parseNetworks('10.0.0.0/8, 2001:db8::/32, unix:')!);

describe('X-Forwarded-For and X-Forwarded-Proto', () => {
  // biome-ignore format: a table
  const CASES: readonly (readonly [peer: string, forwardedFor: string, proto: string, address: string, scheme: string | undefined])[] = [
    ['10.0.0.1', '1.2.3.4',                     'https',        '1.2.3.4',     'https'],
    ['10.0.0.1', '1.2.3.4',                     '',             '1.2.3.4',     undefined],
    ['10.0.0.1', '',                            'https',        '10.0.0.1',    'https'],
    ['10.0.0.1', '',                            '',             '10.0.0.1',    undefined],
    ['9.9.9.9',  '1.2.3.4',                     'https',        '9.9.9.9',     undefined],
    ['',         '1.2.3.4',                     'https',        '1.2.3.4',     'https'],
    ['2001:db8::1', '2001:DB9:0::1',            'HTTP',         '2001:db9::1', 'http'],
    // only what stands right of the first untrusted one counts
    ['10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.2',  'https',        '1.2.3.4',     'https'],
    ['10.0.0.1', '6.6.6.6,1.2.3.4',             'https',        '1.2.3.4',     'https'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2',          'https',        '10.0.0.3',    'https'],
    // schemes belong to the addresses where there are as many
    ['10.0.0.1', '1.2.3.4, 10.0.0.2',           'https, http',  '1.2.3.4',     'https'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4',            'https, http',  '1.2.3.4',     'http'],
    ['10.0.0.1', '1.2.3.4',                     'https, http',  '1.2.3.4',     'http'],
    // some add the port
    ['10.0.0.1', '1.2.3.4:5678',                'https',        '1.2.3.4',     'https'],
    ['10.0.0.1', '[2001:db9::1]:5678',          'https',        '2001:db9::1', 'https'],
    ['10.0.0.1', '::ffff:1.2.3.4',              'https',        '1.2.3.4',     'https'],
    // what is no address ends the walk
    ['10.0.0.1', 'unknown',                     'https',        '10.0.0.1',    'https'],
    ['10.0.0.1', '1.2.3.4, unknown, 10.0.0.2',  'https',        '10.0.0.2',    'https'],
    ['10.0.0.1', '1.2.3.4,',                    'https',        '10.0.0.1',    'https'],
    ['10.0.0.1', "'; DROP TABLE",               'ftp',          '10.0.0.1',    undefined],
    ['10.0.0.1', 'fe80::1%eth0',                '',             '10.0.0.1',    undefined],
  ];
  test('name the client as far as they are trusted', () => {
    for (const [peer, forwardedFor, proto, address, scheme] of CASES) {
      const origin = proxies.origin(peer, xForwardedHops(forwardedFor, proto));
      assert.deepEqual(origin, { address, scheme }, `${peer} <- ${forwardedFor} (${proto})`);
    }
  });
});

describe('Forwarded (RFC 7239)', () => {
  // biome-ignore format: a table
  const CASES: readonly (readonly [field: string, address: string, scheme: string | undefined])[] = [
    ['for=1.2.3.4',                                            '1.2.3.4',     undefined],
    ['For=1.2.3.4;Proto=HTTPS;by=10.0.0.1;host=example.org',   '1.2.3.4',     'https'],
    ['for="[2001:db9::1]:4711";proto=https',                   '2001:db9::1', 'https'],
    ['for="1.2.3.4:80"',                                       '1.2.3.4',     undefined],
    ['for=6.6.6.6;proto=http, for=1.2.3.4;proto=https',        '1.2.3.4',     'https'],
    ['for=1.2.3.4;proto=https,for=10.0.0.2;proto=http',        '1.2.3.4',     'https'],
    ['for=1.2.3.4 , for=10.0.0.2',                             '1.2.3.4',     undefined],
    ['for="\\1.2.3.4"',                                        '1.2.3.4',     undefined],
    ['proto=https',                                            '10.0.0.1',    'https'],
    ['for=unknown;proto=https',                                '10.0.0.1',    'https'],
    ['for=_hidden, for=10.0.0.2',                              '10.0.0.2',    undefined],
    // where the syntax is broken nothing of it counts
    ['for=1.2.3.4, for="10.0.0.2',                             '10.0.0.1',    undefined],
    ['for="6.6.6.6, for=1.2.3.4',                              '10.0.0.1',    undefined],
    ['for=1.2.3.4;',                                           '10.0.0.1',    undefined],
    ['for=1.2.3.4,',                                           '10.0.0.1',    undefined],
    ['for=1.2.3.4;for=5.6.7.8',                                '10.0.0.1',    undefined],
    ['for 1.2.3.4',                                            '10.0.0.1',    undefined],
    ['1.2.3.4',                                                '10.0.0.1',    undefined],
    ['',                                                       '10.0.0.1',    undefined],
  ];
  test('names the client as far as it is trusted', () => {
    for (const [field, address, scheme] of CASES) {
      assert.deepEqual(proxies.origin('10.0.0.1', forwardedHops(field)), { address, scheme }, field);
    }
  });

  test('is read in a time that its length bounds', () => {
    const started = performance.now();
    for (const part of ['for="', 'a=b;', '\\"', 'for=1.2.3.4,']) forwardedHops(part.repeat(65536 / part.length));
    assert(performance.now() - started < 1000);
  });
});

describe('addresses', () => {
  test('are written as people write them', () => {
    assert.equal(plainAddress('0000:0000:0000:0000:0000:0000:0000:0001'), '::1');
    assert.equal(plainAddress('0000:0000:0000:0000:0000:ffff:7f00:0001'), '127.0.0.1');
    assert.equal(plainAddress('2001:0db8:0000:0000:0000:0000:0000:0007'), '2001:db8::7');
    assert.equal(plainAddress('1.2.3.4'), '1.2.3.4');
    assert.equal(plainAddress(''), '');
  });

  test('of networks are found in them, with and without a zone', () => {
    assert(proxies.trusts('10.255.0.1') && proxies.trusts('2001:db8:ffff::1') && proxies.trusts(''));
    assert(!proxies.trusts('11.0.0.1') && !proxies.trusts('2001:db9::1') && !proxies.trusts('fe80::1%eth0'));
    assert(new TrustedProxies(parseNetworks('fe80::/10')!).trusts('fe80::1%eth0'));
    assert.equal(parseNetworks('10.0.0.0/8 nonsense'), undefined);
    assert.equal(parseNetworks(' , '), undefined);
  });
});
