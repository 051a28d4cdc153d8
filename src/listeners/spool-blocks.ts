// Memory for bytes on their way to the disk, used again and again.
//
// Why: the memory of a buffer lies outside V8's heap, which is collected late. A buffer made for every chunk of a large
//   upload let the server grow by as much as was uploaded, up to some 100 MiB.
// Decided elsewhere: how much may wait for the disk (request-body.ts).

const BLOCK_BYTES = 1 << 18;
/** Blocks that are kept for the next body: 4 MiB. */
const MOST_KEPT = 16;

const kept: Buffer[] = [];

/** A queue of bytes: copied in piece by piece, taken out all at once. */
export class SpoolBlocks {
  bytes = 0;
  #blocks: Buffer[] = [];
  /** Bytes in the last block. */
  #filled = BLOCK_BYTES;

  push(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      if (this.#filled === BLOCK_BYTES) {
        this.#blocks.push(kept.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES));
        this.#filled = 0;
      }
      const part = data.subarray(at, at + BLOCK_BYTES - this.#filled);
      this.#blocks.at(-1)!.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
    this.bytes += data.length;
  }

  /** Everything that is there, as views for one write; the queue is empty then. To be given back by `release`. */
  take(): Buffer[] {
    const views = this.#blocks;
    const last = views.length - 1;
    if (last >= 0) views[last] = views[last]!.subarray(0, this.#filled);
    this.#blocks = [];
    this.#filled = BLOCK_BYTES;
    this.bytes = 0;
    return views;
  }
}

/** Takes back what `SpoolBlocks.take` gave, once nobody reads it any more. */
export function release(views: readonly Buffer[]): void {
  for (const view of views) {
    if (kept.length === MOST_KEPT) return;
    kept.push(Buffer.from(view.buffer));
  }
}
