// Where further options come from. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const CONFIGURATION = [
  { name: 'ini', kind: 'path', many: true, help: 'read options from this INI file' },
  { name: 'yaml', aliases: ['yml'], short: 'y', kind: 'path', many: true, help: 'read options from this YAML file' },
  { name: 'json', aliases: ['js'], short: 'j', kind: 'path', many: true, help: 'read options from this JSON file',
    differs: 'A .js file as a bare argument is an app here, and no configuration.' },
  { name: 'xml', aliases: ['xmlconfig'], short: 'x', kind: 'path', many: true, help: 'read options from this XML file' },
  { name: 'config', kind: 'path', many: true, help: 'read options from this file, the format by its extension' },
  { name: 'include', kind: 'path', many: true, help: 'in a file: read the options of another one here' },
  { name: 'inherit', kind: 'path', many: true,
    help: 'in a file: read the options of another one behind those of this one',
    differs: 'The other file sees the placeholders of this one.' },
  { name: 'set', short: 'S', kind: 'assign', many: true, value: 'NAME=VALUE',
    help: 'set an option, or what %(NAME) stands for where NAME is none' },
  { name: 'set-placeholder', aliases: ['set-ph'], kind: 'assign', many: true, value: 'NAME=VALUE',
    help: 'set what %(NAME) stands for' },
  { name: 'strict-options', kind: 'flag', default: false,
    help: 'options that uWSGI knows and this server does not support are errors instead of warnings',
    differs: 'Not an option of uWSGI.' },
  { name: 'strict', kind: 'flag', default: true,
    help: 'unknown options are errors', always: 'an unknown option is always an error' },
  { name: 'plugin', aliases: ['plugins'], kind: 'plugin', many: true, help: 'accepted for what is built in: python3, http and the like',
    differs: 'There are no plugins to load. Others are named in a warning.' },
  { name: 'need-plugin', aliases: ['need-plugins'], kind: 'needed-plugin', many: true,
    help: 'the same, and the start fails for others' },
  { name: 'plugin-dir', aliases: ['plugins-dir'], kind: 'path', many: true, help: 'where plugins are',
    always: 'there are no plugins to load' },
  { name: 'autoload', kind: 'flag', default: true, help: 'load plugins by need', always: 'there are no plugins to load' },
] as const satisfies readonly Option[];
