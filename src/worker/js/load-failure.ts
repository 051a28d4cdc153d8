// Why a JS app did not load, as the person who starts it reads it: what, in which line, and what to do about it.
//
// Node's error of a module that cannot be parsed does not name the file: it prints that only for errors that nobody
//   catches. So the file is parsed again, by a process of its own.

import { spawnSync } from 'node:child_process';
import { inspect } from 'node:util';

/** Lines of a stack that are Node's or the server's own. */
const FOREIGN_FRAME = new RegExp(
  `^ +at .*(?:\\(?node:|${new URL('../../', import.meta.url).href}|/node_modules/piscina/)`,
);
const CHECK_MS = 5000;

/** The lines for the log; without a newline at the end. `error` may be anything; `file` is the app's. */
export function explainLoadFailure(error: unknown, file: string): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  const lines = text.split('\n').filter((line) => !FOREIGN_FRAME.test(line));
  if (error instanceof SyntaxError) return placeOf(file) || [...lines, inAnother(file)].join('\n');
  const cure = cureOf(error as NodeJS.ErrnoException | undefined, file);
  return cure === '' ? lines.join('\n') : [...lines, cure].join('\n');
}

const inAnother = (file: string) => `It is in a file that ${file} imports: "node --check FILE" says whether in FILE.`;

/** What `node --check` says of `file`: the line, where in it, and why. Empty: it is another file, or not found out. */
function placeOf(file: string): string {
  const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: CHECK_MS });
  if (status !== 1) return '';
  return stderr
    .slice(0, stderr.search(/\n {4}at |\n\nNode\.js/))
    .replace(/\n\s*\n/g, '\n')
    .trim();
}

function cureOf(error: NodeJS.ErrnoException | undefined, file: string): string {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' && error?.code !== 'MODULE_NOT_FOUND') return '';
  const name = /^Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1] ?? '';
  if (/^(?:[./]|file:)/.test(name))
    return 'Is the path right? A relative one is looked up in --chdir, or else where nuwsgi was started.';
  return `Is the package installed where ${file} finds it? Run "npm install ${name}" in its directory.`;
}
