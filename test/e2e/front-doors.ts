// One server behind all three kinds of listeners, so that a test can ask each of them the same.

import assert from 'node:assert/strict';
import { packetOf } from '../../src/wire/uwsgi.js';
import { type RawAnswer, raw, type StartOptions, startServer, type TestServer } from './harness.js';

export interface Ask {
  readonly method?: string;
  /** "Name: value", besides Host. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A way into the server. */
export interface Door {
  readonly name: 'uWebSockets.js' | 'node:http' | 'uwsgi';
  /** Asks for `target` on a connection of its own. */
  ask(target: string, options?: Ask): Promise<RawAnswer>;
}

export interface Doors {
  readonly server: TestServer;
  readonly doors: readonly Door[];
  /** Runs `test` for each door; a failure names it. */
  each(test: (door: Door) => Promise<void>): Promise<void>;
}

/** Starts a server with `--http`, `--http-socket` and `--socket`, in this order. */
export async function openDoors(args: readonly string[], options: StartOptions = {}): Promise<Doors> {
  const any = '127.0.0.1:0';
  const server = await startServer(['--http', any, '--http-socket', any, '--socket', any, ...args], options);
  const [uws, node, uwsgi] = server.ports as [number, number, number];
  const doors = [http('uWebSockets.js', uws), http('node:http', node), packets(uwsgi)];
  return {
    server,
    doors,
    async each(test) {
      for (const door of doors) {
        try {
          await test(door);
        } catch (error) {
          (error as Error).message = `${door.name}: ${(error as Error).message}`;
          throw error;
        }
      }
    },
  };
}

function http(name: Door['name'], port: number): Door {
  return {
    name,
    async ask(target, { method = 'GET', headers = [], body } = {}) {
      const host = headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: test'];
      const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
      const head = [`${method} ${target} HTTP/1.1`, ...host, ...length, ...headers, '', ''].join('\r\n');
      return last(await raw(port, head + (body ?? ''), { answers: 1, isHead: method === 'HEAD' }), target);
    },
  };
}

function packets(port: number): Door {
  return {
    name: 'uwsgi',
    async ask(target, { method = 'GET', headers = [], body } = {}) {
      const question = target.indexOf('?');
      const path = question < 0 ? target : target.slice(0, question);
      const fields = headers.map((line) => {
        const colon = line.indexOf(':');
        return [
          `HTTP_${line.slice(0, colon).toUpperCase().replaceAll('-', '_')}`,
          line.slice(colon + 1).trim(),
        ] as const;
      });
      const packet = packetOf([
        ['REQUEST_METHOD', method],
        ['REQUEST_URI', target],
        // as nginx does it
        ['PATH_INFO', path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))],
        ['QUERY_STRING', question < 0 ? '' : target.slice(question + 1)],
        ['CONTENT_LENGTH', body === undefined ? '' : String(body.length)],
        ['REMOTE_ADDR', '127.0.0.1'],
        ['SERVER_PROTOCOL', 'HTTP/1.1'],
        ...(fields.some(([name]) => name === 'HTTP_HOST') ? [] : [['HTTP_HOST', 'test'] as const]),
        ...fields,
      ]);
      const data = Buffer.concat([packet, Buffer.from(body ?? '')]);
      return last(await raw(port, data, { isHead: method === 'HEAD' }), target);
    },
  };
}

function last({ answers, bytes }: Awaited<ReturnType<typeof raw>>, target: string): RawAnswer {
  const answer = answers.find(({ status }) => status >= 200);
  assert(answer !== undefined, `no answer to ${target}: ${JSON.stringify(bytes.slice(0, 200))}`);
  return answer;
}
