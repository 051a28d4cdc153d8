// The dashboard: puts the figures on the page, once a second.
//
// Read-only: all it can make the server do is tell. Without a framework, as nothing on it changes its shape.
// Decided elsewhere: where figures come from (feed.ts), what stands out (findings.ts), what happened (events.ts), tables and
// charts (tables.ts, charts.ts).

import type { Live, Sample, WorkerStacks } from '../stats/shape.js';
import { Chart } from './chart.js';
import { CHARTS } from './charts.js';
import { find, make, setText } from './dom.js';
import { changes, type Event, reloads } from './events.js';
import { Feed } from './feed.js';
import { bytes, counted, duration, percent, short, uptime } from './figures.js';
import { findings } from './findings.js';
import { stackText } from './stack-text.js';
import { Table } from './table.js';
import {
  APPS,
  ENDPOINTS,
  endpointRows,
  RUNNING,
  runningRows,
  type WorkerRow,
  workerRows,
  workerTable,
} from './tables.js';

const MOST_EVENTS = 50;

/** The figures at the top: a name, the figure, and what else belongs to it. */
const TILES: readonly (readonly [string, (live: Live, now: Sample) => readonly [string, string]])[] = [
  ['Requests/s', (live, now) => [short(now.requests_per_second), `${short(total(live))} in all`]],
  [
    'Errors/s',
    ({ nuwsgi }, now) => [short(now.errors_per_second), `${short(nuwsgi.without_app.refused)} refused in all`],
  ],
  ['Time to answer, p99', (_, now) => [duration(now.p99_us / 1000), `half within ${duration(now.p50_us / 1000)}`]],
  ['Waiting', (_, now) => [short(now.waiting), `p99 in the queue ${duration(now.queue_p99_us / 1000)}`]],
  [
    'Busy workers',
    (live, now) => [`${now.busy_workers} of ${live.workers.length}`, counted(now.in_flight, 'request', 'requests')],
  ],
  ['Memory', ({ nuwsgi }, now) => [bytes(now.rss_bytes), `server ${bytes(nuwsgi.accept_thread.rss_bytes)}`]],
  ['Accept thread', (_, now) => [`${percent(now.accept_thread_busy)} busy`, `${duration(now.loop_delay_ms)} late`]],
];
const total = ({ nuwsgi: { apps, without_app } }: Live) =>
  apps.reduce((sum, { requests }) => sum + requests, without_app.requests);

class Page {
  readonly #feed = new Feed(this);
  readonly #state = find('state', HTMLElement);
  readonly #lock = find('lock', HTMLFormElement);
  readonly #pause = find('pause', HTMLButtonElement);
  readonly #main = find('content', HTMLElement);
  readonly #tiles = TILES.map(([name]) => tile(find('tiles', HTMLElement), name));
  readonly #charts = CHARTS.map((plan) => new Chart(plan));
  readonly #workers = new Table(
    find('workers', HTMLElement),
    workerTable((row) => void this.#showStack(row)),
  );
  readonly #endpoints = new Table(find('endpoints', HTMLElement), ENDPOINTS);
  readonly #running = new Table(find('running', HTMLElement), RUNNING);
  readonly #apps = new Table(find('apps', HTMLElement), APPS);
  #seen: Event[] = [];
  #readAtMs = 0;

  constructor() {
    document.title = `nuwsgi ${location.host}`;
    find('charts', HTMLElement).append(...this.#charts.map(({ element }) => element));
    this.#pause.addEventListener('click', () => this.#togglePause());
    document.addEventListener('keydown', (event) => {
      const isTyping = event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey;
      if (event.key === 'p' && !isTyping) this.#togglePause();
    });
    this.#lock.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#feed.useToken(find('token', HTMLInputElement).value);
    });
    this.#feed.start();
  }

  onLive(live: Live, before: Live | undefined, samples: readonly Sample[]): void {
    const nowMs = performance.now();
    const seconds = (nowMs - this.#readAtMs) / 1000;
    this.#readAtMs = nowMs;
    this.#lock.hidden = true;
    this.#main.hidden = false;
    delete document.body.dataset.old;
    this.#showState(live);
    this.#showFindings(live, before);
    const now = samples.at(-1);
    if (now !== undefined) {
      for (const [i, [, of]] of TILES.entries()) showTile(this.#tiles[i]!, ...of(live, now));
    }
    find('elsewhere', HTMLElement).hidden = this.#feed.hasToken; // a link cannot carry it
    for (const chart of this.#charts) chart.show(samples);
    this.#workers.show(workerRows(live, before, seconds));
    this.#endpoints.show(endpointRows(live));
    this.#running.show(runningRows(live));
    this.#apps.show(live.nuwsgi.apps);
    if (before !== undefined) this.#seen.push(...changes(before, live, Date.now()));
    this.#showEvents(live);
  }

  onSilence(why: string): void {
    document.body.dataset.old = '';
    this.#say('bad', `no answer: ${why}`);
  }

  onLocked(isWrong: boolean): void {
    this.#main.hidden = true;
    this.#lock.hidden = false;
    setText(find('lock-note', HTMLElement), isWrong ? 'That is not the token.' : '');
    this.#say('bad', 'locked');
    find('token', HTMLInputElement).focus();
  }

  #togglePause(): void {
    const isPaused = !this.#feed.isPaused;
    this.#feed.pause(isPaused);
    this.#pause.setAttribute('aria-pressed', String(isPaused));
    if (isPaused) this.#say('slow', 'paused');
  }

  #say(state: 'good' | 'slow' | 'bad', text: string): void {
    this.#state.dataset.state = state;
    setText(this.#state, text);
  }

  #showState({ pid, nuwsgi }: Live): void {
    setText(find('version', HTMLElement), nuwsgi.version);
    setText(find('server', HTMLElement), `pid ${pid}, Node.js ${nuwsgi.node}, up ${uptime(nuwsgi.uptime_seconds)}`);
    const isReady = nuwsgi.apps.every(({ loaded }) => loaded);
    if (this.#feed.isPaused) return;
    if (nuwsgi.draining) this.#say('slow', 'stopping');
    else this.#say(isReady ? 'good' : 'bad', isReady ? 'serving' : 'an app is not loaded');
  }

  #showFindings(live: Live, before: Live | undefined): void {
    const found = findings(live, before);
    const items = found.length === 0 ? [make('li', '', 'Nothing.')] : found.map((f) => make('li', f.level, f.text));
    update(find('findings', HTMLElement), items);
  }

  #showEvents(live: Live): void {
    const ends = live.nuwsgi.apps.flatMap(({ worker_ends }) => Object.entries(worker_ends));
    const text = ends.map(([why, count]) => `${count} (${why})`).join(', ');
    setText(find('ends', HTMLElement), text === '' ? 'No worker has ended yet.' : `Workers that have ended: ${text}.`);
    this.#seen = this.#seen.slice(-MOST_EVENTS);
    const events = [...this.#seen, ...reloads(live)].sort((a, b) => b.atMs - a.atMs).slice(0, MOST_EVENTS);
    const items = events.map(({ atMs, level, text }) => {
      const item = make('li', level);
      const time = make('time', '', new Date(atMs).toLocaleTimeString());
      time.dateTime = new Date(atMs).toISOString();
      item.append(time, text);
      return item;
    });
    update(find('events', HTMLElement), items);
  }

  async #showStack({ id }: WorkerRow): Promise<void> {
    setText(find('stack-title', HTMLElement), `Worker ${id}, right now`);
    const text = find('stack-text', HTMLElement);
    setText(text, 'looking...');
    find('stack', HTMLDialogElement).showModal();
    try {
      const [stacks] = (await this.#feed.ask(`stacks?worker=${id}`)) as WorkerStacks[];
      setText(text, stackText(stacks!));
    } catch (error) {
      setText(text, (error as Error).message);
    }
  }
}

/** Replaces the items of a list where they differ. */
function update(list: HTMLElement, items: readonly HTMLElement[]): void {
  const isSame =
    list.children.length === items.length && items.every((item, i) => item.isEqualNode(list.children[i] ?? null));
  if (!isSame) list.replaceChildren(...items);
}

interface Tile {
  readonly figure: Text;
  readonly note: HTMLElement;
}

function tile(list: HTMLElement, name: string): Tile {
  const group = make('div');
  const value = make('dd');
  const figure = document.createTextNode('–');
  const note = make('small');
  value.append(figure, note);
  group.append(make('dt', '', name), value);
  list.append(group);
  return { figure, note };
}

function showTile({ figure, note }: Tile, text: string, beside: string): void {
  if (figure.data !== text) figure.data = text;
  setText(note, beside);
}

new Page();
