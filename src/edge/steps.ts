// Work that may have to wait, and usually does not: written once, finished at once when nothing has to be waited for.
//
// An `async` function always gives a promise, and a promise costs a round of the microtask queue for a request whose file
//   lies in memory. A generator that yields only what it has to wait for costs neither.

/** What `run` takes: work that yields what it waits for. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Gives `value`; waits for it first if it is a promise. For `yield*` in the generators that `run` takes. */
export function* wait<T>(value: T | Promise<T>): Steps<T> {
  return value instanceof Promise ? ((yield value) as T) : value;
}

/** Runs `steps` to their end: at once where they wait for nothing. */
export function run<T>(steps: Steps<T>): T | Promise<T> {
  const first = steps.next();
  return first.done ? first.value : goOn(steps, first.value);
}

async function goOn<T>(steps: Steps<T>, pending: Promise<unknown>): Promise<T> {
  for (;;) {
    const next = steps.next(await pending);
    if (next.done) return next.value;
    pending = next.value;
  }
}
