// How a part of an answer gets from its slot to its client: as it lies there, in views of the arena.
//
// Decided elsewhere: what the part is, and that it is sound (answer-part.ts); when the slot may be written again
//   (answer-taker.ts); how it looks on the wire (listeners/).

import type { Arena } from '../arena/arena.js';
import { answerByte } from '../arena/layout.js';
import { AppError } from '../base/errors.js';
import type { AnswerPart } from './answer-part.js';
import type { Exchange } from './exchange.js';

/**
 * Passes `part`, which lies in the slot of `exchange`, to the client. Returns why its head cannot be sent, if it cannot:
 * then the worker that wrote it is mad.
 */
export function deliver(part: AnswerPart, exchange: Exchange, arena: Arena, workerId: number): string | undefined {
  const { geometry, bytes } = arena;
  const { status, headBytes, bodyBytes, length, hasHead, isLast, isDated, isBroken } = part;
  const start = answerByte(geometry, exchange.slot);
  const middle = start + headBytes;
  const data = bytes.subarray(middle, middle + bodyBytes);
  if (hasHead) {
    const head = { status, bytes: bytes.subarray(start, middle), length, dated: isDated };
    try {
      if (isLast) exchange.answerWhole(head, data);
      else exchange.answerFirst(head, data);
      return undefined;
    } catch (error) {
      // the bridge checks heads, and node:http does so once more: this one has not gone through the bridge
      return (error as Error).message;
    }
  }
  if (bodyBytes > 0) exchange.answerPart(data);
  if (!isLast || exchange.gone) return undefined;
  if (exchange.headSent) {
    exchange.answerEnd(isBroken);
  } else {
    exchange.record.status = 502;
    exchange.refuse(new AppError('APP_DIED', workerId, 'gave no answer'));
  }
  return undefined;
}
