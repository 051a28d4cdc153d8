// A line chart of the last minutes: one unit, a few lines, and the figures of the moment that is pointed at.
//
// The legend is text beside the drawing and always holds figures, so that the chart can be read without seeing it: the
//   last ones, or those of the moment that the pointer or the arrow keys have chosen.
// Decided elsewhere: which charts there are (charts.ts), colours (dashboard.css: .line-0, .line-1, ...).

import type { Sample } from '../stats/shape.js';
import { draw, make, setText } from './dom.js';

export interface Series {
  readonly name: string;
  readonly value: (sample: Sample) => number;
}

export interface ChartPlan {
  readonly title: string;
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** The scale never ends below this, so that noise does not look like load. */
  readonly least: number;
  /** Whether the scale is in steps of 1024. */
  readonly isBinary?: true;
}

const LEFT = 44;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
const HEIGHT = 150;
const GRID_LINES = 2;
const SHORTEST_MS = 60_000;
const MINUTE_MS = 60_000;
/** Samples further apart than this are not joined: there are none between them. */
const GAP_MS = 3500;

/** The next number above that is easy to read: 1, 2 or 5 with noughts; or those times 1024, ... */
export function niceTop(value: number, isBinary: boolean): number {
  const unit = isBinary ? 1024 ** Math.max(0, Math.floor(Math.log(Math.max(1, value)) / Math.log(1024))) : 1;
  const scaled = value / unit;
  const power = 10 ** Math.floor(Math.log10(Math.max(scaled, 1e-9)));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power >= scaled) ?? 10;
  return step * power * unit;
}

const clock = (at: number, withSeconds: boolean) =>
  new Date(at).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds && { second: '2-digit' as const }),
  });

export class Chart {
  readonly element = make('figure', 'chart');
  readonly #plan: ChartPlan;
  readonly #drawing = draw('svg', { 'aria-hidden': 'true', height: HEIGHT });
  readonly #moment = make('span', 'moment');
  readonly #values: HTMLElement[] = [];
  #samples: readonly Sample[] = [];
  #width = 320;
  /** The moment that is chosen, on the clock of the samples; undefined: the last one. */
  #chosenAt: number | undefined;

  constructor(plan: ChartPlan) {
    this.#plan = plan;
    const caption = make('figcaption');
    caption.append(make('h3', '', plan.title), this.#moment);
    const legend = make('ul', 'legend');
    for (const [i, { name }] of plan.series.entries()) {
      const item = make('li', `line-${i}`);
      const value = make('b');
      this.#values.push(value);
      item.append(make('i', 'swatch'), make('span', '', `${name} `), value);
      legend.append(item);
    }
    this.element.append(caption, legend, this.#drawing);
    this.element.tabIndex = 0;
    this.element.setAttribute('aria-label', `${plan.title}. Arrow keys choose a moment.`);
    this.#listen();
    new ResizeObserver(([entry]) => {
      this.#width = Math.max(200, Math.floor(entry!.contentRect.width));
      this.#draw();
    }).observe(this.element);
  }

  show(samples: readonly Sample[]): void {
    this.#samples = samples;
    this.#draw();
  }

  #listen(): void {
    this.#drawing.addEventListener('pointermove', (event) => {
      const [from, to] = this.#span;
      const share = (event.offsetX - LEFT) / (this.#width - LEFT - RIGHT);
      this.#choose(from + share * (to - from));
    });
    this.#drawing.addEventListener('pointerleave', () => this.#choose(undefined));
    this.element.addEventListener('blur', () => this.#choose(undefined));
    this.element.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') this.#choose(undefined);
      if (step === undefined) return;
      event.preventDefault();
      const at = this.#samples.indexOf(this.#chosen!);
      this.#choose(this.#samples[Math.max(0, Math.min(at + step, this.#samples.length - 1))]?.at);
    });
  }

  #choose(at: number | undefined): void {
    this.#chosenAt = at;
    this.#draw();
  }

  /** The sample nearest to the moment that is chosen. */
  get #chosen(): Sample | undefined {
    const at = this.#chosenAt;
    if (at === undefined) return this.#samples.at(-1);
    const distance = (sample: Sample) => Math.abs(sample.at - at);
    return this.#samples.reduce<Sample | undefined>(
      (best, sample) => (best === undefined || distance(sample) < distance(best) ? sample : best),
      undefined,
    );
  }

  /** What the width stands for. */
  get #span(): readonly [number, number] {
    const to = this.#samples.at(-1)?.at ?? 0;
    return [Math.min(this.#samples[0]?.at ?? 0, to - SHORTEST_MS), to];
  }

  #draw(): void {
    const { series, format, least, isBinary } = this.#plan;
    const chosen = this.#chosen;
    for (const [i, { value }] of series.entries()) {
      setText(this.#values[i]!, chosen === undefined ? '' : format(value(chosen)));
    }
    setText(this.#moment, this.#chosenAt === undefined || chosen === undefined ? '' : clock(chosen.at, true));

    const most = Math.max(least, ...this.#samples.flatMap((sample) => series.map(({ value }) => value(sample))));
    const top = niceTop(most, isBinary ?? false);
    const [from, to] = this.#span;
    const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (this.#width - LEFT - RIGHT);
    const y = (value: number) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);

    const parts: SVGElement[] = [];
    for (let i = 0; i <= GRID_LINES; i++) {
      const value = (top * i) / GRID_LINES;
      const [x1, x2] = [LEFT, this.#width - RIGHT];
      parts.push(draw('line', { class: 'grid', x1, x2, y1: y(value), y2: y(value) }));
      parts.push(label(i === 0 ? '0' : format(value), LEFT - 6, y(value) + 4, 'end'));
    }
    for (let at = Math.ceil(from / MINUTE_MS) * MINUTE_MS; at < to; at += MINUTE_MS) {
      if (x(at) > LEFT + 16 && x(at) < this.#width - RIGHT - 16) {
        parts.push(label(clock(at, false), x(at), HEIGHT - 4, 'middle'));
      }
    }
    for (const [i, { value }] of [...series.entries()].reverse()) {
      const d = path(this.#samples, x, (sample) => y(value(sample)));
      parts.push(draw('path', { class: `line line-${i}`, d }));
    }
    if (chosen !== undefined && this.#chosenAt !== undefined) {
      const at = x(chosen.at);
      parts.push(draw('line', { class: 'cursor', x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }));
    }
    this.#drawing.setAttribute('width', String(this.#width));
    this.#drawing.replaceChildren(...parts);
  }
}

function label(text: string, x: number, y: number, anchor: string): SVGElement {
  const element = draw('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}

/** The path through all samples, interrupted where there are none. */
function path(samples: readonly Sample[], x: (at: number) => number, y: (sample: Sample) => number): string {
  let before = Number.NEGATIVE_INFINITY;
  const steps: string[] = [];
  for (const sample of samples) {
    steps.push(`${sample.at - before > GAP_MS ? 'M' : 'L'}${x(sample.at).toFixed(1)} ${y(sample).toFixed(1)}`);
    before = sample.at;
  }
  return steps.join('');
}
