// A place for a worker as the dispatcher sees it: its rings, what the worker there holds, and where it is in its life.
//
// A place is an index in the arena; the number by which users know a worker is another matter, because a replacement
//   starts in a place of its own while its predecessor, which has the same number, still serves.
// Decided elsewhere: who starts and ends workers (lifecycle/crew.ts), who gets a request (policy.ts).

import { AnswerRing } from '../arena/answer-ring.js';
import type { Arena } from '../arena/arena.js';
import { RequestRing } from '../arena/request-ring.js';
import type { Load } from './policy.js';
import { next, type WorkerEvent, type WorkerState } from './worker-state.js';

export class WorkerPort implements Load {
  readonly place: number;
  readonly requests: RequestRing;
  readonly answers: readonly AnswerRing[];
  /** The number users know the worker by; 0 while there is none. */
  workerId = 0;
  /** Process id of a Python worker, thread id of a JS one; 0 while there is none. */
  taskId = 0;
  inFlight = 0;
  /** Signals that it was given and has not handled. They count in `inFlight` too. */
  signals = 0;
  progressAtMs = 0;
  accepting = false;
  /** It was handed requests and is still to be woken (dispatcher.ts). */
  toRing = false;
  /** Requests answered by this worker. */
  answered = 0;
  /** When it has answered so many, `onSpent` is told. */
  mostAnswers = Number.POSITIVE_INFINITY;
  /** Answers of this worker that nobody waited for. */
  late = 0;
  #state: WorkerState = 'dead';

  constructor(arena: Arena, place: number) {
    this.place = place;
    this.requests = new RequestRing(arena, place);
    this.answers = Array.from({ length: arena.geometry.cores }, (_, core) => new AnswerRing(arena, place, core));
  }

  /** Whether one signal more may be given to it: its ring has room for one per core. */
  get takesSignal(): boolean {
    return this.accepting && this.signals < this.answers.length;
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
    this.signals = 0;
    this.answered = 0;
    this.mostAnswers = Number.POSITIVE_INFINITY;
    this.late = 0;
    this.workerId = 0;
    this.taskId = 0;
  }
}
