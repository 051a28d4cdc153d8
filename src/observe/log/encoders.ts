// --log-encoder: a line rewritten on its way to a logger, as uWSGI's encoders do it.
//
// uWSGI hands a line on with its line end and lets `nl` add one that an encoder dropped; here a line has exactly one,
//   whatever the encoders did.
// Decided elsewhere: which lines come here (router.ts).

import { hostname } from 'node:os';
import type { LogEncoder } from '../../config/log-target.js';
import { dateFormat } from './calendar.js';
import { jsonText } from './log-format.js';

export type Rewrite = (line: string) => string;

/** The encoders for the logger called `id` (undefined: one without a name), one after the other. */
export function encodersFor(encoders: readonly LogEncoder[], id: string | undefined): Rewrite | undefined {
  const steps = encoders.filter((encoder) => encoder.id === undefined || encoder.id === id).map(rewriteBy);
  if (steps.length === 0) return undefined;
  return (line) => steps.reduce((text, step) => step(text), line).replace(/\n$/, '');
}

function rewriteBy({ name, argument }: LogEncoder): Rewrite {
  switch (name) {
    case 'prefix':
      return (line) => argument + line;
    case 'suffix':
      return (line) => line + argument;
    case 'nl':
      return (line) => `${line}\n`;
    case 'format':
      return template(argument, (line) => line);
    case 'json':
      return template(argument, (line) => jsonText(line).slice(1, -1));
  }
}

/** Fills `${msg}`, `${msgnl}`, `${unix}`, `${micros}`, `${millis}`, `${strftime:FORMAT}` and `${host}` in. */
function template(pattern: string, encode: Rewrite): Rewrite {
  const parts = pattern.split(/(\$\{[^}]*\})/).map((piece): string | Rewrite => {
    const name = /^\$\{(.*)\}$/s.exec(piece)?.[1];
    if (name === undefined) return piece;
    if (name === 'msg') return (line) => encode(line.replace(/\n$/, ''));
    if (name === 'msgnl') return (line) => encode(line.endsWith('\n') ? line : `${line}\n`);
    if (name === 'unix') return () => String(Math.floor(Date.now() / 1000));
    if (name === 'millis') return () => String(Date.now());
    if (name === 'micros') return () => String(Date.now() * 1000);
    if (name === 'host') return () => hostname();
    if (name.startsWith('strftime:')) {
      const format = dateFormat(name.slice('strftime:'.length));
      return () => format(new Date());
    }
    return piece;
  });
  return (line) => parts.map((part) => (typeof part === 'string' ? part : part(line))).join('');
}
