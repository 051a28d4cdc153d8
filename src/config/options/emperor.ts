// A server per configuration file: the emperor and its vassals. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const EMPEROR = [
  { name: 'emperor', kind: 'text', many: true, value: 'DIRECTORY|PATTERN',
    help: 'run a server for every configuration file in this directory, or for every file that fits the pattern',
    differs: 'The emperor serves nothing itself: sockets and apps belong into the vassals.' },
  { name: 'emperor-freq', kind: 'seconds', default: 3, range: [1, 3600],
    help: 'how often it is looked which files are there' },
  { name: 'emperor-throttle', kind: 'int', value: 'MS', default: 1000, range: [0, 3600000],
    help: 'the first pause before a vassal that died is started again; it doubles from death to death',
    differs: 'The pause is of the one vassal; in uWSGI it slows the whole emperor down.' },
  { name: 'emperor-max-throttle', kind: 'int', value: 'MS', default: 180000, range: [0, 86400000],
    help: 'the longest such pause' },
  { name: 'emperor-stats', aliases: ['emperor-stats-server'], kind: 'address',
    help: 'tell what the vassals do at this address, as JSON' },
  { name: 'emperor-pidfile', kind: 'path', help: 'write the pid of the emperor to this file' },
  { name: 'emperor-extra-extension', aliases: ['emperor-extra-ext'], kind: 'text', many: true, value: '.EXT',
    help: 'files with this extension are INI files of vassals too' },
  { name: 'emperor-procname', kind: 'text', value: 'NAME', help: 'the title of the emperor in the list of processes' },
  { name: 'emperor-graceful-shutdown', kind: 'flag', default: true,
    help: 'let vassals finish their requests', always: 'vassals always finish their requests when they are stopped' },
  { name: 'vassals-include-before', kind: 'path', many: true, help: 'every vassal reads this file first' },
  { name: 'vassals-inherit-before', kind: 'path', many: true, help: 'the same as vassals-include-before' },
  { name: 'vassals-include', kind: 'path', many: true, help: 'every vassal reads this file behind its own' },
  { name: 'vassals-inherit', kind: 'path', many: true, help: 'the same as vassals-include' },
  { name: 'vassals-set', aliases: ['vassal-set'], kind: 'assign', many: true,
    help: 'set an option or placeholder in every vassal' },
] as const satisfies readonly Option[];
