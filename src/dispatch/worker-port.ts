// One worker as the dispatcher sees it: its rings, what it holds, and where it is in its life.
//
// Decided elsewhere: who starts and ends workers (lifecycle/supervisor.ts), who gets a request (policy.ts).

import { AnswerRing } from '../arena/answer-ring.js';
import type { Arena } from '../arena/arena.js';
import { RequestRing } from '../arena/request-ring.js';
import type { Load } from './policy.js';
import { next, type WorkerEvent, type WorkerState } from './worker-state.js';

export class WorkerPort implements Load {
  readonly index: number;
  readonly requests: RequestRing;
  readonly answers: readonly AnswerRing[];
  /** Process id of a Python worker, thread id of a JS one; 0 while there is none. */
  id = 0;
  inFlight = 0;
  progressAtMs = 0;
  accepting = false;
  /** It was handed requests and is still to be woken (dispatcher.ts). */
  toRing = false;
  /** Requests answered by this worker since it was started, and by all that had its place. */
  answered = 0;
  answeredEver = 0;
  /** Answers of this worker that nobody waited for. */
  late = 0;
  #state: WorkerState = 'dead';

  constructor(arena: Arena, index: number) {
    this.index = index;
    this.requests = new RequestRing(arena, index);
    this.answers = Array.from({ length: arena.geometry.cores }, (_, core) => new AnswerRing(arena, index, core));
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Moves to the state that follows on `event`. Throws on a transition that the table does not have. */
  on(event: WorkerEvent): void {
    this.#state = next(this.#state, event);
    this.accepting = this.#state === 'serving';
  }

  /** Makes the place ready for a new worker; the old one is dead and its requests are taken care of. */
  reset(): void {
    this.requests.reset();
    for (const ring of this.answers) ring.reset();
    this.inFlight = 0;
    this.answered = 0;
    this.late = 0;
    this.id = 0;
  }
}
