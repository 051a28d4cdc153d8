// From the options to what the accept side does by itself. Reads the files it needs for that (MIME types), so that a
// request never waits for them and a missing one is noticed at start.
//
// Decided elsewhere: what the options are (config/options/static.ts), what is done with the plan (listeners/front.ts).

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.js';
import type { Config } from '../config/options.js';
import type { Routes } from '../config/routes.js';
import type { EditsPlan } from './answer-edits.js';
import type { ErrorPages, Page } from './reply.js';
import { MimeTypes, readMimeTypes } from './static/mime.js';
import { isBelow } from './static/paths.js';
import type { ExpiryRule, StaticPlan } from './static/static-files.js';

export interface EdgePlan {
  /** Undefined: there are no rules. */
  readonly routes: Routes | undefined;
  /** Where relative paths of rules begin. */
  readonly directory: string;
  readonly files: StaticPlan;
  /** Undefined: no answer is edited. */
  readonly edits: EditsPlan | undefined;
  readonly pages: ErrorPages;
  /** An app may name a file that is sent in place of its answer's body. */
  readonly allowsSendfile: boolean;
  /** What is odd, and no reason not to start. */
  readonly warnings: readonly string[];
}

/** What the accept side does by itself; undefined when that is nothing. Throws `ConfigError`. */
export function edgePlanOf(config: Config, routes: Routes): EdgePlan | undefined {
  const isAsked = ASKING.some((option) => config[option].length > 0) || config['check-static-docroot'];
  const editsByRule = routes.rules.some(({ action }) => action.kind === 'addheader' || action.kind === 'remheader');
  if (!isAsked && routes.rules.length === 0) return undefined;
  const warnings: string[] = [];
  const pages = errorPagesOf(config);
  const added = config['add-header'].map(({ name, value }) => [name, value] as const);
  const removed = config['rem-header'].map((name) => name.toLowerCase());
  const allowsSendfile = config['static-safe'].length > 0;
  const editsAnswers = added.length + removed.length + pages.size > 0 || allowsSendfile || editsByRule;
  return {
    routes: routes.rules.length > 0 ? routes : undefined,
    directory: config.chdir ?? process.cwd(),
    files: staticPlanOf(config, warnings),
    edits: editsAnswers ? { added, removed } : undefined,
    pages,
    allowsSendfile,
    warnings,
  };
}

/** Options that something has to stand in front of the apps for. */
const ASKING = [
  'static-map',
  'static-map2',
  'check-static',
  'static-safe',
  'add-header',
  'rem-header',
  'error-page-403',
  'error-page-404',
  'error-page-500',
] as const satisfies readonly (keyof Config)[];

/** The first page of each kind that can be read. Throws `ConfigError` where none can. */
function errorPagesOf(config: Config): ErrorPages {
  const directory = config.chdir ?? process.cwd();
  const pages = new Map<number, Page>();
  for (const status of [403, 404, 500] as const) {
    let problem: string | undefined;
    for (const path of config[`error-page-${status}`]) {
      try {
        if (!pages.has(status)) pages.set(status, { type: 'text/html', body: readFileSync(resolve(directory, path)) });
      } catch (error) {
        problem ??= `${path}: ${(error as Error).message}`;
      }
    }
    if (problem !== undefined && !pages.has(status)) {
      throw new ConfigError('CONFIG_FILE', `error-page-${status}`, problem);
    }
  }
  return pages;
}

// biome-ignore format: a table
const EXPIRIES = [
  ['static-expires-type',            'type', false], ['static-expires-type-mtime',      'type', true],
  ['static-expires',                 'file', false], ['static-expires-mtime',           'file', true],
  ['static-expires-path-info',       'path', false], ['static-expires-path-info-mtime', 'path', true],
  ['static-expires-uri',             'uri',  false], ['static-expires-uri-mtime',       'uri',  true],
] as const satisfies readonly (readonly [option: keyof Config, subject: ExpiryRule['subject'], fromChange: boolean])[];

function staticPlanOf(config: Config, warnings: string[]): StaticPlan {
  const directory = config.chdir ?? process.cwd();
  const absolute = (option: string, path: string) => {
    const whole = resolve(directory, path);
    if (!existsSync(whole)) warnings.push(`${option} ${path}: there is no ${whole} yet`);
    return whole === '/' ? '' : Buffer.from(whole).toString('latin1');
  };
  if (!existsSync('/proc/self/fd')) {
    throw new ConfigError('CONFIG_CONFLICT', 'static files need /proc, which tells where an open file lies');
  }
  const maps = [
    ...config['check-static'].map((root) => ({ prefix: '', root: absolute('check-static', root), keepsPrefix: true })),
    ...(['static-map', 'static-map2'] as const).flatMap((option) =>
      config[option].map(({ prefix, target }) => {
        return { prefix, root: absolute(option, target), keepsPrefix: option === 'static-map2' };
      }),
    ),
  ];
  return {
    maps,
    usesDocumentRoot: config['check-static-docroot'],
    indexes: config['static-index'],
    safe: config['static-safe'].map((path) => absolute('static-safe', path)),
    skippedExtensions: config['static-skip-ext'],
    allowsHidden: config['static-dotfiles'],
    trustMs: config['static-cache-paths'] * 1000,
    types: mimeTypesOf(config, directory),
    expiries: EXPIRIES.flatMap(([option, subject, fromChange]) =>
      config[option].map(({ pattern, seconds }) => ({ subject, pattern, seconds, fromChange })),
    ),
    isCompressible: compressibleOf(config, (path) => absolute('static-gzip-dir', path)),
  };
}

function compressibleOf(config: Config, absolute: (path: string) => string): StaticPlan['isCompressible'] {
  if (config['static-gzip-all']) return () => true;
  const patterns = config['static-gzip'];
  const extensions = config['static-gzip-ext'];
  const directories = config['static-gzip-dir'].map(absolute);
  return (path) =>
    extensions.some((extension) => path.endsWith(extension)) ||
    directories.some((directory) => isBelow(path, directory)) ||
    patterns.some((pattern) => pattern.test(path));
}

function mimeTypesOf(config: Config, directory: string): MimeTypes {
  const types = new Map<string, string>();
  for (const path of config.mimefile) {
    let source: string;
    try {
      source = readFileSync(resolve(directory, path), 'latin1');
    } catch (error) {
      throw new ConfigError('CONFIG_FILE', `mimefile ${path}`, (error as Error).message);
    }
    const [bad] = readMimeTypes(source, types);
    if (bad !== undefined)
      throw new ConfigError('CONFIG_FILE', `${path}:${bad}`, 'a line is a MIME type and extensions');
  }
  return new MimeTypes(types);
}
