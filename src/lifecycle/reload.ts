// How the workers of an app are replaced by others: all together, or one after the other.
//
// In both ways a predecessor leaves only when its successor is ready, so at no moment are there fewer workers than wanted,
//   and a version that does not load changes nothing.
// Decided elsewhere: what makes a new version (supervisor.ts, which loads it), how workers are started and change over
//   (crew.ts).

import { availableParallelism } from 'node:os';
import { AppError } from '../base/errors.js';
import type { Generation } from '../worker/host.js';
import type { Crew, Seat, Worker } from './crew.js';

/**
 * Workers that load at the same time: with more of them, those that serve and the accept thread would get too little of
 * the processors.
 */
const STARTING_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));

/**
 * Replaces all workers by workers of `generation`. They take over at the same moment, so that clients do not see the old
 * version after the new one; where there are not enough places for all, in as few steps as the places allow. The
 * predecessors have `mercyMs` to finish what they run. Throws `AppError` APP_LOAD when a new one does not come up; the
 * workers that had not changed over stay.
 */
export async function replaceTogether(
  crew: Crew,
  generation: Generation,
  name: string,
  mercyMs: number,
): Promise<void> {
  const started: Worker[] = [];
  /** How many of `started` are known to be ready. */
  let ready = 0;
  const allButReady = async (mayBeStarting: number) => {
    for (; ready < started.length - mayBeStarting; ready++) {
      if (!(await started[ready]!.ready)) throw didNotComeUp(name, started[ready]!);
    }
  };
  const takeOver = () => {
    crew.takeOver(started.splice(0), mercyMs);
    ready = 0;
  };
  try {
    for (const [index, seat] of crew.wanted.entries()) {
      // the first one alone: where a worker loads the app itself, a failure is seen once
      await allButReady(index === 1 ? 0 : STARTING_AT_ONCE - 1);
      if (crew.freePlaces === 0) {
        await allButReady(0);
        takeOver();
        await crew.placeFree();
      }
      started.push(crew.prepare(seat, generation));
    }
    await allButReady(0);
  } catch (error) {
    for (const worker of started) crew.kill(worker);
    throw error;
  }
  takeOver();
}

/**
 * Replaces all workers by workers of `generation`, each when the one before has left. Throws `AppError` APP_LOAD when one
 * does not come up; those that had not changed over stay. `onNext` is told whose turn it is.
 */
export async function replaceInTurn(
  crew: Crew,
  generation: Generation,
  name: string,
  onNext: (seat: Seat) => void,
): Promise<void> {
  for (const seat of crew.wanted) {
    onNext(seat);
    await replaceOne(crew, seat, generation, name);
  }
}

/** Replaces the worker of `seat`; resolves when the old one has left. Throws as above. */
export async function replaceOne(crew: Crew, seat: Seat, generation: Generation, name: string): Promise<void> {
  await crew.placeFree();
  const successor = crew.prepare(seat, generation);
  if (!(await successor.ready)) throw didNotComeUp(name, successor);
  for (const predecessor of crew.takeOver([successor])) await predecessor.ended;
}

/** The reason why a worker that has ended did not become ready. */
export function didNotComeUp(name: string, { seat, end }: Worker): AppError {
  const step =
    end!.loadError === '' ? `worker ${seat.id} did not come up: it ${end!.why}` : 'loading the application failed';
  return new AppError('APP_LOAD', name, step, end!.loadError, '');
}
