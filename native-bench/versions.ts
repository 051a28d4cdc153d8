// Which releases take part in a run, as each program says itself.

import { spawnSync } from 'node:child_process';
import { findProgram, ROOT } from './paths.js';

/** The release of the binary that both nuwsgi and the bare peer load (src/listeners/uws-module.ts). */
function uwsVersion(): string {
  const binary = `@uwsjs/${process.platform}-${process.arch}-${process.versions.node.split('.')[0]}`;
  return output(process.execPath, ['-p', `require('./node_modules/${binary}/package.json').version`]);
}

/** Versions of everything that may take part, by name; without what is not installed. */
export function versions(): Record<string, string> {
  const uwsgi = findProgram('uwsgi');
  const gunicorn = findProgram('gunicorn');
  const wrk = findProgram('wrk');
  const python = findProgram('python3');
  const flask = 'import importlib.metadata as m; print(m.version("flask"))';
  const all = {
    nuwsgi: output(process.execPath, ['-p', "require('./package.json').version"]),
    node: process.version.slice(1),
    'uWebSockets.js': uwsVersion(),
    uwsgi: uwsgi && output(uwsgi, ['--version']),
    gunicorn: gunicorn && /[\d.]+/.exec(output(gunicorn, ['--version']))?.[0],
    python: python && output(python, ['--version']).replace('Python ', ''),
    flask: python && output(python, ['-c', flask]),
    wrk: wrk && /wrk (\S+)/.exec(output(wrk, ['-v']))?.[1],
  };
  return Object.fromEntries(Object.entries(all).filter(([, version]) => version)) as Record<string, string>;
}

/** What a program prints; empty when it cannot be run, or has only complaints. */
export function output(program: string, args: string[]): string {
  return (spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' }).stdout ?? '').trim();
}
