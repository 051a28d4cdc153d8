// A table that is sorted by its heads and brought up to date in place, so that what is selected or focused stays so.
//
// Decided elsewhere: which tables there are (tables.ts).

import { make, setText } from './dom.js';

export interface Column<Row> {
  readonly title: string;
  /** What the title means, in a sentence. */
  readonly hint: string;
  /** Text goes to the left. */
  readonly isText?: true;
  /** Takes the room that there is, and is cut where there is none; one in a table. */
  readonly isWide?: true;
  /** Left out where the screen is narrow. */
  readonly isMinor?: true;
  readonly show: (row: Row) => string;
  readonly sortBy: (row: Row) => number | string;
  /** Gives the cell another look than text. */
  readonly paint?: (cell: HTMLTableCellElement, row: Row) => void;
}

export interface TablePlan<Row> {
  readonly columns: readonly Column<Row>[];
  readonly key: (row: Row) => string;
  readonly whenEmpty: string;
  /** Index of the column that it is sorted by at first. */
  readonly sort: number;
  readonly most: number;
  /** What can be done with a row: the name of a button, and what it does. */
  readonly action?: { readonly name: string; readonly run: (row: Row) => void };
}

interface Drawn<Row> {
  readonly element: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
  row: Row;
}

export class Table<Row> {
  readonly element = make('table');
  readonly #plan: TablePlan<Row>;
  readonly #heads: HTMLTableCellElement[] = [];
  readonly #body = make('tbody');
  readonly #rest = make('p', 'rest');
  readonly #drawn = new Map<string, Drawn<Row>>();
  #rows: readonly Row[] = [];
  #sort: number;
  #isReversed = false;

  /** Fills `place` with the table. */
  constructor(place: HTMLElement, plan: TablePlan<Row>) {
    this.#plan = plan;
    this.#sort = plan.sort;
    const heads = make('tr');
    for (const [i, column] of plan.columns.entries()) {
      const head = make('th', classOf(column));
      const button = make('button', '', column.title);
      button.type = 'button';
      button.title = column.hint;
      button.addEventListener('click', () => this.#sortBy(i));
      head.scope = 'col';
      head.append(button);
      this.#heads.push(head);
      heads.append(head);
    }
    if (plan.action !== undefined) heads.append(make('td'));
    const head = make('thead');
    head.append(heads);
    this.element.append(head, this.#body);
    place.append(this.element, this.#rest);
    this.#draw();
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#draw();
  }

  #sortBy(column: number): void {
    this.#isReversed = column === this.#sort && !this.#isReversed;
    this.#sort = column;
    this.#draw();
  }

  #draw(): void {
    const { columns, key, most, whenEmpty } = this.#plan;
    const by = columns[this.#sort]!.sortBy;
    const isAscending = this.#isReversed !== this.#isAlphabetic(by);
    for (const [i, head] of this.#heads.entries()) {
      if (i === this.#sort) head.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
      else head.removeAttribute('aria-sort');
    }
    const sorted = [...this.#rows].sort((a, b) => compare(by(a), by(b)) * (this.#isReversed ? -1 : 1));
    const shown = sorted.slice(0, most);
    const gone = new Set(this.#drawn.keys());
    for (const [i, row] of shown.entries()) {
      const name = key(row);
      gone.delete(name);
      const drawn = this.#drawn.get(name) ?? this.#newRow(name, row);
      this.#fill(drawn, row);
      if (this.#body.rows[i] !== drawn.element) this.#body.insertBefore(drawn.element, this.#body.rows[i] ?? null);
    }
    for (const name of gone) {
      this.#drawn.get(name)!.element.remove();
      this.#drawn.delete(name);
    }
    const rest = sorted.length - shown.length;
    setText(this.#rest, sorted.length === 0 ? whenEmpty : rest > 0 ? `and ${rest} more` : '');
    this.element.hidden = sorted.length === 0;
  }

  /** Text begins with A, numbers with the largest. */
  #isAlphabetic(by: (row: Row) => number | string): boolean {
    return this.#rows[0] !== undefined && typeof by(this.#rows[0]) === 'string';
  }

  #newRow(name: string, row: Row): Drawn<Row> {
    const { columns, action } = this.#plan;
    const element = make('tr');
    const cells = columns.map((column) => make('td', classOf(column)));
    element.append(...cells);
    const drawn: Drawn<Row> = { element, cells, row };
    if (action !== undefined) {
      const cell = make('td', 'action');
      const button = make('button', '', action.name);
      button.type = 'button';
      button.setAttribute('aria-label', `${action.name} of ${name}`);
      button.addEventListener('click', () => action.run(drawn.row));
      cell.append(button);
      element.append(cell);
    }
    this.#drawn.set(name, drawn);
    return drawn;
  }

  #fill(drawn: Drawn<Row>, row: Row): void {
    drawn.row = row;
    for (const [i, column] of this.#plan.columns.entries()) {
      const cell = drawn.cells[i]!;
      setText(cell, column.show(row));
      column.paint?.(cell, row);
    }
  }
}

function classOf<Row>({ isText, isWide, isMinor }: Column<Row>): string {
  return [isText ? 'text' : 'number', isWide ? 'wide' : '', isMinor ? 'minor' : ''].filter(Boolean).join(' ');
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return b - a;
  return String(a).localeCompare(String(b));
}
