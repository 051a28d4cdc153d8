// Closing a connection after a refusal, so that the client gets to see it.
//
// A client that is still sending when its connection is closed gets a reset, and with it loses the answer that it has
//   not read yet (RFC 9112 section 9.6). So what it sends is read and dropped for a while: as long as something comes,
//   but not for long.
// Decided elsewhere: what is dropped, and how a connection is closed (the exchanges).

/** Nothing came for so long: the client has stopped to send. */
const QUIET_MS = 250;
/** For so many times that at most. */
const MOST_PERIODS = 12;

/**
 * Calls `close` when the client has stopped to send, or has sent for too long: at the latest after three seconds.
 * `bytesRead` tells what has come so far. Returns what stops it, for a connection that has closed by itself.
 */
export function linger(bytesRead: () => number, close: () => void): () => void {
  let periods = 0;
  let before = bytesRead();
  const timer = setInterval(() => {
    const now = bytesRead();
    if (now !== before && ++periods < MOST_PERIODS) {
      before = now;
      return;
    }
    clearInterval(timer);
    close();
  }, QUIET_MS);
  return () => clearInterval(timer);
}
