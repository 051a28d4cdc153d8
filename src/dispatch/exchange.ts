// One request inside the server, and the client that waits for its answer: what the dispatcher knows of a listener.
//
// Each listener has its own subclass, which knows how to write an answer to its kind of connection. The dispatcher
//   calls the `answer...` methods, in the order whole, or first, part..., end; the listener calls `abandon` when the client goes.
// The views passed in lie in the arena and are valid only during the call.
// Decided elsewhere: where the bytes come from (dispatcher.ts), how they look on the wire (listeners/).

import type { Code, NuwsgiError } from '../base/errors.js';
import type { AnswerStream } from './answer-stream.js';

/** The head of an answer as the app gave it, checked by the worker. */
export interface AnswerHead {
  readonly status: number;
  /** "200 OK\r\nName: value..." without the last CRLF, latin-1; without Content-Length and hop-by-hop fields. */
  readonly bytes: Buffer;
  /** Content-Length, or -1 when it is not known. */
  readonly length: number;
  /** Whether `bytes` has a Date. */
  readonly dated: boolean;
}

/** What the dispatcher offers an exchange. */
export interface ExchangeOwner {
  /** The client is gone; the answer, if it still comes, is dropped. */
  abandon(exchange: Exchange): void;
  /** The bytes held back for a slow client have left: the worker may go on. */
  drained(exchange: Exchange): void;
}

/** A request and its answer in figures. */
export class ExchangeRecord {
  method = '';
  target = '';
  protocol = '';
  peer = '';
  /** REMOTE_USER, where somebody in front has checked who it is. */
  user = '';
  /** Variables of the environ that came with the request, and their bytes. */
  variables = 0;
  environBytes = 0;
  /** On the clock of performance.now(). */
  arrivedAtMs = 0;
  /** When its body had come too, and it could be handed to a worker. */
  completeAtMs = 0;
  /** How long it waited for a worker, ran, and was held up by a client that took its answer slowly. */
  queueMs = 0;
  appMs = 0;
  writeMs = 0;
  /** 0 while there is no answer. */
  status = 0;
  fields = 0;
  headBytes = 0;
  bodyBytes = 0;
  /** Parts in which the app gave the body. */
  parts = 0;
  /** The thread of its worker that answered it. */
  core = 0;
  /** What answered in place of an app's worker, as the log names it; '' for a worker. */
  via: '' | 'sendfile' | 'route' = '';
  /** The app failed with an exception. */
  failed = false;
  /** A rule wants no line for it in the log. */
  muted = false;
  /** A file takes the place of this answer: the log's line is written when that has been sent. */
  superseded = false;
}

export abstract class Exchange {
  owner: ExchangeOwner | undefined;
  /** The slot in the owner's arena, and its ring entry; -1 and 0 while there is none. */
  slot = -1;
  entry = 0;
  /** The place of the worker it was handed to; -1 while it waits. */
  place = -1;
  /** Entries of its worker's ring that were about it. */
  entries = 0;
  /** The rest of the answer, when it is a stream. */
  stream: AnswerStream | undefined;
  /** Nothing more is taken of the answer until `drained` is called. */
  isHeld = false;
  /** Since when, if it does, on the clock of performance.now(). */
  heldSinceMs = 0;
  /** What the request log says of it. */
  readonly record: ExchangeRecord;
  /** Nothing more can be written: the answer is complete, or there is nobody to take it. */
  gone = false;
  /** The client went away before its answer was complete. */
  aborted = false;
  headSent = false;
  /** It was given up for being late: what its worker still writes is not its answer. */
  overdue = false;

  constructor(record: ExchangeRecord = new ExchangeRecord()) {
    this.record = record;
  }

  /** The whole answer. */
  abstract answerWhole(head: AnswerHead, body: Buffer): void;
  /** The head of an answer whose body comes in parts, with the first of them (it may be empty). */
  abstract answerFirst(head: AnswerHead, data: Buffer): void;
  /** A part of the body. */
  abstract answerPart(data: Buffer): void;
  /** The end of an answer that came in parts; `broken`: the client must not take it for complete. */
  abstract answerEnd(broken: boolean): void;
  /** An answer of the server itself. Only before `answerWhole` and `answerFirst`. */
  abstract refuse(error: NuwsgiError<Code>): void;
  /** Ends the connection without an answer. Only before `answerWhole` and `answerFirst`. */
  abstract drop(): void;
  /** The slot is free again: what the request held besides (a spooled body) can be given up. */
  released(): void {}
  /** Bytes taken from the arena that the client has not taken yet. */
  abstract get heldBytes(): number;
}
