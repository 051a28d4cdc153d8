// Large bodies in both directions, and what they cost: for streams.test.ts and big.ts. The apps are test/apps/streams.*.

import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { ask, encode, type Front, startBehind } from './fronts.js';
import { open, rssBytes, type TestServer } from './harness.js';

export const MIB = 1 << 20;
export const BLOCK_BYTES = 65536;
/** What the apps send, again and again. */
export const BLOCK = Buffer.alloc(
  BLOCK_BYTES,
  Uint8Array.from({ length: 256 }, (_, i) => i),
);

export const STREAM_APPS = ['streams.py', 'streams.mjs'] as const;

/** A server with one worker that runs two requests at once, and the processes whose memory is to be watched. */
export async function startStreams(front: Front, app: string, args: readonly string[] = []) {
  const server = await startBehind(front, ['--wsgi-file', app, '--threads', '2', ...args]);
  const pid = Number((await ask(front, server.port, '/pid')).body);
  return { server, pids: [...new Set([server.pid, pid])] };
}

/** The largest memory of some processes since it began to look, against what they had then. */
export class MemoryWatch {
  readonly #before: readonly number[];
  readonly #most: number[];
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#before = pids.map(rssBytes);
    this.#most = [...this.#before];
    this.#timer = setInterval(this.#look, 10);
  }

  readonly #look = (): void => {
    for (const [i, pid] of this.#pids.entries()) this.#most[i] = Math.max(this.#most[i]!, rssBytes(pid));
  };

  /** Ends the watch; gives the growth of each process in bytes. */
  end(): number[] {
    clearInterval(this.#timer);
    this.#look();
    return this.#most.map((most, i) => most - this.#before[i]!);
  }
}

/** Watches while `work` runs, and asserts that no process grew by more than `limitBytes`. Gives the growths in MiB. */
export async function growing(pids: readonly number[], limitBytes: number, work: () => Promise<void>): Promise<string> {
  const watch = new MemoryWatch(pids);
  let growths: number[] = [];
  try {
    await work();
  } finally {
    growths = watch.end();
  }
  const shown = growths.map((bytes) => (bytes / MIB).toFixed(1)).join(' and ');
  assert(Math.max(...growths) < limitBytes, `grew by ${shown} MiB`);
  return shown;
}

/** SHA-256 of `bytes` bytes of blocks. */
export function digestOfBlocks(bytes: number): string {
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= BLOCK_BYTES) hash.update(BLOCK.subarray(0, Math.min(left, BLOCK_BYTES)));
  return hash.digest('hex');
}

/** Posts `bytes` bytes of blocks to /sha and asserts that the app has seen them all. */
export async function upload(front: Front, server: TestServer, bytes: number): Promise<void> {
  const socket = await open(server.port);
  const answered = new Promise<string>((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (/[0-9a-f]{64}$/.test(text)) resolve(text);
    });
    socket.on('error', reject);
    socket.on('end', () => reject(new Error(`the answer to an upload is ${JSON.stringify(text.slice(0, 500))}`)));
  });
  // a body of one byte makes the head; its length is then put right
  const head = encode(front, '/sha', { method: 'POST', body: 'x' }).subarray(0, -1).toString('latin1');
  const length = String(bytes);
  socket.write(
    Buffer.from(
      front.isUwsgi ? withPacketLength(head, length) : head.replace(/(?<=Content-Length: )1/, length),
      'latin1',
    ),
  );
  for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
    if (!socket.write(BLOCK.subarray(0, Math.min(left, BLOCK_BYTES)))) await once(socket, 'drain');
  }
  const answer = await answered;
  socket.destroy();
  assert(answer.includes(`${bytes} ${digestOfBlocks(bytes)}`), answer);
}

/** The packet `head`, which says CONTENT_LENGTH 1, with another one. */
function withPacketLength(head: string, length: string): string {
  const at = head.indexOf('CONTENT_LENGTH') + 'CONTENT_LENGTH'.length;
  const packet = `${head.slice(0, at)}${String.fromCharCode(length.length)}\0${length}${head.slice(at + 3)}`;
  const size = packet.length - 4;
  return `${packet[0]}${String.fromCharCode(size & 0xff, size >> 8)}${packet.slice(3)}`;
}

/** Takes an answer's body apart as it comes: chunked, of known length, or up to the end of the connection. */
class BodyReader {
  bytes = 0;
  isComplete = false;
  readonly hash: Hash = createHash('sha256');
  #rest: Buffer = Buffer.alloc(0);
  #left = -1;
  #isChunked = false;
  #inBody = false;
  #inTrailers = false;

  feed(data: Buffer): void {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#inBody) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#rest.toString('latin1', 0, end);
      assert.match(head, /^HTTP\/1\.1 200 /);
      this.#isChunked = /^transfer-encoding: chunked$/im.test(head);
      this.#left = this.#isChunked ? 0 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? -1);
      this.#inBody = true;
      this.#rest = this.#rest.subarray(end + 4);
    }
    while (this.#step());
  }

  /** The connection has ended: an answer without a length ends here. */
  end(): void {
    if (this.#inBody && !this.#isChunked && this.#left < 0) this.isComplete = true;
  }

  #step(): boolean {
    if (this.#isChunked && this.#left === 0) {
      const line = /^(?:\r\n)?([0-9a-f]+)\r\n/i.exec(this.#rest.toString('latin1', 0, 20));
      if (line === null) return false;
      this.#left = Number.parseInt(line[1]!, 16);
      this.#rest = this.#rest.subarray(line[0].length);
      if (this.#left > 0) return true;
      this.#inTrailers = true;
    }
    if (this.#inTrailers) {
      this.isComplete = /^(?:[^\r\n]+\r\n)*\r\n$/.test(this.#rest.toString('latin1'));
      return false;
    }
    const data = this.#left < 0 ? this.#rest : this.#rest.subarray(0, this.#left);
    if (data.length === 0) return false;
    this.hash.update(data);
    this.bytes += data.length;
    this.#rest = this.#rest.subarray(data.length);
    if (this.#left > 0) this.#left -= data.length;
    if (!this.#isChunked && this.#left === 0) this.isComplete = true;
    return this.#rest.length > 0;
  }
}

/** A download under way. */
export class Download {
  readonly socket: Socket;
  readonly #reader = new BodyReader();
  #ended = false;
  /** Called whenever something has come, or the connection has ended. */
  #onChange: () => void = () => {};

  #isFlowing = true;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('readable', () => {
      if (this.#isFlowing) this.#take(undefined);
    });
    socket.on('error', () => {}); // 'close' follows
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        if (event === 'end') this.#reader.end();
        this.#ended = true;
        this.#onChange();
      });
    }
  }

  /** Asks for `blocks` blocks, with a Content-Length if `withLength`. */
  static async start(front: Front, server: TestServer, blocks: number, withLength: boolean): Promise<Download> {
    const download = new Download(await open(server.port));
    download.socket.write(encode(front, `/blocks?count=${blocks}${withLength ? '&length=1' : ''}`));
    return download;
  }

  get bytes(): number {
    return this.#reader.bytes;
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onChange = () => {
        if (condition()) resolve();
        else if (this.#ended) reject(new Error(`cut off after ${this.bytes} bytes`));
      };
      this.#onChange();
    });
  }

  /** Takes what has come, or at most `bytes` of it. */
  #take(bytes: number | undefined): void {
    const data = this.socket.read(bytes) as Buffer | null;
    if (data === null) return;
    this.#reader.feed(data);
    this.#onChange();
  }

  /** Waits for the first bytes of the body, then reads no more. */
  async stall(): Promise<void> {
    await this.#until(() => this.bytes > 0);
    this.#isFlowing = false;
  }

  /** Reads `bytes` bytes if they are there, while it is stalled; else nothing. */
  sip(bytes: number): void {
    this.#take(Math.min(bytes, this.socket.readableLength) || bytes);
  }

  /** Reads on to the end, and asserts that all of it came. */
  async finish(blocks: number): Promise<void> {
    this.#isFlowing = true;
    this.#take(undefined);
    await this.#until(() => this.#reader.isComplete);
    this.socket.destroy();
    assert.equal(this.bytes, blocks * BLOCK_BYTES);
    assert.equal(this.#reader.hash.digest('hex'), digestOfBlocks(blocks * BLOCK_BYTES));
  }
}
