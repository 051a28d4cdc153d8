import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listeningOnName, listeningOnPort } from '../../../src/listeners/socket-holder.js';

// Lines of the kernel, as proc(5) shows them.
const TCP = [
  '   0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
  '   1: 0100007F:2384 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1',
  '   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0',
  '',
];
const UNIX = [
  '0000000082a66ea4: 00000002 00000000 00010000 0001 01 100 /run/app.sock',
  '00000000125900cc: 00000003 00000000 00000000 0001 03 101 /run/app.sock',
  '00000000b896e64c: 00000002 00000000 00010000 0001 01 102 @app@@@@',
  '00000000b896e64d: 00000002 00000000 00010000 0001 01 103 /run/with space',
  '0000000012590000: 00000003 00000000 00000000 0001 03  1147',
];

describe("the kernel's tables of sockets", () => {
  test('tell who listens on a port, and not who is connected', () => {
    assert.deepEqual(listeningOnPort(9092, TCP), ['4711']);
    assert.deepEqual(listeningOnPort(80, TCP), ['4713']);
    assert.deepEqual(listeningOnPort(81, TCP), []);
  });

  test('tell who listens on a path or an abstract name', () => {
    assert.deepEqual(listeningOnName('/run/app.sock', UNIX), ['100']);
    assert.deepEqual(listeningOnName('@app', UNIX), ['102']);
    assert.deepEqual(listeningOnName('/run/with space', UNIX), ['103']);
    assert.deepEqual(listeningOnName('/run/app', UNIX), []);
  });
});
