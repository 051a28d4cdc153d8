// Which variables a request line may have and which metrics there are, as docs/observability.md has it.

import { VARIABLE_NAMES } from './log/log-format.js';
import { METRICS } from './metrics.js';

const END = '<!-- end -->';
const begin = (source: string) => `<!-- written from src/observe/${source} by npm run gen: begin -->`;

function variables(): string {
  return VARIABLE_NAMES.map((name) => `\`${name}\``).join(' ');
}

function metrics(): string {
  const rows = METRICS.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  return `| metric | type | what it says |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

/** `page` (docs/observability.md) with its lists renewed. Throws an error where it has no room for one. */
export function withFigures(page: string): string {
  return withPart(withPart(page, begin('log/log-format.ts'), variables()), begin('metrics.ts'), metrics());
}

function withPart(page: string, mark: string, text: string): string {
  const [before, rest] = page.split(mark);
  const end = rest?.indexOf(END) ?? -1;
  if (end < 0) throw new Error(`the page has no part between ${mark} and ${END}`);
  return `${before}${mark}\n\n${text}\n\n${rest!.slice(end)}`;
}
