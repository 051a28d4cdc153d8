// What the configuration wants done at a stage of the server's life: uWSGI's hook-STAGE = ACTION:ARGUMENT, and exec-STAGE,
// which is the same with a command. Pure.
//
//   hook-pre-app = exec:python manage.py migrate        hook-as-user = mkdir:/run/app        exec-asap = sleep 1
//
// Decided elsewhere: how each action is done (process/hooks.ts), when the stages come (server.ts).

// biome-ignore format: a table
/** Stages in the order in which they come. */
export const STAGES = [
  'asap',              // the configuration is read, nothing has been opened
  'as-root',           // the sockets are open, root has not been given up
  'as-user',           // it has
  'pre-app',           // before the first app is loaded
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
