// Which applications are served, and where they find what they need. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const APPS = [
  { name: 'wsgi-file', aliases: ['file'], kind: 'path', perApp: true,
    help: 'load the app from this file: Python, or JavaScript and TypeScript by extension' },
  { name: 'module', aliases: ['wsgi'], short: 'w', kind: 'text', perApp: true, value: 'MODULE[:CALLABLE]',
    help: 'load the app from this Python module; NAME() calls a factory' },
  { name: 'app', kind: 'text', perApp: true, value: 'APP',
    help: 'load the app from this file or Python module, the language by its extension',
    differs: 'Not an option of uWSGI. An app as a bare argument means the same.' },
  { name: 'callable', kind: 'text', perApp: true, value: 'NAME', default: 'application',
    help: 'name of the app object, where the app itself does not name one' },
  { name: 'mount', kind: 'assign', perApp: true, many: true, value: '/PATH=APP', help: 'put an app under a path; / is the root',
    differs: 'Also takes JavaScript and TypeScript files. SCRIPT_NAME and PATH_INFO are always split at the path.' },
  { name: 'pythonpath', aliases: ['python-path', 'pp'], kind: 'path', perApp: true, many: true,
    help: 'look for Python modules here first' },
  { name: 'python', kind: 'text', perApp: true, value: 'PROGRAM', defaultText: "the virtualenv's python, or python3",
    help: 'run Python apps with this interpreter (CPython 3.8 or newer)',
    differs: 'In uWSGI it runs a Python script.' },
  { name: 'virtualenv', aliases: ['home', 'venv', 'pyhome'], short: 'H', kind: 'path', perApp: true,
    help: 'run Python apps in this virtual environment' },
  { name: 'env', kind: 'assign', perApp: true, many: true, value: 'NAME=VALUE', help: 'set an environment variable for the apps' },
  { name: 'chdir', kind: 'path', perApp: true, help: 'change to this directory before the apps are loaded',
    differs: 'Of an app of the apps list it is that app\'s alone; a JavaScript app only finds its file there, because threads share the directory of the server.' },
  { name: 'need-app', kind: 'flag', default: true, help: 'do not start without an app',
    differs: 'Off by default in uWSGI, which then answers every request with an error.' },
  { name: 'lazy-apps', kind: 'flag', perApp: true, default: false,
    help: 'load the app in each worker instead of once before the workers are forked' },
  { name: 'manage-script-name', kind: 'flag', default: true,
    help: 'split SCRIPT_NAME and PATH_INFO at the mount point',
    always: 'a mounted app always gets SCRIPT_NAME and PATH_INFO split at its mount point' },
  { name: 'single-interpreter', short: 'i', kind: 'flag', default: true, help: 'one Python interpreter per process',
    always: 'each app has processes of its own with one interpreter each' },
] as const satisfies readonly Option[];
