// Where the page gets its figures: asked for once a second, as long as somebody looks.
//
// Decided elsewhere: what is done with them (page.ts).

import type { Live, Sample } from '../stats/shape.js';

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 5000;
/** Samples that are shown. */
const KEPT_MS = 300_000;
/** The token is forgotten with the tab. */
const TOKEN_KEY = 'nuwsgi-token';

export interface Listener {
  /** New figures; `before`: the reading before; `samples`: the last minutes, the youngest last. */
  onLive(live: Live, before: Live | undefined, samples: readonly Sample[]): void;
  /** There was no answer. */
  onSilence(why: string): void;
  /** A token is needed; `isWrong`: another than the one that was given. */
  onLocked(isWrong: boolean): void;
}

/** The server wants a token, or another one. */
class Locked extends Error {}

export class Feed {
  readonly #listener: Listener;
  #token = sessionStorage.getItem(TOKEN_KEY) ?? '';
  #last: Live | undefined;
  #samples: Sample[] = [];
  #timer: number | undefined;
  #isPaused = false;

  constructor(listener: Listener) {
    this.#listener = listener;
    document.addEventListener('visibilitychange', () => this.#schedule(0));
  }

  start(): void {
    this.#schedule(0);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get hasToken(): boolean {
    return this.#token !== '';
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#schedule(0);
  }

  useToken(token: string): void {
    this.#token = token;
    sessionStorage.setItem(TOKEN_KEY, token);
    this.#schedule(0);
  }

  /** Asks for something else that the server tells. Throws an error that says what it answered instead. */
  async ask(path: string): Promise<unknown> {
    const headers: Record<string, string> = { 'X-Nuwsgi-Control': '1' };
    if (this.#token !== '') headers.Authorization = `Bearer ${this.#token}`;
    const answer = await fetch(path, { headers, cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.status === 401) throw new Locked();
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return answer.json();
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isPaused || document.hidden) return;
    this.#timer = setTimeout(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    try {
      const since = this.#samples.at(-1)?.at ?? 0;
      this.#take((await this.ask(`dashboard.json?since=${since}`)) as Live);
    } catch (error) {
      if (error instanceof Locked) {
        this.#listener.onLocked(this.#token !== '');
        return; // until there is a token
      }
      this.#listener.onSilence((error as Error).message);
    }
    this.#schedule(INTERVAL_MS);
  }

  #take(live: Live): void {
    const before = this.#last;
    this.#last = live;
    this.#samples.push(...live.history);
    const oldest = (this.#samples.at(-1)?.at ?? 0) - KEPT_MS;
    this.#samples = this.#samples.filter(({ at }) => at > oldest);
    this.#listener.onLive(live, before, this.#samples);
  }
}
