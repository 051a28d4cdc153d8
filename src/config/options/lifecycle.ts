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
  { name: 'fs-reload', kind: 'path', many: true, help: 'reload when the system tells that something in this directory, or this file, changed' },
  { name: 'py-autoreload', aliases: ['py-auto-reload', 'python-autoreload', 'python-auto-reload'], kind: 'seconds', default: 0,
    help: 'look every so many seconds whether a Python module that the app has loaded was changed, and reload then; 0: never' },
  { name: 'py-auto-reload-ignore', kind: 'text', many: true, value: 'MODULE', help: 'do not look at this module' },
  { name: 'js-autoreload', kind: 'seconds', default: 0,
    help: 'the same for the files of JavaScript apps, without those in node_modules; 0: never',
    differs: 'Not an option of uWSGI.' },
  { name: 'exit-on-reload', kind: 'flag', default: false, help: 'stop, where a reload is asked for' },
  { name: 'master-fifo', kind: 'path', many: true,
    help: 'take commands of one letter from this named pipe; with several, a digit chooses the one that is listened to' },
] as const satisfies readonly Option[];
