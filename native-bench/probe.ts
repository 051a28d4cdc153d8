// Is every connection served? wrk does not say: it reports the answers of all its connections together.
//
// Why it matters: uWSGI's --http11-socket gives a thread to a connection for as long as that lives. With 8 threads, 8
//   of 64 keep-alive clients are served as fast as can be, the other 56 not at all, and wrk's figures look splendid.
// How: as many clients as the load has connections, each with one request outstanding at any time, for about a second.
//   A client whose connection is closed after an answer comes back with a new one: that is slower, not unfair.
// Run outside of the measured time, once per server and scenario.

import { connect, type Socket } from 'node:net';
import { AnswerCounter } from './answer-counter.js';
import { median } from './statistics.js';

const WINDOW_MS = 1000;

export interface Served {
  readonly clients: number;
  /** How many of them got at least one answer. */
  readonly served: number;
  /** Answers that a client got: the least, the median, the most. */
  readonly answers: { readonly min: number; readonly median: number; readonly max: number };
}

/** One client: sends `request`, again after each answer, on a new connection when the server has closed the old one. */
class Client {
  answers = 0;
  #socket: Socket | undefined;
  #stopped = false;
  readonly #port: number;
  readonly #request: Buffer;

  constructor(port: number, request: Buffer) {
    this.#port = port;
    this.#request = request;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    const counter = new AnswerCounter();
    const answersBefore = this.answers;
    const socket = connect(this.#port, '127.0.0.1', () => socket.write(this.#request));
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      const answers = counter.feed(data);
      this.answers += answers;
      if (answers > 0 && socket.writable) socket.write(this.#request);
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      if (this.#stopped) return;
      this.answers += counter.end();
      if (this.answers > answersBefore) this.#connect(); // a client that is refused does not try for ever
    });
    this.#socket = socket;
  }
}

/** Lets `clients` clients load 127.0.0.1:`port` for about a second and counts the answers of each. */
export async function countServed(port: number, request: Buffer, clients: number): Promise<Served> {
  const all = Array.from({ length: clients }, () => new Client(port, request));
  await new Promise((resolve) => setTimeout(resolve, WINDOW_MS)); // the window itself, not a wait for something
  for (const client of all) client.stop();
  const answers = all.map((client) => client.answers);
  return {
    clients,
    served: answers.filter((count) => count > 0).length,
    answers: { min: Math.min(...answers), median: median(answers) ?? 0, max: Math.max(...answers) },
  };
}
