// The configuration, read again while the server runs: what has changed, and which of it a reload can apply.
//
// It is read by a process of its own, started as this one was: in the same directory, with the same command line and
//   environment. So nothing waits for the disk here, and a mistake in it ends nothing.
// Decided elsewhere: what a configuration is (config/), how a change is applied (lifecycle/hosted-app.ts).

import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readArgv } from './config/argv.js';
import { takenInput } from './config/files.js';
import { keepForChild } from './config/inherited.js';
import { afterReload } from './config/logic.js';
import { OPTIONS, type Option, sectionOf } from './config/options.js';
import { type Resolved, resolveLine } from './config/resolve.js';
import { digestOf } from './config/show.js';
import type { StartCommand } from './process/start-command.js';

/** What the other process tells: all of a configuration that can be applied to a running server. */
export type Reread = Pick<Resolved, 'config' | 'apps' | 'origins' | 'warnings'>;

/** Runs in the other process: reads what `argv` says and sends it to the server. Throws `ConfigError`. */
export function tellConfiguration(argv: readonly string[], version: string): void {
  keepForChild(process.env);
  const { config, apps, origins, warnings } = resolveLine(readArgv(argv), process.env, version);
  process.send?.({ config, apps, origins, warnings } satisfies Reread);
  process.disconnect?.();
}

/**
 * The configuration as it is now. Rejects with what is wrong with it. `tool`: the argument that leads to the above;
 * `start`: how this process was started.
 */
export function reread(tool: string, start: StartCommand): Promise<Reread> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1]!, [tool, ...process.argv.slice(2)], {
      cwd: start.directory,
      env: afterReload(start.environment),
      serialization: 'advanced',
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
    });
    child.stdin!.on('error', () => {}).end(takenInput()); // it may end before it has read it
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('message', (message) => resolve(message as Reread));
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(said.trim().replace(/^nuwsgi: /, '') || `it ended with ${code}`)));
  });
}

/** Options that each app may have for itself, and that are settled when its shared memory is made. */
const SETTLED: ReadonlySet<string> = new Set(['threads', 'async', 'chdir', 'forkbomb-delay']);
/** What an app is, is compared app by app. */
const APPS: ReadonlySet<string> = new Set(['wsgi-file', 'module', 'app', 'mount']);
/** Of the whole server, and applied all the same. */
const APPLIED: ReadonlySet<string> = new Set(['worker-reload-mercy']);
/** They say where options come from. */
const SOURCES: ReadonlySet<string> = new Set(['Configuration', 'Loops and conditions in files']);

/** Whether a reload applies a change of `option`. */
export const isApplied = (option: Option): boolean =>
  (option.perApp === true && !SETTLED.has(option.name)) || APPLIED.has(option.name);

/** Of a configuration: another one when something in it has changed that a reload does not apply. */
export function restartDigest(resolved: Resolved): string {
  const applied = new Set((OPTIONS as readonly Option[]).filter(isApplied).map(({ name }) => name));
  const apps = resolved.apps.map((app) => `${keyOf(app)} ${app.target.kind.startsWith('js')}`);
  const rest = digestOf(resolved, (option) => !applied.has(option));
  return createHash('sha256')
    .update([rest, ...apps].join())
    .digest('hex');
}

const keyOf = ({ host, path }: { readonly host: string | undefined; readonly path: string }) => `${host ?? ''}${path}`;

/** What has changed from `before` to `after`, by what a reload can do about it: names of options. */
export function changesOf(before: Reread, after: Reread): { applied: readonly string[]; settled: readonly string[] } {
  const applied = new Set<string>();
  const settled = new Set<string>();
  const known = new Map(before.apps.map((app) => [keyOf(app), app]));
  const pairs: (readonly [Reread['config'], Reread['config']])[] = [[before.config, after.config]];
  for (const app of after.apps) {
    const was = known.get(keyOf(app));
    if (was === undefined || was.target.kind.startsWith('js') !== app.target.kind.startsWith('js'))
      settled.add(app.option);
    else if (was.target.text !== app.target.text) applied.add(app.option);
    if (was !== undefined) pairs.push([was.config, app.config]);
    known.delete(keyOf(app));
  }
  for (const app of known.values()) settled.add(app.option);
  for (const option of OPTIONS as readonly Option[]) {
    if (APPS.has(option.name) || SOURCES.has(sectionOf(option))) continue;
    const name = option.name as keyof Reread['config'];
    const isSame = ([was, is]: (typeof pairs)[number]) => JSON.stringify(was[name]) === JSON.stringify(is[name]);
    if (!pairs.every(isSame)) (isApplied(option) ? applied : settled).add(option.name);
  }
  return { applied: [...applied], settled: [...settled] };
}
