// INI files in uWSGI's dialect: `[section]`, `key = value` trimmed at both ends, a key alone means true, a key that
// comes again counts again, a line that starts with `;` or `#` is a comment. No continuation lines, no quotes, and no
// comments behind a value: `#` and `;` may be part of it.
//
// Decided elsewhere: what the names mean (vocabulary.ts), placeholders (placeholders.ts), which files (gather.ts).

import { ConfigError } from '../base/errors.js';
import { emptyReading, type Reading, SECTIONS_READ } from './setting.js';

/** Reads `section` of an INI file, or its [uwsgi] and [nuwsgi] sections. `path` is for messages. */
export function readIni(source: string, path: string, section: string | undefined): Reading {
  const reading = emptyReading();
  const wanted = section === undefined ? SECTIONS_READ : [section];
  let current: string | undefined;
  let hasStray = false;
  let isFound = false;
  for (const [index, raw] of source.split('\n').entries()) {
    const line = raw.trim();
    const at = `${path}:${index + 1}`;
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      const end = line.indexOf(']');
      if (end < 0)
        reading.problems.push(new ConfigError('CONFIG_FILE', at, `a section is written [name], with both brackets`));
      current = line.slice(1, end < 0 ? undefined : end).trim();
      isFound ||= wanted.includes(current);
    } else if (current === undefined) {
      if (!hasStray) reading.warnings.push(`${at}: ignored, because it stands before the first section ([uwsgi])`);
      hasStray = true;
    } else if (wanted.includes(current)) {
      const equals = line.indexOf('=');
      const name = (equals < 0 ? line : line.slice(0, equals)).trim();
      const text = equals < 0 ? undefined : line.slice(equals + 1).trim();
      if (name === '')
        reading.problems.push(new ConfigError('CONFIG_FILE', at, 'there is no name in front of the "="'));
      else reading.settings.push({ name, text, at });
    }
  }
  if (!isFound) {
    const names = wanted.map((name) => `[${name}]`).join(' or ');
    reading.problems.push(new ConfigError('CONFIG_FILE', path, `there is no section ${names}`));
  }
  return reading;
}
