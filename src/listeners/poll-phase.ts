// Puts something off to that part of the event loop in which libuv polls.
//
// Why: uSockets frees the memory of closed sockets once per iteration, right after libuv has polled, and libuv calls the
//   sockets' close callbacks at the end of the iteration. A socket that is closed between the two, from `setImmediate`, is
//   called back first and then never freed: 468 bytes for each connection (seen on uWebSockets.js 20.51, libuv 1.46). The
//   pump, which passes nearly all answers on, runs there (dispatch/pump.ts).
// What it costs: one message to this thread's own port for all that is put off at once.
// Decided elsewhere: what may close a connection (uws-exchange.ts).

import { MessageChannel } from 'node:worker_threads';

let waiting: (() => void)[] = [];
let ring: (() => void) | undefined;

/** A port is heard by a handle of libuv that is polled. It alone keeps no process alive. */
function openPort(): () => void {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', runPutOff);
  port1.unref();
  return () => port2.postMessage(undefined);
}

/** Does at once what was put off: the connections are about to be closed anyway. */
export function runPutOff(): void {
  const due = waiting;
  waiting = [];
  for (const run of due) run();
}

/** Calls `run` soon: when the event loop polls next, behind what was put off before. */
export function atNextPoll(run: () => void): void {
  if (waiting.push(run) > 1) return;
  ring ??= openPort();
  ring();
}
