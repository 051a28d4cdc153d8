// Times as the log writes them, each made at most once a second.
//
// Decided elsewhere: where they stand in a line (request-line.ts, log-format.ts, open-log.ts).

import strftime from 'strftime';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number) => String(n).padStart(2, '0');

/** Local time as C's ctime writes it: "Mon Nov 23 01:12:00 2026". */
export function ctime(date: Date): string {
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = String(date.getDate()).padStart(2, ' ');
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${time} ${date.getFullYear()}`;
}

/** The time stamp of RFC 3164 section 4.1.2: "Nov 23 01:12:00". */
export function syslogTime(date: Date): string {
  const day = String(date.getDate()).padStart(2, ' ');
  return `${MONTHS[date.getMonth()]} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** What these stand for in the C locale, in which uWSGI runs; strftime.js has them as Americans write them. */
const C_LOCALE: Readonly<Record<string, string>> = { '%c': '%a %b %e %H:%M:%S %Y', '%X': '%H:%M:%S' };

/** A function from a date to its text by a strftime pattern of the C locale, local time. */
export function dateFormat(pattern: string): (date: Date) => string {
  const parts = pattern.replace(/%[%cX]/g, (mark) => C_LOCALE[mark] ?? mark).split(/(%[%Z])/);
  return (date) => parts.map((part) => (part === '%Z' ? zoneName(date) : strftime(part, date))).join('');
}

/** The usual short name of the time zone, `CET` say; where the tables of Node.js have none, how far it is from UTC. */
function zoneName(date: Date): string {
  for (const language of ['en-US', 'en-GB']) {
    const parts = new Intl.DateTimeFormat(language, { timeZoneName: 'short' }).formatToParts(date);
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  return strftime('%z', date);
}

/** uWSGI's %(ltime): the time as Apache and nginx log it. */
export const APACHE_TIME = '%d/%b/%Y:%H:%M:%S %z';

/** The text of `format` for now, made anew when another second has begun. Seconds are the steps of all formats here. */
export class SecondClock<T = string> {
  readonly #format: (date: Date) => T;
  #untilMs = Number.NEGATIVE_INFINITY;
  #text!: T;

  constructor(format: (date: Date) => T) {
    this.#format = format;
  }

  /** `nowMs` is the time on the clock of performance.now(), which is already known where this is called. */
  at(nowMs: number): T {
    if (nowMs >= this.#untilMs) {
      const wallMs = Date.now();
      this.#untilMs = nowMs + 1000 - (wallMs % 1000);
      this.#text = this.#format(new Date(wallMs));
    }
    return this.#text;
  }
}
