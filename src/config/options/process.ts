// How the server lives with the system: in the background, with whose rights, with which programs beside it. Rows of the
// options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const PROCESS = [
  { name: 'daemonize', aliases: ['daemonize2'], short: 'd', kind: 'path', value: 'LOGFILE',
    help: 'run in the background and append what is logged to this file',
    differs: 'The command returns when the server is ready, or with its exit code when it does not come up; the umask stays. The log is a file, not a UDP address.' },
  { name: 'uid', kind: 'text', value: 'USER',
    help: 'give up root for this user, by name or number, once the sockets are open',
    differs: 'Sockets are opened before, so ports below 1024 can be had. Apps are loaded after it.' },
  { name: 'gid', kind: 'text', value: 'GROUP', defaultText: "the user's own group",
    help: 'give up root for this group' },
  { name: 'add-gid', kind: 'text', many: true, value: 'GROUP',
    help: 'be in this group too, after root is given up' },
  { name: 'no-initgroups', kind: 'flag', default: false,
    help: "do not take over the user's supplementary groups" },
  { name: 'no-orphans', kind: 'flag', default: true,
    help: 'end the workers when the server is gone', always: 'workers always end with the server, however it ends' },

  { name: 'cron', kind: 'cron', many: true,
    help: 'run a command at certain times' },
  { name: 'cron2', kind: 'cron2', many: true,
    help: 'run a command at certain times, with keys' },
  { name: 'unique-cron', kind: 'cron', many: true,
    help: 'the same as cron, but never while the last run goes on' },
  { name: 'cron-harakiri', kind: 'seconds', default: 0,
    help: 'kill a cron job that runs longer than this; 0: never' },

  { name: 'attach-daemon', kind: 'text', many: true, value: 'COMMAND',
    help: 'run a program beside the server, start it again when it ends, stop it with the server' },
  { name: 'attach-control-daemon', kind: 'text', many: true, value: 'COMMAND',
    help: 'the same, and the server stops when it ends' },
  { name: 'attach-daemon2', kind: 'daemon2', many: true,
    help: 'the same, with keys' },
  { name: 'smart-attach-daemon', kind: 'smart-daemon', many: true,
    help: 'see to it that the process in a pidfile lives; it outlives the server' },

  { name: 'hook-asap', kind: 'hook', many: true, help: 'do this when the configuration has been read' },
  { name: 'hook-as-root', kind: 'hook', many: true, help: 'do this before root is given up' },
  { name: 'hook-as-user', kind: 'hook', many: true, help: 'do this when root has been given up' },
  { name: 'hook-pre-app', kind: 'hook', many: true, help: 'do this before the apps are loaded' },
  { name: 'hook-post-app', kind: 'hook', many: true, help: 'do this when the apps are loaded and their workers run' },
  { name: 'hook-accepting-once', aliases: ['hook-accepting1-once'], kind: 'hook', many: true,
    help: 'do this when the server answers requests',
    differs: 'Done once, by the server, not by its first worker.' },
  { name: 'hook-as-user-atexit', kind: 'hook', many: true, help: 'do this when the server has stopped' },
  { name: 'exec-asap', kind: 'text', many: true, value: 'COMMAND', help: 'the same as hook-asap = exec:COMMAND' },
  { name: 'exec-as-root', kind: 'text', many: true, value: 'COMMAND', help: 'the same as hook-as-root = exec:COMMAND' },
  { name: 'exec-as-user', kind: 'text', many: true, value: 'COMMAND', help: 'the same as hook-as-user = exec:COMMAND' },
  { name: 'exec-pre-app', kind: 'text', many: true, value: 'COMMAND', help: 'the same as hook-pre-app = exec:COMMAND' },
  { name: 'exec-post-app', kind: 'text', many: true, value: 'COMMAND', help: 'the same as hook-post-app = exec:COMMAND' },
  { name: 'exec-as-user-atexit', kind: 'text', many: true, value: 'COMMAND',
    help: 'the same as hook-as-user-atexit = exec:COMMAND' },
] as const satisfies readonly Option[];
