// `nuwsgi top [ADDRESS]`: what a server does, refreshed once a second, in a terminal.
//
// Decided elsewhere: the figures (model.ts), the screen (screen.ts), the terminal (terminal.ts).

import { addressOf, numberOf, parse } from '../command-line.js';
import { DEFAULT_ADDRESS, readStats, type StatsPeer, TOKEN_VARIABLE } from '../stats-client.js';
import { type Model, readModel } from './model.js';
import { type Choice, columnsOf, draw, type View } from './screen.js';
import { Terminal } from './terminal.js';

const USAGE = `usage: nuwsgi top [ADDRESS] [--interval SECONDS] [--once] [--token TOKEN]

Shows what a running server does: workers, rates, times, endpoints. Press h in it for the keys.
  ADDRESS     its --stats address; default: ${DEFAULT_ADDRESS}. A real uWSGI's will do, too
  --interval  how often it is asked; default: 1
  --once      prints one screen and ends; so it does when the output is no terminal
  --token     the --stats-token of the server; better in ${TOKEN_VARIABLE}
`;
const TIMEOUT_MS = 5000;
/** Between the two readings that a rate needs, with --once. */
const ONCE_MS = 1000;
const ONCE_SIZE = { columns: 200, rows: 60 };
const CTRL_C = '\x03';
const START: Choice = { view: 'workers', sort: 3, isReversed: false, showsHelp: false, isPaused: false };
/** The column that each view is sorted by at first. */
const FIRST_SORT: Readonly<Record<View, number>> = { workers: 3, endpoints: 0, requests: 0 };
const VIEW_KEYS: Readonly<Record<string, View>> = { w: 'workers', e: 'endpoints', r: 'requests' };

/** What a key makes of the choice; undefined: quit. Keys that mean nothing change nothing. */
export function press(choice: Choice, key: string): Choice | undefined {
  if (key === CTRL_C) return undefined;
  if (choice.showsHelp) return { ...choice, showsHelp: false };
  if (key === 'q') return undefined;
  const view = VIEW_KEYS[key];
  if (view !== undefined) return { ...choice, view, sort: FIRST_SORT[view], isReversed: false };
  const columns = columnsOf(choice.view);
  switch (key) {
    case 'h':
    case '?':
      return { ...choice, showsHelp: true };
    case 's':
      return { ...choice, sort: (choice.sort + 1) % columns };
    case 'S':
      return { ...choice, sort: (choice.sort + columns - 1) % columns };
    case 'i':
      return { ...choice, isReversed: !choice.isReversed };
    case 'p':
    case ' ':
      return { ...choice, isPaused: !choice.isPaused };
    default:
      return choice;
  }
}

export async function runTop(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, {
    interval: { type: 'string', default: '1' },
    once: { type: 'boolean', default: false },
    token: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const address = addressOf(positionals[0] ?? DEFAULT_ADDRESS, USAGE);
  const peer = { address, token: values.token ?? process.env[TOKEN_VARIABLE] };
  const intervalMs = numberOf('--interval', values.interval, 0.1, 3600) * 1000;
  if (values.once || !process.stdout.isTTY) return showOnce(peer);
  await new Top(peer, intervalMs, new Terminal(process.stdout, process.stdin)).run();
  return 0;
}

/** Who has told what only a nuwsgi does, speaks HTTP. */
const isNuwsgi = (model: Model | undefined): boolean => model?.insight !== undefined;

async function showOnce(peer: StatsPeer): Promise<number> {
  const before = readModel(await readStats(peer, TIMEOUT_MS), undefined, performance.now());
  await new Promise((resolve) => setTimeout(resolve, ONCE_MS));
  const model = readModel(await readStats(peer, TIMEOUT_MS, isNuwsgi(before)), before, performance.now());
  const lines = draw(model, START, peer.address.text, undefined, ONCE_SIZE).slice(0, -1);
  process.stdout.write(
    `${lines
      .map(({ text }) => text.trimEnd())
      .join('\n')
      .trimEnd()}\n`,
  );
  return 0;
}

class Top {
  readonly #peer: StatsPeer;
  readonly #intervalMs: number;
  readonly #terminal: Terminal;
  #model: Model | undefined;
  #choice = START;
  #problem: string | undefined;
  #isLooking = false;
  #quit: (() => void) | undefined;

  constructor(peer: StatsPeer, intervalMs: number, terminal: Terminal) {
    this.#peer = peer;
    this.#intervalMs = intervalMs;
    this.#terminal = terminal;
  }

  /** Resolves when the user has had enough. */
  async run(): Promise<void> {
    const quit = new Promise<void>((resolve) => {
      this.#quit = resolve;
    });
    this.#terminal.open(this.#onKey, this.#draw);
    const timer = setInterval(() => void this.#look(), this.#intervalMs);
    void this.#look();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => this.#quit?.());
    await quit;
    clearInterval(timer);
    this.#terminal.close();
  }

  async #look(): Promise<void> {
    if (this.#choice.isPaused || this.#isLooking) return; // an answer that is slow is waited for
    this.#isLooking = true;
    try {
      const stats = await readStats(this.#peer, TIMEOUT_MS, this.#problem === undefined && isNuwsgi(this.#model));
      this.#model = readModel(stats, this.#model, performance.now());
      this.#problem = undefined;
    } catch (error) {
      this.#problem = (error as Error).message; // it may come back: the last figures stay
    }
    this.#isLooking = false;
    this.#draw();
  }

  readonly #onKey = (key: string): void => {
    const choice = press(this.#choice, key);
    if (choice === undefined) {
      this.#quit?.();
      return;
    }
    this.#choice = choice;
    this.#draw();
  };

  readonly #draw = (): void => {
    const { text } = this.#peer.address;
    this.#terminal.draw(draw(this.#model, this.#choice, text, this.#problem, this.#terminal.size));
  };
}
