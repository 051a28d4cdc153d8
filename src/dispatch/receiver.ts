// Who takes complete requests from the listeners: an app's dispatcher, or what stands in front of all apps
// (listeners/front.ts). A listener does not know which of them it speaks to.

import type { Code, NuwsgiError } from '../base/errors.js';
import type { Exchange } from './exchange.js';

export interface Receiver {
  /**
   * Tells of a request whose body is still to come; `submit` follows when it has come. `refuse` is called, now or later,
   * with an answer that needs no body; then there is no `submit`. A promise: whether it will be called is decided when
   * that is fulfilled. Absent: nothing is to be said before.
   */
  announce?(
    exchange: Exchange,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    refuse: (error: NuwsgiError<Code>) => void,
  ): void | Promise<void>;

  /** As `announce`, for a request that came as a uwsgi packet. */
  announcePacket?(
    exchange: Exchange,
    payload: Buffer,
    listener: number,
    isHead: boolean,
    refuse: (error: NuwsgiError<Code>) => void,
  ): void | Promise<void>;

  /**
   * Takes a complete request over. `names` and `values` are the environ block of wire/cgi.ts; a body is either `input`,
   * valid only during the call, or lies in the file `inputFd` (-1: none), which stays open until the exchange is
   * answered. `listener` is the number under which workers know its constant variables.
   */
  submit(
    exchange: Exchange,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void;

  /** Takes over a request that came as a uwsgi packet; `payload` is what wire/uwsgi.ts made of it. As `submit`. */
  submitPacket(
    exchange: Exchange,
    payload: Buffer,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void;
}
