// One planned change at a time: reloads, recycling and scaling of an app wait for each other here.
//
// Why: each of them starts workers beside the ones that serve. One at a time, none of them has to think of the others, and
//   never more than one of them takes memory for a second set of workers.
// What is not planned does not wait: a worker that died is replaced at once (supervisor.ts).

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Whether something has its turn, or waits for it. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Runs `task` when all tasks before it have ended, well or badly. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#last.then(task).finally(() => this.#waiting--);
    this.#last = turn.catch(() => {}); // whoever asked for it is told
    return turn;
  }
}
