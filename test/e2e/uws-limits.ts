// What uWebSockets.js does otherwise than docs/security.md promises for all listeners, and nobody can mend from
// JavaScript. The document has a row for each, uws-limits.test.ts a test: a new version that does better fails it.

export const UWS_LIMITS = [
  'chunk-syntax',
  'trailers',
  'empty-name',
  'stripped-bytes',
  'bare-cr',
  'empty-line',
  'own-refusals',
  'no-status',
  'http-1.0',
  'target-forms',
  'pipelining',
  'half-close',
  'continue-first',
  'field-count',
  'proxy-header',
  'timers',
] as const;
export type UwsLimit = (typeof UWS_LIMITS)[number];
