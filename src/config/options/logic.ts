// Loops and conditions in configuration. They are worked off while files are read (logic.ts), so they have no value later.
// Rows of the options table; see options.ts.

import type { Option } from './table.js';

const DIFFERS_ITEMS = 'A placeholder in the list is replaced before the list is taken apart; in uWSGI it is one item.';

// biome-ignore format: a table
export const LOGIC = [
  { name: 'for', kind: 'text', many: true, value: 'ITEMS', differs: DIFFERS_ITEMS,
    help: 'repeat each option up to endfor for every item of a list, separated by spaces; %(_) is the item' },
  { name: 'for-glob', kind: 'text', many: true, value: 'PATTERN', help: 'the same for every file that fits a pattern' },
  { name: 'for-times', kind: 'text', many: true, value: 'N', help: 'the same for the numbers from 1 to N' },
  { name: 'for-readline', kind: 'path', many: true, help: 'the same for every line of a file' },
  { name: 'endfor', aliases: ['end-for'], kind: 'flag', default: false, help: 'end of a loop' },
  { name: 'if-env', aliases: ['ifenv'], kind: 'text', many: true, value: 'NAME[=VALUE]',
    help: 'count the options up to else or endif only when this environment variable is set, or set so; %(_) is its value' },
  { name: 'if-not-env', kind: 'text', many: true, value: 'NAME[=VALUE]', help: 'only when it is not' },
  { name: 'if-opt', kind: 'text', many: true, value: 'NAME[=VALUE]',
    help: 'only when this option or placeholder was set before, or set so; %(_) is its value' },
  { name: 'if-not-opt', kind: 'text', many: true, value: 'NAME[=VALUE]', help: 'only when it was not' },
  { name: 'if-exists', aliases: ['ifexists'], kind: 'path', many: true, help: 'only when there is such a file or directory' },
  { name: 'if-not-exists', kind: 'path', many: true, help: 'only when there is none' },
  { name: 'if-file', kind: 'path', many: true, help: 'only when there is such a file' },
  { name: 'if-not-file', kind: 'path', many: true, help: 'only when there is no such file' },
  { name: 'if-dir', aliases: ['ifdir', 'if-directory'], kind: 'path', many: true, help: 'only when there is such a directory' },
  { name: 'if-not-dir', kind: 'path', many: true, help: 'only when there is no such directory' },
  { name: 'if-hostname', kind: 'text', many: true, value: 'NAME', help: 'only on the machine of this name' },
  { name: 'if-not-hostname', kind: 'text', many: true, value: 'NAME', help: 'only on other machines' },
  { name: 'if-hostname-match', kind: 'text', many: true, value: 'REGEX', help: 'only on machines whose name fits',
    differs: 'The regular expression is one of JavaScript.' },
  { name: 'if-not-hostname-match', kind: 'text', many: true, value: 'REGEX', help: 'only on machines whose name does not fit' },
  { name: 'if-plugin', aliases: ['ifplugin'], kind: 'text', many: true, value: 'NAME',
    help: 'only when what this plugin of uWSGI does is built in: python, python3, http and the like' },
  { name: 'if-not-plugin', kind: 'text', many: true, value: 'NAME', help: 'only when it is not' },
  { name: 'if-reload', kind: 'flag', default: false, help: 'only when the configuration is read again, for a reload or an upgrade' },
  { name: 'if-not-reload', kind: 'flag', default: false, help: 'only when it is read for the first time' },
  { name: 'else', kind: 'flag', default: false, help: 'count the options up to endif when the condition did not hold',
    differs: 'Not in uWSGI 2.0.' },
  { name: 'endif', aliases: ['end-if'], kind: 'flag', default: false, help: 'end of a condition' },
] as const satisfies readonly Option[];
