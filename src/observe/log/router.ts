// Which loggers a line goes to: drains, filters, routes, encoders, in uWSGI's order.
//
// A line that a drain matches is dropped, and so is one that no filter matches where there are filters. One that routes
//   match goes to their loggers and nowhere else. Any other goes to every logger without a name; where there is none, to
//   the main log.
// Decided elsewhere: what the loggers are (open-log.ts).

import type { LogEncoder, LogRoute } from '../../config/log-target.js';
import { encodersFor, type Rewrite } from './encoders.js';

/** Takes a line without its end. */
export type Send = (line: string) => void;

export interface Routing {
  readonly drains: readonly RegExp[];
  readonly filters: readonly RegExp[];
  readonly routes: readonly LogRoute[];
  readonly encoders: readonly LogEncoder[];
}

/** A logger that is open. */
export interface NamedSink {
  readonly id: string | undefined;
  readonly send: Send;
}

/** The way of a line by `routing` to `sinks`, or else to `main`. */
export function route(routing: Routing, sinks: readonly NamedSink[], main: Send): Send {
  const { drains, filters } = routing;
  const through = (send: Send, id: string | undefined): Send => {
    const rewrite: Rewrite | undefined = encodersFor(routing.encoders, id);
    return rewrite === undefined ? send : (line) => send(rewrite(line));
  };
  const routes = routing.routes.map(({ id, pattern }) => {
    const targets = sinks.filter((sink) => sink.id === id).map((sink) => through(sink.send, id));
    return { pattern, targets };
  });
  const unnamed = sinks.filter((sink) => sink.id === undefined).map((sink) => through(sink.send, undefined));
  const others = unnamed.length > 0 ? unnamed : [through(main, undefined)];
  if (drains.length + filters.length + routes.length === 0 && others.length === 1) return others[0]!;
  return (line) => {
    if (drains.some((pattern) => pattern.test(line))) return;
    if (filters.length > 0 && !filters.some((pattern) => pattern.test(line))) return;
    let isRouted = false;
    for (const { pattern, targets } of routes) {
      if (targets.length === 0 || !pattern.test(line)) continue;
      isRouted = true;
      for (const send of targets) send(line);
    }
    if (!isRouted) for (const send of others) send(line);
  };
}

/** Whether `route` would hand a line on as it is. */
export function isPlain({ drains, filters, routes, encoders }: Routing): boolean {
  return drains.length + filters.length + routes.length + encoders.length === 0;
}
