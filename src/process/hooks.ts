// What the configuration wants done at certain moments of a start and a stop: uWSGI's hook-STAGE and exec-STAGE.
//
// Before the server serves, a hook that fails ends the start; afterwards it is a line in the log. Commands run through
//   the shell, one after the other, each waited for: what comes next may depend on it.
// Decided elsewhere: what can be asked for (config/hook.ts), when each stage comes (server.ts, cli.ts), how a command runs (shell.ts).

import { appendFile, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { ConfigError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Hook, HookActionName, Stage } from '../config/hook.js';
import { runShell } from './shell.js';

type Action = (argument: string, mark: string, log: Log) => Promise<void>;

async function execute(command: string, mark: string, log: Log): Promise<void> {
  const code = await runShell(command, mark, log).code;
  if (code !== 0) throw new Error(`it exited with code ${code}`);
}

/** `FILE TEXT` */
function fileAndText(argument: string): [file: string, text: string] {
  const space = argument.indexOf(' ');
  return space < 0 ? [argument, ''] : [argument.slice(0, space), argument.slice(space + 1)];
}

// biome-ignore format: a table
const ACTIONS = {
  exec:     execute,
  safeexec: (command, mark, log) => execute(command, mark, log).catch(() => {}), // its failure does not matter
  cd:       async (directory) => process.chdir(directory),
  chdir:    async (directory) => process.chdir(directory),
  mkdir:    async (directory) => void (await mkdir(directory, { recursive: true })),
  putenv:   async (text) => { const [name = '', ...value] = text.split('='); process.env[name] = value.join('='); },
  chmod:    async (argument) => { const [file, mode] = fileAndText(argument); await chmod(file, Number.parseInt(mode, 8)); },
  create:   async (file) => appendFile(file, ''),
  unlink:   async (file) => rm(file, { force: true }),
  write:    async (argument) => writeFile(...fileAndText(argument)),
  writen:   async (argument) => { const [file, text] = fileAndText(argument); await writeFile(file, `${text}\n`); },
  append:   async (argument) => appendFile(...fileAndText(argument)),
  appendn:  async (argument) => { const [file, text] = fileAndText(argument); await appendFile(file, `${text}\n`); },
  print:    async (text, mark, log) => log.line(`[${mark}] ${text}`),
  log:      async (text, mark, log) => log.line(`[${mark}] ${text}`),
} as const satisfies Record<HookActionName, Action>;

export class Hooks {
  readonly #hooks: readonly Hook[];
  readonly #log: Log;

  constructor(hooks: readonly Hook[], log: Log) {
    this.#hooks = hooks;
    this.#log = log;
  }

  /** Does what is to be done at `stage`, in order. Throws `ConfigError` CONFIG_HOOK at the first that fails. */
  async run(stage: Stage): Promise<void> {
    for (const hook of this.#hooks) {
      if (hook.stage !== stage) continue;
      this.#log.line(`running "${hook.action}:${hook.argument}" (${stage})...`);
      try {
        await ACTIONS[hook.action](hook.argument, `hook ${stage}`, this.#log);
      } catch (error) {
        throw new ConfigError('CONFIG_HOOK', stage, `${hook.action}:${hook.argument}`, (error as Error).message);
      }
    }
  }
}
