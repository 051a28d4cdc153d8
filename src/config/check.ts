// `nuwsgi check FILE...`: reads each configuration as a start would, says everything that is wrong with it, and starts
// nothing.
//
// Decided elsewhere: what is right and wrong (resolve.ts).

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.js';
import type { AppMount } from './apps.js';
import { type CommandLine, readArgv } from './argv.js';
import { type Resolved, resolveLine } from './resolve.js';

export const CHECK_USAGE = `usage: nuwsgi check FILE... [OPTION...]

Reads each configuration file as \`nuwsgi FILE OPTION...\` would, and starts nothing. Says everything that is wrong, with
file and line. With --strict-options what uWSGI knows and nuwsgi does not support is wrong too.
Exit code: 0 everything is right, 2 something is not.
`;

/** The outcome of a check: what to print, and the exit code. */
export interface Checked {
  readonly text: string;
  readonly exit: 0 | 2;
}

/** Checks every file that `argv` names, each with the options beside it; without a file, the options alone. */
export function check(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): Checked {
  const line = readArgv(argv);
  if (line.help !== undefined) return { text: CHECK_USAGE, exit: 0 };
  const runs = line.files.length === 0 ? [[]] : line.files.map((file) => [file]);
  const results = runs.map((files) => checkOne({ ...line, files }, files[0]?.text ?? 'command line', env, version));
  return {
    text: results.map(({ text }) => text).join(''),
    exit: results.some(({ exit }) => exit !== 0) ? 2 : 0,
  };
}

function checkOne(line: CommandLine, name: string, env: NodeJS.ProcessEnv, version: string): Checked {
  try {
    const resolved = resolveLine({ ...line, problems: [...line.problems], warnings: [...line.warnings] }, env, version);
    const warnings = [...resolved.warnings, ...missing(resolved)].map((text) => `  warning: ${text}\n`);
    return { text: `${name}: ok: ${summary(resolved)}\n${warnings.join('')}`, exit: 0 };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = problemsOf(error).map(({ message }) => `  error: ${message}\n`);
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    return { text: `${name}: ${count}\n${problems.join('')}`, exit: 2 };
  }
}

function problemsOf(error: ConfigError): readonly Error[] {
  return error.code === 'CONFIG_SEVERAL' ? (error.facts[0] as readonly Error[]) : [error];
}

function summary({ config, listeners, apps }: Resolved): string {
  if (config.emperor.length > 0) return `emperor of ${config.emperor.join(', ')}`;
  const addresses = listeners.map(({ option, address }) => `${option} ${address.text}`);
  const mounted = apps.map(({ host, path, target }) => `${target.text} on ${host ?? ''}${path || '/'}`);
  return [...mounted, ...addresses].join(', ') || 'nothing to serve';
}

/** What is named and not there: on the machine that is to serve it may be, so it is no error. */
function missing({ config, apps }: Resolved): string[] {
  const lost = (what: string, path: string, at: string) =>
    existsSync(path) ? [] : [`${at}: ${what} ${path} is not there`];
  const ofServer = config.chdir === undefined ? [] : lost('chdir', config.chdir, 'the server');
  return ofServer.length > 0 ? ofServer : apps.flatMap((app) => missingOf(app, lost));
}

function missingOf(app: AppMount, lost: (what: string, path: string, at: string) => string[]): string[] {
  const { config, target, at } = app;
  const directory = config.chdir ?? '.';
  const venv = config.virtualenv === undefined ? [] : lost('virtualenv', resolve(directory, config.virtualenv), at);
  const file = 'path' in target ? lost('the app', resolve(directory, target.path), at) : [];
  const here = config.chdir === undefined ? [] : lost('chdir', directory, at);
  return here.length > 0 ? here : [...venv, ...file];
}
