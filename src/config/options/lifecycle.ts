// How the server is told to reload or stop, and what it leaves behind. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const LIFECYCLE = [
  { name: 'touch-reload', kind: 'path', many: true, help: 'reload when this file changes, appears or goes away' },
  { name: 'touch-chain-reload', kind: 'path', many: true, help: 'reload one worker after the other when this file changes',
    differs: 'The new workers have the new version of the app; in uWSGI only with lazy-apps.' },
  { name: 'touch-workers-reload', kind: 'path', many: true,
    help: 'replace the workers, by new ones of the version that is loaded, when this file changes' },
  { name: 'check-interval', kind: 'seconds', default: 1, range: [1, 3600],
    help: 'how often files that may be touched are looked at' },
] as const satisfies readonly Option[];
