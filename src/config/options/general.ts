// What ends the program after it has said something. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const GENERAL = [
  { name: 'help', aliases: ['usage'], short: 'h', kind: 'flag', default: false, value: 'OPTION|SECTION',
    help: 'show this list, a part of it, or everything about one option' },
  { name: 'show-config', kind: 'flag', default: false,
    help: 'show what all sources add up to, as an INI file that says where each option comes from, and end',
    differs: 'Shows only what counts in the end, and uWSGI goes on to serve.' },
  { name: 'stop', kind: 'path', value: 'PIDFILE', sends: 'SIGTERM', help: 'stop the server whose pidfile this is',
    differs: 'Requests inside are answered first.' },
  { name: 'reload', kind: 'path', value: 'PIDFILE', sends: 'SIGHUP', help: 'reload the server whose pidfile this is' },
  { name: 'pause', aliases: ['suspend', 'resume'], kind: 'path', value: 'PIDFILE', sends: 'SIGTSTP',
    help: 'pause the server whose pidfile this is, or let it go on' },
  { name: 'version', kind: 'flag', default: false, help: 'show the version' },
] as const satisfies readonly Option[];
