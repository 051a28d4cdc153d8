// Finding the callable of a JS or TypeScript app.
//
// Decided elsewhere: which files are JS apps (config/app-target.ts), what is done with the callable (entry.ts).

import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Application } from './api.js';

/** Since Node 22.18 (22.6 behind a flag); the published types of Node 20 do not know it. */
const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);
const TYPESCRIPT = new Set(['.ts', '.mts', '.cts']);

/**
 * Imports `file` and returns its callable: the export `name`, or the default export if that is a function, or the
 * property `name` of the default export (which is how a CommonJS module arrives). Throws when there is none, and for
 * TypeScript where this Node does not strip types.
 */
export async function loadApplication(file: string, name: string): Promise<Application> {
  if (TYPESCRIPT.has(extname(file)) && !stripsTypes) {
    throw new Error(
      `Node ${process.versions.node} does not run TypeScript. Use Node 22.18 or newer, or compile ${file} to JavaScript.`,
    );
  }
  const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const fallback = module.default as Record<string, unknown> | undefined;
  const found = module[name] ?? (typeof fallback === 'function' ? fallback : fallback?.[name]);
  if (typeof found !== 'function') {
    const exported = Object.keys(module).join(', ') || 'nothing';
    throw new Error(`${file} has no function "${name}" (it exports ${exported}). Name it with --callable.`);
  }
  return found as Application;
}
