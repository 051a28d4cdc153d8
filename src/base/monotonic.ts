// The clock that all threads and processes of a machine share, CLOCK_MONOTONIC, beside the one each JS thread has.
//
// `performance.now()` counts from the start of its thread; Python's `time.monotonic()`, and every thread by the offset
//   below, from the start of the machine. So a time that a worker wrote can be compared with one that was noted here.

/** CLOCK_MONOTONIC in ms when this thread's performance.now() was 0. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** A time of the shared clock, in s, on the clock of this thread's performance.now(), in ms. */
export const toLocalMs = (seconds: number): number => seconds * 1000 - OFFSET_MS;

/** Now on the shared clock, in s. */
export const monotonicSeconds = (): number => (performance.now() + OFFSET_MS) / 1000;
