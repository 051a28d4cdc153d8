// The PROXY protocol as its description has it: HAProxy, doc/proxy-protocol.txt.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ProxyOutcome, readProxyHeader } from '../../../src/wire/proxy-protocol.js';

const REST = Buffer.from('GET / HTTP/1.1\r\n');
const SIGNATURE = '0d0a0d0a000d0a515549540a';
const hex = (...parts: string[]) => Buffer.from([SIGNATURE, ...parts].join(''), 'hex');
const line = (text: string) => Buffer.from(`${text}\r\n`, 'latin1');

// biome-ignore format: a table
const HEADERS: readonly (readonly [what: string, header: Buffer, peer: { address: string; port: number } | undefined])[] = [
  ['version 1, IPv4',        line('PROXY TCP4 192.0.2.7 192.0.2.1 56324 443'),      { address: '192.0.2.7', port: 56324 }],
  ['version 1, IPv6',        line('PROXY TCP6 2001:db8:0:0::7 2001:db8::1 0 65535'), { address: '2001:db8::7', port: 0 }],
  ['version 1, IPv4 as IPv6', line('PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2'),          { address: '192.0.2.7', port: 1 }],
  ['version 1, unknown',     line('PROXY UNKNOWN'),                                 undefined],
  ['version 1, unknown with addresses', line('PROXY UNKNOWN ffff::1 ffff::2 1 2'),  undefined],
  ['version 2, IPv4',        hex('21', '11', '000c', 'c0000207', 'c0000201', 'dc04', '01bb'), { address: '192.0.2.7', port: 56324 }],
  ['version 2, IPv6',        hex('21', '21', '0024', '20010db8000000000000000000000007', '0'.repeat(32), '0001', '0002'), { address: '2001:db8::7', port: 1 }],
  ['version 2, with more behind the addresses', hex('21', '11', '0012', 'c0000207', 'c0000201', 'dc04', '01bb', '030003616263'), { address: '192.0.2.7', port: 56324 }],
  ['version 2, the proxy itself', hex('20', '00', '0000'),                           undefined],
  ['version 2, the proxy itself, with addresses to be skipped', hex('20', '11', '000c', 'c0000207', 'c0000201', 'dc04', '01bb'), undefined],
  ['version 2, UNIX sockets', hex('21', '31', '00d8', '61'.repeat(216)),             undefined],
  ['version 2, UDP',         hex('21', '12', '000c', 'c0000207', 'c0000201', 'dc04', '01bb'), undefined],
];

// biome-ignore format: a table
const FAULTS: readonly (readonly [what: string, header: Buffer, why: RegExp])[] = [
  ['nothing of the kind',        Buffer.from('GET / HTTP/1.1\r\n'),                    /there is none/],
  ['lower case',                 line('proxy TCP4 192.0.2.7 192.0.2.1 1 2'),           /there is none/],
  ['TLS',                        Buffer.from('1603010200', 'hex'),                     /there is none/],
  ['a line that does not end',   Buffer.from(`PROXY UNKNOWN ${'x'.repeat(107)}`),      /does not end/],
  ['UDP4',                       line('PROXY UDP4 192.0.2.7 192.0.2.1 1 2'),           /not of the form/],
  ['two addresses in one',       line('PROXY TCP4 192.0.2.7,10.0.0.1 192.0.2.1 1 2'),  /not of the form/],
  ['IPv6 for IPv4',              line('PROXY TCP4 ::1 192.0.2.1 1 2'),                 /not of the form/],
  ['a name',                     line('PROXY TCP4 localhost 192.0.2.1 1 2'),           /not of the form/],
  ['a port too large',           line('PROXY TCP4 192.0.2.7 192.0.2.1 65536 2'),       /not of the form/],
  ['a port with a zero in front', line('PROXY TCP4 192.0.2.7 192.0.2.1 01 2'),         /not of the form/],
  ['a port left out',            line('PROXY TCP4 192.0.2.7 192.0.2.1 1'),             /not of the form/],
  ['two spaces',                 line('PROXY TCP4  192.0.2.7 192.0.2.1 1 2'),          /not of the form/],
  ['a zone',                     line('PROXY TCP6 fe80::1%eth0 fe80::2 1 2'),          /not of the form/],
  ['version 3',                  hex('31', '11', '000c', '00'.repeat(12)),             /version and command are 0x31/],
  ['an unknown command',         hex('22', '11', '000c', '00'.repeat(12)),             /version and command are 0x22/],
  ['addresses that do not fit',  hex('21', '11', '0008', '00'.repeat(8)),              /do not fit/],
  ['more than anybody needs',    hex('21', '11', 'ffff'),                              /over 16384/],
];

const shown = (outcome: ProxyOutcome) => (outcome.kind === 'header' ? outcome.peer : outcome);

describe('the PROXY protocol', () => {
  for (const [what, header, peer] of HEADERS) {
    test(`${what} is read, and nothing behind it`, () => {
      const outcome = readProxyHeader(Buffer.concat([header, REST]));
      assert.deepEqual(outcome, { kind: 'header', bytes: header.length, peer });
    });

    test(`${what} may come in any number of pieces`, () => {
      for (let cut = 0; cut < header.length; cut++) {
        assert.equal(readProxyHeader(header.subarray(0, cut)).kind, 'more', `${cut} of ${header.length}`);
      }
      assert.deepEqual(shown(readProxyHeader(header)), peer);
    });
  }

  for (const [what, header, why] of FAULTS) {
    test(`${what} is refused`, () => {
      const outcome = readProxyHeader(header);
      assert(outcome.kind === 'fault', outcome.kind);
      assert.match(outcome.why, why);
    });
  }
});
