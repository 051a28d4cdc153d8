// A thread tells how much memory it has: its heap, and what hangs on it outside (buffers).
//
// The process that all threads share has only one figure for all of them, and V8 tells a heap's size only inside of it.
// Decided elsewhere: what is done with the figures (lifecycle/recycling.ts).

import { getHeapStatistics } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';

export interface MemoryReport {
  readonly memoryBytes: number;
}

const EVERY_MS = 1000;

/** Sends a report to `port` every second, as long as the thread lives for another reason. */
export function reportMemory(port: MessagePort): void {
  setInterval(() => {
    const { total_heap_size: heap, external_memory: external, malloced_memory: malloced } = getHeapStatistics();
    port.postMessage({ memoryBytes: heap + external + malloced } satisfies MemoryReport);
  }, EVERY_MS).unref();
}
