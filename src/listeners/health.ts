// --health PATH: whether the server is well, answered by the accept thread itself, for load balancers and orchestrators.
//
//   PATH, PATH/ready   200 while requests can be served; 503 while the apps load, when no worker is up, and from the
//                      moment on when the server was asked to stop
//   PATH/live          200 as long as the accept thread answers at all: whoever gets no answer should start it anew
//
// These requests are in no log and in no count: a probe every second is no news.
// Decided elsewhere: what the state is (server.ts), under which addresses else it is told (observe/control-plane.ts).

import type { Exchange } from '../dispatch/exchange.js';
import type { Receiver } from '../dispatch/receiver.js';
import { sendReply } from '../edge/reply.js';

/** `draining`: asked to stop; `unavailable`: some app has no worker that takes requests. */
export type Health = 'ready' | 'starting' | 'draining' | 'unavailable';

/** Status and text for one of the paths above, given as what stands behind PATH; undefined: there is no such path. */
export function healthAnswer(
  behind: string,
  health: Health,
): { readonly status: number; readonly text: string } | undefined {
  if (behind === '/live') return { status: 200, text: 'live' };
  if (behind !== '' && behind !== '/' && behind !== '/ready') return undefined;
  return { status: health === 'ready' ? 200 : 503, text: health };
}

export class HealthReceiver implements Receiver {
  readonly #path: string;
  readonly #health: () => Health;

  constructor(path: string, health: () => Health) {
    this.#path = path;
    this.#health = health;
  }

  submit(exchange: Exchange, _names: string, _values: string, _listener: number, isHead: boolean): void {
    this.#answer(exchange, isHead);
  }

  submitPacket(exchange: Exchange, _payload: Buffer, _listener: number, isHead: boolean): void {
    this.#answer(exchange, isHead);
  }

  #answer(exchange: Exchange, isHead: boolean): void {
    const [path = ''] = exchange.record.target.split('?', 1);
    const { status, text } = healthAnswer(path.slice(this.#path.length), this.#health()) ?? {
      status: 404,
      text: 'unknown',
    };
    const page = { type: 'text/plain', body: Buffer.from(`${text}\n`) };
    sendReply(exchange, { status, fields: [['Cache-Control', 'no-store']], page }, NO_PAGES, isHead);
    exchange.released(); // it may have brought a spooled body
  }
}

const NO_PAGES = new Map();
