// What is logged, how, and where to. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const LOGGING = [
  { name: 'disable-logging', short: 'L', kind: 'flag', default: false, help: 'write no line per request' },
] as const satisfies readonly Option[];
