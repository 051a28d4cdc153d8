// What a dispatcher is told when it is made, and whom it tells what.

import type { Code, NuwsgiError } from '../base/errors.js';
import type { Exchange } from './exchange.js';
import type { WorkerPort } from './worker-port.js';

export interface DispatcherOptions {
  /** What the app is called in messages. */
  readonly name: string;
  /** How many requests one worker runs at once. */
  readonly threads: number;
  /** How many bytes of one answer are held for a slow client before the worker has to wait. */
  readonly responseBufferingBytes: number;
  /** Whether a worker runs one request per core at a time, so that its cores tell which ones it has started. */
  readonly onePerCore: boolean;
  /** A worker is ready for requests, and gets them once it is admitted. */
  onReady(worker: WorkerPort): void;
  /** A request waits and no worker serves. */
  onStarved(): void;
  /** A worker has answered its `mostAnswers`. */
  onSpent(worker: WorkerPort): void;
  /** A worker wrote what it must not: it is to be killed. `why` is for the log. */
  onMad(worker: WorkerPort, why: string): void;
  /** There is something to look for: see pump.ts. */
  onActive(): void;
  /** A request was refused for want of a slot. */
  onRefused(exchange: Exchange, error: NuwsgiError<Code>): void;
  /** A request was given up by its client before any worker had begun it. */
  onAbandoned(exchange: Exchange): void;
  /** Workers have come, gone, or been paused. */
  onWorkersChanged(): void;
  /** `worker` has handled a signal that it was given. */
  onHandled(worker: WorkerPort): void;
  /** Signals that their worker had not begun to handle were taken from it; it has, or had, this number. */
  onSignalsBack(signals: readonly number[], workerId: number): void;
  /** The last part of an answer has left the arena. */
  onAnswered(exchange: Exchange, worker: WorkerPort, nowMs: number): void;
}
