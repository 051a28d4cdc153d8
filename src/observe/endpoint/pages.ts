// The files of the dashboard, as routes. They tell nothing about the server: what they show, the page asks for with the token.
//
// Nothing but these files runs on the page, and nothing from another host (Content-Security-Policy).
// Decided elsewhere: the page (../dashboard/), its figures (control-plane.ts).

import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { extname, join } from 'node:path';
import type { Route } from './routes.js';

const DIRECTORY = join(import.meta.dirname, '..', 'dashboard');
const PAGE = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** A browser that goes to an address says that it would like a page; what reads figures does not. */
const wantsPage = ({ headers }: IncomingMessage) => (headers.accept ?? '').includes('text/html');

/** The page at `/` for browsers, and the files it needs. Reads them all: to be called at the start. */
export function pageRoutes(): Route[] {
  return readdirSync(DIRECTORY)
    .filter((name) => extname(name) in TYPES)
    .map((name) => {
      const type = TYPES[extname(name)]!;
      const body = readFileSync(join(DIRECTORY, name));
      const fields = { 'Content-Security-Policy': POLICY };
      const isPage = name === PAGE;
      return {
        path: isPage ? '/' : `/dashboard/${name}`,
        method: 'GET',
        isOpen: true,
        isControl: false,
        ...(isPage && { isFor: wantsPage }),
        answer: () => ({ status: 200, type, body, fields }),
      };
    });
}
