// When a cron job of the configuration is due: uWSGI's dialect of crontab, as numbers. Pure.
//
//   cron  = MINUTE HOUR DAY MONTH WEEKDAY COMMAND        cron2 = minute=-5,unique=1 COMMAND
//
//   -1 stands for every value, -N for every Nth (`minute % N == 0`). As in crontab, DAY and WEEKDAY are joined by "or"
//   when both are given. Sunday is 0, or 7.
// Decided elsewhere: who looks at the clock and runs the command (process/cron-table.ts).

const EVERY = -1;
const SHELL_SPACES = /\s+/;

// biome-ignore format: a table
const FIELDS = [
  // name      least  most   of a date
  ['minute',   0,     59,    (date: Date) => date.getMinutes()],
  ['hour',     0,     23,    (date: Date) => date.getHours()],
  ['day',      1,     31,    (date: Date) => date.getDate()],
  ['month',    1,     12,    (date: Date) => date.getMonth() + 1],
  ['week',     0,     7,     (date: Date) => date.getDay()],
] as const;
type FieldName = (typeof FIELDS)[number][0];

/** One number per field of the crontab; -1: every value, -N: every Nth. */
export type CronRule = { readonly [F in FieldName]: number };

export interface CronJob {
  readonly rule: CronRule;
  /** For `/bin/sh -c`. */
  readonly command: string;
  /** Not started again while it still runs. */
  readonly unique: boolean;
  /** Killed when it runs longer; 0: never. */
  readonly harakiriMs: number;
}

export const CRON_FORM = 'MINUTE HOUR DAY MONTH WEEKDAY COMMAND, with -1 for "every" and -5 for "every fifth"';
export const CRON2_FORM = 'minute=N,hour=N,day=N,month=N,week=N,unique=1,harakiri=SECONDS COMMAND, every key optional';

/** Whether the job of `rule` is due in the minute of `date` (local time). */
export function isDue(rule: CronRule, date: Date): boolean {
  const matches = (name: FieldName) => {
    const wanted = rule[name];
    if (wanted === EVERY) return true;
    const now = FIELDS.find(([field]) => field === name)![3](date);
    if (wanted < EVERY) return now % -wanted === 0;
    return now === wanted || (name === 'week' && wanted === 7 && now === 0);
  };
  if (!matches('minute') || !matches('hour') || !matches('month')) return false;
  const isEither = rule.day !== EVERY && rule.week !== EVERY;
  return isEither ? matches('day') || matches('week') : matches('day') && matches('week');
}

function inRange(name: FieldName, value: number): boolean {
  const [, least, most] = FIELDS.find(([field]) => field === name)!;
  return Number.isInteger(value) && value <= most && (value >= least || value < 0) && value >= -most;
}

/** The job in the text of `--cron`. Undefined: it has not that form, see CRON_FORM. */
export function parseCron(text: string): CronJob | undefined {
  const words = text.trim().split(SHELL_SPACES);
  const numbers = words.slice(0, FIELDS.length).map(Number);
  const command = text.trim().replace(/^(?:\S+\s+){5}/, '');
  if (words.length <= FIELDS.length || numbers.length < FIELDS.length) return undefined;
  if (!FIELDS.every(([name], i) => words[i] !== '' && inRange(name, numbers[i]!))) return undefined;
  const rule = Object.fromEntries(FIELDS.map(([name], i) => [name, numbers[i]])) as CronRule;
  return { rule, command, unique: false, harakiriMs: 0 };
}

/** The job in the text of `--cron2`. Undefined: it has not that form, see CRON2_FORM. */
export function parseCron2(text: string): CronJob | undefined {
  const match = /^\s*(\w+=[^\s,]*(?:,\w+=[^\s,]*)*)?\s+?(\S.*)$/s.exec(` ${text.trim()}`);
  if (match === null) return undefined;
  const rule: Record<FieldName, number> = { minute: EVERY, hour: EVERY, day: EVERY, month: EVERY, week: EVERY };
  let unique = false;
  let harakiriMs = 0;
  for (const pair of (match[1] ?? '').split(',').filter((part) => part !== '')) {
    const [key = '', value = ''] = pair.split('=');
    const number = Number(value);
    if (value === '' || Number.isNaN(number)) return undefined;
    const field = FIELDS.find(([name]) => name === key || (name === 'week' && key === 'weekday'))?.[0];
    if (field !== undefined) {
      if (!inRange(field, number)) return undefined;
      rule[field] = number;
    } else if (key === 'unique') unique = number !== 0;
    else if (key === 'harakiri') harakiriMs = number * 1000;
    else return undefined;
  }
  return { rule, command: match[2]!, unique, harakiriMs };
}
