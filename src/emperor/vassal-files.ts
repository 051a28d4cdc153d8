// The configuration files that an emperor rules: those in its directories, or those that fit its patterns.
//
// Decided elsewhere: how often they are looked for, and what becomes of one that is new, changed or gone (emperor.ts).

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { glob } from 'tinyglobby';

const EXTENSIONS: ReadonlySet<string> = new Set(['.ini', '.yaml', '.yml', '.json', '.xml']);

/** A file that has, or is to have, a vassal. */
export interface VassalFile {
  /** What the vassal is called: the file's name; its path where a pattern found it, or another file has the name too. */
  readonly id: string;
  readonly path: string;
  /** Where the vassal runs, as in uWSGI: paths in its file start there. */
  readonly directory: string;
  readonly name: string;
  /** Changes when the file does. */
  readonly stamp: string;
  readonly modifiedAtMs: number;
  /** What the emperor was told to look at. */
  readonly monitor: string;
}

/** The files that `monitors` (directories or patterns) stand for now, by their paths. What cannot be read is left out. */
export async function findVassals(
  monitors: readonly string[],
  extraExtensions: readonly string[],
): Promise<ReadonlyMap<string, VassalFile>> {
  const found = new Map<string, VassalFile>();
  for (const monitor of monitors) {
    const isDirectory = await stat(monitor).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    const paths = isDirectory
      ? await filesIn(monitor)
      : await glob(monitor, { absolute: true, expandDirectories: false });
    for (const path of paths.sort()) {
      if (!EXTENSIONS.has(extname(path).toLowerCase()) && !extraExtensions.includes(extname(path))) continue;
      const file = await describe(path, isDirectory ? basename(path) : path, monitor);
      if (file !== undefined && !found.has(path)) found.set(path, file);
    }
  }
  return withoutClashes(found);
}

/** Two directories may each have an app.ini. */
function withoutClashes(files: ReadonlyMap<string, VassalFile>): ReadonlyMap<string, VassalFile> {
  const counts = new Map<string, number>();
  for (const { id } of files.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
  return new Map(Array.from(files, ([path, file]) => [path, counts.get(file.id) === 1 ? file : { ...file, id: path }]));
}

async function filesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).map((name) => join(resolve(directory), name));
}

async function describe(path: string, id: string, monitor: string): Promise<VassalFile | undefined> {
  const stats = await stat(path).catch(() => undefined); // it may have gone meanwhile
  if (!stats?.isFile()) return undefined;
  return {
    id,
    path,
    directory: dirname(path),
    name: basename(path),
    stamp: `${stats.ino}:${stats.size}:${stats.mtimeMs}`,
    modifiedAtMs: stats.mtimeMs,
    monitor,
  };
}
