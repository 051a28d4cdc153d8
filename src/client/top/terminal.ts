// The terminal of `nuwsgi top`: an own screen, keys one by one, and everything put back at the end, however it comes.
//
// Plain escape sequences that every terminal of the last decades knows (ECMA-48).
// Decided elsewhere: what is drawn (screen.ts), what the keys mean (top.ts).

import type { Line } from './screen.js';

const ENTER = '\x1b[?1049h\x1b[?25l'; // another screen, and no cursor
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const STYLES = { plain: '', bold: '\x1b[1m', reverse: '\x1b[7m' } as const;
const RESET = '\x1b[0m';
const USUAL = { columns: 80, rows: 24 };

export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #in: NodeJS.ReadStream;
  #isOpen = false;

  constructor(output: NodeJS.WriteStream, input: NodeJS.ReadStream) {
    this.#out = output;
    this.#in = input;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#out;
    return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  }

  /** Takes the terminal over. `onKey` gets what was typed, `onResize` is told of another size. */
  open(onKey: (key: string) => void, onResize: () => void): void {
    this.#isOpen = true;
    this.#out.write(ENTER);
    this.#out.on('resize', onResize);
    process.on('exit', this.close);
    if (!this.#in.isTTY) return;
    this.#in.setRawMode(true);
    this.#in.setEncoding('utf8');
    this.#in.on('data', (keys: string) => {
      if (keys.startsWith('\x1b')) return; // arrows and the like, which mean nothing here
      for (const key of keys) onKey(key);
    });
    this.#in.resume();
  }

  /** Nothing is drawn once it is closed: what was there before is not to be drawn over. */
  draw(lines: readonly Line[]): void {
    if (!this.#isOpen) return;
    const text = lines.map(
      ({ text, style }) => `${STYLES[style]}${text}${style === 'plain' ? '' : RESET}${CLEAR_LINE}`,
    );
    this.#out.write(`${HOME}${text.join('\r\n')}${CLEAR_BELOW}`);
  }

  readonly close = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#in.isTTY) this.#in.setRawMode(false);
    this.#in.pause();
    this.#out.write(LEAVE);
  };
}
