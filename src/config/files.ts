// Configuration files: found, opened, and read in the format that their option or their extension tells.
//
// Only files and standard input are read. uWSGI also takes http://, exec://, fd:// and their like: a configuration that
//   runs or fetches something before it is known is refused here, with the reason.
// Decided elsewhere: what stands in a format (ini.ts, yaml.ts, xml.ts), in which order files count (collect.ts).

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { readIni } from './ini.js';
import { expandMagic, type MagicFile } from './magic.js';
import type { Reading } from './setting.js';
import { readXml } from './xml.js';
import { readJson, readYaml } from './yaml.js';

type Format = (source: string, path: string, section: string | undefined) => Reading;

const FORMAT_OF_EXTENSION: ReadonlyMap<string, Format> = new Map([
  ['.ini', readIni],
  ['.yaml', readYaml],
  ['.yml', readYaml],
  ['.json', readJson],
  ['.js', readJson],
  ['.xml', readXml],
]);
/** Options whose value is a file to be read in place; undefined: the extension tells the format. */
const FORMAT_OF_OPTION: ReadonlyMap<string, Format | undefined> = new Map<string, Format | undefined>([
  ['ini', readIni],
  ['yaml', readYaml],
  ['json', readJson],
  ['xml', readXml],
  ['config', undefined],
  ['include', undefined],
  ['inherit', undefined],
]);
/** `file.ini:section`, `:section`. */
const FILE_AND_SECTION = /^(.*?)(?::([^:/]+))?$/s;
const STANDARD_INPUT = '-';

/** Whether the value of `option` is a file to be read. */
export const readsFile = (option: string): boolean => FORMAT_OF_OPTION.has(option);

/** The option that reads the configuration file `argument` given without one; undefined: it does not look like one. */
export function optionForFile(argument: string): 'ini' | 'yaml' | 'json' | 'xml' | undefined {
  const extension = /\.(ini|ya?ml|json|xml)(?::[^:/]+)?$/i.exec(argument)?.[1]?.toLowerCase();
  return extension === 'yml' ? 'yaml' : (extension as ReturnType<typeof optionForFile>);
}

/** A configuration file, or one section of it. */
export interface Source extends MagicFile {
  readonly realPath: string;
  readonly format: Format;
  readonly text: string;
}

/**
 * The file that `option` names, or why it cannot be read. `including`: the file in which the option stands.
 */
export function openSource(option: string, location: string, including: MagicFile | undefined): Source | string {
  if (/^\w+:\/\//.test(location)) return 'only files are read: no URLs, no commands';
  const [file, section] = existsSync(location) ? [location] : fileAndSection(location);
  const path = file === '' ? including?.path : file; // `:section` means the file in which it stands
  if (path === undefined) return 'there is no file name in front of the section';
  const format = FORMAT_OF_OPTION.get(option) ?? FORMAT_OF_EXTENSION.get(extname(path).toLowerCase());
  if (format === undefined) return 'the extension tells no format that is read: .ini, .yaml, .yml, .json or .xml';
  try {
    if (path === STANDARD_INPUT) {
      return { path: 'standard input', realPath: path, section, format, text: standardInput() };
    }
    const realPath = realpathSync(path);
    return { path, realPath, section, format, text: readFileSync(realPath, 'utf8').replace(/^\ufeff/, '') };
  } catch (error) {
    return explain(error as NodeJS.ErrnoException, path, including);
  }
}

/** What stands in `source`, with its magic letters replaced. `first` is the first file that was read. */
export function readSource(source: Source, first: MagicFile, version: string): Reading {
  const text = source.realPath === STANDARD_INPUT ? source.text : expandMagic(source.text, source, first, version);
  return source.format(text, source.path, source.section);
}

function fileAndSection(location: string): readonly [file: string, section: string | undefined] {
  const [, file = '', section] = FILE_AND_SECTION.exec(location)!;
  return [file, section];
}

let input: string | undefined;

/** What came on standard input, where a configuration was read from it: processes that are to read the same get it again. */
export const takenInput = (): string | undefined => input;

/** It can be read once only, and may be named twice. */
function standardInput(): string {
  input ??= readFileSync(0, 'utf8');
  return input;
}

function explain(error: NodeJS.ErrnoException, path: string, including: MagicFile | undefined): string {
  switch (error.code) {
    case 'ENOENT':
      return `there is no such file (looked for in ${process.cwd()})${besides(path, including)}`;
    case 'EISDIR':
      return 'it is a directory, not a file';
    case 'EACCES':
      return 'the file may not be read: check its permissions and those of its directories';
    default:
      return `the file cannot be read: ${error.message}`;
  }
}

/** Paths start where the server is started, as in uWSGI; many expect them to start at the file they stand in. */
function besides(path: string, including: MagicFile | undefined): string {
  if (including === undefined || isAbsolute(path) || !existsSync(join(dirname(including.path), path))) return '';
  return `; for the one beside ${including.path} write %d${path}`;
}
