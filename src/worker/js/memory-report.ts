// A thread tells how much memory it has: its heap, and what hangs on it outside (buffers).
//
// The process that all threads share has only one figure for all of them, and V8 tells a heap's size only inside of it.
// Decided elsewhere: what is done with the figures (lifecycle/recycling.ts).

import { getHeapStatistics } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';

export interface MemoryReport {
  readonly memoryBytes: number;
}

const REPORT_MS = 1000;
/** A heap that grows is told of sooner: it may be on its way to a limit. */
const LOOK_MS = 100;
const GROWN = 1.05;

/** Sends a report to `port` every second, and where there is more to tell of, as long as the thread lives for another reason. */
export function reportMemory(port: MessagePort): void {
  let toldBytes = 0;
  let toldAtMs = 0;
  setInterval(() => {
    const { total_heap_size: heap, external_memory: external, malloced_memory: malloced } = getHeapStatistics();
    const memoryBytes = heap + external + malloced;
    const nowMs = performance.now();
    if (nowMs - toldAtMs < REPORT_MS && memoryBytes < toldBytes * GROWN) return;
    toldBytes = memoryBytes;
    toldAtMs = nowMs;
    port.postMessage({ memoryBytes } satisfies MemoryReport);
  }, LOOK_MS).unref();
}
