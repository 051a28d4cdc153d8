// What the server changes in answers, and its own error pages. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const EDITS = [
  { name: 'add-header', kind: 'header', many: true, value: '"NAME: VALUE"', help: 'add this header field to every answer',
    differs: 'Not to a request that is refused because it is malformed. Fields that frame the answer cannot be added.' },
  { name: 'rem-header', aliases: ['del-header'], kind: 'header-name', many: true,
    help: 'take this header field out of every answer of an app' },
  { name: 'error-page-403', kind: 'path', many: true,
    help: "an HTML file in place of the server's own 403; the first one that can be read, at start" },
  { name: 'error-page-404', kind: 'path', many: true,
    help: "an HTML file in place of the server's own 404 (not an app's)" },
  { name: 'error-page-500', kind: 'path', many: true,
    help: "an HTML file in place of the server's own 500, as for an app that raised an exception" },
] as const satisfies readonly Option[];
