// Output that comes in arbitrary pieces, cut into lines, so that the log never mixes two of them.

/** A line that does not end is let out after this many characters. */
const LONGEST_CHARS = 65536;

/** Passes whole lines on, without their line ends. */
export class LineCutter {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#onLine(line);
    if (this.#rest.length > LONGEST_CHARS) this.end();
  }

  /** Lets out what has no line end yet. */
  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
