// Real sockets on both sides; what is answered here is no protocol.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { listenPath } from '../../../src/base/native-sockets.js';
import { streamCalls } from '../../../src/base/native-streams.js';
import {
  type ArrivalHandler,
  type ShortConnection,
  ShortConnections,
} from '../../../src/listeners/short-connections.js';
import { Watch } from '../../../src/listeners/watch.js';

const calls = streamCalls()!;
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-short-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let paths = 0;

/** Takes connections, and does with them what the test says. */
class Host implements ArrivalHandler {
  readonly path = join(directory, String(paths++));
  readonly fd = listenPath(this.path, 64);
  readonly connections: ShortConnections = new ShortConnections(calls, this.fd, new Watch(), this);
  readonly peers: string[] = [];
  closed = 0;
  /** Those that nothing had come with. */
  sockets = 0;
  isOpen = true;
  act: (connection: ShortConnection, start: string) => void = (connection, start) => {
    if (start !== '') {
      connection.sendLast(Buffer.from(start.toUpperCase()));
      return;
    }
    this.sockets++;
    goOn(connection);
  };

  welcome(peer: () => string): boolean {
    this.peers.push(peer());
    return this.isOpen;
  }

  onConnection(connection: ShortConnection, start: Buffer): void {
    this.act(connection, start.toString());
  }

  onClosed(): void {
    this.closed++;
  }

  end(): void {
    this.connections.stop(0);
    this.connections.close();
    calls.close(this.fd);
  }
}

/** Answers what is still to come. */
function goOn(connection: ShortConnection): void {
  const socket = connection.toSocket();
  socket.once('data', (data: Buffer) => socket.end(data.toString().toUpperCase()));
}

/** Everything that comes on `socket` until it ends. */
async function readAll(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function ask(path: string, text: string): Promise<string> {
  const socket = connect(path);
  socket.on('error', () => {}); // it may be closed before all is written
  if (text !== '') socket.write(text);
  return (await readAll(socket)).toString();
}

describe('connections without a socket object', () => {
  test('get their answer, and are closed and counted once', async () => {
    const host = new Host();
    assert.deepEqual(await Promise.all([ask(host.path, 'one'), ask(host.path, 'two')]), ['ONE', 'TWO']);
    assert.equal(host.closed + host.sockets, 2);
    assert.equal(host.connections.size, 0);
    assert.deepEqual(host.peers, ['', '']); // a UNIX socket has none
    host.end();
  });

  test('that are not welcome are closed unanswered', async () => {
    const host = new Host();
    host.isOpen = false;
    assert.equal(await ask(host.path, '').catch(() => ''), '');
    assert.equal(host.closed, 1);
    host.end();
  });

  test('that send nothing and go are closed', async () => {
    const host = new Host();
    const begun: string[] = [];
    host.act = (connection, start) => {
      begun.push(start);
      connection
        .toSocket()
        .resume()
        .once('end', function (this: Socket) {
          this.end();
        });
    };
    const socket = connect(host.path);
    socket.end();
    assert.equal((await readAll(socket)).length, 0);
    assert(begun.length <= 1); // the end may have come later than the connection
    host.end();
  });

  test('go on as a socket where the kernel does not take all at once', async () => {
    const host = new Host();
    const answer = Buffer.alloc(8 << 20, 'abcdefg');
    host.act = (connection) => {
      const sent = connection.sendLast(answer);
      assert(sent > 0 && sent < answer.length, `${sent} bytes were taken`);
      assert.equal(connection.sendLast(answer), 0); // now there is no room
      connection.toSocket().end(answer.subarray(sent));
    };
    const socket = connect(host.path);
    socket.write('x');
    assert((await readAll(socket)).equals(answer));
    host.end();
  });

  test('whose peer has gone say so', async () => {
    const host = new Host();
    const arrived = new Promise<ShortConnection>((resolve) => {
      host.act = resolve;
    });
    const socket = connect(host.path);
    socket.write('x');
    const connection = await arrived;
    assert.equal(host.connections.size, 1);
    socket.destroy();
    await once(socket, 'close');
    assert.equal(connection.sendLast(Buffer.from('x')), -1);
    assert.equal(host.closed, 1);
    host.end();
  });

  test('whose peers have hung up are found, and only those', async () => {
    const host = new Host();
    const waiting: ShortConnection[] = [];
    let told = 0;
    const all = new Promise<void>((resolve) => {
      host.act = (connection) => {
        connection.user = { connectionClosed: () => told++ };
        if (waiting.push(connection) === 3) resolve();
      };
    });
    const sockets = ['a', 'b', 'c'].map((text) => {
      const socket = connect({ path: host.path, allowHalfOpen: true });
      socket.write(text);
      return socket;
    });
    await all;
    host.connections.check();
    assert.equal(told, 0);
    const gone = [once(sockets[0]!, 'close'), once(sockets[1]!, 'finish')];
    sockets[0]!.destroy();
    sockets[1]!.end(); // which still reads
    await Promise.all(gone);
    host.connections.check();
    assert.deepEqual([told, host.connections.size, host.closed], [1, 2, 1]);
    host.end();
    assert.equal(told, 3);
    for (const socket of sockets) socket.destroy();
  });

  test('that wait in the kernel are taken in the end, if that is wanted', async () => {
    const host = new Host();
    host.act = goOn; // nothing has come yet
    const waiting = connect(host.path); // at once: with a UNIX socket nobody has to accept for that
    waiting.write('last');
    host.connections.stop(1);
    host.connections.stop(1); // twice is as good as once
    calls.close(host.fd);
    assert.equal((await readAll(waiting)).toString(), 'LAST');
    await assert.rejects(ask(host.path, 'late'), /ECONNREFUSED/);
  });

  test('that are cut tell whoever waits', async () => {
    const host = new Host();
    let told = 0;
    const arrived = new Promise<void>((resolve) => {
      host.act = (connection) => {
        connection.user = { connectionClosed: () => told++ };
        resolve();
      };
    });
    const socket = connect(host.path);
    socket.write('x');
    await arrived;
    host.end();
    assert.equal(told, 1);
    assert.equal((await readAll(socket).catch(() => '')).length, 0); // a reset, if what it sent had not been read
  });
});

describe('the peer of a connection', () => {
  for (const [address, told] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ] as const) {
    test(address, async () => {
      const server: Server = createServer();
      server.listen(0, address);
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const fd = calls.duplicate((server as unknown as { _handle: { fd: number } })._handle.fd);
      server.close();
      const socket = connect(port, address);
      await once(socket, 'connect');
      const connection = calls.accept(fd);
      assert(connection >= 0);
      assert.equal(calls.peer(), told);
      calls.close(connection);
      calls.close(fd);
      socket.destroy();
    });
  }
});
