// What the options ask of the interpreter that runs a Python app, and of the environment of an app.
//
// Decided elsewhere: how it is done (worker/python/bridge_interpreter.py), the rest of an app's definition (plan.ts).

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from './base/errors.js';
import type { Config } from './config/options.js';
import { titlesOf } from './process/titles.js';
import type { PythonSettings } from './worker/python/zygote.js';

const MIB = 1048576;

export function pythonSettingsOf(config: Config): PythonSettings {
  const pairs = (name: 'pymodule-alias' | 'post-pymodule-alias') =>
    config[name].map(({ key, value }) => [key, value.trim()] as const);
  const { zygote, worker } = titlesOf(config);
  const optimization = config.optimize > 0 ? [`-${'O'.repeat(config.optimize)}`] : [];
  return {
    flags: [...optimization, ...(config['no-site'] ? ['-S'] : [])],
    programName: config['py-programname'],
    argv: config.pyargv?.split(/\s+/).filter((word) => word !== '') ?? [],
    executable: config['py-executable'] ?? '',
    imports: config.import,
    sharedImports: config['shared-import'],
    aliases: [...pairs('pymodule-alias'), ...pairs('post-pymodule-alias')],
    chdir2: config.chdir2 ?? '',
    stackBytes: config['thread-stacksize'] * 1024,
    affinity: config['cpu-affinity'],
    addressSpaceBytes: config['limit-as'] * MIB,
    processLimit: config['limit-nproc'],
    highestLock: config.locks,
    fileWrapper: !config['wsgi-disable-file-wrapper'],
    zygoteTitle: zygote ?? '',
    workerTitle: worker ?? '',
    autoreloadSeconds: config['py-autoreload'],
    autoreloadIgnored: config['py-auto-reload-ignore'],
  };
}

/**
 * The environment of an app that runs in `directory`: that of the server, then --unenv and --envdir, then --env. Throws
 * `ConfigError` when a directory cannot be read.
 */
export function environmentOf(config: Config, directory: string): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of config.unenv) delete environment[name];
  for (const path of config.envdir) readEnvdir(resolve(directory, path), environment);
  for (const { key, value } of config.env) environment[key] = value;
  return environment;
}

/** As envdir of daemontools: the first line of each file, without blanks behind; an empty file takes the variable away. */
function readEnvdir(path: string, environment: NodeJS.ProcessEnv): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.isDirectory()) continue;
      const text = readFileSync(join(path, entry.name), 'utf8');
      const [line = ''] = text.split('\n');
      if (text === '') delete environment[entry.name];
      else environment[entry.name] = line.trimEnd().replaceAll('\0', '\n');
    }
  } catch (error) {
    throw new ConfigError('CONFIG_FILE', 'envdir', `"${path}" cannot be read: ${(error as Error).message}`);
  }
}
