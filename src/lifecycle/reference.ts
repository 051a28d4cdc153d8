// The table of what a running server can be told, as docs/operating.md has it.

import { ALL_TRIGGERS } from './triggers.js';

export const BEGIN = '<!-- written from src/lifecycle/triggers.ts by npm run gen: begin -->';
const END = '<!-- end -->';

const code = (text: string) => `\`${text}\``;

/** `page` (docs/operating.md) with its table of triggers renewed. */
export function withTriggers(page: string): string {
  const rows = ALL_TRIGGERS.map(({ signals = [], letter, touch, does, differs }) => {
    const cells = [
      signals.join(', '),
      letter === undefined ? '' : code(letter),
      touch === undefined ? '' : code(`--${touch}`),
      differs === undefined ? does : `${does}. **Unlike uWSGI:** ${differs}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const table = `| signal | letter | touched file | what the server does |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`the page has no part between ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
