import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Receiver } from '../../../src/dispatch/receiver.js';
import { placePacket } from '../../../src/listeners/place-packet.js';
import { byPrecedence, type Mount, mountOf } from '../../../src/listeners/site.js';

const NOBODY: Receiver = { submit: () => {}, submitPacket: () => {} };

/** `/a`, `example.com/a` */
function mountsOf(...points: string[]): Mount[] {
  const mounts = points.map((point) => {
    const slash = point.indexOf('/');
    return { host: slash === 0 ? undefined : point.slice(0, slash), path: point.slice(slash).replace(/\/$/, '') };
  });
  return mounts.map((mount) => ({ ...mount, receiver: NOBODY })).sort(byPrecedence);
}
const nameOf = (mount: Mount | undefined) => mount && `${mount.host ?? ''}${mount.path || '/'}`;

describe('a request finds its app', () => {
  const mounts = mountsOf('/', '/shop', '/shop/cart', 'a.example/', 'a.example/admin', '*.example/', '*.b.example/');
  // biome-ignore format: a table
  const TABLE: readonly (readonly [host: string, path: string, mount: string])[] = [
    ['other.com',        '/',              '/'],
    ['other.com',        '/shop',          '/shop'],
    ['other.com',        '/shop/',         '/shop'],
    ['other.com',        '/shopping',      '/'],
    ['other.com',        '/shop/cart/2',   '/shop/cart'],
    ['',                 '/shop',          '/shop'],
    ['a.example',        '/shop',          'a.example/'],
    ['A.Example:8080',   '/admin/x',       'a.example/admin'],
    ['a.example.',       '/admin',         'a.example/admin'],
    ['c.example',        '/admin',         '*.example/'],
    ['x.b.example',      '/',              '*.b.example/'],
    ['b.example',        '/',              '*.example/'],
    ['example',          '/',              '/'],
    ['aa.example.com',   '/',              '/'],
  ];
  for (const [host, path, mount] of TABLE) {
    test(`${host || 'no host'} ${path} is for ${mount}`, () =>
      assert.equal(nameOf(mountOf(mounts, path, host)), mount));
  }

  test('none where no mount is for every host or every path', () => {
    assert.equal(mountOf(mountsOf('a.example/', '/shop'), '/', 'b.example'), undefined);
    assert.equal(nameOf(mountOf(mountsOf('a.example/x', '/shop'), '/shop', 'a.example')), '/shop');
  });

  test('an IPv6 host is told from its port', () => {
    assert.equal(nameOf(mountOf(mountsOf('[::1]/', '/'), '/', '[::1]:8080')), '[::1]/');
  });

  test('a packet finds it by HTTP_HOST, and by SCRIPT_NAME where the peer has split the path', () => {
    const place = (variables: Record<string, string>) => {
      const packet = Buffer.from(`\0\0${Object.entries(variables).flat().join('\0\0')}`, 'latin1');
      const receivers = new Map(mounts.map((mount) => [{ ...NOBODY }, mount] as const));
      const own = Array.from(receivers, ([receiver, mount]) => ({ ...mount, receiver }));
      const placed = placePacket(own, variables.SCRIPT_NAME ?? '', variables.PATH_INFO ?? '', packet);
      return nameOf(receivers.get(placed!.receiver));
    };
    assert.equal(place({ PATH_INFO: '/shop', HTTP_HOST: 'a.example' }), 'a.example/');
    assert.equal(place({ PATH_INFO: '/x', SCRIPT_NAME: '/shop', HTTP_HOST: 'other.com' }), '/shop');
    assert.equal(place({ PATH_INFO: '/x', SCRIPT_NAME: '/admin', HTTP_HOST: 'a.example' }), 'a.example/admin');
    assert.equal(place({ PATH_INFO: '/x', SCRIPT_NAME: '/shop', HTTP_HOST: 'a.example' }), '/shop');
    assert.equal(place({ HTTP_HOST: 'c.example:1', PATH_INFO: '/' }), '*.example/');
  });
});
