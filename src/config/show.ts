// `--show-config` and `nuwsgi digest`: what the sources add up to, as an INI file that says of each option where it comes from.
//
// What is shown can be read again and means the same: files are put in, blocks and placeholders are gone, of an option
//   that cannot repeat only the last one is left. Only entries of the `apps:` list have no INI form, and secrets
//   are kept back; these are comments.
// Decided elsewhere: which settings count (resolve.ts).

import { createHash } from 'node:crypto';
import { readsFile } from './files.js';
import type { Given } from './gather.js';
import type { Resolved } from './resolve.js';

/** What has done its work when the configuration has been read. */
const SPENT: ReadonlySet<string> = new Set(['set', 'set-placeholder', 'show-config']);

/** The settings that count, in their order. */
export function effective(given: readonly Given[]): readonly Given[] {
  const last = new Map(given.map((each) => [each.word.name, each]));
  return given.filter((each) => {
    const { word } = each;
    if (SPENT.has(word.name) || readsFile(word.name)) return false;
    const repeats = 'option' in word ? word.option.many : word.takes === 'value';
    return repeats || last.get(word.name) === each;
  });
}

/** In a file, `%` in front of a letter would be magic. */
const inFile = (text: string) => text.replace(/%(?=[a-zA-Z0-9%[])/g, '%%').replaceAll('\n', ' ');
function line({ word, text }: Given): string {
  if (text === undefined) return word.name;
  if ('option' in word && word.option.isSecret) return `; ${word.name} is set, to a secret that is not shown`;
  return `${word.name} = ${inFile(text)}`;
}

/** The INI file. */
export function showConfig({ settings, listed }: Resolved): string {
  const lines = ['; nuwsgi instance configuration', '[uwsgi]'];
  let at = '';
  for (const setting of effective(settings)) {
    if (setting.at !== at) lines.push(`; ${setting.at}`);
    at = setting.at;
    lines.push(line(setting));
  }
  for (const app of listed) {
    lines.push(`; ${app.at}: an entry of apps`);
    for (const setting of effective(app.given)) lines.push(`;   ${line(setting)}`);
  }
  return `${lines.join('\n')}\n; end of configuration\n`;
}

/**
 * A text that is another one when what the sources add up to is another one, wherever it stands. `counts`: which options
 * are looked at.
 */
export function digestOf({ settings, listed }: Resolved, counts: (option: string) => boolean = () => true): string {
  const texts = (given: readonly Given[]) =>
    effective(given)
      .filter(({ word }) => counts(word.name))
      .map(({ word, text }) => [word.name, text ?? null]);
  const all = [texts(settings), listed.map((app) => texts(app.given))];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
