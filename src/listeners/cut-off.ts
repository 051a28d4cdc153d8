// Ending a connection in the middle of an answer, so that the client cannot take what it got for all of it.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Cuts `socket` off. `isFramed`: the client knows by a length or by chunks that more should come, so what has been
 * written may still reach it. Otherwise the end of the connection would be the end of the answer, and only a reset
 * tells them apart; a UNIX socket has none, and is just closed. TLS has a word for the end, which is left out then.
 */
export function cutOff(socket: Socket, isFramed: boolean): void {
  if (isFramed || socket.remoteAddress === undefined) socket.destroySoon();
  else if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
