// Rules that look at a request before any app does. Rows of the options table; see options.ts.
//
// Their order among each other counts, whatever their names: it is kept by config/routes.ts, which also reads them.

import type { Option } from './table.js';

const FORM = 'REGEX ACTION';

// biome-ignore format: a table
export const ROUTING = [
  { name: 'route', kind: 'text', many: true, value: FORM,
    help: 'do something where PATH_INFO matches: redirect:URL, return:STATUS, rewrite:PATH, addheader:, static:, basicauth: ...',
    differs: 'Regular expressions are those of JavaScript. What a request brings is escaped where it goes into a URL, and refused where it would end a header line.' },
  { name: 'route-host', kind: 'text', many: true, value: FORM, help: 'as route, for the Host field' },
  { name: 'route-uri', kind: 'text', many: true, value: FORM, help: 'as route, for REQUEST_URI' },
  { name: 'route-qs', kind: 'text', many: true, value: FORM, help: 'as route, for QUERY_STRING' },
  { name: 'route-remote-addr', kind: 'text', many: true, value: FORM, help: 'as route, for REMOTE_ADDR' },
  { name: 'route-remote-user', kind: 'text', many: true, value: FORM, help: 'as route, for REMOTE_USER' },
  { name: 'route-user-agent', kind: 'text', many: true, value: FORM, help: 'as route, for the User-Agent field' },
  { name: 'route-referer', kind: 'text', many: true, value: FORM, help: 'as route, for the Referer field' },
  { name: 'route-if', kind: 'text', many: true, value: 'TEST:ARGS ACTION',
    help: 'do something where a test holds: equal:, startswith:, regexp:, ipv4in:, isfile:, empty: ...' },
  { name: 'route-if-not', kind: 'text', many: true, value: 'TEST:ARGS ACTION', help: 'do something where a test does not hold' },
  { name: 'route-run', kind: 'text', many: true, value: 'ACTION', help: 'do something with every request' },
  { name: 'route-label', kind: 'text', many: true, value: 'LABEL', help: 'where goto:LABEL of an earlier rule goes on' },
] as const satisfies readonly Option[];
