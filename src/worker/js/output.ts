// What an app prints goes to the server, line by line, to be written to the log with the worker's mark.
//
// Why not straight to descriptor 2: the lines of several threads would come in between each other, and nobody would
//   know whose they are.
// Decided elsewhere: what the server does with it (dispatch/pool.ts).

import type { MessagePort } from 'node:worker_threads';

/** Sends everything written to stdout and stderr of this thread to `port`, as strings. */
export function captureOutput(port: MessagePort): void {
  port.unref(); // output alone is no reason to live
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (
      chunk: string | Uint8Array,
      encodingOrDone?: BufferEncoding | ((error?: Error | null) => void),
      done?: (error?: Error | null) => void,
    ): boolean => {
      port.postMessage(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
      if (callback !== undefined) process.nextTick(callback);
      return true;
    };
  }
}
