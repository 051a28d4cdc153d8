// An app that a test writes, rewrites and breaks: in Python and in JavaScript, with the same paths.
//
//   /        the version      /slow    the version, after a second; says in the log that it has begun
//   /pid     the process     /short   the version, after 20 ms
//   /leak    the version, and from then on 1 KiB more that nobody frees

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Language = 'python' | 'js';
export const LANGUAGES: readonly Language[] = ['python', 'js'];

const python = (version: string, more: string) => `
import os
import time
VERSION = '${version}'
leaked = []
${more}
def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/slow':
        print('slow has begun', flush=True)
        time.sleep(1)
    elif path == '/short':
        time.sleep(0.02)
    elif path == '/leak':
        leaked.append(bytes(1024))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [(str(os.getpid()) if path == '/pid' else VERSION).encode()]
`;

const js = (version: string, more: string) => `
const VERSION = '${version}';
const leaked = [];
${more}
export async function application(environ, startResponse) {
  const path = environ['PATH_INFO'];
  if (path === '/slow') {
    console.log('slow has begun');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  if (path === '/short') await new Promise((resolve) => setTimeout(resolve, 20));
  if (path === '/leak') leaked.push(new Array(120).fill(leaked.length));
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return path === '/pid' ? String(process.pid) : VERSION;
}
`;

export class VersionedApp {
  readonly directory = mkdtempSync(join(tmpdir(), 'nuwsgi-app-'));
  /** A file that is there to be touched. */
  readonly trigger = join(this.directory, 'trigger');
  readonly file: string;
  readonly language: Language;
  readonly #source: (version: string, more: string) => string;
  #touches = 0;

  constructor(language: Language) {
    this.language = language;
    this.file = join(this.directory, language === 'python' ? 'app.py' : 'app.mjs');
    this.#source = language === 'python' ? python : js;
    this.write('v1');
    this.touch();
  }

  /** `more`: code that runs when the app is loaded. */
  write(version: string, more = ''): void {
    writeFileSync(this.file, this.#source(version, more));
  }

  break(): void {
    writeFileSync(this.file, 'this is (no program\n');
  }

  /** Changes the file `trigger`, or the one whose name has `suffix` behind it. */
  touch(suffix = ''): void {
    writeFileSync(this.trigger + suffix, String(this.#touches++));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
