// What the configuration wants done at a stage of the server's life: uWSGI's hook-STAGE = ACTION:ARGUMENT, and exec-STAGE,
// which is the same with a command. Pure.
//
//   hook-pre-app = exec:python manage.py migrate        hook-as-user = mkdir:/run/app        exec-asap = sleep 1
//
//   hook-master-start may also say which signal stops the server in order: unix_signal:15 gracefully_kill_them_all
// Decided elsewhere: how each action is done (process/hooks.ts), when the stages come (server.ts).

import { constants } from 'node:os';

// biome-ignore format: a table
/** Stages in the order in which they come. */
export const STAGES = [
  'asap',              // the configuration is read, nothing has been opened
  'as-root',           // the sockets are open, root has not been given up
  'as-user',           // it has
  'pre-app',           // before the first app is loaded
  'master-start',      // before their workers are started
  'post-app',          // all apps are loaded, their workers run
  'accepting-once',    // the server answers requests
  'as-user-atexit',    // the server has stopped
] as const;
export type Stage = (typeof STAGES)[number];

// biome-ignore format: a list
const ACTIONS = [
  'exec', 'safeexec', 'cd', 'chdir', 'mkdir', 'putenv', 'chmod', 'create', 'unlink', 'write', 'writen', 'append', 'appendn',
  'print', 'log',
] as const;
export type HookActionName = (typeof ACTIONS)[number];

export interface HookAction {
  readonly action: HookActionName;
  readonly argument: string;
}

export interface Hook extends HookAction {
  readonly stage: Stage;
}

export const HOOK_FORM = `ACTION:ARGUMENT, where ACTION is one of ${ACTIONS.join(', ')}`;

/** The action in the text of `--hook-STAGE`. Undefined: it has not the form HOOK_FORM. */
export function parseHook(text: string): HookAction | undefined {
  const colon = text.indexOf(':');
  const action = ACTIONS.find((name) => name === text.slice(0, Math.max(0, colon)).trim());
  return action === undefined ? undefined : { action, argument: text.slice(colon + 1).trim() };
}

/** What `--hook-master-start` asks for: an action, or that a signal stops the server when the requests inside are answered. */
export type MasterHook = HookAction | { readonly stopsBy: NodeJS.Signals };

const UNIX_SIGNAL = /^unix_signal:\s*(\d+)\s+gracefully_kill_them_all$/;
/** Nobody can listen to these. */
const DEAF: readonly string[] = ['SIGKILL', 'SIGSTOP'];

export const MASTER_HOOK_FORM = `unix_signal:N gracefully_kill_them_all, or ${HOOK_FORM}`;

/** The action in the text of `--hook-master-start`. Undefined: it has not the form MASTER_HOOK_FORM. */
export function parseMasterHook(text: string): MasterHook | undefined {
  const number = UNIX_SIGNAL.exec(text.trim())?.[1];
  if (number === undefined) return parseHook(text);
  const found = Object.entries(constants.signals).find(
    ([name, value]) => value === Number(number) && !DEAF.includes(name),
  );
  return found === undefined ? undefined : { stopsBy: found[0] as NodeJS.Signals };
}
